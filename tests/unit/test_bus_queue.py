"""The local bus without sockets: the queue as a state machine, its file, its messages as bytes, its configuration.

Time is an argument everywhere, so nothing here waits.
"""

from __future__ import annotations

import json
import socket
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import proton
import pytest
from hypothesis import given, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from localhost.bus import codec, config
from localhost.bus.config import ConfigError, QueueSettings
from localhost.bus.queue import Entry, LockLostError, Namespace, Queue, Sequencer
from localhost.bus.server import HOST, Bus
from localhost.bus.store import Store, StoreError

NOON = 1_800_000_000.0
LOCK = 60.0


@dataclass
class Paper:
    """A journal on paper: what would be on the disk."""

    stored: dict[int, tuple[str, int, Entry]] = field(default_factory=dict)
    seen: dict[tuple[str, str], float] = field(default_factory=dict)

    def put(self, queue: str, entry: Entry) -> None:
        kept = Entry(entry.sequence, entry.message, entry.enqueued_at, 0, entry.scheduled_for, entry.expires_at)
        self.stored[entry.sequence] = (queue, entry.attempts, kept)

    def count(self, entry: Entry) -> None:
        queue, _, kept = self.stored[entry.sequence]
        self.stored[entry.sequence] = (queue, entry.attempts, kept)

    def delete(self, entry: Entry) -> None:
        del self.stored[entry.sequence]

    def remember(self, queue: str, message_id: str, until: float) -> None:
        self.seen[queue, message_id] = until

    def forget(self, queue: str, message_id: str) -> None:
        del self.seen[queue, message_id]

    def entries(self, queue: str) -> list[Entry]:
        kept = []
        for sequence in sorted(self.stored):
            name, attempts, entry = self.stored[sequence]
            if name == queue:
                entry.attempts = attempts
                kept.append(entry)
        return kept


def a_message(text: str = "hello", **properties: Any) -> codec.Message:
    scheduled_for = properties.pop("scheduled_for", None)
    lifetime = properties.pop("lifetime", None)
    message = proton.Message(body=text, inferred=False, **properties)
    if scheduled_for is not None:
        message.annotations = {codec.SCHEDULED_KEY: proton.timestamp(int(scheduled_for * 1000))}
    if lifetime is not None:
        message.ttl = lifetime
    return codec.parse(bytes(message.encode()))


def text_of(message: codec.Message) -> str:
    decoded = proton.Message()
    decoded.decode(message.encoded())
    return str(decoded.body)


def a_queue(paper: Paper | None = None, **settings: Any) -> Queue:
    stated = {"lock_seconds": LOCK, "max_delivery_count": 3, **settings}
    return Queue(QueueSettings("orders", **stated), paper or Paper(), Sequencer())


def dead(queue: Queue) -> list[Entry]:
    assert queue.dead_letters is not None
    return queue.dead_letters.peek(0, 100, NOON)


def locked(queue: Queue, now: float) -> tuple[Entry, uuid.UUID]:
    entry = queue.lock_next(now)
    assert entry is not None
    assert entry.token is not None
    return entry, entry.token


