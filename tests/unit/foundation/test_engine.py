"""Engines: SQLite as one writer at a time, and how a connection to Azure SQL is opened, signed in and bounded.

The driver of SQL Server needs a system library that a developer's machine may lack. A stand-in takes its place here and
notes how it is called; it answers SQLAlchemy's first questions as Azure SQL does.
"""

import struct
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from azure.core.credentials import AccessToken

from shared_code.foundation import clock
from shared_code.foundation.database_url import SqlServer
from shared_code.foundation.engine import (
    INSTANCES,
    LOGIN_SECONDS,
    MAX_CONNECTIONS,
    QUERY_SECONDS,
    RECYCLE_SECONDS,
    TOKEN_ATTRIBUTE,
    TOKEN_SCOPE,
    AccessTokens,
    create_database,
    odbc_string,
    packed,
    pool_for,
)
from shared_code.foundation.errors import BillingError

NOON = datetime(2026, 10, 31, 12, tzinfo=UTC)
AZURE = "mssql+pyodbc://meridian.database.windows.net/billing"
LOCAL = "mssql+pyodbc://sa:p%3Bw%7D@localhost/billing?TrustServerCertificate=yes"


class Cursor:
    """Answers what SQLAlchemy asks a new connection."""

    description = (("x", None, None, None, None, None, None),)
    rowcount = -1

    def execute(self, sql: str, *_values: object) -> None:
        answers = {"ProductVersion": "12.0.2000.8", "schema_name()": "dbo", "isolation": "READ COMMITTED"}
        self.row: tuple[object, ...] = (next((value for part, value in answers.items() if part in sql), 1),)

    def setinputsizes(self, *_sizes: object) -> None: ...

    def fetchone(self) -> tuple[object, ...]:
        return self.row

    def fetchall(self) -> list[tuple[object, ...]]:
        return [self.row]

    def close(self) -> None: ...

    def nextset(self) -> bool:
        return False


class DriverConnection:
    """An open connection of the stand-in; `timeout` is the driver's limit of a statement."""

    timeout = 0
    autocommit = False

    def cursor(self) -> Cursor:
        return Cursor()

    def add_output_converter(self, *_what: object) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...


class DriverError(Exception):
    """What the driver raises."""


class Driver(ModuleType):
    """The stand-in for pyodbc."""

    paramstyle = "qmark"
    version = "5.2.0"
    Cursor = Cursor
    Error = DriverError
    ProgrammingError = DriverError
    Binary = bytes
    SQL_WVARCHAR = -9
    SQL_VARCHAR = 12

    def __init__(self) -> None:
        super().__init__("pyodbc")
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.opened: list[DriverConnection] = []

    def connect(self, text: str, **options: Any) -> DriverConnection:
        self.calls.append((text, options))
        self.opened.append(DriverConnection())
        return self.opened[-1]


