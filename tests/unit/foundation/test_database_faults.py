"""What a fault of the database means: try again, somebody was first, or look at the program."""

import logging
import sqlite3
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError

from shared_code.foundation.audit.tables import audit_event
from shared_code.foundation.database import inbox, reading, transaction
from shared_code.foundation.dialect import meaning
from shared_code.foundation.engine import AccessTokens
from shared_code.foundation.errors import CONCURRENT_CHANGE, DATABASE_UNAVAILABLE, BillingError, ErrorKind

AWAY, FIRST, FAULT = DATABASE_UNAVAILABLE, CONCURRENT_CHANGE, None

# -- SQL Server, whose driver needs a system library: its exceptions are built here as it builds them ---------------


class Error(Exception):
    """pyodbc.Error, with SQLSTATE and text as its arguments."""


class InterfaceError(Error): ...


class DatabaseError(Error): ...


class OperationalError(DatabaseError): ...


class ProgrammingError(DatabaseError): ...


class IntegrityError(DatabaseError): ...


class DataError(DatabaseError): ...


# How the driver chooses a class: by the whole SQLSTATE, or by its first two characters; else `Error` itself.
_BY_STATE = {
    "28000": InterfaceError,
    "40002": IntegrityError,
    **dict.fromkeys(("01002", "08001", "08003", "08004", "08007", "08S01", "HYT00", "HYT01"), OperationalError),
    "22": DataError,
    "23": IntegrityError,
    "42": ProgrammingError,
    "IM": InterfaceError,
}


def from_driver(state: str, text: str) -> sa.exc.DBAPIError:
    """An exception of the driver as SQLAlchemy passes it on."""
    cause = _BY_STATE.get(state, _BY_STATE.get(state[:2], Error))(state, f"[{state}] [Microsoft]{text}")
    wrapped = sa.exc.DBAPIError.instance("UPDATE t SET a = ?", (), cause, Error)
    assert isinstance(wrapped, sa.exc.DBAPIError)
    return wrapped


OF_SQL_SERVER: list[tuple[str, str, ErrorKind | None]] = [
    # somebody was first
    ("40001", "Transaction (Process ID 62) was deadlocked on lock resources. (1205) (SQLExecDirectW)", FIRST),
    ("42000", "Transaction (Process ID 62) was deadlocked on lock resources. (1205) (SQLExecute)", FIRST),
    ("HY000", "Snapshot isolation transaction aborted due to update conflict. (3960) (SQLExecDirectW)", FIRST),
    ("40001", "serialization failure", FIRST),
    ("23000", "Violation of PRIMARY KEY constraint 'pk_t'. The duplicate key value is (7). (2627) (SQLExecute)", FIRST),
    (
        "23000",
        "Cannot insert duplicate key row with unique index 'uq_t'. (2601) (SQLExecute); [01000] x. (3621)",
        FIRST,
    ),
    # away, busy, or moving
    ("HY000", "Database 'b' on server 's' is not currently available. (40613) (SQLDriverConnect)", AWAY),
    ("42000", "The service has encountered an error processing your request. (40197) (SQLExecDirectW)", AWAY),
    ("42000", "The service is currently busy. (40501) (SQLExecDirectW)", AWAY),
    ("42000", "Resource ID : 1. The request limit for the database is 200. (10928) (SQLExecDirectW)", AWAY),
    ("HY000", "Resource ID : 1. The server is currently too busy. (10929) (SQLExecDirectW)", AWAY),
    ("42000", "Not enough resources to process request. (49918) (SQLDriverConnect)", AWAY),
    ("42000", "Too many create or update operations in progress. (49919) (SQLDriverConnect)", AWAY),
    ("42000", "Too many operations in progress. (49920) (SQLDriverConnect)", AWAY),
    ("42000", 'Cannot open database "b" requested by the login. (4060) (SQLDriverConnect)', AWAY),
    ("28000", "Login failed for user '<token-identified principal>'. (18456) (SQLDriverConnect)", AWAY),
    ("42000", "Lock request time out period exceeded. (1222) (SQLExecDirectW)", AWAY),
    ("42000", "noted first. (5701) (SQLDriverConnect); [42000] [Microsoft]not available. (40613)", AWAY),
    ("08S01", "TCP Provider: Error code 0x68 (104) (SQLExecDirectW)", AWAY),
    ("08001", "TCP Provider: No such host is known. (11001) (SQLDriverConnect)", AWAY),
    ("08S02", "SMux Provider: Physical connection is not usable (0) (SQLExecDirectW)", AWAY),
    ("HYT00", "Login timeout expired (0) (SQLDriverConnect)", AWAY),
    ("HYT01", "Connection timeout expired (0) (SQLExecDirectW)", AWAY),
    ("IMC06", "The connection is broken and recovery is not possible. (0) (SQLExecDirectW)", AWAY),
    # faults of the program or of the deployment
    ("23000", "Cannot insert the value NULL into column 'a'. (515) (SQLExecute); [01000] x. (3621)", FAULT),
    ("23000", "The INSERT statement conflicted with the CHECK constraint 'ck_t'. (547) (SQLExecute)", FAULT),
    ("23000", "The DELETE statement conflicted with the REFERENCE constraint 'fk_t'. (547) (SQLExecute)", FAULT),
    ("42S02", "Invalid object name 't'. (208) (SQLExecDirectW)", FAULT),
    ("42000", "audit_event is append-only (50001) (SQLExecDirectW)", FAULT),
    ("22003", "Arithmetic overflow error. (8115) (SQLExecute)", FAULT),
    ("42000", "The value (1205) of column 'a' is too long. (2628) (SQLExecute)", FAULT),  # quoted, not the server's
    ("HY000", "something unheard of", FAULT),
]


