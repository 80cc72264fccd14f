"""All SQL of access."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.access.tables import site_assignment


def assigned_sites(connection: Connection, user_id: str) -> frozenset[str]:
    chosen = sa.select(site_assignment.c.site_number).where(site_assignment.c.user_id == user_id)
    return frozenset(connection.scalars(chosen))