class TestLocks:
    def test_messages_come_in_the_order_they_were_sent(self) -> None:
        queue = a_queue()
        for text in ("first", "second", "third"):
            queue.enqueue(a_message(text), NOON)
        assert [text_of(locked(queue, NOON)[0].message) for _ in range(3)] == ["first", "second", "third"]
        assert queue.lock_next(NOON) is None

    def test_a_locked_message_goes_to_nobody_else_until_its_lock_ends(self) -> None:
        queue = a_queue()
        queue.enqueue(a_message(), NOON)
        _, token = locked(queue, NOON)
        assert queue.lock_next(NOON + LOCK - 0.001) is None
        again, other = locked(queue, NOON + LOCK)
        assert (again.attempts, token == other) == (2, False)

    @pytest.mark.parametrize("settlement", ["complete", "abandon", "release", "renew", "dead_letter"])
    def test_a_settlement_after_the_lock_has_ended_is_refused_and_changes_nothing(self, settlement: str) -> None:
        queue = a_queue()
        queue.enqueue(a_message(), NOON)
        _, token = locked(queue, NOON)
        arguments = ("reason", "text") if settlement == "dead_letter" else ()
        with pytest.raises(LockLostError):
            getattr(queue, settlement)(token, *arguments, NOON + LOCK)
        assert len(queue) == 1
        assert queue.has_available()

    def test_a_renewed_lock_lasts_the_lock_duration_from_the_renewal(self) -> None:
        queue = a_queue()
        queue.enqueue(a_message(), NOON)
        _, token = locked(queue, NOON)
        assert queue.renew(token, NOON + 50) == NOON + 50 + LOCK
        assert queue.lock_next(NOON + LOCK + 1) is None
        queue.complete(token, NOON + 50 + LOCK - 1)
        assert len(queue) == 0

    def test_a_message_is_settled_once(self) -> None:
        queue = a_queue()
        queue.enqueue(a_message(), NOON)
        _, token = locked(queue, NOON)
        queue.complete(token, NOON)
        with pytest.raises(LockLostError):
            queue.complete(token, NOON)

    @pytest.mark.parametrize(
        ("settlement", "attempts_next_time"),
        [("abandon", 2), ("release", 1)],
        ids=["abandon counts the attempt", "release does not"],
    )
    def test_what_is_given_back_is_available_at_once(self, settlement: str, attempts_next_time: int) -> None:
        queue = a_queue()
        queue.enqueue(a_message(), NOON)
        _, token = locked(queue, NOON)
        getattr(queue, settlement)(token, NOON)
        assert locked(queue, NOON)[0].attempts == attempts_next_time


class TestDeadLetters:
    def test_a_dead_letter_says_why_and_keeps_its_number(self) -> None:
        queue = a_queue()
        sequence = queue.enqueue(a_message(properties={"site": "0042"}), NOON)
        _, token = locked(queue, NOON)
        queue.dead_letter(token, "MISSING_FACTS", "no revenue for 2026-10", NOON)
        [entry] = dead(queue)
        decoded = proton.Message()
        decoded.decode(entry.message.encoded())
        assert (len(queue), entry.sequence) == (0, sequence)
        assert decoded.properties == {
            "site": "0042",
            "DeadLetterReason": "MISSING_FACTS",
            "DeadLetterErrorDescription": "no revenue for 2026-10",
        }

    @pytest.mark.parametrize("how", ["abandoned", "expired"])
    def test_the_last_allowed_attempt_that_fails_kills(self, how: str) -> None:
        queue = a_queue()
        queue.enqueue(a_message(), NOON)
        now = NOON
        for attempt in (1, 2, 3):
            entry, token = locked(queue, now)
            assert entry.attempts == attempt
            if how == "abandoned":
                queue.abandon(token, now)
            else:
                now += LOCK
        assert queue.lock_next(now) is None
        [entry] = dead(queue)
        assert b"MaxDeliveryCountExceeded" in entry.message.bare

    def test_the_dead_letter_queue_has_no_limit_and_no_dead_letters(self) -> None:
        queue = a_queue(max_delivery_count=1)
        queue.enqueue(a_message(), NOON)
        queue.abandon(locked(queue, NOON)[1], NOON)
        graves = queue.dead_letters
        assert graves is not None
        for _ in range(5):
            graves.abandon(locked(graves, NOON)[1], NOON)
        _, token = locked(graves, NOON)
        with pytest.raises(ValueError, match="cannot be dead-lettered again"):
            graves.dead_letter(token, "", "", NOON)
        graves.complete(token, NOON)
        assert len(graves) == 0


