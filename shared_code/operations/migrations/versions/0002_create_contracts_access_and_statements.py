"""Create contracts, access and statements

Revision: 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

from shared_code.foundation.database import Fixed, Instant, long_text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contract",
        sa.Column("contract_id", sa.Unicode(length=32), nullable=False),
        sa.Column("site_number", sa.Unicode(length=10), nullable=False),
        sa.Column("document_id", long_text(), nullable=False),
        sa.Column("latest_version", sa.Integer(), nullable=False),
        sa.Column("billed_through", sa.Unicode(length=7), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("pk_contract")),
    )
    op.create_index(op.f("ix_contract_site_number"), "contract", ["site_number"], unique=False)
    op.create_table(
        "site_assignment",
        sa.Column("user_id", sa.Unicode(length=100), nullable=False),
        sa.Column("site_number", sa.Unicode(length=10), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "site_number", name=op.f("pk_site_assignment")),
    )
    op.create_table(
        "statement_run",
        sa.Column("run_id", sa.Unicode(length=32), nullable=False),
        sa.Column("natural_key", sa.Unicode(length=200), nullable=False),
        sa.Column("period", sa.Unicode(length=7), nullable=False),
        sa.Column("source", sa.Unicode(length=20), nullable=False),
        sa.Column("scope", long_text(), nullable=False),
        sa.Column("state", sa.Unicode(length=20), nullable=False),
        sa.Column("requested_by", sa.Unicode(length=200), nullable=False),
        sa.Column("correlation_id", sa.Unicode(length=64), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("resumed_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_statement_run")),
        sa.UniqueConstraint("natural_key", name=op.f("uq_statement_run_natural_key")),
    )
    op.create_table(
        "contract_version",
        sa.Column("contract_id", sa.Unicode(length=32), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("rates_as_of", sa.Unicode(length=7), nullable=False),
        sa.Column("document", long_text(), nullable=False),
        sa.Column("document_hash", sa.Unicode(length=64), nullable=False),
        sa.Column("components", sa.Unicode(length=300), nullable=False),
        sa.Column("billing_type", sa.Unicode(length=10), nullable=False),
        sa.Column("source_name", long_text(), nullable=True),
        sa.Column("source_hash", sa.Unicode(length=64), nullable=True),
        sa.Column("stated_at", Instant(), nullable=False),
        sa.Column("warnings", long_text(), nullable=False),
        sa.Column("author", sa.Unicode(length=200), nullable=False),
        sa.Column("reason", sa.Unicode(length=400), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.contract_id"], name=op.f("fk_contract_version_contract")),
        sa.PrimaryKeyConstraint("contract_id", "version", name=op.f("pk_contract_version")),
    )
    op.create_table(
        "run_item",
        sa.Column("run_id", sa.Unicode(length=32), nullable=False),
        sa.Column("contract_id", sa.Unicode(length=32), nullable=False),
        sa.Column("site_number", sa.Unicode(length=10), nullable=False),
        sa.Column("contract_version", sa.Integer(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Unicode(length=20), nullable=False),
        sa.Column("reason", sa.Unicode(length=40), nullable=True),
        sa.Column("message", long_text(), nullable=True),
        sa.Column("details", long_text(), nullable=True),
        sa.Column("statement_id", sa.Unicode(length=32), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["statement_run.run_id"], name=op.f("fk_run_item_statement_run")),
        sa.PrimaryKeyConstraint("run_id", "contract_id", name=op.f("pk_run_item")),
    )
    op.create_index("ix_run_item_run_id_chunk", "run_item", ["run_id", "chunk"], unique=False)
    op.create_index("ix_run_item_run_id_outcome", "run_item", ["run_id", "outcome"], unique=False)
    op.create_table(
        "statement",
        sa.Column("statement_id", sa.Unicode(length=32), nullable=False),
        sa.Column("contract_id", sa.Unicode(length=32), nullable=False),
        sa.Column("period", sa.Unicode(length=7), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("contract_version", sa.Integer(), nullable=False),
        sa.Column("site_number", sa.Unicode(length=10), nullable=False),
        sa.Column("site_name", sa.Unicode(length=200), nullable=False),
        sa.Column("status", sa.Unicode(length=20), nullable=False),
        sa.Column("status_reason", sa.Unicode(length=40), nullable=True),
        sa.Column("total", Fixed(19, 4), nullable=False),
        sa.Column("run_id", sa.Unicode(length=32), nullable=False),
        sa.Column("warnings", long_text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["statement_run.run_id"], name=op.f("fk_statement_statement_run")),
        sa.PrimaryKeyConstraint("statement_id", name=op.f("pk_statement")),
        sa.UniqueConstraint("contract_id", "period", "version", name=op.f("uq_statement_contract_id_period_version")),
    )
    op.create_index("ix_statement_period_site_number", "statement", ["period", "site_number"], unique=False)
    op.create_index("ix_statement_run_id", "statement", ["run_id"], unique=False)
    op.create_table(
        "invoice",
        sa.Column("number", sa.Unicode(length=40), nullable=False),
        sa.Column("statement_id", sa.Unicode(length=32), nullable=False),
        sa.Column("invoice_group", sa.Integer(), nullable=False),
        sa.Column("invoice_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("payment_terms", long_text(), nullable=False),
        sa.Column("purchase_order", long_text(), nullable=True),
        sa.Column("title", long_text(), nullable=True),
        sa.Column("description", long_text(), nullable=True),
        sa.Column("amount", Fixed(19, 4), nullable=False),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.statement_id"], name=op.f("fk_invoice_statement")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_invoice")),
    )
    op.create_index(op.f("ix_invoice_statement_id"), "invoice", ["statement_id"], unique=False)
    op.create_table(
        "statement_document",
        sa.Column("statement_id", sa.Unicode(length=32), nullable=False),
        sa.Column("run_id", sa.Unicode(length=32), nullable=False),
        sa.Column("state", sa.Unicode(length=20), nullable=False),
        sa.Column("snapshot", long_text(), nullable=False),
        sa.Column("blob_path", sa.Unicode(length=400), nullable=True),
        sa.Column("sha256", sa.Unicode(length=64), nullable=True),
        sa.Column("byte_count", sa.Integer(), nullable=True),
        sa.Column("rendered_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["statement.statement_id"], name=op.f("fk_statement_document_statement")
        ),
        sa.PrimaryKeyConstraint("statement_id", name=op.f("pk_statement_document")),
    )
    op.create_index("ix_statement_document_run_id_state", "statement_document", ["run_id", "state"], unique=False)
    op.create_table(
        "invoice_line",
        sa.Column("line_id", sa.Unicode(length=32), nullable=False),
        sa.Column("invoice_number", sa.Unicode(length=40), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("block", sa.Unicode(length=40), nullable=False),
        sa.Column("title", long_text(), nullable=False),
        sa.Column("description", long_text(), nullable=False),
        sa.Column("code", long_text(), nullable=False),
        sa.Column("amount", Fixed(19, 4), nullable=False),
        sa.Column("meta", long_text(), nullable=False),
        sa.Column("trace", long_text(), nullable=False),
        sa.ForeignKeyConstraint(["invoice_number"], ["invoice.number"], name=op.f("fk_invoice_line_invoice")),
        sa.PrimaryKeyConstraint("line_id", name=op.f("pk_invoice_line")),
    )
    op.create_index(op.f("ix_invoice_line_invoice_number"), "invoice_line", ["invoice_number"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_invoice_line_invoice_number"), table_name="invoice_line")
    op.drop_table("invoice_line")
    op.drop_index("ix_statement_document_run_id_state", table_name="statement_document")
    op.drop_table("statement_document")
    op.drop_index(op.f("ix_invoice_statement_id"), table_name="invoice")
    op.drop_table("invoice")
    op.drop_index("ix_statement_run_id", table_name="statement")
    op.drop_index("ix_statement_period_site_number", table_name="statement")
    op.drop_table("statement")
    op.drop_index("ix_run_item_run_id_outcome", table_name="run_item")
    op.drop_index("ix_run_item_run_id_chunk", table_name="run_item")
    op.drop_table("run_item")
    op.drop_table("contract_version")
    op.drop_table("statement_run")
    op.drop_table("site_assignment")
    op.drop_index(op.f("ix_contract_site_number"), table_name="contract")
    op.drop_table("contract")
