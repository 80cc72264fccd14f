"""All SQL of dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.foundation.database import AnyRow
from shared_code.foundation.dead_letters.model import DeadLetterFilter
from shared_code.foundation.dead_letters.tables import dead_letter as letters


def exists(connection: Connection, dead_letter_id: str) -> bool:
    chosen = sa.select(letters.c.dead_letter_id).where(letters.c.dead_letter_id == dead_letter_id)
    return connection.scalar(chosen) is not None


def insert(connection: Connection, **values: object) -> None:
    connection.execute(letters.insert().values(**values))


def found(connection: Connection, dead_letter_id: str) -> AnyRow | None:
    return connection.execute(sa.select(letters).where(letters.c.dead_letter_id == dead_letter_id)).one_or_none()


def newest(
    connection: Connection, wanted: DeadLetterFilter, limit: int, before: tuple[datetime, str] | None
) -> Sequence[AnyRow]:
    """Newest first, from the one after `before` on."""
    chosen = sa.select(letters).where(*_conditions(wanted))
    if before is not None:
        died_at, dead_letter_id = before
        chosen = chosen.where(
            sa.or_(
                letters.c.died_at < died_at,
                sa.and_(letters.c.died_at == died_at, letters.c.dead_letter_id > dead_letter_id),
            )
        )
    return connection.execute(chosen.order_by(letters.c.died_at.desc(), letters.c.dead_letter_id).limit(limit)).all()


def count(connection: Connection, wanted: DeadLetterFilter) -> int:
    chosen = sa.select(sa.func.count()).select_from(letters).where(*_conditions(wanted))
    return connection.scalar(chosen) or 0


def settle(connection: Connection, dead_letter_id: str, **values: object) -> bool:
    """Settle an open dead letter; False when it is not open any more."""
    still_open = letters.c.state == "Open"
    done = connection.execute(
        letters.update().where(letters.c.dead_letter_id == dead_letter_id, still_open).values(**values)
    )
    return done.rowcount == 1


def _conditions(wanted: DeadLetterFilter) -> list[sa.ColumnElement[bool]]:
    given = {letters.c.queue: wanted.queue, letters.c.state: wanted.state}
    return [column == value for column, value in given.items() if value is not None]