class Identity:
    """An identity whose tokens are good for an hour; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def get_token(self, *scopes: str, **_more: Any) -> AccessToken:
        self.asked.extend(scopes)
        return AccessToken(f"token-{len(self.asked)}", int((clock.now() + timedelta(hours=1)).timestamp()))


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    driver = Driver()
    monkeypatch.setitem(sys.modules, "pyodbc", driver)
    return driver


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> Identity:
    identity = Identity()
    monkeypatch.setattr("azure.identity.DefaultAzureCredential", lambda: identity)
    return identity


@pytest.fixture(autouse=True)
def time() -> Iterator[Callable[[datetime], None]]:
    clock.set_clock(lambda: NOON)
    yield lambda instant: clock.set_clock(lambda: instant)
    clock.set_clock(None)


def parts(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(";") if "{" not in part)


# -- signing in ---------------------------------------------------------------------------------------------------


def test_a_connection_is_signed_in_by_a_token_and_encrypted(driver: Driver, identity: Identity) -> None:
    with create_database(AZURE).connect():
        pass

    ((text, options),) = driver.calls
    assert parts(text) == {
        "Server": "tcp:meridian.database.windows.net,1433",
        "Database": "billing",
        "Encrypt": "yes",
        "TrustServerCertificate": "no",
        "MultiSubnetFailover": "Yes",
        "ConnectRetryCount": "2",
        "ConnectRetryInterval": "10",
        "LongAsMax": "Yes",
    }
    assert "Driver={ODBC Driver 18 for SQL Server}" in text
    assert options == {"timeout": LOGIN_SECONDS, "attrs_before": {TOKEN_ATTRIBUTE: packed("token-1")}}
    assert identity.asked == [TOKEN_SCOPE]


def test_nothing_in_the_text_signs_in_beside_the_token(driver: Driver, identity: Identity) -> None:
    """The driver refuses a token together with any of these."""
    with create_database(AZURE).connect():
        pass

    assert not {"UID", "PWD", "Authentication", "Trusted_Connection"} & parts(driver.calls[0][0]).keys()


def test_a_password_of_this_machine_goes_in_whole_and_without_a_token(driver: Driver, identity: Identity) -> None:
    with create_database(LOCAL).connect():
        pass

    ((text, options),) = driver.calls
    assert "UID=sa;PWD={p;w}}}" in text  # in braces, the closing one doubled
    assert "TrustServerCertificate=yes" in text
    assert "attrs_before" not in options
    assert identity.asked == []


def test_the_driver_gets_a_token_as_counted_utf_16() -> None:
    data = packed("aé")

    assert struct.unpack("<I", data[:4]) == (4,)
    assert data[4:].decode("utf-16-le") == "aé"


def test_a_token_is_kept_until_five_minutes_before_its_end(
    time: Callable[[datetime], None], driver: Driver, identity: Identity
) -> None:
    tokens = AccessTokens()
    seen = []
    for minutes in (0, 30, 54, 56, 60, 112):
        time(NOON + timedelta(minutes=minutes))
        seen.append(tokens.token())

    assert seen == ["token-1", "token-1", "token-1", "token-2", "token-2", "token-3"]


def test_many_threads_fetch_one_token(identity: Identity) -> None:
    tokens = AccessTokens()
    threads = [threading.Thread(target=tokens.token) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(identity.asked) == 1


@pytest.mark.parametrize("value", ["a;b", "{a}", "a}b", "x=y", "two words", "p@ss"])
def test_no_value_of_the_text_becomes_a_further_part(value: str) -> None:
    text = odbc_string(SqlServer("h", 1433, "d", "sa", value))

    assert text.endswith("PWD={" + value.replace("}", "}}") + "}")


# -- time-outs and pools ------------------------------------------------------------------------------------------


def test_statements_end_and_connections_are_renewed(driver: Driver, identity: Identity) -> None:
    engine = create_database(AZURE)
    with engine.connect():
        pass

    assert driver.opened[0].timeout == QUERY_SECONDS
    assert QUERY_SECONDS < 230  # the platform's limit of an HTTP request
    pool: Any = engine.pool
    assert pool._recycle == RECYCLE_SECONDS < 30 * 60  # Azure's limit of an idle connection
    assert pool._pre_ping


@pytest.mark.parametrize("most", [40, 41, 79, 80, 120, 240, 1000, 30_000])
def test_forty_instances_stay_within_the_connections_of_the_database(most: int) -> None:
    pool = pool_for(most)

    assert INSTANCES * pool.most <= most
    assert pool.size >= 1
    assert pool.most == most // INSTANCES  # and leave none unused that all could have


def test_a_process_opens_no_more_connections_than_its_pool_has(driver: Driver, identity: Identity) -> None:
    engine = create_database(AZURE, max_connections=80)
    held = [engine.connect(), engine.connect()]
    pool: Any = engine.pool
    pool._timeout = 0.01

    with pytest.raises(sa.exc.TimeoutError):
        engine.connect()

    assert len(driver.opened) == len(held) == pool_for(80).most
    assert pool_for(MAX_CONNECTIONS).most == 6


# -- refusals -----------------------------------------------------------------------------------------------------


def test_in_azure_a_password_is_refused(monkeypatch: pytest.MonkeyPatch, driver: Driver) -> None:
    monkeypatch.setenv("WEBSITE_SITE_NAME", "powerbill")

    with pytest.raises(BillingError) as refused:
        create_database("mssql+pyodbc://sa:secret@h/d")

    assert refused.value.code == "SETTINGS_INVALID"
    assert [detail.field for detail in refused.value.details] == ["DATABASE_URL password"]
    assert "secret" not in refused.value.message
    assert driver.calls == []


def test_a_missing_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyodbc", None)  # importing it raises

    with pytest.raises(BillingError) as refused:
        create_database(AZURE)

    assert refused.value.code == "DATABASE_DRIVER_MISSING"
    assert "apt-get install unixodbc" in refused.value.kind.cure


def test_a_folder_that_cannot_be_made_is_named_as_a_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(BillingError) as refused:
        create_database(f"sqlite:///{tmp_path}/file/app.sqlite")

    assert refused.value.code == "SETTINGS_INVALID"
    assert "choose a folder" in refused.value.message


# -- SQLite -------------------------------------------------------------------------------------------------------


def test_the_folder_of_the_database_file_is_made(tmp_path: Path) -> None:
    engine = create_database(f"sqlite:///{tmp_path}/new/folder/app.sqlite")
    with engine.connect() as connection:
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1
    engine.dispose()