class TestTime:
    def test_a_scheduled_message_enters_the_queue_when_it_is_due_with_a_new_number(self) -> None:
        queue = a_queue()
        first = queue.enqueue(a_message("later", scheduled_for=NOON + 30), NOON)
        second = queue.enqueue(a_message("now"), NOON)
        assert (queue.next_due(), first, second) == (NOON + 30, 1, 2)
        assert text_of(locked(queue, NOON + 29)[0].message) == "now"
        assert queue.lock_next(NOON + 29) is None
        entry, _ = locked(queue, NOON + 30)
        assert (text_of(entry.message), entry.sequence, entry.enqueued_at) == ("later", 3, NOON + 30)

    def test_a_time_that_has_passed_is_now(self) -> None:
        queue = a_queue()
        queue.enqueue(a_message(scheduled_for=NOON - 1), NOON)
        assert queue.has_available()

    def test_only_what_is_still_scheduled_can_be_cancelled(self) -> None:
        queue = a_queue()
        late = queue.enqueue(a_message(scheduled_for=NOON + 30), NOON)
        early = queue.enqueue(a_message(scheduled_for=NOON + 10), NOON)
        assert late is not None
        assert early is not None
        assert queue.cancel_scheduled([early, late, 99], NOON + 20) == [early, 99]
        assert len(queue) == 1

    @pytest.mark.parametrize(
        ("queue_lifetime", "own_lifetime", "gone_after"),
        [(100.0, None, 100.0), (None, 40.0, 40.0), (100.0, 40.0, 40.0), (30.0, 40.0, 30.0)],
        ids=["queue's", "message's", "message's is shorter", "queue's is shorter"],
    )
    def test_a_lifetime_runs_out(
        self, queue_lifetime: float | None, own_lifetime: float | None, gone_after: float
    ) -> None:
        queue = a_queue(time_to_live_seconds=queue_lifetime)
        queue.enqueue(a_message(lifetime=own_lifetime), NOON)
        queue.tick(NOON + gone_after - 0.001)
        assert len(queue) == 1
        queue.tick(NOON + gone_after)
        assert (len(queue), dead(queue)) == (0, [])

    def test_a_message_that_expires_can_go_to_the_dead_letters(self) -> None:
        queue = a_queue(time_to_live_seconds=10.0, dead_letter_on_expiration=True)
        queue.enqueue(a_message(), NOON)
        queue.tick(NOON + 10)
        [entry] = dead(queue)
        assert b"TTLExpiredException" in entry.message.bare
        assert entry.expires_at is None

    def test_a_locked_message_does_not_expire_before_its_lock(self) -> None:
        queue = a_queue(time_to_live_seconds=10.0)
        queue.enqueue(a_message(), NOON)
        _, token = locked(queue, NOON + 9)
        queue.complete(token, NOON + 30)
        assert len(queue) == 0


class TestDuplicates:
    def test_a_repeated_id_is_dropped_within_the_window_only(self) -> None:
        paper = Paper()
        queue = a_queue(paper, duplicate_window=600.0)
        assert queue.enqueue(a_message("one", id="K1"), NOON) is not None
        queue.complete(locked(queue, NOON)[1], NOON)
        assert queue.enqueue(a_message("again", id="K1"), NOON + 599) is None
        assert queue.enqueue(a_message("other", id="K2"), NOON + 599) is not None
        assert queue.enqueue(a_message("later", id="K1"), NOON + 600) is not None
        assert len(paper.seen) == 2

    @pytest.mark.parametrize(("first", "second"), [("1", proton.ulong(1)), (None, None)])
    def test_ids_of_different_types_differ_and_no_id_is_no_duplicate(self, first: Any, second: Any) -> None:
        queue = a_queue(duplicate_window=600.0)
        queue.enqueue(a_message(id=first), NOON)
        queue.enqueue(a_message(id=second), NOON)
        assert len(queue) == 2

    @pytest.mark.parametrize(
        "message_id", ["K1", b"K1", proton.ulong(1), uuid.UUID(int=1)], ids=lambda each: type(each).__name__
    )
    def test_an_id_of_any_type_is_recognised(self, message_id: Any) -> None:
        queue = a_queue(duplicate_window=600.0)
        assert [queue.enqueue(a_message(id=message_id), NOON) for _ in range(2)] == [1, None]

    def test_without_detection_every_message_counts(self) -> None:
        queue = a_queue()
        for _ in range(2):
            queue.enqueue(a_message(id="K1"), NOON)
        assert len(queue) == 2


