"""All SQL of the operations room."""

from __future__ import annotations

import sqlalchemy as sa

from shared_code.foundation.database import reading

_revision = sa.table("alembic_version", sa.column("version_num", sa.Unicode(32)))


def schema_revision() -> str:
    """The revision that migrations have brought the database to."""
    with reading() as connection:
        return str(connection.scalar(sa.select(_revision.c.version_num)))
