"""Contracts and their versions. A version is never changed; a new one is added (rules R12)."""

import sqlalchemy as sa

from shared_code.foundation.database import Instant, long_text, metadata, text

contract = sa.Table(
    "contract",
    metadata,
    sa.Column("contract_id", text(32), primary_key=True),  # begins as the site does (decision 30)
    sa.Column("site_number", text(10), nullable=False, index=True),
    sa.Column("document_id", long_text(), nullable=False),
    sa.Column("latest_version", sa.Integer, nullable=False),
    sa.Column("billed_through", text(7)),  # the last period with a statement; what is before it keeps its version
    sa.Column("created_at", Instant, nullable=False),
)

contract_version = sa.Table(
    "contract_version",
    metadata,
    sa.Column("contract_id", text(32), sa.ForeignKey("contract.contract_id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("effective_from", sa.Date),  # None: from the beginning of time, as a first legacy import (rules R12)
    sa.Column("rates_as_of", text(7), nullable=False),  # the month that this version states new and changed rates for
    sa.Column("rate_bases", long_text(), nullable=False, server_default="{}"),  # JSON: contracts/rates/bases.py
    sa.Column("document", long_text(), nullable=False),
    sa.Column("document_hash", text(64), nullable=False),
    sa.Column("components", text(300), nullable=False),  # names of the enabled components, comma-separated
    sa.Column("billing_type", text(10), nullable=False),
    sa.Column("source_name", long_text()),
    sa.Column("source_hash", text(64)),
    sa.Column("stated_at", Instant, nullable=False),  # when it was dropped or sent; an older statement never wins
    sa.Column("warnings", long_text(), nullable=False),
    sa.Column("author", text(200), nullable=False),
    sa.Column("reason", text(400), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)