def test_peek_shows_every_message_in_whatever_state_and_changes_none() -> None:
    queue = a_queue()
    for text, due in (("locked", None), ("available", None), ("scheduled", NOON + 9)):
        queue.enqueue(a_message(text, scheduled_for=due), NOON)
    locked(queue, NOON)
    assert [text_of(entry.message) for entry in queue.peek(0, 10, NOON)] == ["locked", "available", "scheduled"]
    assert [entry.sequence for entry in queue.peek(2, 1, NOON)] == [2]
    assert text_of(locked(queue, NOON)[0].message) == "available"


def test_settled_messages_leave_nothing_behind() -> None:
    queue = a_queue(time_to_live_seconds=3600.0)
    for _ in range(5_000):
        queue.enqueue(a_message(), NOON)
        queue.complete(locked(queue, NOON)[1], NOON)
    assert len(queue) == 0
    assert len(queue._timers) < 600
    assert len(queue._available) < 600
    assert not queue._locked


class NothingLostNothingTwice(RuleBasedStateMachine):
    """Whatever clients do and whenever the bus restarts, each message is in one place, and held by one."""

    tokens = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.paper = Paper()
        self.sequencer = Sequencer()
        self.settings = QueueSettings("orders", lock_seconds=LOCK, max_delivery_count=3)
        self.queue = Queue(self.settings, self.paper, self.sequencer)
        self.alive: set[str] = set()
        self.held: dict[uuid.UUID, tuple[str, float]] = {}
        self.sent = 0

    def is_held(self, token: uuid.UUID) -> bool:
        return token in self.held and self.now < self.held[token][1]

    @rule(delay=st.one_of(st.none(), st.integers(1, 100)))
    def send(self, delay: int | None) -> None:
        self.sent += 1
        text = f"message {self.sent}"
        self.queue.enqueue(a_message(text, scheduled_for=None if delay is None else self.now + delay), self.now)
        self.alive.add(text)

    @rule(target=tokens, from_graves=st.booleans())
    def lock(self, from_graves: bool) -> uuid.UUID:
        source = self.queue.dead_letters if from_graves else self.queue
        assert source is not None
        entry = source.lock_next(self.now)
        if entry is None or entry.token is None or entry.locked_until is None:
            return uuid.uuid4()
        text = text_of(entry.message)
        assert text in self.alive, "a completed message came back"
        assert text not in {held for token, (held, _) in self.held.items() if self.is_held(token)}, "held by two"
        self.held[entry.token] = (text, entry.locked_until)
        return entry.token

    @rule(token=consumes(tokens), settlement=st.sampled_from(["complete", "abandon", "release", "dead_letter"]))
    def settle(self, token: uuid.UUID, settlement: str) -> None:
        owner = self.owner_of(token)
        arguments = ("because", "") if settlement == "dead_letter" else ()
        try:
            getattr(owner, settlement)(token, *arguments, self.now)
        except LockLostError:
            assert not self.is_held(token)
            return
        except ValueError:
            assert owner.is_dead_letter
            return
        assert self.is_held(token)
        text, _ = self.held.pop(token)
        if settlement == "complete":
            self.alive.remove(text)

    @rule(token=tokens)
    def renew(self, token: uuid.UUID) -> None:
        try:
            until = self.owner_of(token).renew(token, self.now)
        except LockLostError:
            assert not self.is_held(token)
            return
        assert self.is_held(token)
        self.held[token] = (self.held[token][0], until)

    @rule(seconds=st.sampled_from([1, 30, 59, 60, 61, 200]))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def restart(self) -> None:
        restarted = Queue(self.settings, self.paper, self.sequencer)
        graves = restarted.dead_letters
        assert graves is not None
        for queue in (graves, restarted):
            queue.restore(self.paper.entries(queue.name), [], self.now)
        self.queue = restarted
        self.held.clear()

    @invariant()
    def each_living_message_is_in_exactly_one_place(self) -> None:
        graves = self.queue.dead_letters
        assert graves is not None
        entries = [*self.queue.peek(0, 10_000, self.now), *graves.peek(0, 10_000, self.now)]
        assert sorted(text_of(entry.message) for entry in entries) == sorted(self.alive)
        stored = {sequence: attempts for sequence, (_, attempts, _) in self.paper.stored.items()}
        assert stored == {entry.sequence: entry.attempts for entry in entries}

    def owner_of(self, token: uuid.UUID) -> Queue:
        graves = self.queue.dead_letters
        assert graves is not None
        return graves if token in graves._locked else self.queue


