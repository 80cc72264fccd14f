"""Facts: one row per accepted source row, with its batch and row number, and monthly sums per site and predicate.

A row is current when `current_facts` names its batch for its dataset, period and site; publishing or undoing a batch
moves only these pointers. The `*_monthly` tables are sums of one batch, written when its last slice is staged: billing
reads them, drill-down reads the rows.
"""

from typing import Any

import sqlalchemy as sa

from shared_code.foundation.database import Fixed, Instant, metadata, money, text


def _fact_table(name: str, *columns: sa.Column[Any]) -> sa.Table:
    """Rows are keyed by batch and row number: provenance is the key, and a slice staged twice cannot double."""
    table = sa.Table(
        name,
        metadata,
        sa.Column("batch_no", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("row_number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("site", text(10), nullable=False),
        *columns,
        sqlite_with_rowid=False,
    )
    sa.Index(f"ix_{name}_batch_no_site", table.c.batch_no, table.c.site)
    return table


revenue_daily = _fact_table(
    "revenue_daily",
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("revenue_code", text(20), nullable=False),
    sa.Column("revenue_category", text(60), nullable=False),
    sa.Column("collection_type", text(60), nullable=False),
    sa.Column("deposit_flag", text(1), nullable=False),
    sa.Column("net", money(), nullable=False),
    sa.Column("gross", money(), nullable=False),
    sa.Column("tax_rate", Fixed(9, 6), nullable=False),
    sa.Column("validation", money(), nullable=False),
)

site_statistics = _fact_table(
    "site_statistics",
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("revenue_code", text(20), nullable=False),
    sa.Column("revenue_category", text(60), nullable=False),
    sa.Column("value_type", text(60), nullable=False),
    sa.Column("value", money(), nullable=False),
    sa.Column("is_draft", sa.Integer, nullable=False),
    sa.Column("file_name", text(260)),
    sa.Column("loaded_at", text(40)),
)

account_summary = _fact_table(
    "account_summary",
    sa.Column("main_account", text(20), nullable=False),
    sa.Column("entity", text(10), nullable=False),
    sa.Column("account_index", text(60)),
    sa.Column("balance", money(), nullable=False),
)

timesheet = _fact_table(
    "timesheet",
    sa.Column("timesheet_id", text(60)),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("work_role", text(40), nullable=False),
    sa.Column("employee_key", text(40)),
    # rounded per row at import, once, for the labor-hour block; minutes are kept for the management fee (rules R15)
    sa.Column("regular_hours", money(), nullable=False),
    sa.Column("overtime_hours", money(), nullable=False),
    sa.Column("regular_minutes", money(), nullable=False),
    sa.Column("overtime_minutes", money(), nullable=False),
)

forecast = _fact_table(
    "forecast",
    sa.Column("category", text(100), nullable=False),
    sa.Column("balance", money(), nullable=False),
    sa.Column("loaded_at", text(40)),
)


def _monthly_table(name: str, keys: tuple[sa.Column[Any], ...], *sums: sa.Column[Any]) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column("batch_no", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("site", text(10), primary_key=True),
        *keys,
        *sums,
        sa.Column("row_count", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )


revenue_monthly = _monthly_table(
    "revenue_monthly",
    (
        sa.Column("revenue_code", text(20), primary_key=True),
        sa.Column("revenue_category", text(60), primary_key=True),
        sa.Column("collection_type", text(60), primary_key=True),
        sa.Column("deposit_flag", text(1), primary_key=True),
    ),
    sa.Column("net", money(), nullable=False),
    sa.Column("gross", money(), nullable=False),
    sa.Column("validation", money(), nullable=False),
    sa.Column("tax", Fixed(28, 10), nullable=False),  # sum of net × rate over the daily rows (rules R20)
)

statistics_monthly = _monthly_table(
    "statistics_monthly",
    (
        sa.Column("revenue_code", text(20), primary_key=True),
        sa.Column("revenue_category", text(60), primary_key=True),
        sa.Column("value_type", text(60), primary_key=True),
        sa.Column("is_draft", sa.Integer, primary_key=True, autoincrement=False),
    ),
    sa.Column("value", money(), nullable=False),
)

hours_monthly = _monthly_table(
    "hours_monthly",
    (sa.Column("work_role", text(40), primary_key=True),),
    sa.Column("regular_hours", money(), nullable=False),
    sa.Column("overtime_hours", money(), nullable=False),
    sa.Column("regular_minutes", money(), nullable=False),
    sa.Column("overtime_minutes", money(), nullable=False),
)

current_facts = sa.Table(
    "current_facts",
    metadata,
    sa.Column("dataset", text(32), primary_key=True),
    sa.Column("period", text(7), primary_key=True),
    sa.Column("site", text(10), primary_key=True),
    sa.Column("batch_no", sa.Integer, nullable=False),
    sa.Column("row_count", sa.Integer, nullable=False),
    sa.Column("rejected_count", sa.Integer, nullable=False, default=0),
    sa.Column("first_day", sa.Date),
    sa.Column("last_day", sa.Date),
    sa.Column("longest_gap", sa.Integer),  # days without rows between two days with rows
    sa.Column("changed_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
