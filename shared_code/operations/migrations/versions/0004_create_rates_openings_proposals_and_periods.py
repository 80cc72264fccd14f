"""Create rate bases, index values, opening balances, proposals and closed periods

Revision: 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

from shared_code.foundation.database import Fixed, Instant, long_text
from shared_code.foundation.dialect import exact_text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "index_value",
        sa.Column("name", exact_text(40), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", Fixed(9, 4), nullable=True),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("changed_by", sa.Unicode(length=100), nullable=False),
        sa.Column("reason", sa.Unicode(length=500), nullable=False),
        sa.PrimaryKeyConstraint("name", "year", "version", name=op.f("pk_index_value")),
    )
    op.create_table(
        "period_change",
        sa.Column("period", sa.Unicode(length=7), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("action", sa.Unicode(length=10), nullable=False),
        sa.Column("state", sa.Unicode(length=10), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("changed_by", sa.Unicode(length=100), nullable=False),
        sa.Column("reason", sa.Unicode(length=500), nullable=True),
        sa.PrimaryKeyConstraint("period", "version", name=op.f("pk_period_change")),
    )
    op.create_table(
        "opening_set",
        sa.Column("contract_id", sa.Unicode(length=32), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("changed_by", sa.Unicode(length=100), nullable=False),
        sa.Column("reason", sa.Unicode(length=500), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.contract_id"], name=op.f("fk_opening_set_contract")),
        sa.PrimaryKeyConstraint("contract_id", "version", name=op.f("pk_opening_set")),
    )
    op.create_table(
        "proposal_decision",
        sa.Column("contract_id", sa.Unicode(length=32), nullable=False),
        sa.Column("proposal_key", sa.Unicode(length=24), nullable=False),
        sa.Column("decision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Unicode(length=10), nullable=False),
        sa.Column("proposal", long_text(), nullable=False),
        sa.Column("target", sa.Unicode(length=60), nullable=True),
        sa.Column("contract_version", sa.Integer(), nullable=True),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("changed_by", sa.Unicode(length=100), nullable=False),
        sa.Column("reason", sa.Unicode(length=500), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.contract_id"], name=op.f("fk_proposal_decision_contract")),
        sa.PrimaryKeyConstraint("contract_id", "proposal_key", "decision", name=op.f("pk_proposal_decision")),
    )
    op.create_table(
        "opening_balance",
        sa.Column("contract_id", sa.Unicode(length=32), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Unicode(length=20), nullable=False),
        sa.Column("row_id", long_text(), nullable=False),
        sa.Column("basis", sa.Unicode(length=10), nullable=False),
        sa.Column("as_of", sa.Unicode(length=7), nullable=False),
        sa.Column("to_date", Fixed(19, 4), nullable=False),
        sa.Column("high_water_mark", Fixed(19, 4), nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id", "version"],
            ["opening_set.contract_id", "opening_set.version"],
            name=op.f("fk_opening_balance_opening_set"),
        ),
        sa.PrimaryKeyConstraint("contract_id", "version", "place", name=op.f("pk_opening_balance")),
    )
    op.add_column("contract_version", sa.Column("rate_bases", long_text(), server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("contract_version", "rate_bases", mssql_drop_default=True)
    op.drop_table("opening_balance")
    op.drop_table("proposal_decision")
    op.drop_table("opening_set")
    op.drop_table("period_change")
    op.drop_table("index_value")