TestNothingLostNothingTwice = NothingLostNothingTwice.TestCase
TestNothingLostNothingTwice.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


class TestStore:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "bus.sqlite"

    @staticmethod
    def opened(path: Path, now: float = NOON) -> tuple[Store, Namespace]:
        store = Store(path)
        declared = [QueueSettings("orders", max_delivery_count=2, duplicate_window=600.0), QueueSettings("mail")]
        namespace = Namespace(declared, store, store.sequencer)
        store.restore(namespace, now)
        return store, namespace

    @staticmethod
    def named(namespace: Namespace, name: str) -> Queue:
        queue = namespace.find(name)
        assert queue is not None
        return queue

    def test_what_was_committed_is_there_after_a_restart_with_its_count_and_without_its_lock(self, path: Path) -> None:
        store, namespace = self.opened(path)
        orders = self.named(namespace, "ORDERS")
        for text in ("kept", "done", "scheduled"):
            orders.enqueue(a_message(text, scheduled_for=NOON + 99 if text == "scheduled" else None), NOON)
        locked(orders, NOON)
        orders.complete(locked(orders, NOON)[1], NOON)
        store.close()

        store, namespace = self.opened(path)
        orders = self.named(namespace, "orders")
        assert [text_of(entry.message) for entry in orders.peek(0, 9, NOON)] == ["kept", "scheduled"]
        assert locked(orders, NOON)[0].attempts == 2
        store.close()

    def test_numbers_are_never_used_again(self, path: Path) -> None:
        store, namespace = self.opened(path)
        orders = self.named(namespace, "orders")
        last = orders.enqueue(a_message(), NOON)
        orders.complete(locked(orders, NOON)[1], NOON)
        store.close()
        store, namespace = self.opened(path)
        following = self.named(namespace, "mail").enqueue(a_message(), NOON)
        assert last is not None
        assert following == last + 1
        store.close()

    def test_a_restart_does_not_grant_another_attempt(self, path: Path) -> None:
        store, namespace = self.opened(path)
        orders = self.named(namespace, "orders")
        orders.enqueue(a_message(), NOON)
        orders.abandon(locked(orders, NOON)[1], NOON)
        locked(orders, NOON)
        store.close()
        store, namespace = self.opened(path)
        assert len(self.named(namespace, "orders")) == 0
        assert len(self.named(namespace, "orders/$DeadLetterQueue")) == 1
        store.close()
        store, namespace = self.opened(path)
        assert len(self.named(namespace, "orders/$deadletterqueue")) == 1
        store.close()

    def test_duplicates_are_remembered_over_a_restart(self, path: Path) -> None:
        store, namespace = self.opened(path)
        self.named(namespace, "orders").enqueue(a_message(id="K1"), NOON)
        store.close()
        store, namespace = self.opened(path)
        assert self.named(namespace, "orders").enqueue(a_message(id="K1"), NOON + 10) is None
        assert self.named(namespace, "orders").enqueue(a_message(id="K1"), NOON + 600) is not None
        store.close()

    def test_a_folder_serves_one_bus(self, path: Path) -> None:
        store, _ = self.opened(path)
        with pytest.raises(StoreError, match="another bus"):
            Store(path)
        store.close()

    def test_a_file_that_is_no_store_is_named(self, path: Path) -> None:
        path.write_bytes(b"something else entirely" * 100)
        with pytest.raises(StoreError, match=r"bus\.sqlite: file is not a database"):
            Store(path)