@pytest.mark.parametrize(("state", "text", "kind"), OF_SQL_SERVER)
def test_sql_servers_states_and_numbers_decide_whatever_the_class(
    state: str, text: str, kind: ErrorKind | None
) -> None:
    assert meaning(from_driver(state, text)) is kind


def test_a_connection_that_sqlalchemy_finds_broken_is_a_database_that_is_away() -> None:
    cause = ProgrammingError("The cursor's connection has been closed.")
    broken = sa.exc.DBAPIError.instance("SELECT 1", (), cause, Error, connection_invalidated=True)

    assert isinstance(broken, sa.exc.DBAPIError)
    assert meaning(broken) is AWAY


@pytest.mark.parametrize("fault", [ClientAuthenticationError("no identity"), ServiceRequestError("no route")])
def test_an_identity_without_a_token_is_a_database_that_is_away(
    fault: AzureError, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing:
        def get_token(self, *_scopes: str, **_more: object) -> None:
            raise fault

    engine = sa.create_engine("sqlite://")
    sa.event.listen(engine, "do_connect", AccessTokens(Failing()).sign_in)  # type: ignore[arg-type]  # it has no token

    with pytest.raises(BillingError) as refused:
        engine.connect()

    assert (refused.value.kind, refused.value.__cause__) == (AWAY, fault)
    assert [record.levelno for record in caplog.records if record.exc_info] == [logging.ERROR]


# -- SQLite, for real ---------------------------------------------------------------------------------------------

known = sa.Table(
    "known",
    sa.MetaData(),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("name", sa.Unicode(9), nullable=False, unique=True),
    sa.Column("size", sa.Integer, sa.CheckConstraint("size > 0")),
    sa.Column("of", sa.Integer, sa.ForeignKey("known.number")),
)


@pytest.fixture
def filled(stored: sa.Engine) -> sa.Engine:
    known.create(stored)
    with transaction() as work:
        work.connection.execute(known.insert().values(number=1, name="one"))
    return stored


def add(**values: object) -> None:
    with transaction() as work:
        work.connection.execute(known.insert().values(values))


@pytest.mark.parametrize("values", [{"number": 1, "name": "two"}, {"number": 2, "name": "one"}])
def test_a_key_that_is_taken_says_that_another_was_first(filled: sa.Engine, values: dict[str, object]) -> None:
    with pytest.raises(BillingError) as refused:
        add(**values)

    assert refused.value.kind is FIRST


BROKEN: list[tuple[dict[str, object], str]] = [
    ({"number": 2, "name": None}, "NOT NULL"),
    ({"number": 2, "name": "two", "size": 0}, "CHECK"),
    ({"number": 2, "name": "two", "of": 7}, "FOREIGN KEY"),
]


@pytest.mark.parametrize(("values", "constraint"), BROKEN)
def test_any_other_constraint_that_is_broken_is_a_fault_of_the_program(
    filled: sa.Engine, values: dict[str, object], constraint: str
) -> None:
    """Told as a concurrent change it would be tried again for ever."""
    with pytest.raises(sa.exc.IntegrityError, match=constraint):
        add(**values)


def test_a_change_of_the_audit_is_a_fault_and_no_concurrent_change(stored: sa.Engine) -> None:
    def change() -> None:
        with transaction() as work:
            work.connection.execute(
                audit_event.insert().values(
                    body='{"stream":"a","sequence":1,"at":"x","actor":{"id":"a"},'
                    '"action":"a","subject":"s","correlationId":"c"}'
                )
            )
            work.connection.execute(audit_event.delete())

    with pytest.raises(sa.exc.IntegrityError, match="append-only"):
        change()


def test_a_table_that_is_missing_is_a_fault_and_no_outage(stored: sa.Engine) -> None:
    """The migration was forgotten: trying again does not help."""
    inbox.drop(stored)

    def ask() -> None:
        with reading() as connection:
            connection.execute(sa.select(inbox))

    with pytest.raises(sa.exc.OperationalError, match="no such table"):
        ask()


def test_a_database_that_another_writer_keeps_is_away(stored: sa.Engine, caplog: pytest.LogCaptureFixture) -> None:
    other = sqlite3.connect(str(stored.url.database))
    other.execute("BEGIN IMMEDIATE")

    @sa.event.listens_for(stored, "connect", insert=False)
    def impatient(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout=1")

    stored.pool.dispose()
    with pytest.raises(BillingError) as refused:
        add(number=2, name="two")
    other.close()

    assert refused.value.kind is AWAY
    assert "the database does not answer" in caplog.text


def test_a_file_that_cannot_be_opened_is_away(stored: sa.Engine, tmp_path: Path) -> None:
    stored.dispose()
    for file in tmp_path.glob("app.sqlite*"):
        file.unlink()
    (tmp_path / "app.sqlite").mkdir()

    with pytest.raises(BillingError) as refused, reading():
        pass

    assert refused.value.kind is AWAY


def test_a_pool_without_a_free_connection_is_a_database_that_is_away(stored: sa.Engine) -> None:
    pool: Any = stored.pool
    pool._timeout = 0.01
    with ExitStack() as held:
        for _ in range(pool.size() + pool._max_overflow):
            held.enter_context(stored.connect())
        with pytest.raises(BillingError) as refused, reading():
            pass

    assert refused.value.kind is AWAY
