"""All SQL of the operations room."""

from __future__ import annotations

import sqlalchemy as sa

from shared_code.foundation.database import reading
from shared_code.foundation.dialect import snapshot_problem

_revision = sa.table("alembic_version", sa.column("version_num", sa.Unicode(32)))


def schema_revision() -> str:
    """The revision that migrations have brought the database to."""
    with reading() as connection:
        return str(connection.scalar(sa.select(_revision.c.version_num)))


def check_database() -> None:
    """Raises when the database does not answer, or answers in a way that the app is not written for."""
    with reading() as connection:
        connection.scalar(sa.select(_revision.c.version_num))
        problem = snapshot_problem(connection)
    if problem:
        raise RuntimeError(problem)
