"""Migrations and tables say the same, up and down, on SQLite and as SQL for SQL Server, whatever there are."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from localhost.tsql import problems
from shared_code.foundation.database import create_database
from shared_code.foundation.settings import settings
from shared_code.operations.migrate import configuration, main, upgrade
from shared_code.operations.schema import metadata
from tests.unit.operations.schema_text import beyond_the_parser, cascade_paths, ddl, key_bytes, schema_of, statements

MSSQL = "mssql+pyodbc://server/database"
REVISIONS = [
    script.revision for script in reversed(list(ScriptDirectory.from_config(configuration(MSSQL)).walk_revisions()))
]
CLUSTERED_BYTES = 900
INDEX_BYTES = 1_700


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'migrated.sqlite'}"


def downgrade(url: str, revision: str) -> None:
    command.downgrade(configuration(url), revision)


def schema(url: str) -> dict[str, list[str]]:
    """Every table, index and trigger of a SQLite file, with the parts of the statement that made it.

    A column that was added stands behind the constraints, one that was there from the beginning before them: the order
    of parts says how a table was made, and nothing of what it is.
    """
    engine = create_database(url)
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
    engine.dispose()
    return {row.name: parts(row.sql) for row in rows}


def parts(statement: str) -> list[str]:
    """A CREATE TABLE as its columns and constraints; any other statement whole. Spaces and quotes do not count."""
    text = re.sub(r"\s+", " ", statement.replace('"', "")).strip()
    head, _, body = text.partition("(")
    if not head.startswith("CREATE TABLE"):
        return [text]
    found, depth = [""], 0
    for letter in body[: body.rindex(")")]:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return [head.strip(), body[body.rindex(")") :].strip(), *sorted(one.strip() for one in found)]


def revision(url: str) -> str | None:
    engine = create_database(url)
    with engine.connect() as connection:
        found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    engine.dispose()
    return found


def test_the_command_says_which_database_it_has_migrated(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPERATOR_NAME", "Example Parking")
    monkeypatch.setenv("DATABASE_URL", url)
    settings.cache_clear()
    assert main([]) == 0
    settings.cache_clear()

    assert capsys.readouterr().out == f"SQLite file {tmp_path / 'migrated.sqlite'} has the newest schema\n"


# -- SQLite -------------------------------------------------------------------------------------------------------


def test_migrations_make_exactly_the_tables_of_the_code(url: str) -> None:
    upgrade(url)
    with create_database(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(url: str) -> None:
    upgrade(url)
    made = schema(url)
    upgrade(url)

    assert schema(url) == made
    assert revision(url) == REVISIONS[-1]


def test_the_whole_chain_down_and_up_again_leaves_the_same_schema(url: str) -> None:
    upgrade(url)
    made = schema(url)

    downgrade(url, "base")
    assert schema(url).keys() <= {"alembic_version"}
    assert revision(url) is None
    upgrade(url)

    assert schema(url) == made


@pytest.mark.parametrize(("before", "after"), list(zip(["base", *REVISIONS], REVISIONS, strict=False)))
def test_every_single_migration_can_be_taken_back(url: str, before: str, after: str) -> None:
    if before != "base":
        upgrade(url, before)
    made = {name: text for name, text in schema(url).items() if name != "alembic_version"}
    upgrade(url, after)
    downgrade(url, before)

    assert {name: text for name, text in schema(url).items() if name != "alembic_version"} == made


# -- what is stored ------------------------------------------------------------------------------------------------

BILLED: dict[str, dict[str, object]] = {
    "statement_run": {
        "run_id": "r1",
        "natural_key": "2026-10|all|manual",
        "period": "2026-10",
        "source": "manual",
        "scope": "{}",
        "state": "Completed",
        "requested_by": "Ann Lee",
        "correlation_id": "c",
        "expected": 1,
        "attempt": 1,
        "created_at": "2026-11-02 08:00:00.000000",
        "resumed_at": "2026-11-02 08:00:00.000000",
        "finished_at": "2026-11-02 08:05:00.000000",
    },
    "run_item": {
        "run_id": "r1",
        "contract_id": "c1",
        "site_number": "0901",
        "contract_version": 1,
        "chunk": 0,
        "outcome": "Generated",
        "statement_id": "s1",
        "finished_at": "2026-11-02 08:01:00.000000",
    },
    "statement": {
        "statement_id": "s1",
        "contract_id": "c1",
        "period": "2026-10",
        "version": 1,
        "contract_version": 1,
        "site_number": "0901",
        "site_name": "Hotel 0901",
        "status": "ReadyToSend",
        "total": 1234500,  # a hundred and twenty-three and 45 cents, as SQLite keeps them
        "run_id": "r1",
        "warnings": "[]",
        "comparison": "{}",
        "created_at": "2026-11-02 08:01:00.000000",
    },
    "invoice": {
        "number": "0901-202610-01-01",
        "statement_id": "s1",
        "invoice_group": 1,
        "invoice_date": "2026-10-31",
        "due_date": "2026-11-30",
        "payment_terms": "Net 30",
        "amount": 1234500,
    },
    "invoice_line": {
        "line_id": "l1",
        "invoice_number": "0901-202610-01-01",
        "ordinal": 1,
        "block": "fixedFee",
        "title": "Valet",
        "description": "October",
        "code": "4700",
        "amount": 1234500,
        "meta": "{}",
        "trace": "{}",
    },
    "statement_document": {
        "statement_id": "s1",
        "run_id": "r1",
        "state": "Rendered",
        "snapshot": "{}",
        "blob_path": "2026-10/0901/s1-v01.pdf",
        "sha256": "0" * 64,
        "byte_count": 5,
        "rendered_at": "2026-11-02 08:02:00.000000",
    },
}


def everything(url: str) -> dict[str, list[dict[str, object]]]:
    """The rows of each table of `BILLED`."""
    engine = create_database(url)
    with engine.connect() as connection:
        found = {
            name: [dict(row._mapping) for row in connection.execute(sa.text(f"SELECT * FROM {name}"))]  # noqa: S608
            for name in BILLED
        }
    engine.dispose()
    return found


def store(url: str, table: str, row: dict[str, object]) -> None:
    engine = create_database(url)
    with engine.begin() as connection:
        connection.execute(sa.table(table, *map(sa.column, row)).insert().values(row))
    engine.dispose()


def test_superseding_keeps_what_was_billed_before_it(url: str) -> None:
    """Migration 0006 makes four tables anew: up and down again, every row of before is there, and tells the same."""
    upgrade(url, "0005")
    for table, row in BILLED.items():
        store(url, table, row)
    before = everything(url)

    upgrade(url, "0006")
    after = everything(url)
    downgrade(url, "0005")

    for table, (row,) in after.items():
        (old,) = before[table]
        lasting = old.keys() & row.keys()
        assert {name: row[name] for name in lasting} == {name: old[name] for name in lasting}, table
    (statement,), (invoice,), (line,) = (after[name] for name in ("statement", "invoice", "invoice_line"))
    assert (statement["generation"], statement["checked_at"]) == (1, statement["created_at"])
    assert invoice["invoice_id"] == line["invoice_id"]
    assert (statement["superseded_at"], invoice["superseded_at"], statement["stale_since"]) == (None, None, None)
    assert (after["statement_run"][0]["kind"], after["statement_run"][0]["requested_by_id"]) == ("Generate", "")
    assert everything(url) == before


def test_what_was_superseded_is_left_behind_on_the_way_back(url: str) -> None:
    """The older schema holds one statement per contract and month, so it keeps the one that counts."""
    upgrade(url, "0005")
    for table, row in BILLED.items():
        store(url, table, row)
    before = everything(url)
    upgrade(url, "0006")
    old = everything(url)
    superseded = {"statement_id": "s0", "status": "Superseded", "generation": 0}
    store(url, "statement", old["statement"][0] | superseded)
    store(url, "invoice", old["invoice"][0] | {"statement_id": "s0", "invoice_id": "i0", "superseded_at": "2026-11-03"})
    store(url, "invoice_line", old["invoice_line"][0] | {"line_id": "l0", "invoice_id": "i0"})
    store(url, "statement_document", old["statement_document"][0] | {"statement_id": "s0"})

    downgrade(url, "0005")

    assert everything(url) == before


# -- SQL Server ---------------------------------------------------------------------------------------------------


def script(*, up: bool) -> list[str]:
    out = io.StringIO()
    with redirect_stdout(out):
        if up:
            upgrade(MSSQL, sql=True)
        else:
            command.downgrade(configuration(MSSQL), f"{REVISIONS[-1]}:base", sql=True)
    return statements(out.getvalue())


@pytest.fixture(scope="module")
def up() -> list[str]:
    return script(up=True)


@pytest.fixture(scope="module")
def down() -> list[str]:
    return script(up=False)


def test_sql_server_takes_every_statement_of_the_way_up_and_down(up: list[str], down: list[str]) -> None:
    """A trigger is beyond the parser; it has to be a batch of its own, which is what the server asks of it."""
    refused = {
        statement: found
        for statement in [*up, *down]
        if not beyond_the_parser(statement) and (found := problems(statement))
    }

    assert refused == {}
    assert not [one for one in up if "CREATE TRIGGER" in one and not one.startswith("CREATE TRIGGER")]


def test_the_script_for_sql_server_makes_exactly_the_tables_of_the_code(up: list[str]) -> None:
    made, wanted = schema_of(up), schema_of(ddl(metadata))
    del made.columns["alembic_version"], made.constraints["alembic_version_pkc"]

    assert made.columns == wanted.columns
    assert made.constraints == wanted.constraints
    assert made.indexes == wanted.indexes


def test_the_script_of_the_way_down_leaves_nothing(up: list[str], down: list[str]) -> None:
    left = schema_of([*up, *down])

    assert left.columns.keys() == {"alembic_version"}  # Alembic's own
    assert left.constraints.keys() == {"alembic_version_pkc"}
    assert left.indexes == {}


def test_days_are_days_in_sql_server(up: list[str]) -> None:
    """Without a connection SQLAlchemy takes the server for one that knows no DATE, and would write DATETIME."""
    columns = {declared for table in schema_of(up).columns.values() for declared in table.values()}

    assert not [one for one in columns if one.split()[1] == "DATETIME"]
    assert [one for one in columns if one.split()[1] == "DATE"]


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_no_key_of_sql_server_holds_text_without_a_limit_or_is_too_wide(table: sa.Table) -> None:
    """SQL Server refuses NVARCHAR(MAX) in a key, and more than 900 bytes in a clustered one, 1,700 in another."""
    keys = [(list(index.columns), INDEX_BYTES) for index in table.indexes]
    for constraint in table.constraints:
        if isinstance(constraint, sa.PrimaryKeyConstraint):
            keys.append((list(constraint.columns), CLUSTERED_BYTES))
        elif isinstance(constraint, sa.UniqueConstraint):
            clustered = constraint.dialect_options["mssql"]["clustered"]
            keys.append((list(constraint.columns), CLUSTERED_BYTES if clustered else INDEX_BYTES))
    for columns, most in keys:
        size = key_bytes(columns)
        names = [column.name for column in columns]
        assert size is not None, f"a text without limit in the key {names}"
        assert size <= most, f"{size} bytes in the key {names}"


def test_no_deletion_reaches_a_table_by_two_ways() -> None:
    assert {pair for pair, paths in cascade_paths(metadata).items() if paths > 1} == set()


def test_two_ways_and_circles_are_seen() -> None:
    """a → b → d and a → c → d; and e refers to itself."""
    example = sa.MetaData()
    for name, parents in {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ("e",)}.items():
        columns = [sa.Column("id", sa.Integer, primary_key=True)]
        columns += [
            sa.Column(f"of_{parent}", sa.Integer, sa.ForeignKey(f"{parent}.id", ondelete="CASCADE"))
            for parent in parents
        ]
        sa.Table(name, example, *columns)

    assert {pair for pair, paths in cascade_paths(example).items() if paths > 1} == {("a", "d"), ("e", "e")}
