"""All SQL of facts for a chunk of contracts.

Statements are made once and take their sites and batches as values: making them anew would cost a small chunk more than
reading. Batches are parameters by the name of their dataset, those of earlier months with `EARLIER` behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

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
)
from shared_code.facts.predicates import SHAREABLE, RevenuePredicate
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
from shared_code.foundation.database import Fixed
from shared_code.foundation.many import from_storage

type Sums = sa.Executable
"""A statement whose rows are sums of batches; they begin with batch number and site."""

EARLIER = "_earlier"
_DATASETS = (REVENUE, STATISTICS, TIMESHEET, ACCOUNTS, FORECAST)
_LOOKED_BACK_AT = (REVENUE, ACCOUNTS)


def _in(column: sa.Column[Any], values: str) -> sa.ColumnElement[bool]:
    """Whether a column is among values that are given with the execution; without them nothing is."""
    return column.in_(sa.bindparam(values, (), expanding=True))


def _present(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    c = current_facts.c
    loaded = (c.row_count, c.rejected_count, c.first_day, c.last_day, c.longest_gap)
    batch = (c.batch_no, import_batch.c.batch_id)
    return (
        sa.select(c.dataset, c.period, c.site, *batch, *loaded, import_batch.c.last_day.label("reaches"))
        .join(import_batch, import_batch.c.batch_no == c.batch_no)
        .where(*conditions)
    )


# The datasets are named, because the pointers are kept in the order of dataset, period and site.
PRESENCE = sa.union_all(
    _present(
        current_facts.c.dataset.in_(_DATASETS),
        current_facts.c.period == sa.bindparam("month"),
        _in(current_facts.c.site, "sites"),
    ),
    _present(
        current_facts.c.dataset.in_(_LOOKED_BACK_AT),
        _in(current_facts.c.period, "earlier"),
        _in(current_facts.c.site, "windows"),
    ),
)


def _asked(table: sa.Table, batches: str, sites: str = "sites") -> tuple[sa.ColumnElement[bool], ...]:
    return _in(table.c.batch_no, batches), _in(table.c.site, sites)


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


def nothing(column: str) -> Decimal:
    """Zero with the decimals of a column, as its sum over no rows that count."""
    kind = revenue_monthly.c[column].type
    return Decimal(0).scaleb(-kind.scale) if isinstance(kind, Fixed) else Decimal(0)


COLUMNS = ("net", "gross", "validation", "tax")  # what measures are sums of, in the order of their columns below


def exact_amounts(connection: Connection) -> list[Callable[[Any], Decimal]]:
    """What makes exact numbers of the amounts in rows of `activity` as they are stored."""
    columns = [revenue_monthly.c[name] for name in COLUMNS]
    return [from_storage(connection, column) for column in (*columns, revenue_monthly.c.net)]


def exact_day(connection: Connection) -> Callable[[Any], date | None]:
    """What makes a day of the days in rows of PRESENCE as they are stored."""
    return from_storage(connection, current_facts.c.first_day)


def exact_balance(connection: Connection) -> Callable[[Any], Decimal]:
    """What makes an exact number of the balance in rows of `balances` as they are stored."""
    return from_storage(connection, account_summary.c.balance)


@lru_cache
def balances(excluded_entities: tuple[str, ...], history_accounts: tuple[str, ...]) -> sa.Executable:
    """Every account of the sites `whole`, of `others` the accounts from `first` through `last`, and of earlier months
    of `windows` those that are looked back at."""
    account = account_summary.c.main_account
    revenue = account.between(sa.bindparam("first", ""), sa.bindparam("last", ""))
    by_account = _balances(excluded_entities)
    return sa.union_all(
        by_account.where(*_asked(account_summary, ACCOUNTS, "whole")),
        by_account.where(*_asked(account_summary, ACCOUNTS, "others"), revenue),
        by_account.where(
            *_asked(account_summary, ACCOUNTS + EARLIER, "windows"),
            account_summary.c.main_account.in_(history_accounts),
        ),
    )


def _balances(excluded_entities: tuple[str, ...]) -> sa.Select[Any]:
    """Rows of the ledger. They are added up where they are read: most accounts of a site have one, and to group them
    takes SQLite as long as to read them."""
    c = account_summary.c
    chosen = sa.select(c.batch_no, c.site, c.main_account, c.balance)
    return chosen.where(c.entity.not_in(excluded_entities)) if excluded_entities else chosen


@lru_cache
def activity(room_value_types: tuple[str, ...]) -> sa.Executable:
    """Revenue, hours, rooms and forecast in the columns of revenue and one more. The sites are named once for all,
    beside them those that bill hours and those that look back."""
    asked = sa.union_all(_named("revenue_sites", 1), _named("other_sites", 0)).cte("asked")
    # IN, since SQLite sums a whole batch where a join would give the sites.
    among = sa.select(asked.c.site_number)
    now = (
        _revenue(REVENUE).where(revenue_monthly.c.site.in_(among.where(asked.c.of_revenue == 1))),
        _hours().where(_in(hours_monthly.c.site, "hours_sites")),
        _rooms(room_value_types).where(statistics_monthly.c.site.in_(among)),
        _forecast().where(forecast.c.site.in_(among)),
    )
    earlier = _net_by_code(REVENUE + EARLIER).where(_in(revenue_monthly.c.site, "windows"), where(SHAREABLE))
    return sa.union_all(*now, earlier)


def _named(sites: str, of_revenue: Literal[0, 1]) -> sa.Select[Any]:
    marked = sa.literal_column(str(of_revenue), sa.Integer).label("of_revenue")
    return sa.select(site.c.site_number, marked).where(_in(site.c.site_number, sites))


def _revenue(batches: str) -> sa.Select[Any]:
    c = revenue_monthly.c
    texts = (c.revenue_code, c.deposit_flag, c.revenue_category, c.collection_type)
    one_more = sa.cast(sa.null(), c.net.type).label("overtime_minutes")
    chosen = sa.select(c.batch_no, c.site, *texts, c.row_count, *(c[name] for name in COLUMNS), one_more)
    return chosen.where(_in(c.batch_no, batches))


def _net_by_code(batches: str) -> sa.Select[Any]:
    """Of earlier months shares are taken alone, so that code, rows and net are enough."""
    c = revenue_monthly.c
    chosen = sa.select(c.batch_no, c.site, c.revenue_code, _BLANK, _BLANK, _BLANK, c.row_count, c.net, *_nulls(4))
    return chosen.where(_in(c.batch_no, batches))


def _nulls(number: int) -> list[sa.ColumnElement[Any]]:
    return [sa.null() for _ in range(number)]


_BLANK: sa.ColumnElement[str] = sa.literal_column("''")


def _hours() -> sa.Select[Any]:
    c = hours_monthly.c
    hours = (c.regular_hours, c.overtime_hours, c.regular_minutes, sa.null(), c.overtime_minutes)
    chosen = sa.select(c.batch_no, c.site, c.work_role, _BLANK, _BLANK, _BLANK, c.row_count, *hours)
    return chosen.where(_in(c.batch_no, TIMESHEET))


def _rooms(value_types: tuple[str, ...]) -> sa.Select[Any]:
    c = statistics_monthly.c
    sums = (sa.func.sum(c.row_count), sa.func.sum(c.value), *_nulls(4))
    chosen = (
        sa.select(c.batch_no, c.site, _BLANK, _BLANK, _BLANK, _BLANK, *sums)
        .where(_in(c.batch_no, STATISTICS), c.revenue_category == OCCUPIED_ROOMS, c.is_draft == 0)
        .group_by(c.batch_no, c.site)
    )
    return chosen.where(c.value_type.in_(value_types)) if value_types else chosen


def _forecast() -> sa.Select[Any]:
    c = forecast.c
    sums = (sa.func.count(c.row_number), sa.func.sum(c.balance), *_nulls(4))
    chosen = sa.select(c.batch_no, c.site, _BLANK, _BLANK, _BLANK, sa.func.max(c.loaded_at), *sums)
    return chosen.where(_in(c.batch_no, FORECAST), c.category == FORECAST_CATEGORY).group_by(c.batch_no, c.site)
