"""Decisions about terms that a note proposes, every one that ever was: the latest of a proposal holds (rules R32)."""

import sqlalchemy as sa

from shared_code.foundation.database import Instant, long_text, metadata, text

proposal_decision = sa.Table(
    "proposal_decision",
    metadata,
    sa.Column("contract_id", text(32), sa.ForeignKey("contract.contract_id"), primary_key=True),
    sa.Column("proposal_key", text(24), primary_key=True),  # contracts/notes/lifecycle.py: its words and meaning
    sa.Column("decision", sa.Integer, primary_key=True, autoincrement=False),  # 1, 2, … of this proposal
    sa.Column("state", text(10), nullable=False),  # approved | rejected
    sa.Column("proposal", long_text(), nullable=False),  # JSON: as it was read when it was decided
    sa.Column("target", text(60)),  # the rate that a person chose for it
    sa.Column("contract_version", sa.Integer),  # the version that an approval wrote
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("changed_by", text(100), nullable=False),
    sa.Column("reason", text(500), nullable=False),
)
