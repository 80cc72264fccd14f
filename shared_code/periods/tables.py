"""What was decided about a month, every decision that ever was: the latest one holds. A month without one is open."""

import sqlalchemy as sa

from shared_code.foundation.database import Instant, metadata, text

period_change = sa.Table(
    "period_change",
    metadata,
    sa.Column("period", text(7), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("action", text(10), nullable=False),  # open | close | reopen
    sa.Column("state", text(10), nullable=False),  # Open | Closed
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("changed_by", text(100), nullable=False),
    sa.Column("reason", text(500)),
)
