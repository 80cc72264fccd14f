"""One engine for SQLite and SQL Server, column types that are exact on both, and the unit of work.

Money is exact in the database too: `Fixed` is a scaled integer in SQLite and DECIMAL in SQL Server, so that SUM is
exact on both (SQLite's own decimals are binary floats).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mssql
from sqlalchemy.engine import Connection, Dialect, Engine, Row
from sqlalchemy.types import TypeDecorator, TypeEngine

from shared_code.foundation import clock
from shared_code.foundation.errors import CONCURRENT_CHANGE, BillingError
from shared_code.foundation.settings import settings

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


class Fixed(TypeDecorator[Decimal]):
    """An exact decimal of fixed scale. More decimals than the scale are refused, never rounded (rules R45)."""

    impl = sa.BigInteger
    cache_ok = True

    def __init__(self, precision: int = 19, scale: int = 4) -> None:
        super().__init__()
        self.precision = precision
        self.scale = scale
        self._unit = Decimal(1).scaleb(-scale)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "mssql":
            return dialect.type_descriptor(sa.Numeric(self.precision, self.scale))
        return dialect.type_descriptor(sa.BigInteger())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        whole = int(value.scaleb(self.scale))
        # Compared with the value itself: `scaleb` has rounded a value of more than 28 digits.
        if Decimal(whole).scaleb(-self.scale) != value:
            raise ValueError(f"{value} has more than {self.scale} decimals")
        return value if dialect.name == "mssql" else whole

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        return Decimal(value) if dialect.name == "mssql" else Decimal(value).scaleb(-self.scale)


def _datetime2() -> TypeEngine[Any]:
    return mssql.DATETIME2(precision=6)  # type: ignore[no-untyped-call]  # the dialect's types are not annotated


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant, stored without zone (DATETIME2 in SQL Server)."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(_datetime2() if dialect.name == "mssql" else sa.DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant carries its zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def money() -> Fixed:
    """Money with the four decimals that facts may carry (rules R45)."""
    return Fixed(19, 4)


def text(length: int) -> sa.Unicode:
    return sa.Unicode(length)


def long_text() -> TypeEngine[str]:
    """Text of any length; never part of a key (SQL Server refuses that)."""
    return sa.UnicodeText().with_variant(mssql.NVARCHAR(None), "mssql")


outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("message_id", text(64), primary_key=True),
    sa.Column("queue", text(64), nullable=False),
    sa.Column("body", long_text(), nullable=False),
    sa.Column("correlation_id", text(64), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("published_at", Instant),
)
sa.Index("ix_outbox_published_at_created_at", outbox.c.published_at, outbox.c.created_at)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("consumer", text(64), primary_key=True),
    sa.Column("effect_key", text(128), primary_key=True),
    sa.Column("recorded_at", Instant, nullable=False),
)


def create_database(url: str) -> Engine:
    """An engine for `url`. SQLite gets WAL, foreign keys and explicit transactions; SQL Server a bounded pool."""
    if url.startswith("sqlite"):
        location = url.partition("///")[2]
        if location:
            Path(location).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(url, connect_args={"timeout": 60, "check_same_thread": False}, hide_parameters=True)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    return sa.create_engine(
        url,
        pool_size=5,
        max_overflow=5,
        pool_pre_ping=True,
        pool_recycle=1500,
        fast_executemany=True,
        hide_parameters=True,  # what is billed to whom does not belong into logs
    )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "busy_timeout=60000",
        "cache_size=-65536",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Writers take the write lock at once: a reader that upgrades later could only fail (SQLITE_BUSY)."""
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


@cache
def engine() -> Engine:
    """The engine of this process."""
    return create_database(settings().database_url)


@dataclass(frozen=True, slots=True)
class Message:
    """One message for a queue: keys, never payloads. Its id is the key of the effect it asks for."""

    message_id: str
    queue: str
    body: str
    correlation_id: str = ""


@dataclass(slots=True)
class UnitOfWork:
    """One transaction: SQL through `connection`, outgoing messages through `send`, once-only effects by `first`."""

    connection: Connection
    messages: list[Message] = field(default_factory=list)

    def send(self, messages: Sequence[Message]) -> None:
        """Write messages to the outbox. A message that is there already is the same effect and is left alone."""
        if not messages:
            return
        known = self._known([m.message_id for m in messages])
        fresh = list({m.message_id: m for m in messages if m.message_id not in known}.values())
        if fresh:
            instant = clock.now()
            self.connection.execute(
                outbox.insert(),
                [
                    {
                        "message_id": m.message_id,
                        "queue": m.queue,
                        "body": m.body,
                        "correlation_id": m.correlation_id,
                        "created_at": instant,
                    }
                    for m in fresh
                ],
            )
            self.messages.extend(fresh)

    def _known(self, ids: Sequence[str]) -> set[str]:
        known: set[str] = set()
        for start in range(0, len(ids), 1000):
            part = ids[start : start + 1000]
            known.update(self.connection.scalars(sa.select(outbox.c.message_id).where(outbox.c.message_id.in_(part))))
        return known

    def first(self, consumer: str, effect_key: str) -> bool:
        """Record an effect in this transaction. False when an earlier transaction has already done it."""
        seen = self.connection.scalar(
            sa.select(inbox.c.consumer).where(inbox.c.consumer == consumer, inbox.c.effect_key == effect_key)
        )
        if seen is not None:
            return False
        self.connection.execute(
            inbox.insert().values(consumer=consumer, effect_key=effect_key, recorded_at=clock.now())
        )
        return True


@contextmanager
def transaction() -> Iterator[UnitOfWork]:
    """A write transaction: committed when the block ends, rolled back when it raises.

    It does not publish; `bus.unit_of_work` does, after the commit. Raises CONCURRENT_CHANGE when a key says that
    another transaction was first.
    """
    try:
        with engine().connect().execution_options(sqlite_begin="IMMEDIATE") as connection, connection.begin():
            yield UnitOfWork(connection)
    except sa.exc.IntegrityError as fault:
        raise BillingError(CONCURRENT_CHANGE, "another change of the same thing was first") from fault


@contextmanager
def reading() -> Iterator[Connection]:
    """A read transaction without a write lock. SQLite gives one view of all statements, SQL Server one of each."""
    with engine().connect() as connection, connection.begin():
        yield connection
