"""All SQL of drill-down: from a sum to the rows that it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.facts.model import ACCOUNTS, REVENUE, STATISTICS, TIMESHEET
from shared_code.facts.predicates import BY_NAME
from shared_code.facts.repository import where
from shared_code.facts.tables import account_summary, import_batch, revenue_daily, site_statistics, timesheet
from shared_code.foundation.database import AnyRow
from shared_code.foundation.listing import Listing, PageRequest, SortField
from shared_code.foundation.paging import Page

type _Selection = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset whose rows can be shown: how a selection narrows it, what a row adds, and the columns to show."""

    table: sa.Table
    narrow: Callable[[_Selection], Sequence[sa.ColumnElement[bool]]]
    amount: Callable[[_Selection, AnyRow], Decimal]
    fields: tuple[str, ...]


def rows(
    connection: Connection, dataset: str, batch_id: str, site: str, selection: _Selection, asked: PageRequest
) -> tuple[str, Page[AnyRow]]:
    """A page of the rows that a reference counts, in the order of the file, with the file's name. Three statements."""
    source = SOURCES[dataset]
    c = source.table.c
    batch = connection.execute(
        sa.select(import_batch.c.batch_no, import_batch.c.source_name).where(import_batch.c.batch_id == batch_id)
    ).one()
    number = SortField(c.row_number, int)
    listing = Listing(columns=(source.table,), fields={"rowNumber": number}, default="rowNumber", key=number)
    chosen = (c.batch_no == batch.batch_no, c.site == site, *source.narrow(selection))
    return batch.source_name, listing.page(connection, asked, *chosen)


def _revenue(selection: _Selection) -> Sequence[sa.ColumnElement[bool]]:
    by_code = [revenue_daily.c.revenue_code.in_(selection["codes"])] if "codes" in selection else []
    return (where(BY_NAME[selection["measure"]], revenue_daily), *by_code)


def _revenue_amount(selection: _Selection, row: AnyRow) -> Decimal:
    """Tax is the row's net amount at its own rate (rules R20)."""
    column = BY_NAME[selection["measure"]].column
    amount: Decimal = row.net * row.tax_rate if column == "tax" else row._mapping[column]
    return amount


def _accounts(selection: _Selection) -> Sequence[sa.ColumnElement[bool]]:
    c = account_summary.c
    excluded = [c.entity.not_in(selection["excludedEntities"])] if selection.get("excludedEntities") else []
    return (c.main_account.in_(selection["accounts"]), *excluded)


def _hours(selection: _Selection, row: AnyRow) -> Decimal:
    """Hours of a time-sheet row, rounded at import, or its minutes where these are summed first (rules R15)."""
    if selection.get("unit") == "minutes":
        minutes: Decimal = row.regular_minutes + row.overtime_minutes
        return minutes
    hours: Decimal = row.regular_hours + row.overtime_hours
    return hours


def _statistics(selection: _Selection) -> Sequence[sa.ColumnElement[bool]]:
    c = site_statistics.c
    types = [c.value_type.in_(selection["valueTypes"])] if selection.get("valueTypes") else []
    return (c.revenue_category == selection["category"], c.is_draft == 0, *types)


SOURCES = {
    REVENUE: Source(
        revenue_daily,
        _revenue,
        _revenue_amount,
        (
            "revenue_code",
            "revenue_category",
            "collection_type",
            "deposit_flag",
            "net",
            "gross",
            "tax_rate",
            "validation",
        ),
    ),
    ACCOUNTS: Source(
        account_summary, _accounts, lambda _, row: row.balance, ("main_account", "entity", "account_index", "balance")
    ),
    TIMESHEET: Source(
        timesheet,
        lambda selection: (timesheet.c.work_role.in_(selection["roles"]),),
        _hours,
        ("timesheet_id", "work_role", "regular_hours", "overtime_hours", "regular_minutes", "overtime_minutes"),
    ),
    STATISTICS: Source(
        site_statistics,
        _statistics,
        lambda _, row: row.value,
        ("revenue_code", "revenue_category", "value_type", "value"),
    ),
}
