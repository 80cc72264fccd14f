"""Who is known, in which roles, and which sites and districts they are assigned to."""

import sqlalchemy as sa

from shared_code.foundation.database import Instant, metadata, text
from shared_code.foundation.dialect import exact_text

app_user = sa.Table(
    "app_user",
    metadata,
    sa.Column("user_id", exact_text(100), primary_key=True),  # the object id of the directory
    sa.Column("name", text(200), nullable=False),
    sa.Column("kind", text(10), nullable=False),  # person | service
    sa.Column("active", sa.Integer, nullable=False),  # 1 or 0; roles of the inactive do not count
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
)
sa.Index("ix_app_user_name_user_id", app_user.c.name, app_user.c.user_id)

user_role = sa.Table(
    "user_role",
    metadata,
    sa.Column("user_id", exact_text(100), sa.ForeignKey("app_user.user_id"), primary_key=True),
    sa.Column("role", text(30), primary_key=True),
    sa.Column("granted_by", text(100), nullable=False),
    sa.Column("granted_at", Instant, nullable=False),
    sa.Column("reason", text(500), nullable=False),
    sa.Column("valid_until", Instant),
)

site_assignment = sa.Table(
    "user_site",
    metadata,
    sa.Column("user_id", exact_text(100), primary_key=True),
    sa.Column("site_number", text(10), primary_key=True),
)

district_assignment = sa.Table(
    "user_district",
    metadata,
    sa.Column("user_id", exact_text(100), primary_key=True),
    sa.Column("district", text(100), primary_key=True),
)
