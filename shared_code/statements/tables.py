"""Runs, their items, and the statements with everything that is printed on them."""

import sqlalchemy as sa

from shared_code.foundation.database import Fixed, Instant, long_text, metadata, money, text
from shared_code.foundation.dialect import unique_among

statement_run = sa.Table(
    "statement_run",
    metadata,
    sa.Column("run_id", text(32), primary_key=True),  # derived from the natural key
    sa.Column("natural_key", text(200), nullable=False, unique=True),  # period, scope, source (http-api, idempotency)
    sa.Column("kind", text(12), nullable=False),  # Generate | Regenerate | DryRun
    sa.Column("period", text(7), nullable=False),
    sa.Column("source", text(20), nullable=False),
    sa.Column("scope", long_text(), nullable=False),
    sa.Column("state", text(20), nullable=False),  # Running → Completed | Cancelled
    sa.Column("requested_by", text(200), nullable=False),
    sa.Column("requested_by_id", text(100), nullable=False),  # who may not approve its statements (rules R26)
    sa.Column("correlation_id", text(64), nullable=False),
    sa.Column("expected", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False, default=1),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("resumed_at", Instant, nullable=False),  # when its messages were last sent, by start, retry or watchdog
    sa.Column("finished_at", Instant),
    sa.Column("cancelled_at", Instant),  # from then on nothing of it is begun; it ends when what was begun has ended
)

run_item = sa.Table(
    "run_item",
    metadata,
    sa.Column("run_id", text(32), sa.ForeignKey("statement_run.run_id"), primary_key=True),
    sa.Column("contract_id", text(32), primary_key=True),
    sa.Column("site_number", text(10), nullable=False),
    sa.Column("contract_version", sa.Integer, nullable=False),
    sa.Column("chunk", sa.Integer, nullable=False),
    # Pending → Generated | NothingToBill | Held | Failed | Skipped | Cancelled
    sa.Column("outcome", text(20), nullable=False),
    sa.Column("reason", text(40)),
    sa.Column("message", long_text()),
    sa.Column("details", long_text()),  # all reasons, as JSON; reason and message are the first (rules R61)
    sa.Column("statement_id", text(32)),
    sa.Column("started_at", Instant),
    sa.Column("finished_at", Instant),
)
sa.Index("ix_run_item_run_id_chunk_outcome", run_item.c.run_id, run_item.c.chunk, run_item.c.outcome)
sa.Index("ix_run_item_run_id_outcome", run_item.c.run_id, run_item.c.outcome)
sa.Index("ix_run_item_contract_id", run_item.c.contract_id)  # what became of a contract, month by month

statement = sa.Table(
    "statement",
    metadata,
    sa.Column("statement_id", text(32), primary_key=True),  # derived from contract, period, version and generation
    sa.Column("contract_id", text(32), nullable=False),
    sa.Column("period", text(7), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),  # printed in its numbers: one more after each that was sent
    sa.Column("generation", sa.Integer, nullable=False),  # one more each time that the month is made anew
    sa.Column("contract_version", sa.Integer, nullable=False),
    sa.Column("site_number", text(10), nullable=False),
    sa.Column("site_name", text(200), nullable=False),
    sa.Column("status", text(20), nullable=False),
    sa.Column("status_reason", text(40)),
    sa.Column("total", money(), nullable=False),
    sa.Column("run_id", text(32), sa.ForeignKey("statement_run.run_id"), nullable=False),
    sa.Column("warnings", long_text(), nullable=False),
    sa.Column("comparison", long_text()),  # JSON: the month against forecast and ledger (billing-flows 8)
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("superseded_at", Instant),  # a later generation took its place, or found nothing to bill
    sa.Column("checked_at", Instant, nullable=False),  # what it was computed from was the same until then
    sa.Column("stale_since", Instant),
    sa.Column("stale_reason", text(40)),
    sa.Column("stale_difference", long_text()),  # JSON: what a new generation would bill otherwise
)
# One statement per contract, period and version, whatever is delivered how often (field reports 1 and 5); of those that
# are not sent yet, one per contract and period (rules R24, R26).
unique_among(
    statement.c.status != "Superseded",
    "uq_statement_contract_id_period_version",
    statement.c.contract_id,
    statement.c.period,
    statement.c.version,
)
unique_among(
    sa.and_(statement.c.status != "Superseded", statement.c.status != "Sent"),
    "uq_statement_contract_id_period_unsent",
    statement.c.contract_id,
    statement.c.period,
)
# What stands of a contract's months. The unique indexes leave superseded statements out, which have their place too.
sa.Index(
    "ix_statement_contract_id_period_generation",
    statement.c.contract_id,
    statement.c.period,
    statement.c.generation,
)
sa.Index("ix_statement_period_site_number", statement.c.period, statement.c.site_number)
sa.Index("ix_statement_run_id", statement.c.run_id)
sa.Index("ix_statement_site_number_statement_id", statement.c.site_number, statement.c.statement_id)  # the list

