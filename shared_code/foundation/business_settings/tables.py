"""Stored values of business settings, every one that ever was: the latest version of a name is the one that holds."""

import sqlalchemy as sa

from shared_code.foundation.database import Instant, long_text, metadata, text

business_setting = sa.Table(
    "business_setting",
    metadata,
    sa.Column("name", text(60), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("value", long_text()),  # JSON; NULL where the app setting or the default holds again
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("changed_by", text(100), nullable=False),
    sa.Column("reason", text(500), nullable=False),
)
