"""SQL in telemetry: operation and first table, how long, how many per transaction; no text and no value."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from opentelemetry.sdk.metrics.export import HistogramDataPoint
from opentelemetry.trace import SpanKind, StatusCode

from shared_code.foundation import clock, telemetry
from shared_code.foundation.database import Message, outbox, reading, transaction
from shared_code.foundation.errors import BillingError
from shared_code.foundation.telemetry_sdk import statement_labels
from tests.unit.foundation.exported import Exported, attributes, exporting


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exported]:
    """Telemetry with the real SDK; what must not be carried is an error."""
    monkeypatch.setenv("TELEMETRY_STRICT", "true")
    with exporting() as found:
        yield found


@pytest.fixture
def app(exported: Exported, stored: sa.Engine) -> Exported:
    """The same with a database whose engine is listened to."""
    return exported


STATEMENTS = [
    # text, operation, first table
    ("SELECT outbox.message_id \nFROM outbox WHERE outbox.queue = ?", "SELECT", "outbox"),
    ("SELECT TOP 5 [run].[run_id] FROM [run] JOIN site ON 1 = 1", "SELECT", "run"),
    ('SELECT "run".id FROM "run"', "SELECT", "run"),
    ("SELECT x.n FROM (SELECT count(*) AS n FROM statement) AS x", "SELECT", "statement"),
    ("WITH due AS (SELECT id FROM contract) SELECT id FROM due", "WITH", "contract"),
    ("INSERT INTO outbox (message_id) VALUES (?)", "INSERT", "outbox"),
    ("insert into site (name) select ? ", "INSERT", "site"),
    ("UPDATE outbox SET published_at=? WHERE message_id IN (?, ?)", "UPDATE", "outbox"),
    ("DELETE FROM inbox WHERE consumer = ?", "DELETE", "inbox"),
    ("MERGE INTO head USING x ON 1 = 1", "MERGE", "head"),
    ("SELECT 1", "SELECT", None),
    ("BEGIN IMMEDIATE", None, None),
    ("PRAGMA journal_mode", None, None),
    ("CREATE TABLE site (name TEXT)", None, None),
]


@pytest.mark.parametrize(("text", "operation", "table"), STATEMENTS)
def test_a_statement_is_named_by_its_operation_and_first_table(
    text: str, operation: str | None, table: str | None
) -> None:
    said = statement_labels(text)

    assert (said.get("db.operation.name"), said.get("db.collection.name")) == (operation, table)


def test_statements_are_spans_without_their_text_and_their_values(app: Exported) -> None:
    with telemetry.span("work"), transaction() as work:
        work.send([Message("m-1", "run-progress", '{"site": "Harbor Lot"}'), Message("m-2", "run-progress", "{}")])
    with telemetry.span("look"), reading() as connection:
        connection.execute(sa.select(outbox).where(outbox.c.message_id == "m-1")).all()

    said = [(span.name, attributes(span), span.kind) for span in app.spans() if "db.system.name" in attributes(span)]
    select = {"db.system.name": "sqlite", "db.operation.name": "SELECT", "db.collection.name": "outbox"}
    insert = select | {"db.operation.name": "INSERT", "db.operation.batch.size": 2}
    assert said == [
        ("SELECT outbox", select, SpanKind.CLIENT),
        ("INSERT outbox", insert, SpanKind.CLIENT),
        ("SELECT outbox", select, SpanKind.CLIENT),
    ]


def test_a_failed_statement_is_a_failed_span(app: Exported) -> None:
    def insert_twice() -> None:
        with telemetry.span("work"), transaction() as work:
            for _ in range(2):
                assert work.connection.execute(
                    outbox.insert().values(
                        message_id="m", queue="q", body="{}", correlation_id="c", created_at=sa.func.current_timestamp()
                    )
                )

    with pytest.raises(BillingError):
        insert_twice()

    first, second = (span for span in app.spans() if span.name == "INSERT outbox")
    assert (first.status.status_code, second.status.status_code) == (StatusCode.UNSET, StatusCode.ERROR)
    assert attributes(second)["error.type"] == "IntegrityError"
    assert attributes(app.span("work"))["error.type"] == "CONCURRENT_CHANGE"
    assert all(not span.events and span.status.description is None for span in app.spans())


def test_a_statement_outside_of_all_work_is_measured_and_no_trace_of_its_own(app: Exported) -> None:
    with reading() as connection:
        connection.execute(sa.select(outbox.c.message_id)).all()

    assert app.spans() == []
    assert app.points("db.client.operation.duration")


def test_an_insert_that_the_library_splits_is_one_span_a_part(app: Exported) -> None:
    """Rows with RETURNING go in parts, each of them a statement of its own."""
    row = {"queue": "q", "body": "{}", "correlation_id": "c", "created_at": clock.now()}
    with telemetry.span("work"), transaction() as work:
        sent = work.connection.execute(
            outbox.insert().returning(outbox.c.message_id), [{"message_id": f"m-{n}", **row} for n in range(2500)]
        ).all()

    spans = [span for span in app.spans() if span.name == "INSERT outbox"]
    assert len(sent) == 2500
    assert len(spans) > 1
    assert all(span.end_time is not None for span in spans)


def test_each_transaction_says_how_many_statements_it_took(app: Exported) -> None:
    with transaction() as work:
        work.send([Message("m-1", "run-progress", "{}")])
    for _ in range(2):
        with reading() as connection:
            connection.scalar(sa.select(outbox.c.message_id))

    taken = {
        tuple((point.attributes or {}).values()): (point.count, point.sum)
        for point in app.points("powerbill.transaction.statements")
        if isinstance(point, HistogramDataPoint)
    }
    assert taken == {("write", "committed"): (1, 2), ("read", "committed"): (2, 2)}


def test_work_that_was_taken_back_is_told_apart(app: Exported) -> None:
    def fail() -> None:
        with transaction() as work:
            work.first("chunks", "k")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    [point] = app.points("powerbill.transaction.statements")
    assert (point.attributes or {})["powerbill.outcome"] == "rolled-back"
