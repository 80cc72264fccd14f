"""Requests that came with an Idempotency-Key, and their answers."""

import sqlalchemy as sa

from shared_code.foundation.database import Instant, long_text, metadata, text
from shared_code.foundation.dialect import exact_text

idempotent_request = sa.Table(
    "idempotent_request",
    metadata,
    # One caller's keys are no other caller's: a key is chosen by whoever sends it.
    sa.Column("caller_id", exact_text(100), primary_key=True),
    sa.Column("request_key", exact_text(255), primary_key=True),
    sa.Column("fingerprint", text(64), nullable=False),
    sa.Column("holder", text(32), nullable=False),
    sa.Column("held_until", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("headers", long_text()),
    sa.Column("body", long_text()),
)
sa.Index("ix_idempotent_request_expires_at", idempotent_request.c.expires_at)
