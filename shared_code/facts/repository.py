"""Reads facts for a whole chunk of contracts with a fixed number of statements, however many contracts there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.facts.model import (
    OCCUPIED_ROOMS,
    REVENUE,
    STATISTICS,
    TIMESHEET,
    FactSum,
    Presence,
    RoleHours,
    SiteFacts,
)
from shared_code.facts.tables import (
    current_facts,
    hours_monthly,
    import_batch,
    revenue_monthly,
    site,
    statistics_monthly,
)
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow

_SITES_PER_STATEMENT = 900  # SQL Server takes at most 2,100 parameters: sites and batches
_BATCHES_PER_STATEMENT = 900

type _Current = dict[tuple[str, int], tuple[str, Period, str]]
"""Site and batch number, to the dataset, period and batch id that it is current for."""


def load_facts(
    connection: Connection,
    sites: Collection[str],
    period: Period,
    since: Period,
    room_value_types: Collection[str] = (),
) -> dict[str, SiteFacts]:
    """Facts of `sites` for `period`, revenue back to `since`. Five statements for up to 900 sites and 900 batches.

    The pointers are read once, and sums only of the batches that they name: a batch that becomes current meanwhile
    changes nothing, though each statement has its own view of the database (SQL Server, READ COMMITTED SNAPSHOT).
    Predicates: billing-flows A.1; draft statistics never bill (datasets, site_statistics); room value types rules R47.
    """
    months = [str(p) for p in since.until(period.next)]
    presence: dict[str, dict[tuple[str, Period], Presence]] = defaultdict(dict)
    revenue: dict[str, dict[Period, dict[str, FactSum]]] = defaultdict(lambda: defaultdict(dict))
    hours: dict[str, dict[str, RoleHours]] = defaultdict(dict)
    rooms: dict[str, FactSum] = {}
    started: dict[str, date | None] = {}
    for part in _parts(sorted(sites), _SITES_PER_STATEMENT):
        current = _read_presence(connection, part, months, presence)
        for row, month, batch in _sums(connection, REVENUE, current, part, _revenue()):
            revenue[row.site][month][row.revenue_code] = FactSum(row.net, row.row_count, batch)
        for row, month, batch in _sums(connection, TIMESHEET, current, part, _hours()):
            if month == period:
                hours[row.site][row.work_role] = RoleHours(row.regular_hours, row.overtime_hours, row.row_count, batch)
        for row, month, batch in _sums(connection, STATISTICS, current, part, _rooms(room_value_types)):
            if month == period:
                rooms[row.site] = FactSum(row.value, row.row_count, batch)
        started.update(
            (row.site_number, row.first_worked_date)
            for row in connection.execute(
                sa.select(site.c.site_number, site.c.first_worked_date).where(site.c.site_number.in_(part))
            )
        )
    return {
        number: SiteFacts(
            site=number,
            period=period,
            started=started.get(number),
            revenue=revenue.get(number, {}),
            rooms=rooms.get(number),
            hours=hours.get(number, {}),
            presence=presence.get(number, {}),
        )
        for number in sites
    }


def _parts[T](items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _read_presence(
    connection: Connection,
    sites: Sequence[str],
    months: Sequence[str],
    presence: dict[str, dict[tuple[str, Period], Presence]],
) -> _Current:
    current: _Current = {}
    for row in connection.execute(_presence(sites, months)):
        period = Period.parse(row.period)
        current[row.site, row.batch_no] = (row.dataset, period, row.batch_id)
        presence[row.site][row.dataset, period] = Presence(
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
    connection: Connection, dataset: str, current: _Current, sites: Sequence[str], sums: sa.Select[Any]
) -> Iterator[tuple[AnyRow, Period, str]]:
    """Rows of monthly sums that are current, each with its period and batch id. No batch, no statement."""
    numbers = sorted({number for (_, number), (name, _, _) in current.items() if name == dataset})
    columns = sums.selected_columns
    for part in _parts(numbers, _BATCHES_PER_STATEMENT):
        for row in connection.execute(sums.where(columns.batch_no.in_(part), columns.site.in_(sites))):
            found = current.get((row.site, row.batch_no))
            if found is not None:
                yield row, found[1], found[2]


def _revenue() -> sa.Select[Any]:
    keys = (revenue_monthly.c.batch_no, revenue_monthly.c.site, revenue_monthly.c.revenue_code)
    return (
        sa.select(
            *keys,
            sa.func.sum(revenue_monthly.c.net).label("net"),
            sa.func.sum(revenue_monthly.c.row_count).label("row_count"),
        )
        .where(revenue_monthly.c.deposit_flag != "V", revenue_monthly.c.revenue_category != "PER MAN HOUR")
        .group_by(*keys)
    )


def _hours() -> sa.Select[Any]:
    return sa.select(hours_monthly)


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