def test_a_bus_runs_in_a_thread_until_it_is_stopped_even_twice(tmp_path: Path) -> None:
    bus = Bus(tmp_path, config.load())
    thread = threading.Thread(target=bus.run)
    thread.start()
    with socket.create_connection((HOST, bus.port)):
        for _ in range(2):
            bus.stop()
        thread.join(10)
    assert not thread.is_alive()
    Store(tmp_path / "bus.sqlite").close()


def bodies() -> Iterator[Any]:
    yield from ("text", b"bytes", 7, {"a": [1, 2.5, None, True]}, ["x"], None, uuid.UUID(int=1))


class TestCodec:
    @pytest.mark.parametrize("body", list(bodies()), ids=lambda body: type(body).__name__)
    def test_the_bare_message_is_kept_byte_for_byte(self, body: Any) -> None:
        original = proton.Message(body=body, id="K1", properties={"n": 1}, priority=9, durable=True, ttl=60)
        original.annotations = {"x-opt-partition-key": "p"}
        raw = bytes(original.encode())
        message = codec.parse(raw)
        assert raw.endswith(message.bare)
        assert (message.priority, message.durable, message.time_to_live) == (9, True, 60.0)
        assert message.message_id == "str:K1"
        again = proton.Message()
        again.decode(message.delivered(4, *codec.broker_annotations(12, NOON, locked_until=NOON + LOCK)))
        assert (again.body, again.delivery_count, again.properties) == (original.body, 4, {"n": 1})
        assert again.annotations == {
            "x-opt-partition-key": "p",
            "x-opt-sequence-number": 12,
            "x-opt-enqueued-time": NOON * 1000,
            "x-opt-locked-until": (NOON + LOCK) * 1000,
        }

    def test_what_is_stored_reads_back_as_it_was(self) -> None:
        message = a_message("later", id="K1", scheduled_for=NOON, lifetime=5.0)
        assert codec.parse(message.encoded()) == message

    def test_a_resent_message_does_not_bring_its_old_delivery_along(self) -> None:
        message = a_message("again")
        received = message.delivered(2, *codec.broker_annotations(12, NOON, locked_until=NOON, state=0))
        assert codec.parse(received) == message

    def test_dead_letter_properties_keep_the_types_of_the_others(self) -> None:
        properties = {
            "text": "ü",
            "int": proton.int32(-5),
            "long": 2**40,
            "float": 0.5,
            "bool": True,
            "uuid": uuid.UUID(int=7),
            "time": proton.timestamp(1_700_000_000_000),
            "bytes": b"\x00\x01",
            "nothing": None,
        }
        message = a_message(properties=properties).dead_lettered("why", "").dead_lettered("again", "text")
        decoded = proton.Message()
        decoded.decode(message.encoded())
        found = dict(decoded.properties)
        assert (found.pop("DeadLetterReason"), found.pop("DeadLetterErrorDescription")) == ("again", "text")
        assert found == properties
        assert type(found["int"]) is proton.int32
        assert decoded.body == "hello"

    def test_properties_that_cannot_be_read_do_not_save_a_message_from_its_death(self) -> None:
        poison = codec.parse(b"\x00\x53\x74\xc1\x03\x02\xa1\x09\x00\x53\x77\x40")
        assert codec.parse(poison.dead_lettered("why", "").encoded()).bare.endswith(b"\xa1\x03why\x00\x53\x77\x40")

    def test_a_batch_is_its_messages(self) -> None:
        inner = [bytes(proton.Message(body=text).encode()) for text in ("a", "b")]
        raw = b"".join(b"\x00\x53\x75\xb0" + len(each).to_bytes(4) + each for each in inner)
        assert [text_of(message) for message in codec.unpack(raw)] == ["a", "b"]

    @pytest.mark.parametrize("body", [b"", b"plain", b"\x00Sp", b"\x00Su\xa0\x05abc", b'{"json": 1}'])
    def test_a_body_of_bytes_is_no_batch(self, body: bytes) -> None:
        raw = bytes(proton.Message(body=body, inferred=True).encode())
        assert len(codec.unpack(raw)) == 1

    @pytest.mark.parametrize(
        ("raw", "complaint"),
        [
            (b"", "without a section"),
            (b"GET / HTTP/1.1", "described type"),
            (b"\x00\x53\x99\x40", "descriptor"),
            (b"\x00\x53\x75\xb0\x00\x00\xff\xff", "ends inside"),
            (b"\x00\x53\x77\x11", "constructor"),
            (b"\x00\x53\x77\x40\x00\x53\x73\x45", "out of order"),
            (b"\x00\x53\x77" + b"\x00" * 100, "nested"),
            (b"\x00\x53\x70\x54\x07", "no list"),
            (b"\x00\x53\x72\x54\x07", "no dict"),
            (b"\x00\x53\x70\xc0\x07\x02\x40\x71\xff\xff\xff\xff", "number"),
        ],
        ids=[
            "nothing",
            "http",
            "unknown section",
            "cut off",
            "unknown type",
            "order",
            "nesting",
            "header",
            "annotations",
            "priority",
        ],
    )
    def test_what_is_no_message_is_refused(self, raw: bytes, complaint: str) -> None:
        with pytest.raises(codec.CodecError, match=complaint):
            codec.unpack(raw)

    @given(st.binary(max_size=60))
    @settings(max_examples=200, deadline=None)
    def test_no_bytes_break_it(self, tail: bytes) -> None:
        for raw in (tail, b"\x00\x53\x70" + tail, b"\x00\x53\x72" + tail + b"\x00\x53\x77\x40"):
            try:
                codec.unpack(raw)
            except codec.CodecError:
                continue


