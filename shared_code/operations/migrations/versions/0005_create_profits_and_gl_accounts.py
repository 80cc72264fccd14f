"""Create monthly profits, ad-hoc lines and GL accounts; keep the comparison of a statement

Revision: 0005, after 0004.
"""

from datetime import date

import sqlalchemy as sa
from alembic import op

from shared_code.foundation.database import Fixed, Instant, long_text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# The accounts that statements have always carried (rules R34); a later row of a purpose takes over on its day.
_ACCOUNTS = {
    "revenue_share": "4790",
    "validations": "4790",
    "mid_month_advance": "4790",
    "deposited_revenue": "4790",
    "labor_hour": "4791",
    "occupied_room": "4791",
    "billable_accounts": "4791",
    "management_fee": "4791",
    "non_gl_expense": "4791",
    "profit_share": "4791",
    "bell_service": "4795",
}


def upgrade() -> None:
    op.create_table(
        "gl_account",
        sa.Column("purpose", sa.Unicode(length=40), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("account", sa.Unicode(length=20), nullable=False),
        sa.PrimaryKeyConstraint("purpose", "effective_from", name=op.f("pk_gl_account")),
    )
    rows = sa.table(
        "gl_account",
        sa.column("purpose", sa.Unicode(40)),
        sa.column("effective_from", sa.Date()),
        sa.column("account", sa.Unicode(20)),
    )
    for purpose, account in _ACCOUNTS.items():
        op.execute(rows.insert().values(purpose=purpose, effective_from=date(1900, 1, 1), account=account))
    op.create_table(
        "monthly_profit",
        sa.Column("contract_id", sa.Unicode(length=32), nullable=False),
        sa.Column("period", sa.Unicode(length=7), nullable=False),
        sa.Column("profit", Fixed(28, 10), nullable=False),
        sa.Column("run_id", sa.Unicode(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("contract_id", "period", name=op.f("pk_monthly_profit")),
    )
    op.create_table(
        "adhoc_line",
        sa.Column("line_id", sa.Unicode(length=32), nullable=False),
        sa.Column("contract_id", sa.Unicode(length=32), nullable=False),
        sa.Column("period", sa.Unicode(length=7), nullable=False),
        sa.Column("invoice_group", sa.Integer(), nullable=False),
        sa.Column("type", sa.Unicode(length=24), nullable=False),
        sa.Column("title", long_text(), nullable=False),
        sa.Column("code", sa.Unicode(length=20), nullable=False),
        sa.Column("description", long_text(), nullable=False),
        sa.Column("amount", Fixed(19, 4), nullable=False),
        sa.Column("author", sa.Unicode(length=100), nullable=False),
        sa.Column("reason", sa.Unicode(length=500), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.Column("removed_by", sa.Unicode(length=100), nullable=True),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.contract_id"], name=op.f("fk_adhoc_line_contract")),
        sa.PrimaryKeyConstraint("line_id", name=op.f("pk_adhoc_line")),
    )
    op.create_index("ix_adhoc_line_contract_id_period", "adhoc_line", ["contract_id", "period"], unique=False)
    op.add_column("statement", sa.Column("comparison", long_text(), nullable=True))


def downgrade() -> None:
    op.drop_column("statement", "comparison")
    op.drop_index("ix_adhoc_line_contract_id_period", table_name="adhoc_line")
    op.drop_table("adhoc_line")
    op.drop_table("monthly_profit")
    op.drop_table("gl_account")