# Apart from generated lines, so that they survive every regeneration (rules R18). Taken back, never deleted.
adhoc_line = sa.Table(
    "adhoc_line",
    metadata,
    sa.Column("line_id", text(32), primary_key=True),
    sa.Column("contract_id", text(32), sa.ForeignKey("contract.contract_id"), nullable=False),
    sa.Column("period", text(7), nullable=False),
    sa.Column("invoice_group", sa.Integer, nullable=False),
    sa.Column("type", text(24), nullable=False),  # billing.model.AdHocType
    sa.Column("title", long_text(), nullable=False),
    sa.Column("code", text(20), nullable=False),
    sa.Column("description", long_text(), nullable=False),
    sa.Column("amount", money(), nullable=False),  # as it is credited or billed: expenses of the client are negative
    sa.Column("author", text(100), nullable=False),
    sa.Column("reason", text(500), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("removed_at", Instant),
    sa.Column("removed_by", text(100)),
)
sa.Index("ix_adhoc_line_contract_id_period", adhoc_line.c.contract_id, adhoc_line.c.period)

# Kept even when nothing is billed: later months of a window count it (rules R44). A statement made anew replaces it.
monthly_profit = sa.Table(
    "monthly_profit",
    metadata,
    sa.Column("contract_id", text(32), primary_key=True),
    sa.Column("period", text(7), primary_key=True),
    sa.Column("profit", Fixed(28, 10), nullable=False),  # exact: a threshold in percent has more decimals than money
    sa.Column("run_id", text(32), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)

gl_account = sa.Table(
    "gl_account",
    metadata,
    sa.Column("purpose", text(40), primary_key=True),  # a field of billing.context.GlCodes
    sa.Column("effective_from", sa.Date, primary_key=True),  # 1900-01-01: from the beginning
    sa.Column("account", text(20), nullable=False),
)

invoice = sa.Table(
    "invoice",
    metadata,
    sa.Column("invoice_id", text(40), primary_key=True),  # derived from the statement and the group
    sa.Column("number", text(40), nullable=False),  # unique among those that are not superseded (rules R27, R56)
    sa.Column("statement_id", text(32), sa.ForeignKey("statement.statement_id"), nullable=False, index=True),
    sa.Column("invoice_group", sa.Integer, nullable=False),
    sa.Column("invoice_date", sa.Date, nullable=False),
    sa.Column("due_date", sa.Date),
    sa.Column("payment_terms", long_text(), nullable=False),
    sa.Column("purchase_order", long_text()),
    sa.Column("title", long_text()),
    sa.Column("description", long_text()),
    sa.Column("customer_name", long_text()),  # this and the next two are the group's own; None where the site's count
    sa.Column("vendor_id", long_text()),
    sa.Column("emails", long_text()),  # JSON list
    sa.Column("amount", money(), nullable=False),
    sa.Column("superseded_at", Instant),
)
unique_among(invoice.c.superseded_at.is_(None), "uq_invoice_number", invoice.c.number)

invoice_line = sa.Table(
    "invoice_line",
    metadata,
    sa.Column("line_id", text(32), primary_key=True),
    sa.Column("invoice_id", text(40), sa.ForeignKey("invoice.invoice_id"), nullable=False, index=True),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("block", text(40), nullable=False),
    sa.Column("title", long_text(), nullable=False),
    sa.Column("description", long_text(), nullable=False),
    sa.Column("code", long_text(), nullable=False),
    sa.Column("amount", money(), nullable=False),
    sa.Column("meta", long_text(), nullable=False),
    sa.Column("trace", long_text(), nullable=False),
)

statement_document = sa.Table(
    "statement_document",
    metadata,
    sa.Column("statement_id", text(32), sa.ForeignKey("statement.statement_id"), primary_key=True),
    sa.Column("run_id", text(32), nullable=False),
    sa.Column("state", text(20), nullable=False),  # Pending → Rendered (field report 17: a PDF is a row with a state)
    sa.Column("snapshot", long_text(), nullable=False),  # every printed value (field report 22)
    sa.Column("blob_path", text(400)),
    sa.Column("sha256", text(64)),
    sa.Column("byte_count", sa.Integer),
    sa.Column("rendered_at", Instant),
)
sa.Index("ix_statement_document_run_id_state", statement_document.c.run_id, statement_document.c.state)

# What site people say about a month. One of them sends an arrears statement to review first (rules R25).
site_comment = sa.Table(
    "site_comment",
    metadata,
    sa.Column("comment_id", text(32), primary_key=True),
    sa.Column("site_number", text(10), nullable=False),
    sa.Column("period", text(7), nullable=False),
    sa.Column("source", text(12), nullable=False),  # ReadyRow (before billing) | Statement (on one that is there)
    sa.Column("text", long_text(), nullable=False),
    sa.Column("author", text(200), nullable=False),
    sa.Column("author_id", text(100), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)
sa.Index("ix_site_comment_site_number_period", site_comment.c.site_number, site_comment.c.period)

# What a dry run would have written, as the API shows a statement.
dry_run_statement = sa.Table(
    "dry_run_statement",
    metadata,
    sa.Column("run_id", text(32), sa.ForeignKey("statement_run.run_id"), primary_key=True),
    sa.Column("contract_id", text(32), primary_key=True),
    sa.Column("site_number", text(10), nullable=False),
    sa.Column("document", long_text(), nullable=False),
)
