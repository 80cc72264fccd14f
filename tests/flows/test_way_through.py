"""The way through: correlation from the request to the last log line, messages that die and come back, double ticks."""

from __future__ import annotations

import base64
import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from localhost.host.faults import inject
from localhost.processes import wait_until
from shared_code.documents.paths import CONTRACT_DROPS
from shared_code.foundation import clock, queues
from shared_code.foundation.database import inbox, outbox
from shared_code.foundation.dead_letters.tables import dead_letter
from shared_code.statements.tables import statement, statement_document, statement_run
from tests.flows.conftest import App, Polled, contract_files, error_of, fixed_fees, running_app, site_master
from tests.flows.test_telemetry import Collector
from tests.flows.way_support import SITES, at_once, events, replayed, rows, said

pytestmark = pytest.mark.flow

AT_ONCE = 20
LONG_AGO = timedelta(minutes=5)
NOBODY = "0" * 32
REASON = {"reason": "the cause is mended"}


@pytest.fixture(scope="module")
def collector() -> Iterator[str]:
    """The address of somebody who takes the app's telemetry."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Taken", (Collector,), {"posts": []}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, short_locks: Path, collector: str) -> Iterator[App]:
    """The app with two sites that are billed by contract, its telemetry on."""
    state = tmp_path_factory.mktemp("way-through")
    with running_app(
        state, queues=short_locks, DOCUMENTS_PER_MESSAGE="1", OTEL_EXPORTER_OTLP_ENDPOINT=collector
    ) as app:
        app.take_in({"site_master/2026-10/sites.csv": site_master(*SITES)})
        app.take_in(contract_files(*(fixed_fees(site, ("10.00", 1)) for site in SITES)), CONTRACT_DROPS)
        yield app


def send(app: App, queue: str, body: bytes, *, times: int = 1, **properties: Any) -> None:
    """Messages through the official SDK, as a stranger would send them."""
    with (
        ServiceBusClient.from_connection_string(app.stack.bus.connection_string) as client,
        client.get_queue_sender(queue) as sender,
    ):
        sender.send_messages([ServiceBusMessage(body, **properties) for _ in range(times)])


def buried(app: App, message_id: str) -> dict[str, Any]:
    """The dead letter that a message becomes soon, with its content."""

    def found() -> str:
        letters = app.every("operations/dead-letters", role="auditor", state="Open")
        return next((letter["id"] for letter in letters if letter["messageId"] == message_id), "")

    letter: dict[str, Any] = app.get(f"operations/dead-letters/{wait_until(found, app.stack.host)}", "auditor")
    return letter


def settle(app: App, letter_id: str, action: str, **headers: str) -> httpx.Response:
    path = f"operations/dead-letters/{letter_id}/{action}"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.call("POST", path, "systemAdmin", json=REASON, headers=named)


def nothing_left(app: App) -> None:
    """Wait until no queue holds anything, its dead letters included."""
    wait_until(lambda: not app.left_in_queues(), app.stack.host)


# -- correlation ------------------------------------------------------------------------------------------------------

STEPS = ("start_statement_run", "generate_statement_chunk", "render_statement_documents", "settle_statement_run")


def test_the_correlation_of_a_request_is_on_everything_that_it_brings_about(app: App) -> None:
    """From the HTTP invocation through three queues to the last line, in the audit, and on every message."""
    mine, trace = "flow-4711/bill the month", "4bf92f3577b34da6a3ce929d0e0e4736"
    started = app.call(
        "POST",
        "statement-runs",
        json={"period": "2026-08", "source": "correlated"},
        headers={"X-Correlation-ID": mine, "traceparent": f"00-{trace}-00f067aa0ba902b7-01"},
    )
    run_id = started.json()["id"]
    wait_until(lambda: app.get(f"statement-runs/{run_id}")["state"] == "Completed", app.stack.host)
    nothing_left(app)

    lines = [record for record in app.stack.host.records() if record.get("correlationId") == mine]
    ended = Counter(line["function"] for line in lines if "durationMs" in line)
    assert set(ended) == set(STEPS)
    assert ended["render_statement_documents"] == len(SITES)  # one message for each statement
    assert any(line["message"] == f"run {run_id} is finished" for line in lines)

    with app.database() as connection:
        sent = connection.execute(
            sa.select(outbox.c.queue, outbox.c.trace_parent).where(outbox.c.correlation_id == mine)
        ).all()
        others = connection.scalar(
            sa.select(sa.func.count())
            .select_from(outbox)
            .where(outbox.c.body.contains(run_id), outbox.c.correlation_id != mine)
        )
    assert {row.queue for row in sent} == {queues.STATEMENT_CHUNKS, queues.STATEMENT_DOCUMENTS, queues.RUN_PROGRESS}
    assert {row.trace_parent.split("-")[1] for row in sent} == {trace}
    assert others == 0

    recorded = Counter(event["action"] for event in app.every("operations/audit", correlationId=mine))
    assert recorded == {"stream.opened": 1, "run.started": 1, "run.completed": 1, "statement.generated": len(SITES)}


# -- dead letters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("queue", queues.ALL)
def test_a_message_that_is_none_of_its_queue_is_kept_after_one_delivery(app: App, queue: str) -> None:
    message_id, mine = clock.new_id(), f"flow of {queue}"
    send(app, queue, b'{"run": 7, "batch": 7}', message_id=message_id, correlation_id=mine)

    letter = buried(app, message_id)

    assert (letter["reason"], letter["deliveries"], letter["state"]) == ("MESSAGE_MALFORMED", 1, "Open")
    assert (letter["queue"], letter["correlationId"]) == (queue, mine)
    assert letter["body"] == '{"run": 7, "batch": 7}'
    assert "not what the queue carries" in letter["description"]
    [event] = app.every("operations/audit", subject=letter["id"])
    assert (event["action"], event["actor"]["id"], event["correlationId"]) == ("message.buried", f"queue:{queue}", mine)
    nothing_left(app)


@pytest.mark.parametrize(
    ("queue", "body", "reason"),
    [
        (queues.RUN_PROGRESS, {"run": NOBODY}, "RUN_NOT_FOUND"),
        (queues.IMPORT_SLICES, {"batch": NOBODY, "slice": 1}, "IMPORT_NOT_FOUND"),
    ],
)
def test_a_message_that_is_refused_for_good_is_kept_after_one_delivery(
    app: App, queue: str, body: dict[str, Any], reason: str
) -> None:
    message_id = clock.new_id()
    send(app, queue, json.dumps(body).encode(), message_id=message_id)

    letter = buried(app, message_id)

    assert (letter["reason"], letter["deliveries"]) == (reason, 1)
    assert NOBODY in letter["description"]
    nothing_left(app)


def test_messages_of_careless_senders_are_kept_too(app: App) -> None:
    """No id, no text, a correlation that no log should hold: none of it may come again and again."""
    before = rows(app, dead_letter)
    send(app, queues.RUN_PROGRESS, b"", times=2)
    send(app, queues.RUN_PROGRESS, b"\xff\xfe\x00", message_id="b" * 32, correlation_id="y" * 100)
    send(app, queues.RUN_PROGRESS, b"no JSON", message_id="x" * 128)

    binary, letter = buried(app, "b" * 32), buried(app, "x" * 128)
    wait_until(lambda: rows(app, dead_letter) == before + 4, app.stack.host)

    assert (binary["body"], letter["body"]) == ("base64://4A", "no JSON")
    assert len(binary["correlationId"]) == 32
    nothing_left(app)
    assert (
        settle(app, binary["id"], "replay").status_code == 409
    )  # a message of ours is text: there is nothing to repeat
    assert settle(app, letter["id"], "replay").status_code == 200
    sent = app.get(f"operations/dead-letters/{letter['id']}", "auditor")["replayMessageId"]
    assert len(buried(app, sent)["messageId"]) <= 64


def test_a_message_that_is_sent_twice_is_kept_once(app: App) -> None:
    message_id = clock.new_id()
    send(app, queues.RUN_PROGRESS, b"{}", times=2, message_id=message_id)

    letter = buried(app, message_id)
    nothing_left(app)

    assert rows(app, dead_letter, dead_letter.c.message_id == message_id) == 1
    assert events(app, letter["id"]) == ["message.buried"]


@pytest.fixture
def undrawable(app: App) -> tuple[str, str, Polled]:
    """A statement of a finished run that waits to be drawn again and cannot: its snapshot is damaged."""
    done = app.bill("2026-07", source=clock.new_id()[:12])
    with app.database() as connection:
        statement_id = connection.scalar(
            sa.select(sa.func.min(statement.c.statement_id)).where(statement.c.run_id == done.id)
        )
        mine = statement_document.c.statement_id == statement_id
        snapshot = connection.scalar(sa.select(statement_document.c.snapshot).where(mine))
        connection.execute(statement_document.update().where(mine).values(snapshot="damaged", state="Pending"))
    assert isinstance(statement_id, str) and isinstance(snapshot, str)
    return statement_id, snapshot, done


def test_what_the_bus_gave_up_on_is_kept_mended_sent_again_and_done_once(
    app: App, undrawable: tuple[str, str, Polled]
) -> None:
    statement_id, snapshot, done = undrawable
    body = json.dumps({"run": done.id, "statements": [statement_id]}).encode()
    message_id = clock.new_id()
    send(app, queues.STATEMENT_DOCUMENTS, body, message_id=message_id, correlation_id="flow-8")

    letter = buried(app, message_id)
    assert letter["reason"] == "JSONDecodeError"  # our own reason, one delivery before the bus would give up
    assert letter["correlationId"] == "flow-8"
    assert letter["deliveries"] > 1
    failed = app.stack.host.invocations("render_statement_documents", "failed")
    assert sum(line["messageId"] == message_id for line in failed) == 8
    nothing_left(app)

    mine = statement_document.c.statement_id == statement_id
    with app.database() as connection:
        connection.execute(statement_document.update().where(mine).values(snapshot=snapshot))
    replay = settle(app, letter["id"], "replay")
    send(app, queues.STATEMENT_DOCUMENTS, body, times=2, message_id=message_id)  # and the first one turns up after all
    wait_until(lambda: rows(app, statement_document, mine, statement_document.c.state == "Rendered"), app.stack.host)
    nothing_left(app)

    again = replay.json()
    assert (replay.status_code, again["state"], again["settledBy"]) == (200, "Replayed", "systemAdmin@example.com")
    assert again["settledReason"] == REASON["reason"]
    assert again["replayMessageId"] not in ("", message_id)
    handled = app.stack.host.invocations("render_statement_documents", "succeeded")
    taken = Counter(line["messageId"] for line in handled if message_id in line["messageId"])
    assert taken == {message_id: 3, again["replayMessageId"]: 1}  # the burial, the two late ones, the replay
    assert rows(app, inbox, inbox.c.effect_key == message_id) == 1  # three messages, one effect
    assert rows(app, inbox, inbox.c.effect_key == again["replayMessageId"]) == 0
    assert events(app, letter["id"]) == ["message.buried", "message.replayed"]
    recorded = app.every("operations/audit", subject=letter["id"])[0]
    assert (recorded["actor"]["id"], recorded["reason"]) == ("systemAdmin@example.com", REASON["reason"])


def dead(app: App) -> str:
    """A new open dead letter."""
    message_id = clock.new_id()
    send(app, queues.RUN_PROGRESS, json.dumps({"run": NOBODY}).encode(), message_id=message_id)
    return str(buried(app, message_id)["id"])


@pytest.mark.parametrize(("first", "state"), [("replay", "Replayed"), ("discard", "Discarded")])
@pytest.mark.parametrize("then", ["replay", "discard"])
def test_what_is_settled_stays_settled(app: App, first: str, state: str, then: str) -> None:
    letter = dead(app)

    settled, refused = settle(app, letter, first), settle(app, letter, then)

    assert (settled.status_code, settled.json()["state"]) == (200, state)
    assert (refused.status_code, error_of(refused)["code"]) == (409, "DEAD_LETTER_SETTLED")
    assert app.get(f"operations/dead-letters/{letter}", "auditor")["state"] == state
    assert events(app, letter) == ["message.buried", f"message.{state.lower()}"]


def test_a_replay_that_dies_again_is_a_dead_letter_of_its_own(app: App) -> None:
    letter = settle(app, dead(app), "replay").json()

    second = buried(app, letter["replayMessageId"])

    assert (second["reason"], second["state"], second["correlationId"]) == (
        "RUN_NOT_FOUND",
        "Open",
        letter["correlationId"],
    )
    nothing_left(app)


def test_twenty_replays_at_once_with_a_key_send_one_message_and_get_twenty_equal_answers(app: App) -> None:
    letter = dead(app)

    answers = at_once(AT_ONCE, lambda _: settle(app, letter, "replay", idempotency_key=f"flow/{letter}"))

    assert [said(answer) for answer in answers] == [said(answers[0])] * AT_ONCE
    assert answers[0].status_code == 200
    assert Counter(map(replayed, answers)) == {True: AT_ONCE - 1, False: 1}
    assert rows(app, outbox, outbox.c.message_id == answers[0].json()["replayMessageId"]) == 1
    assert events(app, letter) == ["message.buried", "message.replayed"]


def test_of_twenty_replays_at_once_without_a_key_one_sends_the_message(app: App) -> None:
    letter = dead(app)
    message_id = app.get(f"operations/dead-letters/{letter}", "auditor")["messageId"]

    answers = at_once(AT_ONCE, lambda _: settle(app, letter, "replay"))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: AT_ONCE - 1}
    assert {error_of(a)["code"] for a in answers if a.status_code == 409} == {"DEAD_LETTER_SETTLED"}
    assert rows(app, outbox, outbox.c.message_id.startswith(message_id)) == 1
    assert events(app, letter) == ["message.buried", "message.replayed"]


@pytest.mark.parametrize(
    "key", [["x", "y"], ["2026-11-03T00:00:00", "y"], ["2026-11-03T00:00:00+05:00", "y"], [1, 2], {}]
)
def test_a_cursor_that_this_list_did_not_give_is_refused(app: App, key: object) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")

    answer = app.call("GET", "operations/dead-letters", "auditor", params={"cursor": cursor})

    assert (answer.status_code, error_of(answer)["code"]) == (400, "CURSOR_INVALID")


@pytest.mark.parametrize("action", ["replay", "discard"])
def test_a_decision_needs_a_reason_and_a_dead_letter(app: App, action: str) -> None:
    unknown = settle(app, NOBODY, action)
    path = f"operations/dead-letters/{dead(app)}/{action}"
    silent = app.call("POST", path, "systemAdmin", json={"reason": " "})

    assert (unknown.status_code, error_of(unknown)["code"]) == (404, "DEAD_LETTER_NOT_FOUND")
    assert (silent.status_code, error_of(silent)["code"]) == (400, "BODY_INVALID")


# -- the clock --------------------------------------------------------------------------------------------------------


def test_two_ticks_at_once_start_each_scheduled_run_once(app: App) -> None:
    """As on two instances whose singleton lock was lost: the runs' natural key is the key of the occurrence."""
    decide(app, scheduledBillingDay=1)
    host = app.stack.host
    before = len(host.invocations("start_scheduled_billing"))
    fault = inject(host.folder, "twice-at-once", function="start_scheduled_billing")

    host.fire("start_scheduled_billing")
    wait_until(lambda: len(host.invocations("start_scheduled_billing", "succeeded")) >= before + 2, host)
    decide(app, scheduledBillingDay=0)

    assert fault.taken == 1
    assert host.invocations("start_scheduled_billing", "failed") == []
    with app.database() as connection:
        scheduled = statement_run.c.source == "scheduled"
        started = connection.execute(
            sa.select(statement_run.c.run_id, statement_run.c.natural_key).where(scheduled)
        ).all()
    assert len({row.natural_key for row in started}) == len(started) == 1  # all contracts here are billed in arrears
    assert events(app, started[0].run_id).count("run.started") == 1


def decide(app: App, **changes: int) -> None:
    body = {"changes": changes, "reason": "for a test"}
    answer = app.call("PATCH", "settings", "systemAdmin", json=body, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


def test_two_sweeps_at_once_send_what_waits_and_nothing_fails(app: App) -> None:
    """A message that was committed by a process that died before it published it."""
    message_id, host = clock.new_id(), app.stack.host
    with app.database() as connection:
        connection.execute(
            outbox.insert().values(
                message_id=message_id,
                queue=queues.RUN_PROGRESS,
                body=json.dumps({"run": NOBODY}),
                correlation_id="flow-9",
                created_at=clock.now() - LONG_AGO,
            )
        )
    inject(host.folder, "twice-at-once", function="sweep_unfinished_work")

    host.fire("sweep_unfinished_work")

    assert buried(app, message_id)["correlationId"] == "flow-9"
    assert rows(app, outbox, outbox.c.message_id == message_id, outbox.c.published_at.is_not(None)) == 1
    nothing_left(app)
    handled = app.stack.host.invocations("settle_statement_run", "succeeded")
    assert sum(line["messageId"] == message_id for line in handled) == 1  # the claim kept the other sweep from it
    assert host.invocations("sweep_unfinished_work", "failed") == []
