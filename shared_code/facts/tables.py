"""Facts and where they come from: import batches, the site master, one row per accepted source row with its batch and
row number, and monthly sums per site and predicate.

A row is current when `current_facts` names its batch for its dataset, period and site; publishing or undoing a batch
moves only these pointers. The `*_monthly` tables are sums of one batch, written when its last slice is staged: billing
reads them, drill-down reads the rows.
"""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from shared_code.foundation.database import Fixed, Instant, long_text, metadata, money, text

import_batch = sa.Table(
    "import_batch",
    metadata,
    sa.Column("batch_no", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("batch_id", text(32), nullable=False, unique=True),  # public, derived from the effect key
    sa.Column("effect_key", text(200), nullable=False, unique=True),  # dataset|period|sha256 of the first of its kind
    sa.Column("dataset", text(32), nullable=False),
    sa.Column("period", text(7), nullable=False),
    sa.Column("container", text(64), nullable=False),
    sa.Column("source_name", text(1024), nullable=False),
    sa.Column("sha256", text(64), nullable=False),
    sa.Column("byte_count", sa.BigInteger, nullable=False),
    sa.Column("source_etag", text(64)),  # the content that was planned; slices read no other
    # loading → current | held, or waiting (for the site master) → loading; rejected (the file as a whole);
    # duplicate (same bytes as duplicate_of)
    sa.Column("state", text(16), nullable=False),
    sa.Column("reason", text(64)),
    sa.Column("message", long_text()),
    sa.Column("duplicate_of", text(32)),
    sa.Column("slices", sa.Integer, nullable=False, default=0),
    sa.Column("rows_read", sa.Integer, nullable=False, default=0),
    sa.Column("rows_accepted", sa.Integer, nullable=False, default=0),
    sa.Column("rows_rejected", sa.Integer, nullable=False, default=0),
    sa.Column("rows_duplicate", sa.Integer, nullable=False, default=0),
    sa.Column("rows_repeated", sa.Integer, nullable=False, default=0),  # POSSIBLE_DUPLICATE, accepted all the same
    sa.Column("money_read", money(), nullable=False, default=Decimal(0)),
    sa.Column("money_accepted", money(), nullable=False, default=Decimal(0)),
    sa.Column("money_rejected", money(), nullable=False, default=Decimal(0)),
    sa.Column("money_duplicate", money(), nullable=False, default=Decimal(0)),
    sa.Column("last_day", sa.Date),
    sa.Column("ignored_columns", long_text()),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("finished_at", Instant),
)
sa.Index("ix_import_batch_dataset_period", import_batch.c.dataset, import_batch.c.period)
sa.Index("ix_import_batch_created_at_batch_no", import_batch.c.created_at, import_batch.c.batch_no)  # the list

site = sa.Table(
    "site",
    metadata,
    sa.Column("site_number", text(10), primary_key=True),
    sa.Column("name", text(200), nullable=False),
    sa.Column("district", text(100)),
    sa.Column("street", text(200)),
    sa.Column("city", text(100)),
    sa.Column("state", text(20)),
    sa.Column("zip", text(20)),
    sa.Column("contract_type", text(100)),
    sa.Column("first_worked_date", sa.Date),
    sa.Column("deposit_flag", text(1)),
    sa.Column("gl_string", text(60)),
    sa.Column("manager_first", text(100)),
    sa.Column("manager_last", text(100)),
    sa.Column("manager_id", text(40)),
    sa.Column("billing_email", text(1000)),
    sa.Column("total_rooms", sa.Integer),
    sa.Column("total_spaces", sa.Integer),
    sa.Column("batch_no", sa.Integer, nullable=False),
    sa.Column("row_number", sa.Integer, nullable=False),
)


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
    if name == "account_summary":
        # Billing sums the ledger by account: its index holds what is summed, so that no row has to be looked up.
        summed = (table.c[column] for column in ("main_account", "entity", "balance"))
        sa.Index("ix_account_summary_by_account", table.c.batch_no, table.c.site, *summed)
    else:
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
