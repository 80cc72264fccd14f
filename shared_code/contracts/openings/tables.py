"""Opening balances. A set is never changed; a new one is added, and the latest of a contract holds."""

import sqlalchemy as sa

from shared_code.foundation.database import Instant, long_text, metadata, money, text

opening_set = sa.Table(
    "opening_set",
    metadata,
    sa.Column("contract_id", text(32), sa.ForeignKey("contract.contract_id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("changed_by", text(100), nullable=False),
    sa.Column("reason", text(500), nullable=False),
)

opening_balance = sa.Table(
    "opening_balance",
    metadata,
    sa.Column("contract_id", text(32), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),  # its position in the set
    sa.Column("kind", text(20), nullable=False),  # structure | claims | profitShare
    sa.Column("row_id", long_text(), nullable=False),  # of the structure or the agreement
    sa.Column("basis", text(10), nullable=False),  # amount | zero
    sa.Column("as_of", text(7), nullable=False),  # the last month that it holds
    sa.Column("to_date", money(), nullable=False),
    sa.Column("high_water_mark", money(), nullable=False),
    sa.ForeignKeyConstraint(["contract_id", "version"], ["opening_set.contract_id", "opening_set.version"]),
)
