"""Searching the audit and proving it: the use cases and the command."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared_code.foundation.audit import Event
from shared_code.foundation.audit.chain import STREAMS, digest
from shared_code.foundation.database_url import described
from shared_code.foundation.errors import BillingError
from shared_code.operations.audit import AuditActor, AuditEvent, AuditQuery, events, main, verify
from shared_code.operations.error_catalog import catalog
from shared_code.operations.schema import metadata
from tests.unit.audit_support import ANN, EVENTS, FIRST_INSTANT, audit_database, tamper, texts, write, write_history


@pytest.fixture(autouse=True)
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    with audit_database(tmp_path, monkeypatch) as engine:
        write_history()
        yield engine


def where() -> str:
    """How the command names the database of a test."""
    return described(os.environ["DATABASE_URL"])


def places(found: tuple[AuditEvent, ...]) -> list[tuple[str, int]]:
    return [(event.stream, event.sequence) for event in found]


def second(number: int) -> AuditQuery:
    """What was recorded in the transaction of that number."""
    at = FIRST_INSTANT + timedelta(seconds=number)
    return AuditQuery(since=at, before=at + timedelta(seconds=1))


CONTRACT, RUN = "contract/0012", "run/1"
QUERIES: list[tuple[str, AuditQuery, list[tuple[str, int]]]] = [
    ("a stream", AuditQuery(stream=RUN), [(RUN, 4), (RUN, 3), (RUN, 2), (RUN, 1)]),
    ("a stream in other letters", AuditQuery(stream="Run/1"), []),
    ("a subject", AuditQuery(subject="c-12"), [(RUN, 2), (CONTRACT, 2), (CONTRACT, 1)]),
    ("a site", AuditQuery(site="0013"), [(RUN, 3)]),
    ("an actor", AuditQuery(actor_id="u-2"), [(CONTRACT, 2)]),
    ("an action", AuditQuery(action="run.started"), [(RUN, 1)]),
    ("a request", AuditQuery(correlation_id="c-2"), [(CONTRACT, 2)]),
    ("a time", second(1), [(CONTRACT, 2)]),
    ("since", AuditQuery(since=FIRST_INSTANT + timedelta(seconds=3)), [(STREAMS, 3), ("settings", 1)]),
    ("before the first", AuditQuery(before=FIRST_INSTANT), []),
    ("several at once", AuditQuery(stream=RUN, site="0012", action="item.generated"), [(RUN, 2)]),
    ("several that exclude each other", AuditQuery(stream=RUN, actor_id="u-2"), []),
    ("nothing like it", AuditQuery(subject="c-12' OR '1'='1"), []),
]


@pytest.mark.parametrize(("query", "expected"), [row[1:] for row in QUERIES], ids=[row[0] for row in QUERIES])
def test_events_are_found_by(query: AuditQuery, expected: list[tuple[str, int]]) -> None:
    found = events(query)

    assert places(found.items) == expected
    assert (found.total, found.next_cursor) == (len(expected), None)


def test_an_event_comes_back_as_it_was_recorded() -> None:
    (event,) = events(AuditQuery(actor_id="u-2")).items

    (text,) = (text for stream, sequence, text in texts() if (stream, sequence) == (CONTRACT, 2))
    (before,) = (text for stream, sequence, text in texts() if (stream, sequence) == (CONTRACT, 1))
    assert event == AuditEvent(
        stream=CONTRACT,
        sequence=2,
        at=FIRST_INSTANT + timedelta(seconds=1),
        actor=AuditActor("u-2", "Bob Zürn", "person", ("billingManager", "auditor")),
        action="contract.changed",
        subject="c-12",
        site="0012",
        reason='as agreed on the "10th"',
        data={"dormant": False, "fee": {"new": "11.00", "old": "10.50"}},
        request_id="q-2",
        correlation_id="c-2",
        previous=digest(before),
        hash=digest(text),
    )


@pytest.mark.parametrize("limit", [1, 2, 3, 9, 10, 11])
def test_pages_hold_every_event_once_newest_first(limit: int) -> None:
    """Events of one transaction have one instant: the stream and the number order them."""
    found: list[AuditEvent] = []
    page = events(AuditQuery(), limit)
    while True:
        assert page.total == EVENTS
        assert len(page.items) == limit or page.next_cursor is None
        found.extend(page.items)
        if page.next_cursor is None:
            break
        page = events(AuditQuery(), limit, page.next_cursor)

    assert places(tuple(found)) == [(s, n) for _, s, n in sorted((e.at, e.stream, e.sequence) for e in found)[::-1]]
    assert sorted(places(tuple(found))) == [(stream, sequence) for stream, sequence, _ in texts()]


def test_a_page_does_not_shift_when_events_are_added() -> None:
    first = events(AuditQuery(), 4)
    write(Event("settings", "setting.changed", "OTHER"))

    second_page = events(AuditQuery(), 10, first.next_cursor)

    assert len(first.items) + len(second_page.items) == EVENTS
    assert not set(places(first.items)) & set(places(second_page.items))


def test_a_page_is_bounded() -> None:
    write(*(Event("things/1", "thing.changed", f"t-{n}") for n in range(1100)))

    assert len(events(AuditQuery(), 5000).items) == 1000
    assert len(events(AuditQuery(), 0).items) == 1


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIiwgImIiXQ", "WyJhIiwgImIiLCAiYyJd"])
def test_a_cursor_of_something_else_is_refused(cursor: str) -> None:
    with pytest.raises(BillingError) as refusal:
        events(AuditQuery(), 10, cursor)

    assert refusal.value.code == "CURSOR_INVALID"


def test_a_row_that_lost_its_form_is_refused_with_its_place() -> None:
    tamper("UPDATE audit_event SET body = replace(body, '\"requestId\"', '\"RequestId\"') WHERE stream = 'settings'")

    with pytest.raises(BillingError, match="row 1 of the audit stream 'settings'") as refusal:
        events(AuditQuery())

    assert refusal.value.code == "AUDIT_EVENT_UNREADABLE"
    assert events(AuditQuery(stream=RUN)).total == 4


def test_the_refusals_are_in_the_catalog() -> None:
    assert {"AUDIT_EVENT_UNREADABLE", "AUDIT_STREAM_UNKNOWN"} <= catalog().keys()


def test_an_untouched_audit_is_intact() -> None:
    found = verify()

    assert (found.intact, found.events, found.streams, found.first_break) == (True, EVENTS, 4, None)


def test_an_empty_audit_is_intact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    with audit_database(tmp_path / "empty", monkeypatch):
        found = verify()

    assert (found.intact, found.events, found.streams) == (True, 0, 0)


def test_one_stream_is_proven_with_the_stream_of_streams() -> None:
    found = verify(RUN)

    assert (found.intact, found.events, found.streams) == (True, 4 + 3, 2)
    assert verify(STREAMS).events == 3


def test_one_stream_says_nothing_of_the_others() -> None:
    tamper("DELETE FROM audit_event WHERE stream = 'settings'")

    assert verify(RUN).intact
    assert [str(one) for one in verify("settings").breaks] == ["settings row 1: missing: row 1 is missing"]


def test_one_stream_that_was_removed_whole_is_a_finding_and_not_unknown() -> None:
    tamper("DELETE FROM audit_event WHERE stream = 'run/1'", "DELETE FROM audit_head WHERE stream = 'run/1'")

    assert [one.kind for one in verify(RUN).breaks] == ["removed"]


def test_a_stream_that_never_was_is_unknown() -> None:
    with pytest.raises(BillingError, match="there is no audit stream 'run/2'") as refusal:
        verify("run/2")

    assert refusal.value.code == "AUDIT_STREAM_UNKNOWN"


def test_more_rows_than_one_page_of_reading() -> None:
    """Reading goes on within a stream and from one stream to the next; a break far behind is found as well."""
    write(*(Event(f"many/{n % 3}", "thing.changed", f"t-{n}") for n in range(25_000)), by=replace(ANN, roles=()))
    assert verify().intact
    assert verify().events == EVENTS + 25_000 + 3

    tamper("DELETE FROM audit_event WHERE stream = 'many/1' AND sequence = 8000")

    assert [str(one) for one in verify().breaks] == [
        "many/1 row 8000: missing: row 8000 is missing; row 7999, whose hash it stated, is unproven"
    ]


def test_the_command_says_that_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify"]) == 0
    assert capsys.readouterr().out == f"{where()}\n10 events in 4 streams: intact\n"


def test_the_command_prints_a_line_per_break_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    tamper(
        "DELETE FROM audit_event WHERE stream = 'settings'",
        "UPDATE audit_event SET body = replace(body, '\"0012\"', '\"0013\"') WHERE stream = 'run/1' AND sequence = 2",
    )

    assert main(["verify"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        where(),
        "run/1 row 2: changed: its text has not the hash that row 3 states",
        "settings row 1: missing: row 1 is missing",
        "9 events in 3 streams: broken in 2 places",
    ]
    assert main(["verify", "--stream", "contract/0012"]) == 0


def test_the_command_tells_trouble_from_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--stream", "run/2"]) == 2
    assert "there is no audit stream 'run/2'" in capsys.readouterr().err


def test_the_command_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "shared_code.operations.audit", "verify"], capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stdout) == (0, f"{where()}\n10 events in 4 streams: intact\n")


def test_the_command_proves_only_a_database_that_was_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL")

    assert main(["verify"]) == 2
    assert capsys.readouterr().err.startswith("the audit cannot be verified: DATABASE_URL is not set")


def test_the_command_says_that_a_database_has_no_tables(engine: sa.Engine, capsys: pytest.CaptureFixture[str]) -> None:
    metadata.drop_all(engine)

    assert main(["verify"]) == 2
    assert capsys.readouterr().err.startswith("the audit cannot be verified: the database has no schema; run ")


def test_importing_the_use_cases_imports_no_database_library() -> None:
    """Doors import them when the app is indexed."""
    script = (
        "import sys, shared_code.operations.audit, shared_code.foundation.audit; print('sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)

    assert done.stdout == "False\n", done.stderr
