"""Requests to a queue of the local bus, as bytes in and bytes out: what no client of the SDK asks for by itself."""

from __future__ import annotations

from typing import Any

import proton
import pytest

from localhost.bus import codec, management
from localhost.bus.queue import Queue
from localhost.bus.sessions import Owner
from tests.unit.bus_support import NOON, a_message, a_queue, locked

CONNECTION = "a connection"
LINK = "a link"
HOLDER = Owner(CONNECTION, LINK)


def ask(queue: Queue, operation: str, body: Any = None, **properties: Any) -> tuple[int, str | None, Any]:
    """Status, error condition and body of the answer."""
    stated = {"operation": f"com.microsoft:{operation}", "associated-link-name": LINK, **properties}
    raw = bytes(proton.Message(id="7", properties=stated, body=body).encode())
    answer = proton.Message()
    answer.decode(management.manage(raw, queue, NOON, CONNECTION))
    assert answer.correlation_id == "7"
    return answer.properties["statusCode"], answer.properties.get("errorCondition"), answer.body


def numbers(*values: int) -> proton.Array:
    return proton.Array(proton.UNDESCRIBED, proton.Data.LONG, *values)


def deferred(queue: Queue, session_id: str | None = None) -> int:
    """A message that was set aside; its number."""
    queue.enqueue(a_message(session=session_id), NOON)
    session = None if session_id is None else queue.accept_session(session_id, HOLDER, NOON)
    entry, token = locked(queue, NOON, session)
    queue.defer(token, NOON)
    return entry.sequence


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        ("add-rule", {}, (501, "amqp:not-implemented")),
        ("", {}, (501, "amqp:not-implemented")),
        ("peek-message", {}, (400, "com.microsoft:argument-error")),
        ("peek-message", ["no map"], (400, "com.microsoft:argument-error")),
        ("renew-lock", {"lock-tokens": ["no token"]}, (400, "com.microsoft:argument-error")),
        ("get-session-state", {"session-id": "s"}, (410, "com.microsoft:session-lock-lost")),
        ("set-session-state", {"session-id": "s", "session-state": b""}, (410, "com.microsoft:session-lock-lost")),
        ("renew-session-lock", {"session-id": "s"}, (410, "com.microsoft:session-lock-lost")),
        ("schedule-message", {"messages": [{"message": b"GET /"}]}, (400, "amqp:decode-error")),
    ],
)
def test_what_cannot_be_done_is_answered_with_its_condition(
    operation: str, body: Any, expected: tuple[int, str]
) -> None:
    assert ask(a_queue(requires_session=True), operation, body)[:2] == expected


def test_a_deferred_message_can_be_received_and_deleted_in_one() -> None:
    queue = a_queue()
    sequence = deferred(queue)
    body = {"sequence-numbers": numbers(sequence), "receiver-settle-mode": proton.uint(0)}
    status, _, answer = ask(queue, "receive-by-sequence-number", body)
    [message] = answer["messages"]
    assert (status, set(message), len(queue)) == (200, {"message"}, 0)
    assert codec.parse(bytes(message["message"])).bare == a_message().bare


def test_a_deferred_message_of_a_session_needs_its_session() -> None:
    queue = a_queue(requires_session=True)
    body = {"sequence-numbers": numbers(deferred(queue, "s"))}
    assert ask(queue, "receive-by-sequence-number", body)[:2] == (403, "amqp:not-allowed")
    status, _, answer = ask(queue, "receive-by-sequence-number", {**body, "session-id": "s"})
    assert (status, len(answer["messages"])) == (200, 1)


@pytest.mark.parametrize(
    ("link", "condition"),
    [(LINK, None), ("another link", "com.microsoft:session-lock-lost")],
)
def test_a_session_is_settled_by_the_receiver_that_holds_it(link: str, condition: str | None) -> None:
    queue = a_queue(requires_session=True)
    queue.enqueue(a_message(session="s"), NOON)
    _, token = locked(queue, NOON, queue.accept_session("s", HOLDER, NOON))
    body = {
        "session-id": "s",
        "disposition-status": "completed",
        "lock-tokens": proton.Array(proton.UNDESCRIBED, proton.Data.UUID, token),
    }
    found = ask(queue, "update-disposition", body, **{"associated-link-name": link})
    assert (found[1], len(queue)) == (condition, 0 if condition is None else 1)


def test_sessions_are_listed_page_by_page_and_by_the_age_of_their_state() -> None:
    queue = a_queue(requires_session=True)
    for number, session_id in enumerate("abc"):
        queue.set_state(session_id, b"x", NOON + number)

    def page(since: float, skip: int) -> Any:
        moment = proton.timestamp(int(since * 1000))
        body = {"last-updated-time": moment, "skip": proton.int32(skip), "top": proton.int32(2)}
        return ask(queue, "get-message-sessions", body)

    assert page(253_402_300_800, 0)[2] == {"skip": 2, "sessions-ids": ["a", "b"]}
    assert page(253_402_300_800, 2)[2] == {"skip": 3, "sessions-ids": ["c"]}
    assert page(253_402_300_800, 3)[0] == 204
    assert page(NOON, 0)[2]["sessions-ids"] == ["b", "c"]
