"""One queue as a state machine: no socket, no file, no clock. Time comes in as seconds since the epoch.

A message is scheduled, available, locked or deferred. Every change that must survive the process is told to a
`Journal`; locks are not among them, so a restart makes locked messages available with their count kept.
"""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from localhost.bus.codec import Message
from localhost.bus.config import QueueSettings
from localhost.bus.duplicates import Duplicates
from localhost.bus.entry import Entry, Journal, Sequencer
from localhost.bus.sessions import Owner, Session, Sessions, State
from localhost.bus.waiting import Waiting

DEAD_LETTER_SUFFIX = "/$DeadLetterQueue"
_STALE_ALLOWANCE = 256


class LockLostError(Exception):
    """The lock token is unknown or its lock has expired: the message may already be with someone else."""


class NotFoundError(Exception):
    """A message that was asked for by number is not there, or not in the state that was asked for."""


class SessionRequiredError(Exception):
    """A message without a session id was sent to a queue that requires one."""


class Queue:
    """A queue with peek-lock delivery, in order of sequence number. Not for several threads.

    Its dead-letter queue is a `Queue` as well, without a delivery limit, without expiry and without sessions.
    """

    def __init__(
        self,
        settings: QueueSettings,
        journal: Journal,
        sequencer: Sequencer,
        new_token: Callable[[], uuid.UUID] = uuid.uuid4,
        *,
        is_dead_letter: bool = False,
    ) -> None:
        self.settings = settings
        self.is_dead_letter = is_dead_letter
        self.requires_session = settings.requires_session and not is_dead_letter
        self.name = settings.name + (DEAD_LETTER_SUFFIX if is_dead_letter else "")
        self.sessions = Sessions(settings.lock_seconds)
        self._journal = journal
        self._sequencer = sequencer
        self._new_token = new_token
        self._entries: dict[int, Entry] = {}
        self._locked: dict[uuid.UUID, Entry] = {}
        self._waiting = Waiting(self._is_waiting)
        self._timers: list[tuple[float, int]] = []
        self._duplicates = Duplicates(self.name, settings.duplicate_window, journal)
        self.dead_letters: Queue | None = (
            None if is_dead_letter else Queue(settings, journal, sequencer, new_token, is_dead_letter=True)
        )

    def __len__(self) -> int:
        return len(self._entries)

    # Sending

    def enqueue(self, message: Message, now: float) -> int | None:
        """Take a message in; its sequence number, or None when it is a duplicate and was dropped.

        Raises `SessionRequiredError`.
        """
        self.check_session(message)
        self.tick(now)
        if self._duplicates.is_duplicate(message.message_id, now):
            return None
        due = message.scheduled_for
        return self._insert(message, now, due if due is not None and due > now else None).sequence

    def check_session(self, message: Message) -> None:
        """Raise `SessionRequiredError` for a message that this queue does not take for want of a session."""
        if self.requires_session and not message.session_id:
            raise SessionRequiredError(f"{self.name} requires sessions: the message has no session id")

    def repeat(self, entry: Entry, now: float) -> None:
        """Take a message of this queue in once more, as if its sender had repeated itself unnoticed."""
        self._insert(entry.message, now, None)

    def cancel_scheduled(self, sequences: Iterable[int], now: float) -> list[int]:
        """Withdraw messages that are still scheduled; the numbers that are not are returned, untouched."""
        self.tick(now)
        missing = []
        for sequence in sequences:
            entry = self._entries.get(sequence)
            if entry is None or entry.scheduled_for is None:
                missing.append(sequence)
            else:
                self._remove(entry)
        return missing

    # Receiving

    def lock_next(self, now: float, session: Session | None = None) -> Entry | None:
        """Lock the first available message for one receiver and count the attempt; None when there is none.

        With a session it is the session's first message, and the lock lasts as long as that of the session.
        """
        self.tick(now)
        if session is not None and not session.held:
            return None
        line = session.id if session is not None else None
        number = self._waiting.first(line)
        if number is None:
            return None
        self._waiting.pop(line)
        return self._lock(self._entries[number], now, session)

    def lock_deferred(self, sequences: Sequence[int], now: float, session: Session | None = None) -> list[Entry]:
        """Lock messages that were deferred, by number: all of them, or none and `NotFoundError`."""
        self.tick(now)
        found = [self._entries.get(sequence) for sequence in dict.fromkeys(sequences)]
        entries = [each for each in found if each is not None and self._is_deferred(each, session)]
        if len(entries) < len(found):
            raise NotFoundError(f"not all of these are deferred, and not locked, on {self.name}: {[*sequences]}")
        return [self._lock(entry, now, session) for entry in entries]

    def renew(self, token: uuid.UUID, now: float) -> float:
        """Extend a lock by the lock duration from now; when it ends.

        Raises `LockLostError`, and `ValueError` for a message of a session.
        """
        entry = self._held(token, now)
        if entry.locked_until is None:
            raise ValueError("a message of a session is locked with it: renew the session's lock")
        entry.locked_until = now + self.settings.lock_seconds
        self._watch(entry)
        return entry.locked_until

    def complete(self, token: uuid.UUID, now: float) -> None:
        """The message is done and gone. Raises `LockLostError`."""
        self._remove(self._held(token, now))

    def abandon(self, token: uuid.UUID, now: float) -> None:
        """Give the message back, its attempt counted. Raises `LockLostError`."""
        self._unlock(self._held(token, now))

    def release(self, token: uuid.UUID, now: float) -> None:
        """Give the message back as if it had not been delivered. Raises `LockLostError`."""
        self._give_back(self._held(token, now))

    def defer(self, token: uuid.UUID, now: float) -> None:
        """Set the message aside: from now on it is received by its number only. Raises `LockLostError`."""
        entry = self._held(token, now)
        entry.deferred = True
        self._journal.update(entry)
        self._drop_lock(entry)
        self._place(entry)

    def dead_letter(self, token: uuid.UUID, reason: str, description: str, now: float) -> None:
        """Move the message to the dead-letter queue. Raises `LockLostError`; `ValueError` from that queue."""
        entry = self._held(token, now)
        if self.dead_letters is None:
            raise ValueError("a message in a dead-letter queue cannot be dead-lettered again")
        self._bury(entry, reason, description)

    # Sessions

    def accept_session(self, session_id: str, owner: Owner, now: float) -> Session:
        """Give the named session, which need not have a message, to one receiver. Raises `SessionTakenError`."""
        self.tick(now)
        return self.sessions.take(session_id, owner, now)

    def accept_next_session(self, owner: Owner, now: float) -> Session | None:
        """Give one receiver the session, of those nobody holds, whose message waits longest; None if there is none."""
        self.tick(now)
        free = (found for found in self._waiting.sessions() if not self.sessions.is_taken(found[1]))
        first = min(free, default=None)
        return None if first is None else self.sessions.take(first[1], owner, now)

    def release_session(self, session: Session, now: float) -> None:
        """Take a session back from its receiver; what it had not settled is available again, uncounted."""
        self.tick(now)
        if session.held:
            self.sessions.drop(session)
            for entry in self._locked_in(session):
                self._give_back(entry)

    def set_state(self, session_id: str, value: bytes | None, now: float) -> None:
        """Keep a state with a session; None takes it away."""
        if value is None:
            self.sessions.states.pop(session_id, None)
        else:
            self.sessions.states[session_id] = State(value, now)
        self._journal.keep_state(self.name, session_id, value, now)

    def session_ids(self, now: float) -> list[str]:
        """Sessions that have messages or a state, by id."""
        self.tick(now)
        with_messages = {entry.message.session_id for entry in self._entries.values()} if self.requires_session else ()
        return sorted({*self.sessions.states, *(session_id for session_id in with_messages if session_id)})

    # Looking

    def peek(self, from_sequence: int, limit: int, now: float, session_id: str | None = None) -> list[Entry]:
        """Up to `limit` messages in whatever state, by sequence number from `from_sequence` on; those of a session."""
        self.tick(now)
        numbers = sorted(
            number
            for number, entry in self._entries.items()
            if number >= from_sequence and (session_id is None or entry.message.session_id == session_id)
        )
        return [self._entries[number] for number in numbers[:limit]]

    def next_due(self) -> float | None:
        """When `tick` has something to do next; None for never."""
        moments = [self._next_timer(), self._duplicates.next_due(), self.sessions.next_due()]
        return min((moment for moment in moments if moment is not None), default=None)

    # Time

    def tick(self, now: float) -> None:
        """Let everything happen that is due by `now`: locks end, schedules start, lifetimes run out."""
        for session in self.sessions.expired(now):
            self._lose(session)
        while (due := self._next_timer()) is not None and due <= now:
            self._come_due(self._entries[heapq.heappop(self._timers)[1]], now)
        self._duplicates.tick(now)

    def lose_locks(self, now: float) -> int:
        """End every lock, of sessions and of messages, as if its time had run out; how many there were."""
        self.tick(now)
        sessions, entries = [*self.sessions], [*self._locked.values()]
        for session in sessions:
            self._lose(session)
        for entry in entries:
            if entry.token is not None:
                self._unlock(entry)
        return len(sessions) + len(entries)

    def restore(
        self,
        entries: Iterable[Entry],
        seen: Iterable[tuple[str, float]],
        now: float,
        states: Mapping[str, State] | None = None,
    ) -> None:
        """Take back what a journal kept: entries by sequence number, message ids by time, states of sessions."""
        for entry in entries:
            kept = replace(entry, token=None, locked_until=None)
            self._entries[entry.sequence] = kept
            if self._is_exhausted(kept) and not kept.deferred:
                self._bury_exhausted(kept)
            else:
                self._place(kept)
        self._duplicates.restore(seen)
        self.sessions.states.update(states or {})
        self.tick(now)

    # Inside

    def _insert(self, message: Message, now: float, scheduled_for: float | None) -> Entry:
        lifetimes = [self.settings.time_to_live_seconds, message.time_to_live]
        lifetime = min((value for value in lifetimes if value is not None), default=None)
        entry = Entry(
            sequence=self._sequencer.next(),
            message=message,
            enqueued_at=now,
            scheduled_for=scheduled_for,
            expires_at=None if lifetime is None else now + lifetime,
        )
        self._adopt(entry)
        return entry

    def _adopt(self, entry: Entry) -> None:
        self._entries[entry.sequence] = entry
        self._journal.put(self.name, entry)
        self._place(entry)

    def _place(self, entry: Entry) -> None:
        """Put an entry that nobody holds where it belongs: in line, if it is available."""
        if entry.available:
            self._waiting.push(entry.sequence, self._line(entry))
        self._watch(entry)

    def _line(self, entry: Entry) -> str | None:
        return entry.message.session_id if self.requires_session else None

    def _is_waiting(self, number: int) -> bool:
        entry = self._entries.get(number)
        return entry is not None and entry.available

    def _is_deferred(self, entry: Entry, session: Session | None) -> bool:
        in_session = session is None or entry.message.session_id == session.id
        return entry.deferred and entry.token is None and in_session

    def _lock(self, entry: Entry, now: float, session: Session | None) -> Entry:
        entry.token = self._new_token()
        entry.locked_until = now + self.settings.lock_seconds if session is None else None
        entry.attempts += 1
        self._locked[entry.token] = entry
        self._watch(entry)
        self._journal.update(entry)
        return entry

    def _held(self, token: uuid.UUID, now: float) -> Entry:
        self.tick(now)
        entry = self._locked.get(token)
        if entry is None:
            raise LockLostError(f"no lock {token} on a message of {self.name}")
        return entry

    def _locked_in(self, session: Session) -> list[Entry]:
        return [entry for entry in self._locked.values() if entry.message.session_id == session.id]

    def _unlock(self, entry: Entry) -> None:
        """A lock ends, and its attempt counts: the message is available (or deferred) again, or dead."""
        self._drop_lock(entry)
        if self._is_exhausted(entry):
            self._bury_exhausted(entry)
        else:
            self._place(entry)

    def _give_back(self, entry: Entry) -> None:
        entry.attempts -= 1
        self._journal.update(entry)
        self._unlock(entry)

    def _lose(self, session: Session) -> None:
        self.sessions.drop(session)
        for entry in self._locked_in(session):
            self._unlock(entry)

    def _drop_lock(self, entry: Entry) -> None:
        if entry.token is not None:
            del self._locked[entry.token]
        entry.token = entry.locked_until = None

    def _detach(self, entry: Entry) -> None:
        self._drop_lock(entry)
        del self._entries[entry.sequence]
        self._compact()

    def _remove(self, entry: Entry) -> None:
        self._detach(entry)
        self._journal.delete(entry)

    def _is_exhausted(self, entry: Entry) -> bool:
        return not self.is_dead_letter and entry.attempts >= self.settings.max_delivery_count

    def _bury_exhausted(self, entry: Entry) -> None:
        text = f"Message could not be consumed after {self.settings.max_delivery_count} delivery attempts."
        self._bury(entry, "MaxDeliveryCountExceeded", text)

    def _bury(self, entry: Entry, reason: str, description: str) -> None:
        if self.dead_letters is None:
            raise ValueError("a dead-letter queue has no dead-letter queue")
        self._detach(entry)
        message = entry.message.dead_lettered(reason, description)
        self.dead_letters._adopt(replace(entry, message=message, expires_at=None, deferred=False))

    def _come_due(self, entry: Entry, now: float) -> None:
        if entry.scheduled_for is not None:
            # As in Service Bus, it enters the queue now, with a new sequence number.
            self._remove(entry)
            self._insert(entry.message, now, None)
        elif entry.token is not None:
            self._unlock(entry)
        elif self.settings.dead_letter_on_expiration:
            self._bury(entry, "TTLExpiredException", "The message expired and was dead lettered.")
        else:
            self._remove(entry)

    def _watch(self, entry: Entry) -> None:
        if entry.due is not None:
            heapq.heappush(self._timers, (entry.due, entry.sequence))
            self._compact()

    def _next_timer(self) -> float | None:
        while self._timers:
            due, sequence = self._timers[0]
            entry = self._entries.get(sequence)
            if entry is not None and entry.due == due:
                return due
            heapq.heappop(self._timers)
        return None

    def _compact(self) -> None:
        """Drop what settled messages left in the heaps once it outweighs what is alive."""
        if len(self._timers) > 2 * len(self._entries) + _STALE_ALLOWANCE:
            live = self._entries.values()
            self._timers = [(entry.due, entry.sequence) for entry in live if entry.due is not None]
            heapq.heapify(self._timers)
        waiting = ((entry.sequence, self._line(entry)) for entry in self._entries.values() if entry.available)
        self._waiting.compact(waiting, len(self._entries))
