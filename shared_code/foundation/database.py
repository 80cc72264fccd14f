"""The tables' catalogue with its column types, the engine of the process, and the unit of work.

Money is exact in the database too: `Fixed` is a scaled integer in SQLite and DECIMAL in SQL Server (`dialect.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from shared_code.foundation import clock, context, telemetry
from shared_code.foundation.dialect import Fixed as Fixed
from shared_code.foundation.dialect import Instant as Instant
from shared_code.foundation.dialect import long_text as long_text
from shared_code.foundation.dialect import meaning
from shared_code.foundation.engine import create_database as create_database
from shared_code.foundation.errors import CONCURRENT_CHANGE, DATABASE_UNAVAILABLE, BillingError, ErrorKind
from shared_code.foundation.many import write_many
from shared_code.foundation.settings import settings

log = logging.getLogger(__name__)
type AnyRow = Row[*tuple[Any, ...]]
"""A row of a query, its columns by name."""

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def money() -> Fixed:
    """Money with the four decimals that facts may carry (rules R45)."""
    return Fixed(19, 4)


def text(length: int) -> sa.Unicode:
    return sa.Unicode(length)


outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("message_id", text(64), primary_key=True),
    sa.Column("queue", text(64), nullable=False),
    sa.Column("body", long_text(), nullable=False),
    sa.Column("correlation_id", text(64), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("published_at", Instant),
    sa.Column("trace_parent", text(64)),
    sa.Column("claimed_until", Instant),  # a sweep publishes it; another one passes it over until then
)
_SEND = outbox.insert()
sa.Index("ix_outbox_published_at_created_at", outbox.c.published_at, outbox.c.created_at)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("consumer", text(64), primary_key=True),
    sa.Column("effect_key", text(128), primary_key=True),
    sa.Column("recorded_at", Instant, nullable=False),
)


@cache
def engine() -> Engine:
    """The engine of this process."""
    known = settings()
    return _observed(create_database(known.database_url, max_connections=known.database_max_connections))


def _observed(engine: Engine) -> Engine:
    """The engine, its statements reported to telemetry if that is exported anywhere."""
    observer = telemetry.sql_observer(engine.dialect.name)
    if observer is not None:
        for event in ("before_cursor_execute", "after_cursor_execute", "handle_error", "commit", "rollback"):
            sa.event.listen(engine, event, getattr(observer, event))
    return engine


@dataclass(frozen=True, slots=True)
class Message:
    """One message for a queue: keys, never payloads. Its id is the key of the effect it asks for."""

    message_id: str
    queue: str
    body: str
    correlation_id: str = ""
    trace_parent: str = ""


@dataclass(slots=True)
class UnitOfWork:
    """One transaction: SQL through `connection`, outgoing messages through `send`, once-only effects by `first`."""

    connection: Connection
    messages: list[Message] = field(default_factory=list)

    def send(self, messages: Sequence[Message], *, unseen: bool = False) -> None:
        """Write messages to the outbox. A message that is there already is the same effect and is left alone.

        `unseen`: they are not looked for, since their ids are made of what this transaction alone writes. A message
        without a correlation id or a trace parent of its own carries those of this invocation on.
        """
        if not messages:
            return
        known = set() if unseen else self._known([m.message_id for m in messages])
        fresh = [_marked(m) for m in {m.message_id: m for m in messages if m.message_id not in known}.values()]
        if fresh:
            instant = clock.now()
            rows = [
                {
                    "message_id": m.message_id,
                    "queue": m.queue,
                    "body": m.body,
                    "correlation_id": m.correlation_id,
                    "created_at": instant,
                    "trace_parent": m.trace_parent or None,
                }
                for m in fresh
            ]
            write_many(self.connection, _SEND, rows)
            self.messages.extend(fresh)

    def _known(self, ids: Sequence[str]) -> set[str]:
        known: set[str] = set()
        for start in range(0, len(ids), 1000):
            part = ids[start : start + 1000]
            known.update(self.connection.scalars(sa.select(outbox.c.message_id).where(outbox.c.message_id.in_(part))))
        return known

    def first(self, consumer: str, effect_key: str) -> bool:
        """Record an effect in this transaction. False when an earlier transaction has already done it."""
        recorded = self.connection.execute(
            _FIRST, {"of_consumer": consumer, "of_effect": effect_key, "instant": clock.now()}
        )
        return recorded.rowcount > 0


_EFFECT = (sa.bindparam("of_consumer", type_=text(64)), sa.bindparam("of_effect", type_=text(128)))
_FIRST = (
    inbox.insert()
    .from_select(
        list(inbox.columns),
        sa.select(*_EFFECT, sa.bindparam("instant", type_=Instant())).where(
            ~sa.exists().where(inbox.c.consumer == _EFFECT[0], inbox.c.effect_key == _EFFECT[1])
        ),
    )
    .execution_options(preserve_rowcount=True)
)


def _marked(message: Message) -> Message:
    """The message with the ids of this invocation, where it has none of its own."""
    return replace(
        message,
        correlation_id=message.correlation_id or context.current().correlation_id,
        trace_parent=message.trace_parent or telemetry.trace_parent(),
    )


@contextmanager
def transaction() -> Iterator[UnitOfWork]:
    """A write transaction: committed when the block ends, rolled back when it raises.

    It does not publish; `bus.unit_of_work` does, after the commit. Raises CONCURRENT_CHANGE when a key or a deadlock
    says that another transaction was first, DATABASE_UNAVAILABLE.
    """
    with (
        _answering(),
        engine().connect().execution_options(sqlite_begin="IMMEDIATE") as connection,
        connection.begin(),
    ):
        yield UnitOfWork(connection)


@contextmanager
def reading() -> Iterator[Connection]:
    """A read transaction without a write lock. SQLite gives one view of all statements, SQL Server one of each."""
    with _answering(), engine().connect() as connection, connection.begin():
        yield connection


def is_made() -> bool:
    """Whether migrations have made the tables. Raises DATABASE_UNAVAILABLE."""
    with reading() as connection:
        return sa.inspect(connection).has_table(outbox.name)


@contextmanager
def _answering() -> Iterator[None]:
    """Raises CONCURRENT_CHANGE, and DATABASE_UNAVAILABLE when the database is away or takes too long.

    Every other fault of the driver is one of the program or of the deployment, and is raised as it is.
    """
    try:
        yield
    except sa.exc.DBAPIError as fault:
        kind = meaning(fault)
        if kind is None:
            raise
        raise _refusal(kind) from fault
    except sa.exc.TimeoutError as fault:  # no connection of the pool became free
        raise _refusal(DATABASE_UNAVAILABLE) from fault


def _refusal(kind: ErrorKind) -> BillingError:
    if kind is CONCURRENT_CHANGE:
        return BillingError(kind, "another change of the same thing was first")
    log.exception("the database does not answer")
    return BillingError(kind, "the database does not answer now")
