"""Recording: the exact text of an event, its chain, its transaction, and what it costs in SQL statements."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from localhost.sql_recorder import sql_server
from shared_code.foundation import clock
from shared_code.foundation.audit import Event, record
from shared_code.foundation.audit.chain import GENESIS, STREAMS, digest
from shared_code.foundation.audit.tables import audit_event, audit_head
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import reading, transaction
from shared_code.foundation.errors import BillingError
from shared_code.operations.audit import verify
from tests.unit.audit_support import EVENTS, FIRST_INSTANT, audit_database, texts, write, write_history


@pytest.fixture(autouse=True)
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    with audit_database(tmp_path, monkeypatch) as engine:
        yield engine


def heads() -> dict[str, tuple[int, str]]:
    with reading() as connection:
        return {row.stream: (row.sequence, row.hash) for row in connection.execute(sa.select(audit_head))}


def only(stream: str) -> str:
    """The text of the only row of a stream."""
    (text,) = (text for name, _, text in texts() if name == stream)
    return text


def test_a_row_is_its_canonical_text() -> None:
    """Fixed order of keys, no spaces, ASCII: a reader needs nothing but these bytes to prove them."""
    clock.set_clock(lambda: FIRST_INSTANT)
    write(
        Event("contract/0012", "contract.changed", "c-12", {"new": Decimal("11.00"), "at": "Zürich"}, "agreed", "0012")
    )

    assert only("contract/0012") == (
        '{"stream":"contract/0012","sequence":1,"previous":"' + GENESIS + '",'
        '"at":"2026-10-31T12:00:00.123456Z",'
        '"actor":{"id":"u-1","name":"Ann Lee","kind":"person","roles":["billingAdmin"]},'
        '"requestId":"q-1","correlationId":"c-1",'
        '"action":"contract.changed","subject":"c-12","site":"0012","reason":"agreed",'
        '"data":{"at":"Z\\u00fcrich","new":"11.00"}}'
    )


@pytest.mark.parametrize("letter", [*map(chr, range(128)), "é", "€", "\U0001f600", "\ud800"], ids=ascii)
def test_every_character_has_one_canonical_form(letter: str) -> None:
    """Whatever wrote the row: as the standard library writes it, with all escaped that is not printable ASCII."""
    write(Event("things/1", "thing.changed", "t-1", {"value": letter}))

    assert only("things/1").endswith(f'"data":{{"value":{json.dumps(letter)}}}}}')


VALUES: list[tuple[object, object]] = [
    ("text", "text"),
    ('quote " backslash \\ line\n', 'quote " backslash \\ line\n'),
    ("\ud800 is half a letter", "\ud800 is half a letter"),
    (True, True),
    (None, None),
    (12345678901234567890, 12345678901234567890),
    (Decimal("0.10"), "0.10"),
    (Decimal("-0.0000001"), "-0.0000001"),
    (Decimal("1E+3"), "1000"),
    (Decimal("12345678901234567890.1234"), "12345678901234567890.1234"),
    (date(2026, 2, 3), "2026-02-03"),
    (datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC), "2026-02-03T04:05:06.000000Z"),
    (datetime(2026, 2, 3, 4, 5, 6, 7, tzinfo=timezone(-timedelta(hours=5))), "2026-02-03T09:05:06.000007Z"),
    (Period(2026, 2), "2026-02"),
    ([Decimal("1.0"), (Period(2026, 2),)], ["1.0", ["2026-02"]]),
    ({"b": {"d": Decimal("2.50"), "c": None}, "a": 1}, {"a": 1, "b": {"c": None, "d": "2.50"}}),
]


@pytest.mark.parametrize(("value", "stored"), VALUES, ids=repr)
def test_values_are_written_exactly(value: object, stored: object) -> None:
    write(Event("things/1", "thing.changed", "t-1", {"value": value}))

    assert json.loads(only("things/1"))["data"] == {"value": stored}


REFUSED: list[object] = [0.1, float("nan"), b"bytes", {1, 2}, object(), {1: "number as a name"}, datetime(2026, 2, 3)]  # noqa: DTZ001


@pytest.mark.parametrize("value", REFUSED, ids=lambda value: type(value).__name__)
def test_a_value_without_an_exact_text_is_refused_and_nothing_is_written(value: object) -> None:
    with pytest.raises(TypeError):
        write(Event("things/1", "thing.changed", "t-1"), Event("things/1", "thing.changed", "t-1", {"value": value}))

    assert texts() == []


EVENTS_REFUSED = [
    ({"stream": STREAMS}, "is not the name of an audit stream"),
    ({"stream": ""}, "is not the name of an audit stream"),
    ({"stream": "a b"}, "is not the name of an audit stream"),
    ({"stream": 'a"b'}, "is not the name of an audit stream"),
    ({"stream": "a\n"}, "is not the name of an audit stream"),
    ({"stream": "zürich"}, "is not the name of an audit stream"),
    ({"stream": "a" * 101}, "is not the name of an audit stream"),
    ({"action": ""}, "the action of an audit event has 1 to 60 characters, not 0"),
    ({"action": "a" * 61}, "the action of an audit event has 1 to 60 characters, not 61"),
    ({"subject": ""}, "the subject of an audit event has 1 to 400 characters, not 0"),
    ({"subject": "a" * 401}, "the subject of an audit event has 1 to 400 characters, not 401"),
    ({"site": ""}, "the site of an audit event has 1 to 20 characters, not 0"),
    ({"site": "1" * 21}, "the site of an audit event has 1 to 20 characters, not 21"),
]


@pytest.mark.parametrize(("fields", "message"), EVENTS_REFUSED)
def test_an_event_that_the_columns_cannot_hold_is_refused(fields: dict[str, str], message: str) -> None:
    whole = {"stream": "things/1", "action": "thing.changed", "subject": "t-1"} | fields
    with pytest.raises(ValueError, match=message):
        Event(**whole)  # type: ignore[arg-type]


def test_the_longest_event_that_is_accepted_is_found_by_its_columns() -> None:
    write(Event("s" * 100, "a" * 60, "t" * 400, site="1" * 20))

    c = audit_event.c
    with reading() as connection:
        row = connection.execute(sa.select(c.stream, c.action, c.subject, c.site).where(c.stream != STREAMS)).one()
    assert row == ("s" * 100, "a" * 60, "t" * 400, "1" * 20)


def test_rows_are_chained_per_stream_and_the_head_is_the_last_row() -> None:
    write_history()

    rows = texts()
    assert len(rows) == EVENTS
    for stream in {stream for stream, _, _ in rows}:
        chain = [text for name, _, text in rows if name == stream]
        assert [json.loads(text)["sequence"] for text in chain] == list(range(1, len(chain) + 1))
        assert [json.loads(text)["previous"] for text in chain] == [GENESIS, *map(digest, chain[:-1])]
        assert heads()[stream] == (len(chain), digest(chain[-1]))


def test_a_new_stream_is_announced_once_in_the_stream_of_streams() -> None:
    write_history()

    announced = [json.loads(text) for stream, _, text in texts() if stream == STREAMS]
    assert [event["subject"] for event in announced] == ["contract/0012", "run/1", "settings"]
    assert {event["action"] for event in announced} == {"stream.opened"}
    assert [event["actor"]["id"] for event in announced] == ["u-1", "u-1", "u-1"]


def test_events_keep_the_order_in_which_they_were_given() -> None:
    write(*(Event("things/1", "thing.changed", f"t-{n}") for n in (3, 1, 2)))

    assert [json.loads(text)["subject"] for stream, _, text in texts() if stream != STREAMS] == ["t-3", "t-1", "t-2"]


def test_one_transaction_may_record_twice() -> None:
    with transaction() as work:
        record(work, [Event("things/1", "thing.made", "t-1")])
        record(work, [Event("things/1", "thing.changed", "t-1"), Event("things/2", "thing.made", "t-2")])

    assert verify().intact
    assert {stream: sequence for stream, (sequence, _) in heads().items()} == {"things/1": 2, "things/2": 1, STREAMS: 2}


def test_recording_nothing_asks_the_database_nothing(engine: sa.Engine) -> None:
    with transaction() as work, counted(engine) as statements:
        record(work, [])

    assert statements == []


def test_a_rollback_leaves_nothing() -> None:
    write(Event("things/1", "thing.made", "t-1"))
    before = texts(), heads()

    def fail() -> None:
        with transaction() as work:
            record(work, [Event("things/1", "thing.changed", "t-1"), Event("things/2", "thing.made", "t-2")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert (texts(), heads()) == before
    assert verify().intact


@contextmanager
def counted(engine: sa.Engine) -> Iterator[list[str]]:
    """The SQL statements inside, as the driver gets them; a list of rows for one statement is one."""
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    sa.event.listen(engine, "before_cursor_execute", count)
    yield statements
    sa.event.remove(engine, "before_cursor_execute", count)


@pytest.mark.parametrize("streams", [1, 20, 1000])
@pytest.mark.parametrize("known", [True, False], ids=["known streams", "new streams"])
def test_the_number_of_statements_is_that_of_one_event(engine: sa.Engine, streams: int, *, known: bool) -> None:
    write(Event("other", "thing.made", "t-1"))
    events = [Event(f"things/{n % streams}", "thing.changed", f"t-{n}") for n in range(1000)]
    if known:
        write(*events)

    with transaction() as work, counted(engine) as statements:
        record(work, events)

    # which are open, heads, rows, heads moved; for new streams the lock of the stream of streams too, and heads added
    assert len(statements) == (4 if known else 6)


MIXED = ["a fresh one before", "only open ones", "only fresh ones", "a fresh one between"]
LOCKS: list[tuple[list[str], list[str]]] = [
    (["things/0", "things/1"], [STREAMS, "things/0", "things/1"]),
    (["things/9", "things/1"], ["things/1", "things/9"]),
    (["zebra", "apple"], [STREAMS, "apple", "zebra"]),
    (["things/9", "things/5", "things/1"], [STREAMS, "things/1", "things/5", "things/9"]),
]


@pytest.mark.parametrize(("streams", "locks"), LOCKS, ids=MIXED)
def test_locks_are_taken_in_one_total_order(engine: sa.Engine, streams: list[str], locks: list[str]) -> None:
    """Or else: one call holds `things/1` and opens `things/0`, which another has just opened, who wants `things/1`."""
    write(Event("things/1", "thing.made", "t-1"), Event("things/9", "thing.made", "t-9"))
    taken: list[str] = []

    def note(_connection: object, _cursor: object, _sql: str, values: Sequence[str], context: Any, _many: bool) -> None:
        if context.compiled and "UPDLOCK" in str(context.compiled.statement.compile(dialect=sql_server())):
            taken.extend(values)

    sa.event.listen(engine, "before_cursor_execute", note)
    write(*(Event(stream, "thing.changed", "t") for stream in streams))

    assert taken == locks
    assert verify().intact


def test_a_chain_never_forks() -> None:
    """A head that was set back, by whatever: the next event would get a number that is taken."""
    write(Event("things/1", "thing.made", "t-1"))
    write(Event("things/1", "thing.changed", "t-1"))
    with transaction() as work:
        work.connection.execute(audit_head.update().values(sequence=1).where(audit_head.c.stream == "things/1"))

    with pytest.raises(BillingError, match="another change"):
        write(Event("things/1", "thing.changed", "t-1"))


def test_two_writers_of_one_stream_leave_one_chain_without_gaps() -> None:
    """Each in a thread of its own, released together, on one database file."""
    start = threading.Barrier(4)

    def work(writer: int) -> None:
        start.wait()
        for n in range(25):
            write(Event("things/1", "thing.changed", f"w-{writer}-{n}"), Event(f"own/{writer}", "thing.changed", "t"))

    clock.set_clock(None)
    writers = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    subjects = [json.loads(text)["subject"] for stream, _, text in texts() if stream == "things/1"]
    assert sorted(subjects) == sorted(f"w-{writer}-{n}" for writer in range(4) for n in range(25))
    assert heads()["things/1"][0] == 100
    assert verify().intact


names = st.sampled_from(["run/1", "run/2", "contract/1", "settings", "Run/1"])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.dates()
    | st.datetimes(timezones=st.just(UTC)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
events = st.builds(
    Event,
    names,
    st.text(min_size=1, max_size=60),
    st.text(min_size=1, max_size=400),
    st.dictionaries(st.text(), values, max_size=3),
    st.none() | st.text(),
    st.none() | st.text(min_size=1, max_size=20),
)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(events, max_size=6), max_size=5))
def test_any_sequence_of_recordings_can_be_proven(engine: sa.Engine, calls: list[list[Event]]) -> None:
    """The database grows from one example to the next."""
    before = [stream for stream, _, _ in texts()]
    for call in calls:
        write(*call)

    added = [event.stream for call in calls for event in call]
    found = verify()
    assert found.breaks == ()
    assert found.events == len(before) + len(added) + len(set(added) - set(before))


def test_the_actor_of_no_door_is_the_system() -> None:
    with transaction() as work:
        record(work, [Event("things/1", "thing.made", "t-1")])

    assert json.loads(only("things/1"))["actor"] == {"id": "system", "name": "system", "kind": "system", "roles": []}
