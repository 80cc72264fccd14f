"""What everybody does with a queue, through both of the official SDK's clients: synchronous and asynchronous."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusMessage, ServiceBusMessageState, ServiceBusSubQueue
from azure.servicebus.exceptions import MessageNotFoundError, MessageSizeExceededError, SessionCannotBeLockedError

from tests.flows import bus_support
from tests.flows.bus_support import settle_all, take

pytestmark = pytest.mark.flow

bus, either = bus_support.bus, bus_support.either

MANY = 100


@dataclass(frozen=True)
class Post:
    """One queue: who sends to it, who receives from it, and who looks after its dead letters."""

    sender: Any
    receiver: Any
    graves: Any


@pytest.fixture(scope="module")
def post(either: Any) -> Iterator[Post]:
    with (
        either.get_queue_sender("patient") as sender,
        either.get_queue_receiver("patient") as receiver,
        either.get_queue_receiver("patient", sub_queue=ServiceBusSubQueue.DEAD_LETTER) as graves,
    ):
        yield Post(sender, receiver, graves)


def test_a_message_arrives_as_it_was_sent(post: Post) -> None:
    sent = ServiceBusMessage(
        b'{"chunk": 7}',
        message_id="run-1:7",
        subject="statement-chunk",
        content_type="application/json",
        correlation_id="run-1",
        application_properties={"attempt": 1, "dry": False},
    )
    before = datetime.now(UTC) - timedelta(seconds=1)
    post.sender.send_messages(sent)
    [got] = take(post.receiver)
    assert b"".join(got.body) == b'{"chunk": 7}'
    assert (got.message_id, got.subject, got.content_type) == ("run-1:7", "statement-chunk", "application/json")
    assert got.correlation_id == "run-1"
    assert got.application_properties == {b"attempt": 1, b"dry": False}
    assert (got.delivery_count, got.dead_letter_reason) == (0, None)
    assert before < got.enqueued_time_utc < got.locked_until_utc
    settle_all(post.receiver, [got])


def test_a_batch_arrives_as_its_messages_in_order(post: Post) -> None:
    batch = post.sender.create_message_batch()
    for number in range(MANY):
        batch.add_message(ServiceBusMessage(str(number), message_id=f"m{number}"))
    post.sender.send_messages(batch)
    got = take(post.receiver, MANY)
    assert [str(message) for message in got] == [str(number) for number in range(MANY)]
    assert [message.message_id for message in got] == [f"m{number}" for number in range(MANY)]
    numbers = [message.sequence_number for message in got]
    assert numbers == sorted(set(numbers))
    settle_all(post.receiver, got)
    assert post.receiver.peek_messages(1) == []


def test_abandoned_messages_come_back_counted_and_die_of_it(post: Post) -> None:
    post.sender.send_messages(ServiceBusMessage("poison"))
    counts = []
    for _ in range(3):
        [message] = take(post.receiver)
        counts.append(message.delivery_count)
        post.receiver.abandon_message(message)
    assert counts == [0, 1, 2]
    [dead] = take(post.graves)
    assert (str(dead), dead.dead_letter_reason) == ("poison", "MaxDeliveryCountExceeded")
    post.graves.complete_message(dead)
    assert post.graves.peek_messages(sequence_number=1) == []


def test_a_dead_letter_carries_its_reason_and_description_and_can_be_looked_at(post: Post) -> None:
    post.sender.send_messages(ServiceBusMessage("x", application_properties={"site": "0042"}))
    [message] = take(post.receiver)
    post.receiver.dead_letter_message(message, reason="NO_SITE", error_description="no such site")
    [seen] = post.graves.peek_messages(sequence_number=1)
    assert (str(seen), seen.dead_letter_reason) == ("x", "NO_SITE")
    [dead] = take(post.graves)
    assert (dead.dead_letter_reason, dead.dead_letter_error_description) == ("NO_SITE", "no such site")
    assert dead.application_properties[b"site"] == b"0042"
    post.graves.abandon_message(dead)
    [again] = take(post.graves)
    post.graves.complete_message(again)


def test_a_lock_is_renewed(post: Post) -> None:
    post.sender.send_messages(ServiceBusMessage("long work"))
    [held] = take(post.receiver)
    until = held.locked_until_utc
    time.sleep(0.002)  # moments are told in milliseconds
    assert post.receiver.renew_message_lock(held) > until
    post.receiver.complete_message(held)


@pytest.mark.parametrize("settlement", ["complete_message", "abandon_message", "dead_letter_message", "defer_message"])
def test_a_deferred_message_waits_for_its_number_and_is_settled_like_any_other(post: Post, settlement: str) -> None:
    post.sender.send_messages([ServiceBusMessage("aside"), ServiceBusMessage("next")])
    [aside, following] = take(post.receiver, 2)
    post.receiver.defer_message(aside)
    post.receiver.complete_message(following)
    [seen] = post.receiver.peek_messages(sequence_number=aside.sequence_number)
    assert (str(seen), seen.state) == ("aside", ServiceBusMessageState.DEFERRED)
    [got] = post.receiver.receive_deferred_messages([aside.sequence_number])
    assert (str(got), got.delivery_count) == ("aside", 1)
    with pytest.raises(MessageNotFoundError):
        post.receiver.receive_deferred_messages(aside.sequence_number)
    getattr(post.receiver, settlement)(got)
    if settlement in ("abandon_message", "defer_message"):
        settle_all(post.receiver, post.receiver.receive_deferred_messages(aside.sequence_number))
    elif settlement == "dead_letter_message":
        settle_all(post.graves, take(post.graves))
    assert post.receiver.peek_messages(sequence_number=aside.sequence_number) == []


def test_scheduled_messages_wait_can_be_seen_and_can_be_withdrawn(post: Post) -> None:
    due = datetime.now(UTC) + timedelta(seconds=1.5)
    kept, withdrawn = post.sender.schedule_messages([ServiceBusMessage("kept"), ServiceBusMessage("withdrawn")], due)
    post.sender.send_messages(ServiceBusMessage("by property", scheduled_enqueue_time_utc=due))
    post.sender.cancel_scheduled_messages(withdrawn)
    seen = post.receiver.peek_messages(5, sequence_number=kept)
    assert [(str(message), message.state) for message in seen] == [
        ("kept", ServiceBusMessageState.SCHEDULED),
        ("by property", ServiceBusMessageState.SCHEDULED),
    ]
    got = take(post.receiver, 2)
    assert {str(message) for message in got} == {"kept", "by property"}
    assert all(message.enqueued_time_utc >= due - timedelta(milliseconds=2) for message in got)
    settle_all(post.receiver, got)
    with pytest.raises(MessageNotFoundError):
        post.sender.cancel_scheduled_messages(withdrawn)


def test_a_message_id_is_accepted_once_within_the_window(either: Any) -> None:
    effect = uuid.uuid4().hex
    with either.get_queue_sender("unique") as sender, either.get_queue_receiver("unique") as receiver:
        for text in ("first", "repeated"):
            sender.send_messages(ServiceBusMessage(text, message_id=effect))
        sender.send_messages(ServiceBusMessage("other", message_id=f"{effect}-2"))
        got = take(receiver, 2)
        settle_all(receiver, got)
        sender.send_messages(ServiceBusMessage("after it was done", message_id=effect))
        assert [str(message) for message in got] == ["first", "other"]
        assert receiver.peek_messages(sequence_number=1) == []


def test_a_message_over_256_kilobytes_is_refused_and_the_link_goes_on(post: Post) -> None:
    with pytest.raises(MessageSizeExceededError):
        post.sender.send_messages(ServiceBusMessage("x" * 262_145))
    post.sender.send_messages(ServiceBusMessage("x" * 262_000))
    [large] = take(post.receiver)
    assert len(str(large)) == 262_000
    post.receiver.complete_message(large)


def test_a_session_gives_its_messages_in_order_and_keeps_a_state(either: Any) -> None:
    ours, other = (uuid.uuid4().hex for _ in range(2))
    with either.get_queue_sender("talks") as sender:
        texts = [(session_id, f"{session_id}-{number}") for number in range(3) for session_id in (ours, other)]
        sender.send_messages([ServiceBusMessage(text, session_id=session_id) for session_id, text in texts])
    with either.get_queue_receiver("talks", session_id=ours) as receiver:
        assert receiver.session.get_state() is None
        got = take(receiver, 3)
        assert [str(message) for message in got] == [f"{ours}-{number}" for number in range(3)]
        assert {message.session_id for message in got} == {ours}
        until = receiver.session.locked_until_utc
        assert receiver.session.renew_lock() > until
        receiver.session.set_state(b"three came")
        with (
            pytest.raises(SessionCannotBeLockedError),
            either.get_queue_receiver("talks", session_id=ours) as another,
        ):
            another.receive_messages(max_wait_time=5)
        settle_all(receiver, got)
    with either.get_queue_receiver("talks", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=5) as receiver:
        assert receiver.session.session_id == other
        settle_all(receiver, take(receiver, 3))
    with either.get_queue_receiver("talks", session_id=ours) as receiver:
        assert receiver.session.get_state() == b"three came"
        receiver.session.set_state(None)
        assert receiver.session.get_state() is None
