"""Time sheets: one row per shift, minutes by kind, each kind with its next-day twin (billing-flows 6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from sample_data.blocks import JOBS
from sample_data.columns import Chunk, site_rows, text_column, whole_column
from sample_data.noise import Ints, Words, rounded, uniform
from shared_code.foundation.calendar import Period

MINUTE_COLUMNS: Final = tuple(
    name + suffix
    for name in ("REGULAR", "OVERTIME", "HOLIDAY", "DOUBLE_OVERTIME", "HOLIDAY_OVERTIME", "HOLIDAY_DOUBLE_OVERTIME")
    for suffix in ("", "_NEXT_DAY")
)

_ROLES: Final = (*(code for code, _, _ in JOBS), "MAINT", "OFFICE", "TRAINER")
_OTHER_ROLES: Final = tuple(_ROLES.index(role) for role in ("MAINT", "OFFICE", "TRAINER"))
_SHIFTS_FULL: Final = 10
_SHIFTS_LIGHT: Final = 2
_EMPLOYEES: Final = 14
_NIGHT: Final = 5  # every fifth shift runs past midnight


@dataclass(frozen=True, slots=True)
class TimesheetMonth:
    """The rows of a chunk, and each site's minutes in all and in the jobs that its contract bills."""

    frame: pl.DataFrame
    minutes: Ints
    billed_minutes: Ints


def holidays(year: int) -> frozenset[date]:
    """Days that pay holiday rates: fixed feasts and the Monday and Thursday ones."""
    moving = (_nth(year, 5, 0, -1), _nth(year, 9, 0, 1), _nth(year, 10, 0, 2), _nth(year, 11, 3, 4))
    return frozenset({date(year, 1, 1), date(year, 7, 4), date(year, 12, 25), *moving})


def _nth(year: int, month: int, weekday: int, nth: int) -> date:
    """The nth such weekday of a month; −1 is the last."""
    period = Period(year, month)
    days = [date(year, month, day) for day in range(1, period.days + 1)]
    matching = [day for day in days if day.weekday() == weekday]
    return matching[nth if nth < 0 else nth - 1]


def timesheet_month(chunk: Chunk) -> TimesheetMonth:
    """Shifts of every day of the month. A site's roles take turns, so that each of its jobs has hours."""
    shifts = _SHIFTS_FULL if chunk.full else _SHIFTS_LIGHT
    rows = chunk.period.days * shifts
    row = np.arange(rows)
    roles, counts = _roles(chunk)
    turn = row[None, :] % counts[:, None]
    role = np.take_along_axis(roles, turn, axis=1)
    minutes = _minutes(chunk, chunk.keys("timesheet"), rows, shifts)
    worked = sum(minutes.values(), np.zeros((chunk.size, rows), dtype=np.int64))
    jobs = chunk.whole([len(figure.jobs) for figure in chunk.figures])
    return TimesheetMonth(
        frame=_frame(chunk, role, shifts, minutes),
        minutes=worked.sum(axis=1),
        billed_minutes=np.where(turn < jobs[:, None], worked, 0).sum(axis=1),
    )


def _roles(chunk: Chunk) -> tuple[Ints, Ints]:
    """Each site's roles, billed jobs first, padded to one width; and how many it has."""
    lists = [(*(_ROLES.index(job) for job in figure.jobs), *_OTHER_ROLES) for figure in chunk.figures]
    width = max(map(len, lists))
    padded = [[*roles, *[0] * (width - len(roles))] for roles in lists]
    return np.array(padded, dtype=np.int64), chunk.whole([len(roles) for roles in lists])


def _minutes(chunk: Chunk, keys: Words, rows: int, shifts: int) -> dict[str, Ints]:
    """Minutes by column; shape (sites, rows). A night shift's later part falls on the next day."""
    day = np.arange(rows) // shifts
    free = holidays(chunk.period.year) | holidays(chunk.period.next.year)
    dates = [*_dates(chunk.period), chunk.period.next.first_day]
    feast = np.array([date in free for date in dates])
    today, tomorrow = feast[day][None, :], feast[day + 1][None, :]
    night = (np.arange(rows) % _NIGHT == _NIGHT - 1)[None, :]
    shift = rounded(300 + 180 * uniform(keys, rows, 1))
    later = np.where(night, shift * 2 // 5, 0)
    extra = _sometimes(keys, rows, 2, often=0.08, low=15, high=120)
    extra_later = np.where(night, extra // 2, 0)
    double = _sometimes(keys, rows, 4, often=0.01, low=30, high=90)
    none = np.zeros_like(shift)
    return {
        "REGULAR": np.where(today, 0, shift - later),
        "REGULAR_NEXT_DAY": np.where(tomorrow, 0, later),
        "OVERTIME": np.where(today, 0, extra - extra_later),
        "OVERTIME_NEXT_DAY": np.where(tomorrow, 0, extra_later),
        "HOLIDAY": np.where(today, shift - later, 0),
        "HOLIDAY_NEXT_DAY": np.where(tomorrow, later, 0),
        "DOUBLE_OVERTIME": np.where(today, 0, double),
        "DOUBLE_OVERTIME_NEXT_DAY": none,
        "HOLIDAY_OVERTIME": np.where(today, extra - extra_later, 0),
        "HOLIDAY_OVERTIME_NEXT_DAY": np.where(tomorrow, extra_later, 0),
        "HOLIDAY_DOUBLE_OVERTIME": np.where(today, double, 0),
        "HOLIDAY_DOUBLE_OVERTIME_NEXT_DAY": none,
    }


def _sometimes(keys: Words, rows: int, purpose: int, *, often: float, low: int, high: int) -> Ints:
    amount = rounded(low + (high - low) * uniform(keys, rows, purpose + 1))
    result: Ints = np.where(uniform(keys, rows, purpose) < often, amount, 0)
    return result


def _dates(period: Period) -> list[date]:
    return [date(period.year, period.month, day) for day in range(1, period.days + 1)]


def _frame(chunk: Chunk, role: Ints, shifts: int, minutes: dict[str, Ints]) -> pl.DataFrame:
    rows = chunk.period.days * shifts
    sites = site_rows(chunk, rows)
    row = np.tile(np.arange(rows), chunk.size)
    day, shift = row // shifts, row % shifts
    index = chunk.whole(chunk.indexes)[sites]
    first_day = chunk.period.first_day.timetuple().tm_yday
    # Unique over all sites and months: 100,000 sites, 32 days, 32 shifts.
    identity = ((chunk.period.index * 100_000 + index) * 32 + day) * 32 + shift
    return pl.DataFrame(
        [
            whole_column("TIMESHEET_ID", identity),
            text_column("LOCATION_EXTERNAL_ID", chunk.numbers, sites),
            whole_column("YEAR", np.full(len(row), chunk.period.year)),
            whole_column("DAY_OF_THE_YEAR", first_day + day),
            text_column("WORK_ROLE", _ROLES, role),
            whole_column("EMPLOYEE_KEY", (index + 1) * 100 + (shift + 3 * day) % _EMPLOYEES),
            *(whole_column(name, minutes[name]) for name in MINUTE_COLUMNS),
        ]
    )
