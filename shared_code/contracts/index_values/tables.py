"""Values of price indexes, every one that ever was: the latest version of a name and year is the one that holds."""

import sqlalchemy as sa

from shared_code.foundation.database import Fixed, Instant, metadata, text
from shared_code.foundation.dialect import exact_text

index_value = sa.Table(
    "index_value",
    metadata,
    sa.Column("name", exact_text(40), primary_key=True),  # in capitals (rules R46)
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("value", Fixed(9, 4)),  # percent; NULL where a value was taken back
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("changed_by", text(100), nullable=False),
    sa.Column("reason", text(500), nullable=False),
)
