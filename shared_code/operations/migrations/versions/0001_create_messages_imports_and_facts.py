"""Create messages, imports and facts

Revision: 0001, after .
"""

import sqlalchemy as sa
from alembic import op

from shared_code.foundation.database import Fixed, Instant, long_text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_summary",
        sa.Column("batch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Unicode(length=10), nullable=False),
        sa.Column("main_account", sa.Unicode(length=20), nullable=False),
        sa.Column("entity", sa.Unicode(length=10), nullable=False),
        sa.Column("account_index", sa.Unicode(length=60), nullable=True),
        sa.Column("balance", Fixed(19, 4), nullable=False),
        sa.PrimaryKeyConstraint("batch_no", "row_number", name=op.f("pk_account_summary")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_account_summary_batch_no_site", "account_summary", ["batch_no", "site"], unique=False)
    op.create_table(
        "current_facts",
        sa.Column("dataset", sa.Unicode(length=32), nullable=False),
        sa.Column("period", sa.Unicode(length=7), nullable=False),
        sa.Column("site", sa.Unicode(length=10), nullable=False),
        sa.Column("batch_no", sa.Integer(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("rejected_count", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("longest_gap", sa.Integer(), nullable=True),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "period", "site", name=op.f("pk_current_facts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "forecast",
        sa.Column("batch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Unicode(length=10), nullable=False),
        sa.Column("category", sa.Unicode(length=100), nullable=False),
        sa.Column("balance", Fixed(19, 4), nullable=False),
        sa.Column("loaded_at", sa.Unicode(length=40), nullable=True),
        sa.PrimaryKeyConstraint("batch_no", "row_number", name=op.f("pk_forecast")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_forecast_batch_no_site", "forecast", ["batch_no", "site"], unique=False)
    op.create_table(
        "hours_monthly",
        sa.Column("batch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Unicode(length=10), nullable=False),
        sa.Column("work_role", sa.Unicode(length=40), nullable=False),
        sa.Column("regular_hours", Fixed(19, 4), nullable=False),
        sa.Column("overtime_hours", Fixed(19, 4), nullable=False),
        sa.Column("regular_minutes", Fixed(19, 4), nullable=False),
        sa.Column("overtime_minutes", Fixed(19, 4), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("batch_no", "site", "work_role", name=op.f("pk_hours_monthly")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "import_batch",
        sa.Column("batch_no", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("batch_id", sa.Unicode(length=32), nullable=False),
        sa.Column("effect_key", sa.Unicode(length=200), nullable=False),
        sa.Column("dataset", sa.Unicode(length=32), nullable=False),
        sa.Column("period", sa.Unicode(length=7), nullable=False),
        sa.Column("container", sa.Unicode(length=64), nullable=False),
        sa.Column("source_name", sa.Unicode(length=1024), nullable=False),
        sa.Column("sha256", sa.Unicode(length=64), nullable=False),
        sa.Column("byte_count", sa.BigInteger(), nullable=False),
        sa.Column("source_etag", sa.Unicode(length=64), nullable=True),
        sa.Column("state", sa.Unicode(length=16), nullable=False),
        sa.Column("reason", sa.Unicode(length=64), nullable=True),
        sa.Column("message", long_text(), nullable=True),
        sa.Column("duplicate_of", sa.Unicode(length=32), nullable=True),
        sa.Column("slices", sa.Integer(), nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("rows_accepted", sa.Integer(), nullable=False),
        sa.Column("rows_rejected", sa.Integer(), nullable=False),
        sa.Column("rows_duplicate", sa.Integer(), nullable=False),
        sa.Column("rows_repeated", sa.Integer(), nullable=False),
        sa.Column("money_read", Fixed(19, 4), nullable=False),
        sa.Column("money_accepted", Fixed(19, 4), nullable=False),
        sa.Column("money_rejected", Fixed(19, 4), nullable=False),
        sa.Column("money_duplicate", Fixed(19, 4), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("ignored_columns", long_text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("batch_no", name=op.f("pk_import_batch")),
        sa.UniqueConstraint("batch_id", name=op.f("uq_import_batch_batch_id")),
        sa.UniqueConstraint("effect_key", name=op.f("uq_import_batch_effect_key")),
    )
    op.create_index("ix_import_batch_dataset_period", "import_batch", ["dataset", "period"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.Unicode(length=64), nullable=False),
        sa.Column("effect_key", sa.Unicode(length=128), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("consumer", "effect_key", name=op.f("pk_inbox")),
    )
    op.create_table(
        "outbox",
        sa.Column("message_id", sa.Unicode(length=64), nullable=False),
        sa.Column("queue", sa.Unicode(length=64), nullable=False),
        sa.Column("body", long_text(), nullable=False),
        sa.Column("correlation_id", sa.Unicode(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("published_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_outbox")),
    )
    op.create_index("ix_outbox_published_at_created_at", "outbox", ["published_at", "created_at"], unique=False)
    op.create_table(
        "revenue_daily",
        sa.Column("batch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Unicode(length=10), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("revenue_code", sa.Unicode(length=20), nullable=False),
        sa.Column("revenue_category", sa.Unicode(length=60), nullable=False),
        sa.Column("collection_type", sa.Unicode(length=60), nullable=False),
        sa.Column("deposit_flag", sa.Unicode(length=1), nullable=False),
        sa.Column("net", Fixed(19, 4), nullable=False),
        sa.Column("gross", Fixed(19, 4), nullable=False),
        sa.Column("tax_rate", Fixed(9, 6), nullable=False),
        sa.Column("validation", Fixed(19, 4), nullable=False),
        sa.PrimaryKeyConstraint("batch_no", "row_number", name=op.f("pk_revenue_daily")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_revenue_daily_batch_no_site", "revenue_daily", ["batch_no", "site"], unique=False)
    op.create_table(
        "revenue_monthly",
        sa.Column("batch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Unicode(length=10), nullable=False),
        sa.Column("revenue_code", sa.Unicode(length=20), nullable=False),
        sa.Column("revenue_category", sa.Unicode(length=60), nullable=False),
        sa.Column("collection_type", sa.Unicode(length=60), nullable=False),
        sa.Column("deposit_flag", sa.Unicode(length=1), nullable=False),
        sa.Column("net", Fixed(19, 4), nullable=False),
        sa.Column("gross", Fixed(19, 4), nullable=False),
        sa.Column("validation", Fixed(19, 4), nullable=False),
        sa.Column("tax", Fixed(28, 10), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "batch_no",
            "site",
            "revenue_code",
            "revenue_category",
            "collection_type",
            "deposit_flag",
            name=op.f("pk_revenue_monthly"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "site",
        sa.Column("site_number", sa.Unicode(length=10), nullable=False),
        sa.Column("name", sa.Unicode(length=200), nullable=False),
        sa.Column("district", sa.Unicode(length=100), nullable=True),
        sa.Column("street", sa.Unicode(length=200), nullable=True),
        sa.Column("city", sa.Unicode(length=100), nullable=True),
        sa.Column("state", sa.Unicode(length=20), nullable=True),
        sa.Column("zip", sa.Unicode(length=20), nullable=True),
        sa.Column("contract_type", sa.Unicode(length=100), nullable=True),
        sa.Column("first_worked_date", sa.Date(), nullable=True),
        sa.Column("deposit_flag", sa.Unicode(length=1), nullable=True),
        sa.Column("gl_string", sa.Unicode(length=60), nullable=True),
        sa.Column("manager_first", sa.Unicode(length=100), nullable=True),
        sa.Column("manager_last", sa.Unicode(length=100), nullable=True),
        sa.Column("manager_id", sa.Unicode(length=40), nullable=True),
        sa.Column("billing_email", sa.Unicode(length=1000), nullable=True),
        sa.Column("total_rooms", sa.Integer(), nullable=True),
        sa.Column("total_spaces", sa.Integer(), nullable=True),
        sa.Column("batch_no", sa.Integer(), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site_number", name=op.f("pk_site")),
    )
    op.create_table(
        "site_statistics",
        sa.Column("batch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Unicode(length=10), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("revenue_code", sa.Unicode(length=20), nullable=False),
        sa.Column("revenue_category", sa.Unicode(length=60), nullable=False),
        sa.Column("value_type", sa.Unicode(length=60), nullable=False),
        sa.Column("value", Fixed(19, 4), nullable=False),
        sa.Column("is_draft", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.Unicode(length=260), nullable=True),
        sa.Column("loaded_at", sa.Unicode(length=40), nullable=True),
        sa.PrimaryKeyConstraint("batch_no", "row_number", name=op.f("pk_site_statistics")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_site_statistics_batch_no_site", "site_statistics", ["batch_no", "site"], unique=False)
    op.create_table(
        "statistics_monthly",
        sa.Column("batch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Unicode(length=10), nullable=False),
        sa.Column("revenue_code", sa.Unicode(length=20), nullable=False),
        sa.Column("revenue_category", sa.Unicode(length=60), nullable=False),
        sa.Column("value_type", sa.Unicode(length=60), nullable=False),
        sa.Column("is_draft", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", Fixed(19, 4), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "batch_no",
            "site",
            "revenue_code",
            "revenue_category",
            "value_type",
            "is_draft",
            name=op.f("pk_statistics_monthly"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "timesheet",
        sa.Column("batch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Unicode(length=10), nullable=False),
        sa.Column("timesheet_id", sa.Unicode(length=60), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("work_role", sa.Unicode(length=40), nullable=False),
        sa.Column("employee_key", sa.Unicode(length=40), nullable=True),
        sa.Column("regular_hours", Fixed(19, 4), nullable=False),
        sa.Column("overtime_hours", Fixed(19, 4), nullable=False),
        sa.Column("regular_minutes", Fixed(19, 4), nullable=False),
        sa.Column("overtime_minutes", Fixed(19, 4), nullable=False),
        sa.PrimaryKeyConstraint("batch_no", "row_number", name=op.f("pk_timesheet")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_timesheet_batch_no_site", "timesheet", ["batch_no", "site"], unique=False)
    op.create_table(
        "import_slice",
        sa.Column("batch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slice_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("byte_from", sa.BigInteger(), nullable=False),
        sa.Column("byte_to", sa.BigInteger(), nullable=False),
        sa.Column("first_row", sa.Integer(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("staged_at", Instant(), nullable=True),
        sa.Column("rows_accepted", sa.Integer(), nullable=False),
        sa.Column("rows_rejected", sa.Integer(), nullable=False),
        sa.Column("rows_duplicate", sa.Integer(), nullable=False),
        sa.Column("money_accepted", Fixed(19, 4), nullable=False),
        sa.Column("money_rejected", Fixed(19, 4), nullable=False),
        sa.Column("money_duplicate", Fixed(19, 4), nullable=False),
        sa.ForeignKeyConstraint(["batch_no"], ["import_batch.batch_no"], name=op.f("fk_import_slice_import_batch")),
        sa.PrimaryKeyConstraint("batch_no", "slice_no", name=op.f("pk_import_slice")),
    )
    op.create_table(
        "rejected_row",
        sa.Column("batch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Unicode(length=10), nullable=True),
        sa.Column("column_name", sa.Unicode(length=64), nullable=False),
        sa.Column("rule", sa.Unicode(length=32), nullable=False),
        sa.Column("value", sa.Unicode(length=400), nullable=False),
        sa.Column("amount", Fixed(19, 4), nullable=True),
        sa.ForeignKeyConstraint(["batch_no"], ["import_batch.batch_no"], name=op.f("fk_rejected_row_import_batch")),
        sa.PrimaryKeyConstraint("batch_no", "row_number", name=op.f("pk_rejected_row")),
    )


def downgrade() -> None:
    op.drop_table("rejected_row")
    op.drop_table("import_slice")
    op.drop_index("ix_timesheet_batch_no_site", table_name="timesheet")
    op.drop_table("timesheet")
    op.drop_table("statistics_monthly")
    op.drop_index("ix_site_statistics_batch_no_site", table_name="site_statistics")
    op.drop_table("site_statistics")
    op.drop_table("site")
    op.drop_table("revenue_monthly")
    op.drop_index("ix_revenue_daily_batch_no_site", table_name="revenue_daily")
    op.drop_table("revenue_daily")
    op.drop_index("ix_outbox_published_at_created_at", table_name="outbox")
    op.drop_table("outbox")
    op.drop_table("inbox")
    op.drop_index("ix_import_batch_dataset_period", table_name="import_batch")
    op.drop_table("import_batch")
    op.drop_table("hours_monthly")
    op.drop_index("ix_forecast_batch_no_site", table_name="forecast")
    op.drop_table("forecast")
    op.drop_table("current_facts")
    op.drop_index("ix_account_summary_batch_no_site", table_name="account_summary")
    op.drop_table("account_summary")
