"""Daily statistics as site workbooks deliver them: occupied rooms, vehicles, and some drafts that bill nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from sample_data.columns import Chunk, day_texts, money_column, text_column, whole_column
from sample_data.figures import KINDS, SEASONS, WEEKDAYS
from sample_data.noise import Ints, rounded, wobble
from sample_data.revenue import PARKING

OCCUPIED_ROOMS: Final = "Occupied Rooms"
_DRAFT_DAYS: Final = 3
_DRAFT_SITES: Final = 5  # every fifth site with rooms left drafts behind
_VEHICLE_CENTS: Final = 1_800


@dataclass(frozen=True, slots=True)
class StatisticsMonth:
    """The rows of a chunk and, per site, the month's occupied rooms and vehicles by parking category."""

    frame: pl.DataFrame
    rooms: Ints
    vehicles: Ints


def statistics_month(chunk: Chunk, by_category: Ints) -> StatisticsMonth:
    """Rooms for every site that has them, every day; vehicles follow revenue by category (cents, shape (sites, 6)).

    Drafts carry the value type `Preliminary`, so that no draft shares the key of a final row.
    """
    rooms = _occupied(chunk)
    sleeping = np.array([figure.site.has_rooms for figure in chunk.figures])
    vehicles = by_category // _VEHICLE_CENTS
    parts = [_rooms_rows(chunk, np.flatnonzero(sleeping), chunk.period.days, rooms, draft=False)]
    drafting = np.array([figure.site.index % _DRAFT_SITES == 0 for figure in chunk.figures]) & sleeping
    parts.append(_rooms_rows(chunk, np.flatnonzero(drafting), _DRAFT_DAYS, rooms + 1, draft=True))
    if chunk.full:
        parts.append(_vehicle_rows(chunk, vehicles))
    return StatisticsMonth(pl.concat(parts), rooms.sum(axis=1), vehicles)


def _occupied(chunk: Chunk) -> Ints:
    """Rooms by day; shape (sites, days); 0 without rooms. Never more than there are."""
    first, season = chunk.weekday_of_first, chunk.period.month - 1
    days = range(chunk.period.days)
    table = [[0.68 * SEASONS[kind][season] * WEEKDAYS[kind][(first + day) % 7] for day in days] for kind in KINDS]
    share = np.array(table)[chunk.kinds] * wobble(chunk.keys("site_statistics"), len(days), 1, 0.12)
    rooms = chunk.whole([figure.site.rooms for figure in chunk.figures])[:, None]
    return np.minimum(rounded(rooms * share), rooms)


def _rooms_rows(chunk: Chunk, sites: Ints, days: int, rooms: Ints, *, draft: bool) -> pl.DataFrame:
    day = np.tile(np.arange(days, dtype=np.int64), len(sites))
    zero = np.zeros(len(day), dtype=np.int64)
    where = (np.repeat(sites, days), day)
    return _frame(
        chunk,
        where,
        text_column("REVENUE_CODE", ["ROOMS"], zero),
        text_column("REVENUE_CATEGORY", [OCCUPIED_ROOMS], zero),
        ("Preliminary" if draft else "Daily", rooms[where] * 100, int(draft)),
    )


def _vehicle_rows(chunk: Chunk, vehicles: Ints) -> pl.DataFrame:
    """One row per day for the site's busiest parking category: the month's vehicles spread evenly."""
    days = chunk.period.days
    busiest = vehicles.argmax(axis=1)
    daily = vehicles.max(axis=1) // days
    sites = np.repeat(np.arange(chunk.size, dtype=np.int64), days)
    codes = [name[0] + name.split()[1][0] + "1" for name in PARKING]
    return _frame(
        chunk,
        (sites, np.tile(np.arange(days, dtype=np.int64), chunk.size)),
        text_column("REVENUE_CODE", codes, busiest[sites]),
        text_column("REVENUE_CATEGORY", PARKING, busiest[sites]),
        ("Vehicles", daily[sites] * 100, 0),
    )


def _frame(
    chunk: Chunk, where: tuple[Ints, Ints], code: pl.Series, category: pl.Series, value: tuple[str, Ints, int]
) -> pl.DataFrame:
    sites, days = where
    period = chunk.period
    files = [f"ZZ{number}REV{period.year} C{period.month:02d}.xlsm" for number in chunk.numbers]
    zero = np.zeros(len(sites), dtype=np.int64)
    value_type, hundredths, draft = value
    return pl.DataFrame(
        [
            text_column("FILE_NAME", files, sites),
            text_column("SITE", chunk.numbers, sites),
            text_column("DATE", day_texts(period), days),
            code,
            category,
            text_column("VALUE_TYPE", [value_type], zero),
            money_column("VALUE", hundredths),
            whole_column("IS_DRAFT", zero + draft),
            text_column("DW_LOADED_DTTM", [chunk.loaded_at], zero),
        ]
    )
