"""Sessions of a queue of the local bus as a state machine: who holds one, in what order its messages come."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from localhost.bus.entry import Entry, Sequencer
from localhost.bus.queue import LockLostError, NotFoundError, Queue, SessionRequiredError
from localhost.bus.sessions import Owner, Session, SessionLostError, SessionTakenError
from tests.unit.bus_support import LOCK, NOON, Paper, a_message, a_queue, dead, locked, text_of

ANN, BEN = Owner("a connection", "ann's link"), Owner("a connection", "ben's link")


def talks(*texts: str, paper: Paper | None = None) -> Queue:
    """A queue that requires sessions, with messages "session:text"."""
    queue = a_queue(paper, requires_session=True)
    for text in texts:
        queue.enqueue(a_message(text, session=text.partition(":")[0]), NOON)
    return queue


def next_session(queue: Queue, owner: Owner, now: float = NOON) -> Session:
    session = queue.accept_next_session(owner, now)
    assert session is not None
    return session


def texts(queue: Queue, session: Session, now: float = NOON) -> list[str]:
    """Everything that the session gives, in order."""
    found = []
    while (entry := queue.lock_next(now, session)) is not None:
        found.append(text_of(entry.message))
    return found


class TestHolding:
    def test_a_session_gives_its_own_messages_in_the_order_they_were_sent(self) -> None:
        queue = talks("a:1", "b:1", "a:2", "b:2", "a:3")
        assert texts(queue, queue.accept_session("b", ANN, NOON)) == ["b:1", "b:2"]
        assert texts(queue, queue.accept_session("a", BEN, NOON)) == ["a:1", "a:2", "a:3"]

    def test_a_session_is_held_by_one_receiver_at_a_time(self) -> None:
        queue = talks("a:1")
        held = queue.accept_session("a", ANN, NOON)
        for owner in (ANN, BEN):
            with pytest.raises(SessionTakenError):
                queue.accept_session("a", owner, NOON)
        assert queue.accept_next_session(BEN, NOON) is None
        queue.release_session(held, NOON)
        assert queue.accept_session("a", BEN, NOON).held

    def test_the_next_session_is_the_one_whose_message_waits_longest_of_those_nobody_holds(self) -> None:
        queue = talks("b:1", "a:1", "c:1", "b:2")
        assert [next_session(queue, ANN).id for _ in range(3)] == ["b", "a", "c"]
        assert queue.accept_next_session(ANN, NOON) is None

    def test_a_named_session_need_not_have_a_message_and_gets_those_that_come(self) -> None:
        queue = talks()
        session = queue.accept_session("a", ANN, NOON)
        assert queue.lock_next(NOON, session) is None
        queue.enqueue(a_message("a:1", session="a"), NOON)
        assert texts(queue, session) == ["a:1"]

    def test_a_session_with_a_state_and_no_message_is_not_the_next(self) -> None:
        queue = talks()
        queue.set_state("a", b"remembered", NOON)
        assert queue.accept_next_session(ANN, NOON) is None

    @pytest.mark.parametrize("session_id", [None, ""])
    def test_a_message_without_a_session_is_refused(self, session_id: str | None) -> None:
        queue = talks()
        with pytest.raises(SessionRequiredError):
            queue.enqueue(a_message(session=session_id), NOON)
        assert len(queue) == 0

    def test_where_no_sessions_are_required_a_session_id_is_only_a_property(self) -> None:
        queue = a_queue()
        for text in ("first", "second"):
            queue.enqueue(a_message(text, session=text), NOON)
        assert [text_of(locked(queue, NOON)[0].message) for _ in range(2)] == ["first", "second"]


class TestLocks:
    def test_a_lock_that_ends_loses_the_session_and_counts_the_attempts(self) -> None:
        queue = talks("a:1", "a:2")
        session = queue.accept_session("a", ANN, NOON)
        _, token = locked(queue, NOON, session)
        assert queue.next_due() == NOON + LOCK
        queue.tick(NOON + LOCK)
        assert not session.held
        assert queue.lock_next(NOON + LOCK, session) is None
        with pytest.raises(LockLostError):
            queue.complete(token, NOON + LOCK)
        following = queue.accept_session("a", BEN, NOON + LOCK)
        assert [locked(queue, NOON + LOCK, following)[0].attempts for _ in range(2)] == [2, 1]

    def test_a_renewal_prolongs_the_session_and_with_it_its_messages(self) -> None:
        queue = talks("a:1")
        session = queue.accept_session("a", ANN, NOON)
        _, token = locked(queue, NOON, session)
        assert queue.sessions.renew(queue.sessions.find("a", ANN), NOON + 50) == NOON + 50 + LOCK
        queue.complete(token, NOON + LOCK + 49)
        for stranger in (BEN, Owner("another connection")):
            with pytest.raises(SessionLostError):
                queue.sessions.find("a", stranger)
        assert queue.sessions.find("a", Owner("a connection")) is session
        queue.tick(NOON + LOCK + 50)
        with pytest.raises(SessionLostError):
            queue.sessions.find("a", ANN)

    def test_a_message_of_a_session_has_no_lock_of_its_own_to_renew(self) -> None:
        queue = talks("a:1")
        _, token = locked(queue, NOON, queue.accept_session("a", ANN, NOON))
        with pytest.raises(ValueError, match="renew the session's lock"):
            queue.renew(token, NOON)

    def test_a_session_that_is_given_back_gives_its_messages_back_in_order_and_uncounted(self) -> None:
        queue = talks("a:1", "a:2", "a:3")
        session = queue.accept_session("a", ANN, NOON)
        queue.complete(locked(queue, NOON, session)[1], NOON)
        locked(queue, NOON, session)
        queue.release_session(session, NOON)
        again = queue.accept_session("a", BEN, NOON)
        entry, _ = locked(queue, NOON, again)
        assert (text_of(entry.message), entry.attempts) == ("a:2", 1)
        assert texts(queue, again) == ["a:3"]

    def test_an_abandoned_message_comes_before_those_behind_it(self) -> None:
        queue = talks("a:1", "a:2")
        session = queue.accept_session("a", ANN, NOON)
        queue.abandon(locked(queue, NOON, session)[1], NOON)
        assert texts(queue, session) == ["a:1", "a:2"]

    def test_the_dead_letter_queue_has_no_sessions(self) -> None:
        queue = talks("a:1", "b:1")
        for session_id in ("a", "b"):
            session = queue.accept_session(session_id, ANN, NOON)
            queue.dead_letter(locked(queue, NOON, session)[1], "why", "", NOON)
        assert queue.dead_letters is not None
        assert [text_of(locked(queue.dead_letters, NOON)[0].message) for _ in range(2)] == ["a:1", "b:1"]

    def test_lost_locks_are_those_of_sessions_and_of_their_messages(self) -> None:
        queue = talks("a:1", "b:1")
        session = queue.accept_session("a", ANN, NOON)
        locked(queue, NOON, session)
        assert queue.lose_locks(NOON) == 2
        assert not session.held
        assert locked(queue, NOON, queue.accept_session("a", BEN, NOON))[0].attempts == 2


def test_a_deferred_message_belongs_to_its_session() -> None:
    queue = talks("a:1", "b:1")
    ours, other = queue.accept_session("a", ANN, NOON), queue.accept_session("b", ANN, NOON)
    entry, token = locked(queue, NOON, ours)
    queue.defer(token, NOON)
    with pytest.raises(NotFoundError):
        queue.lock_deferred([entry.sequence], NOON, other)
    [again] = queue.lock_deferred([entry.sequence], NOON, ours)
    assert (again.attempts, again.locked_until) == (2, None)
    queue.tick(NOON + LOCK)
    assert again.token is None
    assert again.deferred


def test_a_look_at_a_session_shows_its_messages_only() -> None:
    queue = talks("a:1", "b:1", "a:2")
    assert [text_of(entry.message) for entry in queue.peek(0, 9, NOON, "a")] == ["a:1", "a:2"]
    assert len(queue.peek(0, 9, NOON)) == 3


def test_sessions_are_listed_that_have_messages_or_a_state() -> None:
    queue = talks("b:1", "b:2", "a:1")
    queue.set_state("c", b"x", NOON)
    queue.set_state("d", b"x", NOON)
    queue.set_state("d", None, NOON)
    assert queue.session_ids(NOON) == ["a", "b", "c"]


def test_sessions_whose_messages_expire_leave_nothing_behind() -> None:
    queue = a_queue(requires_session=True, time_to_live_seconds=10.0)
    for number in range(3_000):
        now = NOON + number
        queue.enqueue(a_message(session=f"s{number}"), now)
    assert len(queue) == 10
    assert len(queue._waiting) < 600


@dataclass
class Held:
    """What the machine believes of one session that was accepted."""

    session: Session
    until: float
    entries: list[Entry] = field(default_factory=list)


class OrderedAndHeldByOne(RuleBasedStateMachine):
    """Whoever comes and goes, a session is in one hand, and each next message is its oldest one not yet taken."""

    sessions = Bundle("sessions")

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.queue = a_queue(requires_session=True, max_delivery_count=1000)
        self.open: dict[str, list[int]] = defaultdict(list)

    @rule(session_id=st.sampled_from("abc"))
    def send(self, session_id: str) -> None:
        number = self.queue.enqueue(a_message(session=session_id), self.now)
        assert number is not None
        self.open[session_id].append(number)

    @rule(target=sessions, session_id=st.sampled_from("abc"))
    def accept(self, session_id: str) -> object:
        try:
            session = self.queue.accept_session(session_id, ANN, self.now)
        except SessionTakenError:
            assert self.queue.sessions.is_taken(session_id)
            return multiple()
        return Held(session, self.now + LOCK)

    @rule(target=sessions)
    def accept_next(self) -> object:
        session = self.queue.accept_next_session(BEN, self.now)
        return multiple() if session is None else Held(session, self.now + LOCK)

    @rule(held=sessions)
    def take(self, held: Held) -> None:
        entry = self.queue.lock_next(self.now, held.session)
        if not self.is_held(held):
            assert entry is None
            return
        taken = {each.sequence for each in held.entries}
        left = [number for number in self.open[held.session.id] if number not in taken]
        assert (entry.sequence if entry else None) == next(iter(left), None)
        if entry is not None:
            held.entries.append(entry)

    @rule(held=sessions, complete=st.booleans())
    def settle_the_last(self, held: Held, complete: bool) -> None:
        if not self.is_held(held) or not held.entries:
            return
        entry = held.entries.pop()
        assert entry.token is not None
        if complete:
            self.queue.complete(entry.token, self.now)
            self.open[held.session.id].remove(entry.sequence)
        else:
            self.queue.abandon(entry.token, self.now)

    @rule(held=consumes(sessions))
    def leave(self, held: Held) -> None:
        self.queue.release_session(held.session, self.now)

    @rule(seconds=st.sampled_from([1, 30, 60]))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        self.queue.tick(self.now)

    @rule(held=sessions)
    def renew(self, held: Held) -> None:
        if self.is_held(held):
            held.until = self.queue.sessions.renew(held.session, self.now)

    @invariant()
    def nothing_is_lost(self) -> None:
        everything = sorted(number for numbers in self.open.values() for number in numbers)
        assert [entry.sequence for entry in self.queue.peek(0, 10_000, self.now)] == everything
        assert dead(self.queue) == []

    def is_held(self, held: Held) -> bool:
        alive = self.now < held.until
        assert held.session.held is alive
        return alive


TestOrderedAndHeldByOne = OrderedAndHeldByOne.TestCase
TestOrderedAndHeldByOne.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


def test_states_and_order_come_back_after_a_restart() -> None:
    paper = Paper()
    queue = talks("a:1", "b:1", "a:2", paper=paper)
    session = queue.accept_session("a", ANN, NOON)
    queue.complete(locked(queue, NOON, session)[1], NOON)
    locked(queue, NOON, session)
    queue.set_state("a", b"after 1", NOON)
    restarted = Queue(queue.settings, paper, Sequencer(3))
    restarted.restore(paper.entries(queue.name), [], NOON, paper.states_of(queue.name))
    again = restarted.accept_session("a", BEN, NOON)
    entry, _ = locked(restarted, NOON, again)
    assert (text_of(entry.message), entry.attempts) == ("a:2", 2)
    assert restarted.sessions.states["a"].value == b"after 1"
