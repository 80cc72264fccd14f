"""All SQL of idempotent requests."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.foundation.database import AnyRow
from shared_code.foundation.idempotency.tables import idempotent_request as requests


def found(connection: Connection, caller_id: str, key: str) -> AnyRow | None:
    return connection.execute(sa.select(requests).where(*_is(caller_id, key))).one_or_none()


def insert(connection: Connection, **values: object) -> None:
    connection.execute(requests.insert().values(**values))


def take_over(connection: Connection, row: AnyRow, **values: object) -> bool:
    """Become the holder of a request, unless somebody else did since `row` was read."""
    done = connection.execute(
        requests.update()
        .where(*_is(row.caller_id, row.request_key), requests.c.holder == row.holder)
        .values(**values, status=None, headers=None, body=None)
    )
    return done.rowcount == 1


def finish(connection: Connection, caller_id: str, key: str, holder: str, **answer: object) -> None:
    mine = requests.c.holder == holder
    connection.execute(requests.update().where(*_is(caller_id, key), mine).values(**answer))


def release(connection: Connection, caller_id: str, key: str, holder: str) -> None:
    """Take a claim away, unless its answer was stored after all."""
    unanswered = (requests.c.holder == holder, requests.c.status.is_(None))
    connection.execute(requests.delete().where(*_is(caller_id, key), *unanswered))


def delete_expired(connection: Connection, before: datetime) -> int:
    return connection.execute(requests.delete().where(requests.c.expires_at < before)).rowcount


def _is(caller_id: str, key: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return requests.c.caller_id == caller_id, requests.c.request_key == key
