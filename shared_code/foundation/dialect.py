"""Everything in which SQLite and SQL Server differ, apart from how one connects (`engine.py`).

SQL is written once, as SQLAlchemy Core. What does not mean the same on both stands here: column types that are exact
on both, locks, and what a fault of the driver means.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mssql
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from shared_code.foundation.errors import CONCURRENT_CHANGE, DATABASE_UNAVAILABLE, ErrorKind

_AZURE_SQL_VERSION = (12, 0, 2000, 8)  # what Azure SQL says of itself, whatever the engine beneath
_CLAIM = "WITH (UPDLOCK, READPAST, ROWLOCK)"
_LOCK = "WITH (UPDLOCK, ROWLOCK)"
_ALONE = "WITH (UPDLOCK, HOLDLOCK)"
_STEADY = "WITH (HOLDLOCK)"
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
        return self.bind_processor(dialect)(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """One call for each value instead of two: a month writes half a dozen for each contract."""
        as_it_is = dialect.name == "mssql"
        scale, unit = self.scale, Decimal(1).scaleb(-self.scale)

        def stored(value: Decimal | None) -> Decimal | int | None:
            if value is None:
                return None
            whole = int(value.scaleb(scale))
            # Compared with the value itself: `scaleb` has rounded a value of more than 28 digits.
            if whole * unit != value:
                raise ValueError(f"{value} has more than {self.scale} decimals")
            return value if as_it_is else whole

        return stored

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Decimal | None]:
        """One call for each value instead of three: a month's facts are hundreds of thousands of them."""
        if dialect.name == "mssql":
            return lambda value: None if value is None else Decimal(value)
        unit = Decimal(1).scaleb(-self.scale)
        return lambda value: None if value is None else value * unit  # a whole number, or TypeError


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


def unique_among(condition: sa.ColumnElement[bool], name: str, *columns: sa.Column[Any]) -> sa.Index:
    """A unique index over the rows of which `condition` holds. SQL Server takes comparisons joined by AND, no more."""
    return sa.Index(name, *columns, unique=True, sqlite_where=condition, mssql_where=condition)


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


def steady[*Ts](rows: sa.Select[*Ts], table: sa.FromClause) -> sa.Select[*Ts]:
    """`rows` of `table`, which nobody changes or adds to until this transaction ends, and which others may read too.

    For what many transactions at once rely on, and one of another kind (`alone`) changes now and then.
    """
    return rows.with_hint(table, _STEADY, "mssql")


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


# -- faults -------------------------------------------------------------------------------------------------------

_SQLITE_KEYS = frozenset({"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID"})
_SQLITE_AWAY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN})
_EXTENDED = 0xFF  # below these bits of a code of SQLite stand its finer distinctions

# "[40001] … (1205) (SQLExecDirectW); [01000] … (3621)": the number of each record. A key that the text quotes is none.
_NUMBERS = re.compile(r"\((-?\d+)\)(?= \(SQL\w+\)|; \[|$)")
_CHANGED_NUMBERS = frozenset({2601, 2627, 1205, 3960})  # unique index, unique or primary key, deadlock, snapshot
_AWAY_NUMBERS = frozenset(
    {
        *(4060, 18456, 18401),  # it cannot be opened, or refuses the sign-in: also during a failover
        *(40613, 40197, 40143, 40540, 4221, 615, 926),  # it moves to another node
        *(40501, 10928, 10929, 10936, 49918, 49919, 49920),  # it is busy
        *(40549, 40550, 40551, 40552, 40553),  # it ended the session to protect itself
        *(701, 802, 8645, 8651, 1204, 1222),  # no memory, no locks, or a lock was waited for too long
        *(20, 64, 121, 233, 10053, 10054, 10060, 596, 6005, 17142),  # the connection broke, or the server goes down
    }
)
_CHANGED_STATES = ("40001",)
_AWAY_STATES = ("08", "HYT", "IMC", "HY117", "25S01")  # connection, time-out, no recovery, unknown end of a transaction


def meaning(fault: sa.exc.DBAPIError) -> ErrorKind | None:
    """What a fault of the driver tells whoever asked: CONCURRENT_CHANGE, DATABASE_UNAVAILABLE, or None.

    None is a fault of the program or of the deployment (no such table, a NOT NULL, CHECK or foreign key broken): trying
    again does not help, and it must be seen. The class of the exception says little: the ODBC driver's is chosen from
    the SQLSTATE, and a deadlock or a failover comes as its base class.
    """
    if isinstance(fault.orig, sqlite3.Error):
        return _meaning_in_sqlite(fault.orig)
    return _meaning_in_sql_server(fault.orig) or (DATABASE_UNAVAILABLE if fault.connection_invalidated else None)


def _meaning_in_sqlite(fault: sqlite3.Error) -> ErrorKind | None:
    if getattr(fault, "sqlite_errorname", "") in _SQLITE_KEYS:
        return CONCURRENT_CHANGE
    return DATABASE_UNAVAILABLE if getattr(fault, "sqlite_errorcode", 0) & _EXTENDED in _SQLITE_AWAY else None


def _meaning_in_sql_server(fault: BaseException | None) -> ErrorKind | None:
    """The driver's exceptions carry SQLSTATE and text; the server's numbers stand in the text alone."""
    state, text = ([str(part) for part in fault.args] + ["", ""])[:2] if fault is not None else ("", "")
    for number in map(int, _NUMBERS.findall(text)):
        if number in _CHANGED_NUMBERS:
            return CONCURRENT_CHANGE
        if number in _AWAY_NUMBERS:
            return DATABASE_UNAVAILABLE
    if state.startswith(_CHANGED_STATES):
        return CONCURRENT_CHANGE
    return DATABASE_UNAVAILABLE if state.startswith(_AWAY_STATES) else None


def as_azure_sql(dialect: Dialect) -> Dialect:
    """Make a SQL Server dialect without a connection write for Azure SQL; unasked, it writes for SQL Server 2005.

    Without this a DATE column becomes DATETIME, and OFFSET becomes a numbered subquery.
    """
    if dialect.name == "mssql":
        dialect.server_version_info = _AZURE_SQL_VERSION
        dialect._setup_version_attributes()  # type: ignore[attr-defined]  # what the dialect does after it connects
    return dialect
