"""A queue of the local bus as a state machine: locks, dead letters, time, duplicates, deferral.

Time is an argument everywhere, so nothing here waits.
"""

from __future__ import annotations

import uuid
from typing import Any

import hypothesis.strategies as st
import proton
import pytest
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from localhost.bus.config import QueueSettings
from localhost.bus.entry import Sequencer
from localhost.bus.queue import LockLostError, NotFoundError, Queue
from tests.unit.bus_support import LOCK, NOON, Paper, a_message, a_queue, dead, locked, text_of


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

    @pytest.mark.parametrize("settlement", ["complete", "abandon", "release", "renew", "defer", "dead_letter"])
    def test_a_settlement_after_the_lock_has_ended_is_refused_and_changes_nothing(self, settlement: str) -> None:
        queue = a_queue()
        queue.enqueue(a_message(), NOON)
        _, token = locked(queue, NOON)
        arguments = ("reason", "text") if settlement == "dead_letter" else ()
        with pytest.raises(LockLostError):
            getattr(queue, settlement)(token, *arguments, NOON + LOCK)
        assert len(queue) == 1
        assert text_of(locked(queue, NOON + LOCK)[0].message) == "hello"

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


class TestDeferral:
    def test_a_deferred_message_is_received_by_its_number_only(self) -> None:
        queue = a_queue()
        for text in ("later", "next"):
            queue.enqueue(a_message(text), NOON)
        entry, token = locked(queue, NOON)
        queue.defer(token, NOON)
        assert text_of(locked(queue, NOON)[0].message) == "next"
        assert queue.lock_next(NOON + 1) is None
        [again] = queue.lock_deferred([entry.sequence], NOON + 1)
        assert (text_of(again.message), again.attempts, again.locked_until) == ("later", 2, NOON + 1 + LOCK)
        assert again.token is not None
        queue.complete(again.token, NOON + 2)
        assert [text_of(each.message) for each in queue.peek(0, 9, NOON)] == ["next"]

    @pytest.mark.parametrize("how", ["abandoned", "lock ended"])
    def test_what_was_deferred_and_fails_stays_deferred_and_dies_of_too_many_attempts(self, how: str) -> None:
        queue = a_queue()
        sequence = queue.enqueue(a_message(), NOON)
        assert sequence is not None
        queue.defer(locked(queue, NOON)[1], NOON)
        now = NOON
        for _ in range(2):
            assert dead(queue) == []
            [entry] = queue.lock_deferred([sequence], now)
            assert entry.token is not None
            if how == "abandoned":
                queue.abandon(entry.token, now)
            now += LOCK
        queue.tick(now)
        [entry] = dead(queue)
        assert (entry.deferred, len(queue)) == (False, 0)

    def test_all_the_numbers_asked_for_or_none(self) -> None:
        queue = a_queue()
        first = queue.enqueue(a_message(), NOON)
        second = queue.enqueue(a_message(), NOON)
        assert first is not None
        assert second is not None
        queue.defer(locked(queue, NOON)[1], NOON)
        for numbers in ([first, second], [first, 99], [second]):
            with pytest.raises(NotFoundError):
                queue.lock_deferred(numbers, NOON)
        [entry] = queue.lock_deferred([first], NOON)
        assert entry.sequence == first
        with pytest.raises(NotFoundError):
            queue.lock_deferred([first], NOON)

    def test_a_deferred_message_does_not_expire(self) -> None:
        queue = a_queue(time_to_live_seconds=10.0)
        queue.enqueue(a_message(), NOON)
        queue.defer(locked(queue, NOON)[1], NOON)
        queue.tick(NOON + 3600)
        assert len(queue) == 1


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
        queue.enqueue(a_message("at once", scheduled_for=NOON - 1), NOON)
        assert text_of(locked(queue, NOON)[0].message) == "at once"

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
    assert len(queue._waiting) < 600
    assert not queue._locked


SETTLEMENTS = ["complete", "abandon", "release", "defer", "dead_letter"]


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

    @rule(target=tokens, from_graves=st.booleans(), choice=st.integers(0, 5))
    def lock_deferred(self, from_graves: bool, choice: int) -> uuid.UUID:
        source = self.queue.dead_letters if from_graves else self.queue
        assert source is not None
        aside = [entry for entry in source.peek(0, 1000, self.now) if entry.deferred and entry.token is None]
        if not aside:
            return uuid.uuid4()
        [entry] = source.lock_deferred([aside[choice % len(aside)].sequence], self.now)
        assert entry.token is not None
        assert entry.locked_until is not None
        self.held[entry.token] = (text_of(entry.message), entry.locked_until)
        return entry.token

    @rule(token=consumes(tokens), settlement=st.sampled_from(SETTLEMENTS))
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
        stored = {sequence: (entry.attempts, entry.deferred) for sequence, (_, entry) in self.paper.stored.items()}
        assert stored == {entry.sequence: (entry.attempts, entry.deferred) for entry in entries}

    def owner_of(self, token: uuid.UUID) -> Queue:
        graves = self.queue.dead_letters
        assert graves is not None
        return graves if token in graves._locked else self.queue


TestNothingLostNothingTwice = NothingLostNothingTwice.TestCase
TestNothingLostNothingTwice.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
