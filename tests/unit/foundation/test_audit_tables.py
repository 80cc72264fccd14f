"""The audit's tables in both databases: columns that follow from the text alone, and rows that stay as they are."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql
from sqlalchemy.schema import CreateTable

from shared_code.foundation.audit import repository
from shared_code.foundation.audit.chain import Head
from shared_code.foundation.audit.tables import TRIGGERS, append_only, audit_event
from shared_code.foundation.database import reading, transaction
from tests.unit.audit_support import EVENTS, audit_database, texts, write_history

GENERATED = [column.name for column in audit_event.columns if column.computed is not None]


@pytest.fixture(autouse=True)
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    with audit_database(tmp_path, monkeypatch) as engine:
        write_history()
        yield engine


def execute(engine: sa.Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_every_column_but_the_text_is_generated() -> None:
    assert [column.name for column in audit_event.columns] == ["body", *GENERATED]


def test_columns_are_what_the_text_says() -> None:
    c = audit_event.c
    chosen = sa.select(c.recorded_at, c.actor_id, c.action, c.subject, c.site, c.correlation_id)
    with reading() as connection:
        found = connection.execute(chosen.where(c.stream == "run/1").order_by(c.sequence)).all()

    assert [tuple(row) for row in found] == [
        ("2026-10-31T12:00:00.123456Z", "u-1", "run.started", "r-1", None, "c-1"),
        ("2026-10-31T12:00:02.123456Z", "system", "item.generated", "c-12", "0012", ""),
        ("2026-10-31T12:00:02.123456Z", "system", "item.failed", "c-13", "0013", ""),
        ("2026-10-31T12:00:02.123456Z", "system", "run.completed", "r-1", None, ""),
    ]


CHANGES = [
    "UPDATE audit_event SET body = replace(body, '0012', '0013')",
    "UPDATE audit_event SET body = body WHERE sequence = 2",
    "DELETE FROM audit_event",
    "DELETE FROM audit_event WHERE stream = 'settings'",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_rows_can_be_neither_changed_nor_deleted(engine: sa.Engine, statement: str) -> None:
    before = texts()

    with pytest.raises(sa.exc.IntegrityError, match="audit_event is append-only"):
        execute(engine, statement)

    assert texts() == before
    assert len(before) == EVENTS


@pytest.mark.parametrize("column", GENERATED)
def test_a_generated_column_cannot_be_written_even_without_the_triggers(engine: sa.Engine, column: str) -> None:
    for trigger in TRIGGERS["sqlite"]:
        execute(engine, f"DROP TRIGGER {trigger}")

    with pytest.raises(sa.exc.OperationalError, match="generated column"):
        execute(engine, f"UPDATE audit_event SET {column} = '1'")  # noqa: S608 - a name from the table


NO_EVENTS = ["", "{", "[]", "null", "{}", '{"stream":"a","sequence":1}']


@pytest.mark.parametrize("body", NO_EVENTS)
def test_a_text_that_is_no_event_is_refused_by_the_database(engine: sa.Engine, body: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=r"malformed JSON|NOT NULL"), engine.begin() as connection:
        repository.append(connection, [body])


def test_the_tables_of_sql_server() -> None:
    dialect = mssql.dialect()  # type: ignore[no-untyped-call]
    made = " ".join(str(CreateTable(audit_event).compile(dialect=dialect)).split())

    collation = "COLLATE Latin1_General_100_BIN2"
    assert made == (
        "CREATE TABLE audit_event ( body NVARCHAR(max) NOT NULL, "
        f"stream AS (CAST(JSON_VALUE(body, '$.stream') AS NVARCHAR(100)) {collation}) PERSISTED NOT NULL, "
        "sequence AS (CAST(JSON_VALUE(body, '$.sequence') AS BIGINT)) PERSISTED NOT NULL, "
        f"recorded_at AS (CAST(JSON_VALUE(body, '$.at') AS NVARCHAR(27)) {collation}) PERSISTED NOT NULL, "
        f"actor_id AS (CAST(JSON_VALUE(body, '$.actor.id') AS NVARCHAR(100)) {collation}) PERSISTED NOT NULL, "
        f"action AS (CAST(JSON_VALUE(body, '$.action') AS NVARCHAR(60)) {collation}) PERSISTED NOT NULL, "
        f"subject AS (CAST(JSON_VALUE(body, '$.subject') AS NVARCHAR(400)) {collation}) PERSISTED NOT NULL, "
        f"site AS (CAST(JSON_VALUE(body, '$.site') AS NVARCHAR(20)) {collation}) PERSISTED, "
        f"correlation_id AS (CAST(JSON_VALUE(body, '$.correlationId') AS NVARCHAR(64)) {collation}) "
        "PERSISTED NOT NULL, CONSTRAINT uq_audit_event_stream_sequence UNIQUE CLUSTERED (stream, sequence) )"
    )


def test_sql_server_refuses_changes_in_one_trigger() -> None:
    (trigger,) = append_only("mssql")

    assert trigger.startswith("CREATE TRIGGER audit_event_append_only ON audit_event INSTEAD OF UPDATE, DELETE AS ")
    assert "THROW 50001, N'audit_event is append-only', 1;" in trigger


def test_heads_are_locked_on_sql_server_and_in_one_order(engine: sa.Engine) -> None:
    seen: list[sa.Select[tuple[object, ...]]] = []
    sa.event.listen(engine, "before_execute", lambda _c, statement, *_: seen.append(statement))
    with transaction() as work:
        found = repository.locked_heads(work.connection, ["run/1", "settings", "unknown"])

    assert {stream: head.sequence for stream, head in found.items()} == {"run/1": 4, "settings": 1}
    assert all(isinstance(head, Head) for head in found.values())
    compiled = " ".join(str(seen[-1].compile(dialect=mssql.dialect())).split())  # type: ignore[no-untyped-call]
    assert "FROM audit_head WITH (UPDLOCK, ROWLOCK) WHERE audit_head.stream IN" in compiled
    assert compiled.endswith("ORDER BY audit_head.stream")
