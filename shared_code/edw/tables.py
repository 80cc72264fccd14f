"""How a file is taken in: the slices that it is read in, and the rows that were refused."""

from decimal import Decimal

import sqlalchemy as sa

from shared_code.foundation.database import Fixed, Instant, metadata, money, text

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
