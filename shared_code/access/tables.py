"""Which sites an account or district manager is assigned to."""

import sqlalchemy as sa

from shared_code.foundation.database import metadata, text

site_assignment = sa.Table(
    "site_assignment",
    metadata,
    sa.Column("user_id", text(100), primary_key=True),
    sa.Column("site_number", text(10), primary_key=True),
)