def declared(*queues: dict[str, Any]) -> str:
    return json.dumps({"UserConfig": {"Namespaces": [{"Name": "sbemulatorns", "Queues": list(queues)}]}})


class TestConfig:
    def test_the_queues_of_the_project(self) -> None:
        queues = {queue.name: queue for queue in config.load()}
        names = ["import-slices", "statement-chunks", "statement-documents", "run-progress"]
        assert list(queues) == names
        assert {(queue.lock_seconds, queue.max_delivery_count) for queue in queues.values()} == {(60.0, 10)}
        assert all(queue.dead_letter_on_expiration for queue in queues.values()), "nothing disappears unseen"

    def test_durations_are_iso_8601_and_detection_is_off_unless_required(self) -> None:
        times = {"LockDuration": "PT2S", "DefaultMessageTimeToLive": "PT1H30M"}
        window = {"DuplicateDetectionHistoryTimeWindow": "PT20S"}
        off, on = config.parse(
            declared(
                {"Name": "off", "Properties": {**times, **window}},
                {"Name": "on", "Properties": {**times, **window, "RequiresDuplicateDetection": True}},
            )
        )
        assert (off.lock_seconds, off.time_to_live_seconds, off.duplicate_window) == (2.0, 5400.0, None)
        assert on.duplicate_window == 20.0

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("{", "JSON"),
            ("{}", "UserConfig"),
            (declared({"Name": "q", "Properties": {}}), "Name"),
            (declared({"Name": "q1", "Properties": {"RequiresSession": True}}), "sessions are not supported"),
            (declared({"Name": "q1", "Properties": {"ForwardTo": "q2"}}), "ForwardTo"),
            (declared({"Name": "q1", "Properties": {"LockDuration": "PT6M"}}), "at most PT5M"),
            (declared({"Name": "q1", "Properties": {"LockDuration": "PT0S"}}), "longer than nothing"),
            (declared({"Name": "q1", "Properties": {"LockDuration": "soon"}}), "LockDuration"),
            (declared({"Name": "q1", "Properties": {"MaxDeliveryCount": 0}}), "MaxDeliveryCount"),
            (declared({"Name": "q1", "Properties": {"Typo": 1}}), "Typo"),
            (declared({"Name": "q1"}, {"Name": "Q1"}), "declared twice"),
        ],
    )
    def test_what_the_bus_cannot_do_is_refused_with_its_place(self, text: str, complaint: str) -> None:
        with pytest.raises(ConfigError, match=complaint):
            config.parse(text)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"nowhere\.json"):
            config.load(tmp_path / "nowhere.json")
