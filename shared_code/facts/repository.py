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

_SITES_PER_STATEMENT = 1000  # SQL Server takes at most 2,100 parameters


def load_facts(
    connection: Connection,
    sites: Collection[str],
    period: Period,
    since: Period,
    room_value_types: Collection[str] = (),
) -> dict[str, SiteFacts]:
    """Facts of `sites` for `period`, revenue back to `since`. Five statements for up to 1,000 sites.

    Predicates: billing-flows A.1; draft statistics never bill (datasets, site_statistics); room value types rules R47.
    """
    months = [str(p) for p in since.until(period.next)]
    presence: dict[str, dict[tuple[str, Period], Presence]] = defaultdict(dict)
    revenue: dict[str, dict[Period, dict[str, FactSum]]] = defaultdict(lambda: defaultdict(dict))
    hours: dict[str, dict[str, RoleHours]] = defaultdict(dict)
    rooms: dict[str, FactSum] = {}
    started: dict[str, date | None] = {}
    for part in _parts(sorted(sites)):
        for row in connection.execute(_presence(part, months)):
            presence[row.site][row.dataset, Period.parse(row.period)] = Presence(
                row.batch_id,
                row.row_count,
                row.rejected_count,
                row.first_day,
                row.last_day,
                row.longest_gap or 0,
                row.reaches,
            )
        for row in connection.execute(_revenue(part, months)):
            revenue[row.site][Period.parse(row.period)][row.revenue_code] = FactSum(row.net, row.rows, row.batch_id)
        for row in connection.execute(_hours(part, str(period))):
            hours[row.site][row.work_role] = RoleHours(
                row.regular_hours, row.overtime_hours, row.row_count, row.batch_id
            )
        for row in connection.execute(_rooms(part, str(period), room_value_types)):
            rooms[row.site] = FactSum(row.value, row.rows, row.batch_id)
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


def _parts(sites: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(sites), _SITES_PER_STATEMENT):
        yield sites[start : start + _SITES_PER_STATEMENT]


def _presence(sites: Sequence[str], months: Sequence[str]) -> sa.Select[Any]:
    return (
        sa.select(
            current_facts.c.site,
            current_facts.c.dataset,
            current_facts.c.period,
            current_facts.c.row_count,
            current_facts.c.rejected_count,
            current_facts.c.first_day,
            current_facts.c.last_day,
            current_facts.c.longest_gap,
            import_batch.c.batch_id,
            import_batch.c.last_day.label("reaches"),
        )
        .join(import_batch, import_batch.c.batch_no == current_facts.c.batch_no)
        .where(current_facts.c.period.in_(months), current_facts.c.site.in_(sites))
    )


def _current(monthly: sa.Table, dataset: str, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Monthly sums of the batches that are current."""
    return (
        sa.select(*columns)
        .join(
            monthly,
            sa.and_(monthly.c.batch_no == current_facts.c.batch_no, monthly.c.site == current_facts.c.site),
        )
        .join(import_batch, import_batch.c.batch_no == current_facts.c.batch_no)
        .where(current_facts.c.dataset == dataset)
    )


def _revenue(sites: Sequence[str], months: Sequence[str]) -> sa.Select[Any]:
    keys = (current_facts.c.site, current_facts.c.period, revenue_monthly.c.revenue_code, import_batch.c.batch_id)
    return (
        _current(
            revenue_monthly,
            REVENUE,
            *keys,
            sa.func.sum(revenue_monthly.c.net).label("net"),
            sa.func.sum(revenue_monthly.c.row_count).label("rows"),
        )
        .where(
            current_facts.c.period.in_(months),
            current_facts.c.site.in_(sites),
            revenue_monthly.c.deposit_flag != "V",
            revenue_monthly.c.revenue_category != "PER MAN HOUR",
        )
        .group_by(*keys)
    )


def _hours(sites: Sequence[str], month: str) -> sa.Select[Any]:
    return _current(
        hours_monthly,
        TIMESHEET,
        current_facts.c.site,
        hours_monthly.c.work_role,
        hours_monthly.c.regular_hours,
        hours_monthly.c.overtime_hours,
        hours_monthly.c.row_count,
        import_batch.c.batch_id,
    ).where(current_facts.c.period == month, current_facts.c.site.in_(sites))


def _rooms(sites: Sequence[str], month: str, value_types: Collection[str]) -> sa.Select[Any]:
    keys = (current_facts.c.site, import_batch.c.batch_id)
    chosen = _current(
        statistics_monthly,
        STATISTICS,
        *keys,
        sa.func.sum(statistics_monthly.c.value).label("value"),
        sa.func.sum(statistics_monthly.c.row_count).label("rows"),
    ).where(
        current_facts.c.period == month,
        current_facts.c.site.in_(sites),
        statistics_monthly.c.revenue_category == OCCUPIED_ROOMS,
        statistics_monthly.c.is_draft == 0,
    )
    if value_types:
        chosen = chosen.where(statistics_monthly.c.value_type.in_(sorted(value_types)))
    return chosen.group_by(*keys)
