"""What differs between SQLite and SQL Server stands in one module, and says the right thing to each."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.pool import StaticPool

from localhost.sql_recorder import sql_server
from shared_code.foundation.database import outbox
from shared_code.foundation.dialect import (
    Fixed,
    alone,
    as_azure_sql,
    claimed,
    locked,
    snapshot_problem,
    stored_decimals,
)

ROOT = Path(__file__).parents[3]
UNCONNECTED: Dialect = mssql.dialect()  # type: ignore[no-untyped-call]  # the dialect is not annotated
probe = sa.Table("probe", sa.MetaData(), sa.Column("name", sa.Unicode(9)), sa.Column("day", sa.Date))


def test_claimed_rows_are_locked_and_locked_rows_passed_over() -> None:
    waiting = sa.select(outbox.c.message_id).order_by(outbox.c.message_id).limit(5)

    sql = str(claimed(waiting, outbox).compile(dialect=sql_server()))

    assert "FROM outbox WITH (UPDLOCK, READPAST, ROWLOCK)" in sql
    assert sql.startswith("SELECT TOP ")


@pytest.mark.parametrize(("hint", "text"), [(locked, "WITH (UPDLOCK, ROWLOCK)"), (alone, "WITH (UPDLOCK, HOLDLOCK)")])
def test_rows_are_waited_for_under_other_hints(hint: Callable[..., sa.Select[str]], text: str) -> None:
    sql = str(hint(sa.select(outbox.c.message_id), outbox).compile(dialect=sql_server()))

    assert f"FROM outbox {text}" in sql


def test_only_the_claimed_table_is_locked() -> None:
    joined = sa.select(outbox.c.queue).join(probe, probe.c.name == outbox.c.queue)

    sql = str(claimed(joined, outbox).compile(dialect=sql_server()))

    assert "FROM outbox WITH (UPDLOCK, READPAST, ROWLOCK) JOIN probe ON" in sql


def test_sqlite_sees_no_hint() -> None:
    sql = str(claimed(sa.select(outbox.c.message_id), outbox).compile(dialect=sqlite.dialect()))

    assert "WITH" not in sql


def test_the_usual_way_of_skipping_locked_rows_vanishes_in_sql_server() -> None:
    """The reason for `claimed`: this compiles, and locks nothing."""
    usual = sa.select(outbox.c.message_id).with_for_update(skip_locked=True)

    assert str(usual.compile(dialect=sql_server())).split() == ["SELECT", "outbox.message_id", "FROM", "outbox"]


def test_a_dialect_without_a_connection_writes_for_azure_sql() -> None:
    page = sa.select(probe.c.name).order_by(probe.c.name).offset(5).limit(5)
    table = sa.schema.CreateTable(probe)
    azure = as_azure_sql(mssql.dialect())  # type: ignore[no-untyped-call]  # the dialect is not annotated

    assert "day DATETIME" in str(table.compile(dialect=UNCONNECTED))
    assert "day DATE NULL" in str(table.compile(dialect=azure))
    assert "ROW_NUMBER() OVER" in str(page.compile(dialect=UNCONNECTED))
    assert "OFFSET " in str(page.compile(dialect=azure))
    assert as_azure_sql(sqlite.dialect()).name == "sqlite"


def test_values_that_pass_by_the_processors_are_what_each_database_stores() -> None:
    class Connected:
        def __init__(self, dialect: Dialect) -> None:
            self.dialect = dialect

    amount: sa.Column[Decimal] = sa.Column("amount", Fixed(19, 4))
    name = sa.Column("name", sa.Unicode(9))
    for dialect, stored in ((sqlite.dialect(), [12500, None]), (UNCONNECTED, [Decimal("1.2500"), None])):
        connection: sa.Connection = Connected(dialect)  # type: ignore[assignment]  # it is asked for its dialect only
        assert list(stored_decimals(connection, amount, [12500, None])) == stored
        assert list(stored_decimals(connection, name, ["a", None])) == ["a", None]


@pytest.mark.parametrize(("is_on", "problem"), [(1, False), (0, True), (None, True)])
def test_readers_that_wait_for_writers_are_a_problem(is_on: int | None, problem: bool) -> None:
    """The question is asked of a SQLite that plays the server's catalogue, under the server's dialect name."""
    engine = sa.create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        assert snapshot_problem(connection) is None  # SQLite itself has no such switch
        connection.exec_driver_sql("ATTACH ':memory:' AS sys")
        connection.exec_driver_sql("CREATE TABLE sys.databases (name TEXT, is_read_committed_snapshot_on INTEGER)")
        connection.exec_driver_sql("INSERT INTO sys.databases VALUES ('billing', ?)", (is_on,))
        driver_connection = connection.connection.driver_connection
        assert driver_connection is not None
        driver_connection.create_function("db_name", 0, lambda: "billing")
        engine.dialect.name = "mssql"
        found = snapshot_problem(connection)

    assert (found is not None and "READ_COMMITTED_SNAPSHOT" in found) == problem


# Where a difference may stand: the dialect, the engine and what it reads, and the audit's generated columns.
DIFFERENT = {"dialect.py", "engine.py", "database_url.py", "audit/tables.py", "telemetry_sdk.py"}
SAYS_A_DIALECT = re.compile(r"mssql|UPDLOCK|READPAST|HOLDLOCK|on_conflict|json_extract|with_for_update|sa\.text\(")


def test_no_other_file_knows_what_differs() -> None:
    strangers = {
        f"{path.relative_to(ROOT)}: {found}"
        for path in (ROOT / "shared_code").rglob("*.py")
        for found in SAYS_A_DIALECT.findall(path.read_text(encoding="utf-8"))
        if not any(str(path).endswith(f"foundation/{name}") for name in DIFFERENT)
    }

    assert {one for one in strangers if "operations/migrations/" not in one} == set()
