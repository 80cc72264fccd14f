"""Everything in which SQLite and SQL Server differ, apart from how one connects (`engine.py`).

SQL is written once, as SQLAlchemy Core. What does not mean the same on both stands here: column types that are exact
on both, and locks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mssql
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_AZURE_SQL_VERSION = (12, 0, 2000, 8)  # what Azure SQL says of itself, whatever the engine beneath
_CLAIM = "WITH (UPDLOCK, READPAST, ROWLOCK)"
_LOCK = "WITH (UPDLOCK, ROWLOCK)"
_ALONE = "WITH (UPDLOCK, HOLDLOCK)"
_databases = sa.table("databases", sa.column("name"), sa.column("is_read_committed_snapshot_on"), schema="sys")

COLLATION = "Latin1_General_100_BIN2"


class Fixed(TypeDecorator[Decimal]):
    """An exact decimal of fixed scale: DECIMAL in SQL Server, a scaled integer in SQLite, whose decimals are floats.

    SUM is exact on both. More decimals than the scale are refused, never rounded (rules R45).
    """

    impl = sa.BigInteger
    cache_ok = True

    def __init__(self, precision: int = 19, scale: int = 4) -> None:
        super().__init__()
        self.precision = precision
        self.scale = scale

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


def _datetime2() -> TypeEngine[Any]:
    return mssql.DATETIME2(precision=6)  # type: ignore[no-untyped-call]  # the dialect's types are not annotated


def exact_text(length: int) -> TypeEngine[str]:
    """Text that is compared byte by byte, as SQLite does: `Run/1` and `run/1` are two keys on SQL Server too."""
    return sa.Unicode(length).with_variant(mssql.NVARCHAR(length, collation=COLLATION), "mssql")


def long_text() -> TypeEngine[str]:
    """Text of any length; never part of a key (SQL Server refuses that)."""
    return sa.UnicodeText().with_variant(mssql.NVARCHAR(None), "mssql")


def stored_decimals(connection: Connection, column: sa.Column[Any], values: Sequence[Any]) -> Sequence[Any]:
    """A column's values in storage form as the driver takes them, for rows that pass by SQLAlchemy's processors.

    Those of a `Fixed` column are whole units, which is what SQLite stores.
    """
    if connection.dialect.name == "mssql" and isinstance(column.type, Fixed):
        scale = -column.type.scale
        return [None if value is None else Decimal(value).scaleb(scale) for value in values]
    return values


def claimed[*Ts](rows: sa.Select[*Ts], table: sa.FromClause) -> sa.Select[*Ts]:
    """`rows` of `table` for this transaction alone; rows that another one has claimed are passed over.

    SQL Server locks each row and skips locked ones. In SQLite a write transaction is alone from its beginning (BEGIN
    IMMEDIATE). `with_for_update(skip_locked=True)` would vanish without a word in T-SQL.
    """
    return rows.with_hint(table, _CLAIM, "mssql")


def locked[*Ts](rows: sa.Select[*Ts], table: sa.FromClause) -> sa.Select[*Ts]:
    """`rows` of `table`, kept from others until this transaction ends; rows that another one holds are waited for."""
    return rows.with_hint(table, _LOCK, "mssql")


def alone[*Ts](rows: sa.Select[*Ts], table: sa.FromClause) -> sa.Select[*Ts]:
    """`rows` of `table`, which nobody changes or adds to until this transaction ends: reading waits for other changes.

    For decisions about a whole set, where the row that would break them may not exist yet.
    """
    return rows.with_hint(table, _ALONE, "mssql")


def snapshot_problem(connection: Connection) -> str | None:
    """Why the database does not give statements a view of committed rows without locks; None where it does.

    The app is written for READ COMMITTED SNAPSHOT: without it, readers wait for writers and a month's close crawls.
    """
    if connection.dialect.name != "mssql":
        return None
    is_on = connection.scalar(
        sa.select(_databases.c.is_read_committed_snapshot_on).where(_databases.c.name == sa.func.db_name())
    )
    return (
        None if is_on else "READ_COMMITTED_SNAPSHOT is off; run ALTER DATABASE CURRENT SET READ_COMMITTED_SNAPSHOT ON"
    )


def as_azure_sql(dialect: Dialect) -> Dialect:
    """Make a SQL Server dialect without a connection write for Azure SQL; unasked, it writes for SQL Server 2005.

    Without this a DATE column becomes DATETIME, and OFFSET becomes a numbered subquery.
    """
    if dialect.name == "mssql":
        dialect.server_version_info = _AZURE_SQL_VERSION
        dialect._setup_version_attributes()  # type: ignore[attr-defined]  # what the dialect does after it connects
    return dialect
