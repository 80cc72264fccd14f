"""Messages that could not be processed, each with the reason and with what became of it."""

import sqlalchemy as sa

from shared_code.foundation.database import Instant, long_text, metadata, text

dead_letter = sa.Table(
    "dead_letter",
    metadata,
    sa.Column("dead_letter_id", text(32), primary_key=True),
    sa.Column("queue", text(64), nullable=False),
    sa.Column("message_id", text(128), nullable=False),
    sa.Column("body", long_text(), nullable=False),
    sa.Column("correlation_id", text(64), nullable=False),
    sa.Column("reason", text(64), nullable=False),
    sa.Column("description", long_text(), nullable=False),
    sa.Column("deliveries", sa.Integer, nullable=False),
    sa.Column("state", text(10), nullable=False),
    sa.Column("died_at", Instant, nullable=False),
    sa.Column("settled_at", Instant),
    sa.Column("settled_by", text(100)),
    sa.Column("settled_reason", text(500)),
    sa.Column("replay_message_id", text(128)),
)
sa.Index("ix_dead_letter_state_died_at", dead_letter.c.state, dead_letter.c.died_at)
