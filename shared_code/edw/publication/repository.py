"""SQL of publishing a batch: keys over all its rows, its tallies, monthly sums, and the pointers to current facts.

Set-based, valid on SQLite and SQL Server. Every statement names one batch, so batches never wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import batched
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.edw.datasets import Dataset
from shared_code.edw.tables import import_slice, rejected_row
from shared_code.edw.values import KEY_CONFLICT
from shared_code.facts.tables import (
    current_facts,
    hours_monthly,
    revenue_daily,
    revenue_monthly,
    site_statistics,
    statistics_monthly,
    timesheet,
)
from shared_code.foundation import clock
from shared_code.foundation.database import money

_IN_LIST = 1_000
_SITES_AT_ONCE = 50  # rows of a month are grouped for so many sites at a time: sorting a whole file needs its memory
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows of one kind and their money."""

    rows: int
    money: Decimal

    def plus(self, other: Tally) -> Tally:
        return Tally(self.rows + other.rows, self.money + other.money)


@dataclass(frozen=True, slots=True)
class Staged:
    """What the slices of a batch say: slices not yet staged, and rows and money by kind."""

    missing: int
    read: Tally
    accepted: Tally
    rejected: Tally
    duplicate: Tally


@dataclass(frozen=True, slots=True)
class SiteDay:
    """Rows of one site on one day (None where the dataset has no days)."""

    site: str
    day: date | None
    rows: int


@dataclass(frozen=True, slots=True)
class Pointer:
    """What becomes current for one site."""

    site: str
    row_count: int
    rejected_count: int
    first_day: date | None
    last_day: date | None
    longest_gap: int | None


def staged(connection: Connection, batch_no: int) -> Staged:
    """Sums over the slices of a batch. Money read is what the slices saw, whatever became of it."""
    s = import_slice.c
    row = connection.execute(
        sa.select(
            sa.func.count() - sa.func.count(s.staged_at),
            sa.func.sum(s.row_count),
            sa.func.sum(s.rows_accepted),
            sa.func.sum(s.money_accepted),
            sa.func.sum(s.rows_rejected),
            sa.func.sum(s.money_rejected),
            sa.func.sum(s.rows_duplicate),
            sa.func.sum(s.money_duplicate),
        ).where(s.batch_no == batch_no)
    ).one()
    accepted, rejected, duplicate = (Tally(row[i] or 0, row[i + 1] or _ZERO) for i in (2, 4, 6))
    seen = accepted.money + rejected.money + duplicate.money
    return Staged(row[0], Tally(row[1] or 0, seen), accepted, rejected, duplicate)


def _total(dataset: Dataset, table: Any) -> sa.ColumnElement[Decimal]:
    """The control total of all selected rows."""
    total: sa.ColumnElement[Any] = sa.literal_column("0")
    if dataset.control:
        total = sa.func.sum(_amount(dataset, table))
    return sa.type_coerce(sa.func.coalesce(total, sa.literal_column("0")), money())


def _amount(dataset: Dataset, table: Any) -> sa.ColumnElement[Decimal]:
    """The part of one row in the control total."""
    amount: sa.ColumnElement[Any] = table.c[dataset.control[0]]
    for name in dataset.control[1:]:
        amount = amount + table.c[name]
    return sa.type_coerce(amount, money())


def accepted(connection: Connection, dataset: Dataset, batch_no: int) -> Tally:
    """The rows of a batch that are in the fact table now."""
    table = dataset.table
    return Tally(
        *connection.execute(
            sa.select(sa.func.count(), _total(dataset, table)).select_from(table).where(table.c.batch_no == batch_no)
        ).one()
    )


def rejected(connection: Connection, batch_no: int) -> Tally:
    """The rejected rows of a batch, and their money where it could be read."""
    row = connection.execute(
        sa.select(sa.func.count(), sa.func.sum(rejected_row.c.amount)).where(rejected_row.c.batch_no == batch_no)
    ).one()
    return Tally(row[0], row[1] or _ZERO)


def _site_ranges(connection: Connection, table: sa.Table, batch_no: int) -> list[sa.ColumnElement[bool]]:
    """Predicates that cover the rows of a batch, a run of sites each. They follow the index on batch and site."""
    query = sa.select(table.c.site).where(table.c.batch_no == batch_no).distinct().order_by(table.c.site)
    sites = list(connection.scalars(query))
    return [
        sa.and_(table.c.batch_no == batch_no, table.c.site.between(run[0], run[-1]))
        for run in batched(sites, _SITES_AT_ONCE, strict=False)
    ]


