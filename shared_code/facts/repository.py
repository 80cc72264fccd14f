"""Reads facts for a whole chunk of contracts with a fixed number of statements, however many contracts there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.facts.model import (
    ACCOUNTS,
    FORECAST,
    FORECAST_CATEGORY,
    OCCUPIED_ROOMS,
    REVENUE,
    STATISTICS,
    TIMESHEET,
    FactSum,
    Presence,
    RoleHours,
    SiteFacts,
)
from shared_code.facts.predicates import BELL, MEASURES, SHAREABLE, RevenuePredicate
from shared_code.facts.tables import (
    account_summary,
    current_facts,
    forecast,
    hours_monthly,
    import_batch,
    revenue_monthly,
    site,
    statistics_monthly,
)
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow

_SITES_PER_STATEMENT = 900  # SQL Server takes at most 2,100 parameters: sites, batches and what predicates name
_BATCHES_PER_STATEMENT = 900

type _Current = dict[tuple[str, int], tuple[str, Period, str]]
"""Site and batch number, to the dataset, period and batch id that it is current for."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read for a chunk of contracts: settings and contract terms reach the predicates as values.

    `since` is the first month of the longest window. `history_accounts` are the ledger accounts that windows read;
    of the service period every account is read, without the rows of `excluded_entities` (rules R17).
    `room_value_types` empty means all of them (rules R47). `bell_excluded_codes`: rules R4, R57.
    """

    since: Period
    history_accounts: Collection[str] = ()
    excluded_entities: Collection[str] = ()
    room_value_types: Collection[str] = ()
    bell_excluded_codes: Collection[str] = ()


@dataclass(slots=True)
class _Found:
    """What has been read so far, by site."""

    presence: dict[str, dict[tuple[str, Period], Presence]] = field(default_factory=lambda: defaultdict(dict))
    revenue: dict[str, dict[Period, dict[str, FactSum]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    accounts: dict[str, dict[Period, dict[str, FactSum]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    measures: dict[str, dict[str, FactSum]] = field(default_factory=dict)
    stray_bell: dict[str, FactSum] = field(default_factory=dict)
    hours: dict[str, dict[str, RoleHours]] = field(default_factory=lambda: defaultdict(dict))
    rooms: dict[str, FactSum] = field(default_factory=dict)
    forecast: dict[str, FactSum] = field(default_factory=dict)
    forecast_loaded: dict[str, str | None] = field(default_factory=dict)
    started: dict[str, date | None] = field(default_factory=dict)


def load_facts(
    connection: Connection, sites: Collection[str], period: Period, reading: Reading
) -> dict[str, SiteFacts]:
    """Facts of `sites` for `period`, windows included. Nine statements for up to 900 sites and 900 batches.

    The pointers are read once, and sums only of the batches that they name: a batch that becomes current meanwhile
    changes nothing, though each statement has its own view of the database (SQL Server, READ COMMITTED SNAPSHOT).
    Predicates: billing-flows A.1; draft statistics never bill (datasets, site_statistics).
    """
    months = [str(p) for p in reading.since.until(period.next)]
    found = _Found()
    for part in _parts(sorted(sites), _SITES_PER_STATEMENT):
        current = _read_presence(connection, part, months, found)
        _read_revenue(connection, part, period, current, reading, found)
        _read_ledger(connection, part, period, current, reading, found)
        _read_month(connection, part, period, current, reading, found)
        found.started.update(
            (row.site_number, row.first_worked_date)
            for row in connection.execute(
                sa.select(site.c.site_number, site.c.first_worked_date).where(site.c.site_number.in_(part))
            )
        )
    return {number: _site_facts(number, period, reading, found) for number in sites}


def _site_facts(number: str, period: Period, reading: Reading, found: _Found) -> SiteFacts:
    return SiteFacts(
        site=number,
        period=period,
        started=found.started.get(number),
        revenue=found.revenue.get(number, {}),
        rooms=found.rooms.get(number),
        hours=found.hours.get(number, {}),
        measures=found.measures.get(number, {}),
        stray_bell=found.stray_bell.get(number),
        accounts=found.accounts.get(number, {}),
        forecast=found.forecast.get(number),
        forecast_loaded=found.forecast_loaded.get(number),
        excluded_entities=tuple(sorted(reading.excluded_entities)),
        room_value_types=tuple(sorted(reading.room_value_types)),
        presence=found.presence.get(number, {}),
    )


def _read_revenue(
    connection: Connection, sites: Sequence[str], period: Period, current: _Current, reading: Reading, found: _Found
) -> None:
    for row, month, batch in _sums(connection, REVENUE, current, sites, _revenue()):
        found.revenue[row.site][month][row.revenue_code] = FactSum(row.net, row.row_count, batch)
    month_only = _of_month(current, period)
    for row, _, batch in _sums(connection, REVENUE, month_only, sites, _measures(reading)):
        values = row._mapping
        found.measures[row.site] = {
            one.name: FactSum(values[one.name], values[f"{one.name}_rows"], batch) for one in MEASURES
        }
        if row.stray_rows:
            found.stray_bell[row.site] = FactSum(row.stray, row.stray_rows, batch)


def _read_ledger(
    connection: Connection, sites: Sequence[str], period: Period, current: _Current, reading: Reading, found: _Found
) -> None:
    """Every account of the service period; of earlier months those that windows read."""
    earlier = {key: value for key, value in current.items() if value[1] != period}
    wanted = [(_of_month(current, period), _balances(reading))]
    if reading.history_accounts:
        codes = sorted(reading.history_accounts)
        wanted.append((earlier, _balances(reading).where(account_summary.c.main_account.in_(codes))))
    for pointers, balances in wanted:
        for row, month, batch in _sums(connection, ACCOUNTS, pointers, sites, balances):
            found.accounts[row.site][month][row.main_account] = FactSum(row.balance, row.row_count, batch)


def _read_month(
    connection: Connection, sites: Sequence[str], period: Period, current: _Current, reading: Reading, found: _Found
) -> None:
    """What is read of the service period alone: hours, rooms, forecast."""
    month_only = _of_month(current, period)
    for row, _, batch in _sums(connection, TIMESHEET, month_only, sites, sa.select(hours_monthly)):
        found.hours[row.site][row.work_role] = RoleHours(
            row.regular_hours, row.overtime_hours, row.row_count, batch, row.regular_minutes, row.overtime_minutes
        )
    for row, _, batch in _sums(connection, STATISTICS, month_only, sites, _rooms(reading.room_value_types)):
        found.rooms[row.site] = FactSum(row.value, row.row_count, batch)
    for row, _, batch in _sums(connection, FORECAST, month_only, sites, _forecast()):
        found.forecast[row.site] = FactSum(row.balance, row.row_count, batch)
        found.forecast_loaded[row.site] = row.loaded_at


def _of_month(current: _Current, period: Period) -> _Current:
    return {key: value for key, value in current.items() if value[1] == period}


def _parts[T](items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _read_presence(connection: Connection, sites: Sequence[str], months: Sequence[str], found: _Found) -> _Current:
    current: _Current = {}
    for row in connection.execute(_presence(sites, months)):
        period = Period.parse(row.period)
        current[row.site, row.batch_no] = (row.dataset, period, row.batch_id)
        found.presence[row.site][row.dataset, period] = Presence(
            row.batch_id,
            row.row_count,
            row.rejected_count,
            row.first_day,
            row.last_day,
            row.longest_gap or 0,
            row.reaches,
        )
    return current


def _presence(sites: Sequence[str], months: Sequence[str]) -> sa.Select[Any]:
    return (
        sa.select(current_facts, import_batch.c.batch_id, import_batch.c.last_day.label("reaches"))
        .join(import_batch, import_batch.c.batch_no == current_facts.c.batch_no)
        .where(current_facts.c.period.in_(months), current_facts.c.site.in_(sites))
    )


def _sums(
    connection: Connection,
    dataset: str,
    current: Mapping[tuple[str, int], tuple[str, Period, str]],
    sites: Sequence[str],
    sums: sa.Select[Any],
) -> Iterator[tuple[AnyRow, Period, str]]:
    """Rows of monthly sums that are current, each with its period and batch id. No batch, no statement."""
    numbers = sorted({number for (_, number), (name, _, _) in current.items() if name == dataset})
    columns = sums.selected_columns
    for part in _parts(numbers, _BATCHES_PER_STATEMENT):
        for row in connection.execute(sums.where(columns.batch_no.in_(part), columns.site.in_(sites))):
            pointer = current.get((row.site, row.batch_no))
            if pointer is not None:
                yield row, pointer[1], pointer[2]


def where(predicate: RevenuePredicate, rows: sa.Table = revenue_monthly) -> sa.ColumnElement[bool]:
    """A predicate as SQL, over the monthly sums or over the source rows."""
    c = rows.c
    wanted: list[sa.ColumnElement[bool]] = []
    if predicate.flag is not None:
        wanted.append(c.deposit_flag == predicate.flag)
    if predicate.not_flag is not None:
        wanted.append(c.deposit_flag != predicate.not_flag)
    if predicate.only_category is not None:
        wanted.append(c.revenue_category == predicate.only_category)
    wanted += [c.revenue_category != name for name in predicate.not_categories]
    if predicate.collection_types:
        wanted.append(c.collection_type.in_(sorted(predicate.collection_types)))
    return sa.and_(*wanted)


def _revenue() -> sa.Select[Any]:
    c = revenue_monthly.c
    keys = (c.batch_no, c.site, c.revenue_code)
    return (
        sa.select(*keys, sa.func.sum(c.net).label("net"), sa.func.sum(c.row_count).label("row_count"))
        .where(where(SHAREABLE))
        .group_by(*keys)
    )


def _measures(reading: Reading) -> sa.Select[Any]:
    """All measures of a month in one pass over its sums, one row per site."""
    c = revenue_monthly.c
    columns: list[sa.ColumnElement[Any]] = []
    for one in MEASURES:
        columns += _sum_if(where(one), c[one.column], one.name, f"{one.name}_rows")
    stray = sa.and_(where(BELL), c.revenue_code.not_in(sorted(reading.bell_excluded_codes)))
    columns += _sum_if(stray, c.net, "stray", "stray_rows")
    return sa.select(c.batch_no, c.site, *columns).group_by(c.batch_no, c.site)


def _sum_if(
    condition: sa.ColumnElement[bool], column: sa.Column[Any], name: str, rows: str
) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    nothing = sa.literal(Decimal(0), column.type)
    return (
        sa.type_coerce(sa.func.sum(sa.case((condition, column), else_=nothing)), column.type).label(name),
        sa.func.sum(sa.case((condition, revenue_monthly.c.row_count), else_=0)).label(rows),
    )


def _balances(reading: Reading) -> sa.Select[Any]:
    c = account_summary.c
    keys = (c.batch_no, c.site, c.main_account)
    chosen = sa.select(
        *keys, sa.func.sum(c.balance).label("balance"), sa.func.count(c.row_number).label("row_count")
    ).group_by(*keys)
    if reading.excluded_entities:
        chosen = chosen.where(c.entity.not_in(sorted(reading.excluded_entities)))
    return chosen


def _forecast() -> sa.Select[Any]:
    c = forecast.c
    return (
        sa.select(
            c.batch_no,
            c.site,
            sa.func.sum(c.balance).label("balance"),
            sa.func.count(c.row_number).label("row_count"),
            sa.func.max(c.loaded_at).label("loaded_at"),
        )
        .where(c.category == FORECAST_CATEGORY)
        .group_by(c.batch_no, c.site)
    )


def _rooms(value_types: Collection[str]) -> sa.Select[Any]:
    keys = (statistics_monthly.c.batch_no, statistics_monthly.c.site)
    chosen = sa.select(
        *keys,
        sa.func.sum(statistics_monthly.c.value).label("value"),
        sa.func.sum(statistics_monthly.c.row_count).label("row_count"),
    ).where(statistics_monthly.c.revenue_category == OCCUPIED_ROOMS, statistics_monthly.c.is_draft == 0)
    if value_types:
        chosen = chosen.where(statistics_monthly.c.value_type.in_(sorted(value_types)))
    return chosen.group_by(*keys)
