"""Import batches: what was dropped, what became of each row, and the slices that a large file is read in."""

from decimal import Decimal

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

import_slice = sa.Table(
    "import_slice",
    metadata,
    sa.Column("batch_no", sa.Integer, sa.ForeignKey("import_batch.batch_no"), primary_key=True, autoincrement=False),
    sa.Column("slice_no", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("byte_from", sa.BigInteger, nullable=False),
    sa.Column("byte_to", sa.BigInteger, nullable=False),
    sa.Column("first_row", sa.Integer, nullable=False),  # number of its first data row in the file; 1 is the first
    sa.Column("row_count", sa.Integer, nullable=False),
    sa.Column("staged_at", Instant),
    sa.Column("rows_accepted", sa.Integer, nullable=False, default=0),
    sa.Column("rows_rejected", sa.Integer, nullable=False, default=0),
    sa.Column("rows_duplicate", sa.Integer, nullable=False, default=0),
    sa.Column("money_accepted", money(), nullable=False, default=Decimal(0)),
    sa.Column("money_rejected", money(), nullable=False, default=Decimal(0)),
    sa.Column("money_duplicate", money(), nullable=False, default=Decimal(0)),
)

rejected_row = sa.Table(
    "rejected_row",
    metadata,
    sa.Column("batch_no", sa.Integer, sa.ForeignKey("import_batch.batch_no"), primary_key=True, autoincrement=False),
    sa.Column("row_number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("site", text(10)),  # where it can be read: the site whose billing waits (rules R8 REJECTED_ROWS)
    sa.Column("column_name", text(64), nullable=False),
    sa.Column("rule", text(32), nullable=False),
    sa.Column("value", text(400), nullable=False),
    sa.Column("amount", Fixed(19, 4)),
)

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