# -- keys ---------------------------------------------------------------------------------------------------------


def _keyed(dataset: Dataset, batch_no: int) -> sa.ColumnElement[bool]:
    """The rows of a batch that have a key: a time sheet without an id adds up."""
    table = dataset.table
    return sa.and_(table.c.batch_no == batch_no, *(table.c[name].is_not(None) for name in dataset.key))


def _several(dataset: Dataset, batch_no: int, *more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """The keys of a batch that more than one row has."""
    keys = [dataset.table.c[name] for name in dataset.key]
    return sa.select(*keys, *more).where(_keyed(dataset, batch_no)).group_by(*keys).having(sa.func.count() > 1)


def _of_key(dataset: Dataset, keys: sa.Subquery) -> sa.ColumnElement[bool]:
    return sa.and_(*(dataset.table.c[name] == keys.c[name] for name in dataset.key))


def _differs(column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """Whether the rows of a group differ in `column`, nulls included."""
    values = sa.func.count(column)
    return sa.or_(sa.func.min(column) != sa.func.max(column), sa.and_(values > 0, values < sa.func.count()))


def collapse_keys(connection: Connection, dataset: Dataset, batch_no: int) -> Tally:
    """Rows of one key over the whole batch: identical ones collapse to the first, differing ones are all rejected.

    Returns what collapsed; rejected rows move to rejected_row under KEY_CONFLICT. Source: datasets 5.
    """
    keys = [dataset.table.c[name] for name in dataset.key]
    if connection.execute(_several(dataset, batch_no).order_by(*keys).limit(1)).first() is None:
        return Tally(0, _ZERO)
    _reject_conflicts(connection, dataset, batch_no)
    return _drop_repeats(connection, dataset, batch_no)


def _reject_conflicts(connection: Connection, dataset: Dataset, batch_no: int) -> None:
    table = dataset.table
    others = [c for c in table.columns if c.name not in {"batch_no", "row_number", *dataset.key}]
    keys = _several(dataset, batch_no).having(sa.or_(*(_differs(c) for c in others))).subquery("differing")
    rows = table.join(keys, _of_key(dataset, keys))
    names = ", ".join(c.source for c in dataset.columns if c.target in dataset.key)
    lines = (
        sa.select(
            table.c.batch_no,
            table.c.row_number,
            table.c.site,
            sa.literal(names),
            sa.literal(KEY_CONFLICT),
            _shown_key(dataset),
            _amount(dataset, table),
        )
        .select_from(rows)
        .where(_keyed(dataset, batch_no))
    )
    target = ["batch_no", "row_number", "site", "column_name", "rule", "value", "amount"]
    connection.execute(rejected_row.insert().from_select(target, lines))
    # The rejected rows name what has to leave the fact table: exactly the ones that were just moved.
    moved = sa.select(rejected_row.c.row_number).where(
        rejected_row.c.batch_no == batch_no, rejected_row.c.rule == KEY_CONFLICT
    )
    connection.execute(table.delete().where(table.c.batch_no == batch_no, table.c.row_number.in_(moved)))


def _shown_key(dataset: Dataset) -> sa.ColumnElement[str]:
    shown: sa.ColumnElement[str] | None = None
    for name in dataset.key:
        part = sa.cast(dataset.table.c[name], sa.Unicode(100))
        shown = part if shown is None else shown + sa.literal(" / ") + part
    assert shown is not None  # noqa: S101 - a keyed dataset has a key
    return shown


def _drop_repeats(connection: Connection, dataset: Dataset, batch_no: int) -> Tally:
    table = dataset.table
    first = sa.func.min(table.c.row_number).label("first_row")
    keys = _several(dataset, batch_no, first).subquery("repeated")
    later = table.join(keys, sa.and_(_of_key(dataset, keys), table.c.row_number > keys.c.first_row))
    mine = _keyed(dataset, batch_no)
    tally = Tally(
        *connection.execute(sa.select(sa.func.count(), _total(dataset, table)).select_from(later).where(mine)).one()
    )
    repeats = sa.select(table.c.row_number).select_from(later).where(mine).correlate(None)
    connection.execute(table.delete().where(table.c.batch_no == batch_no, table.c.row_number.in_(repeats)))
    return tally


def repeated_rows(connection: Connection, dataset: Dataset, batch_no: int) -> int:
    """Rows of a batch without a key that repeat an earlier one in every column: counted, never collapsed."""
    table = dataset.table
    columns = [c for c in table.columns if c.name not in {"batch_no", "row_number"}]
    without_key = [table.c[name].is_(None) for name in dataset.key]
    found = 0
    for run in _site_ranges(connection, table, batch_no):
        extra = sa.select((sa.func.count() - 1).label("extra")).where(run, *without_key).group_by(*columns)
        groups = extra.having(sa.func.count() > 1).subquery("repeated")
        found += connection.scalar(sa.select(sa.func.coalesce(sa.func.sum(groups.c.extra), 0))) or 0
    return found


# -- monthly sums -------------------------------------------------------------------------------------------------


def _revenue_sums(table: sa.Table) -> dict[str, sa.ColumnElement[Any]]:
    sums: dict[str, sa.ColumnElement[Any]] = {
        name: sa.func.sum(table.c[name]) for name in ("net", "gross", "validation")
    }
    # tax is the sum over the daily rows of revenue × that row's rate (rules R20)
    return sums | {"tax": sa.func.sum(table.c.net * table.c.tax_rate)}


def _sums(*names: str) -> Any:
    return lambda table: {name: sa.func.sum(table.c[name]) for name in names}


_MONTHLY: Mapping[str, tuple[sa.Table, sa.Table, Any]] = {
    "revenue_daily": (revenue_daily, revenue_monthly, _revenue_sums),
    "site_statistics": (site_statistics, statistics_monthly, _sums("value")),
    "timesheet": (
        timesheet,
        hours_monthly,
        _sums("regular_hours", "overtime_hours", "regular_minutes", "overtime_minutes"),
    ),
}


def write_monthly(connection: Connection, dataset: Dataset, batch_no: int) -> None:
    """Sum the rows of a batch by site and predicate, where billing reads such sums. Repeating it changes nothing."""
    found = _MONTHLY.get(dataset.name)
    if found is None:
        return
    source, target, sums = found
    keys = [source.c[c.name] for c in target.primary_key.columns]
    values = sums(source)
    connection.execute(target.delete().where(target.c.batch_no == batch_no))
    for run in _site_ranges(connection, source, batch_no):
        connection.execute(
            target.insert().from_select(
                [*(k.name for k in keys), *values, "row_count"],
                sa.select(*keys, *values.values(), sa.func.count()).where(run).group_by(*keys),
            )
        )


# -- current facts ------------------------------------------------------------------------------------------------


def site_days(connection: Connection, dataset: Dataset, batch_no: int) -> list[SiteDay]:
    """Rows per site and day of a batch, in order."""
    table = dataset.table
    keys = [table.c.site, table.c.day] if dataset.dated else [table.c.site]
    query = sa.select(table.c.site, table.c.day if dataset.dated else sa.null(), sa.func.count())
    return [
        SiteDay(*row)
        for run in _site_ranges(connection, table, batch_no)
        for row in connection.execute(query.where(run).group_by(*keys).order_by(*keys))
    ]


def rejected_by_site(connection: Connection, batch_no: int) -> dict[str, int]:
    """Rejected rows of a batch per site that they name."""
    query = (
        sa.select(rejected_row.c.site, sa.func.count())
        .where(rejected_row.c.batch_no == batch_no, rejected_row.c.site.is_not(None))
        .group_by(rejected_row.c.site)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def current_batches(connection: Connection, dataset: str, period: str) -> dict[str, int]:
    """The batch number that is current per site."""
    query = sa.select(current_facts.c.site, current_facts.c.batch_no).where(
        current_facts.c.dataset == dataset, current_facts.c.period == period
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def point(connection: Connection, dataset: str, period: str, batch_no: int, pointers: Sequence[Pointer]) -> None:
    """Make a batch current for the sites of `pointers`."""
    sites = [p.site for p in pointers]
    for start in range(0, len(sites), _IN_LIST):
        connection.execute(
            current_facts.delete().where(
                current_facts.c.dataset == dataset,
                current_facts.c.period == period,
                current_facts.c.site.in_(sites[start : start + _IN_LIST]),
            )
        )
    instant = clock.now()
    rows = [
        {
            "dataset": dataset,
            "period": period,
            "site": p.site,
            "batch_no": batch_no,
            "row_count": p.row_count,
            "rejected_count": p.rejected_count,
            "first_day": p.first_day,
            "last_day": p.last_day,
            "longest_gap": p.longest_gap,
            "changed_at": instant,
        }
        for p in pointers
    ]
    if rows:
        connection.execute(current_facts.insert(), rows)
