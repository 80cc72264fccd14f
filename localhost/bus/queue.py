"""One queue as a state machine: no socket, no file, no clock. Time comes in as seconds since the epoch.

A message is scheduled, available or locked. Every change that must survive the process is told to a
`Journal`; locks are not among them, so a restart makes locked messages available with their count kept.
"""

from __future__ import annotations

import heapq
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from localhost.bus.codec import Message
from localhost.bus.config import QueueSettings

DEAD_LETTER_SUFFIX = "/$DeadLetterQueue"
_STALE_ALLOWANCE = 256


class LockLostError(Exception):
    """The lock token is unknown or its lock has expired: the message may already be with someone else."""


@dataclass(slots=True)
class Entry:
    """A message in a queue. `attempts` counts deliveries that were started, so 1 during the first one."""

    sequence: int
    message: Message
    enqueued_at: float
    attempts: int = 0
    scheduled_for: float | None = None
    expires_at: float | None = None
    token: uuid.UUID | None = None
    locked_until: float | None = None

    @property
    def due(self) -> float | None:
        """When something happens to this entry by itself; None for never."""
        for moment in (self.scheduled_for, self.locked_until, self.expires_at):
            if moment is not None:
                return moment
        return None

    @property
    def available(self) -> bool:
        return self.token is None and self.scheduled_for is None


class Journal(Protocol):
    """What outlives the process."""

    def put(self, queue: str, entry: Entry) -> None:
        """The entry is in `queue` from now on (and in no other)."""

    def count(self, entry: Entry) -> None:
        """The entry's number of attempts has changed."""

    def delete(self, entry: Entry) -> None:
        """The entry is gone."""

    def remember(self, queue: str, message_id: str, until: float) -> None:
        """`message_id` is refused as a duplicate until then."""

    def forget(self, queue: str, message_id: str) -> None:
        """`message_id` is no duplicate any more."""


class Sequencer:
    """Hands out sequence numbers, rising over all queues of the bus; `last` is the one handed out last."""

    def __init__(self, last: int = 0) -> None:
        self.last = last

    def next(self) -> int:
        self.last += 1
        return self.last


class Queue:
    """A queue with peek-lock delivery, in order of sequence number. Not for several threads.

    Its dead-letter queue is a `Queue` as well, without a delivery limit and without expiry.
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
        self.name = settings.name + (DEAD_LETTER_SUFFIX if is_dead_letter else "")
        self._journal = journal
        self._sequencer = sequencer
        self._new_token = new_token
        self._entries: dict[int, Entry] = {}
        self._locked: dict[uuid.UUID, Entry] = {}
        self._available: list[int] = []
        self._timers: list[tuple[float, int]] = []
        # Ordered by time: the oldest is dropped first, at constant cost.
        self._seen: OrderedDict[str, float] = OrderedDict()
        self.dead_letters: Queue | None = (
            None if is_dead_letter else Queue(settings, journal, sequencer, new_token, is_dead_letter=True)
        )

    def __len__(self) -> int:
        return len(self._entries)

    # Sending

    def enqueue(self, message: Message, now: float) -> int | None:
        """Take a message in; its sequence number, or None when it is a duplicate and was dropped."""
        self.tick(now)
        if self._is_duplicate(message, now):
            return None
        due = message.scheduled_for
        return self._insert(message, now, due if due is not None and due > now else None).sequence

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

    def lock_next(self, now: float) -> Entry | None:
        """Lock the first available message for one receiver and count the attempt; None when there is none."""
        self.tick(now)
        entry = self._first_available()
        if entry is None:
            return None
        heapq.heappop(self._available)
        entry.token = self._new_token()
        entry.locked_until = now + self.settings.lock_seconds
        entry.attempts += 1
        self._locked[entry.token] = entry
        self._watch(entry)
        self._journal.count(entry)
        return entry

    def renew(self, token: uuid.UUID, now: float) -> float:
        """Extend a lock by the queue's lock duration from now; when it ends. Raises `LockLostError`."""
        entry = self._held(token, now)
        entry.locked_until = now + self.settings.lock_seconds
        self._watch(entry)
        return entry.locked_until

    def complete(self, token: uuid.UUID, now: float) -> None:
        """The message is done and gone. Raises `LockLostError`."""
        self._remove(self._held(token, now))

    def abandon(self, token: uuid.UUID, now: float) -> None:
        """Give the message back, its attempt counted. Raises `LockLostError`."""
        self._unlock(self._held(token, now), now)

    def release(self, token: uuid.UUID, now: float) -> None:
        """Give the message back as if it had not been delivered. Raises `LockLostError`."""
        entry = self._held(token, now)
        entry.attempts -= 1
        self._journal.count(entry)
        self._unlock(entry, now)

    def dead_letter(self, token: uuid.UUID, reason: str, description: str, now: float) -> None:
        """Move the message to the dead-letter queue. Raises `LockLostError`; `ValueError` from that queue."""
        entry = self._held(token, now)
        if self.dead_letters is None:
            raise ValueError("a message in a dead-letter queue cannot be dead-lettered again")
        self._bury(entry, reason, description, now)

    # Looking

    def peek(self, from_sequence: int, limit: int, now: float) -> list[Entry]:
        """Up to `limit` messages in whatever state, by sequence number from `from_sequence` on."""
        self.tick(now)
        numbers = sorted(number for number in self._entries if number >= from_sequence)
        return [self._entries[number] for number in numbers[:limit]]

    def has_available(self) -> bool:
        return self._first_available() is not None

    def next_due(self) -> float | None:
        """When `tick` has something to do next; None for never."""
        moments = [self._next_timer(), next(iter(self._seen.values()), None)]
        return min((moment for moment in moments if moment is not None), default=None)

    # Time

    def tick(self, now: float) -> None:
        """Let everything happen that is due by `now`: locks end, schedules start, lifetimes run out."""
        while (due := self._next_timer()) is not None and due <= now:
            entry = self._entries[heapq.heappop(self._timers)[1]]
            if entry.scheduled_for is not None:
                # As in Service Bus, it enters the queue now, with a new sequence number.
                self._remove(entry)
                self._insert(entry.message, now, None)
            elif entry.token is not None:
                self._unlock(entry, now)
            else:
                self._expire(entry, now)
        while self._seen:
            message_id, until = next(iter(self._seen.items()))
            if until > now:
                break
            del self._seen[message_id]
            self._journal.forget(self.name, message_id)

    def restore(self, entries: Iterable[Entry], seen: Iterable[tuple[str, float]], now: float) -> None:
        """Take back what a journal kept: entries in order of sequence number, remembered message ids by time."""
        for entry in entries:
            self._entries[entry.sequence] = replace(entry, token=None, locked_until=None)
            self._place(self._entries[entry.sequence], now)
        self._seen.update(seen)
        self.tick(now)

    # Inside

    def _is_duplicate(self, message: Message, now: float) -> bool:
        window = self.settings.duplicate_window
        message_id = message.message_id if window is not None else None
        if window is None or message_id is None:
            return False
        if message_id in self._seen:
            return True
        self._seen[message_id] = now + window
        self._journal.remember(self.name, message_id, now + window)
        return False

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
        self._adopt(entry, now)
        return entry

    def _adopt(self, entry: Entry, now: float) -> None:
        self._entries[entry.sequence] = entry
        self._journal.put(self.name, entry)
        self._place(entry, now)

    def _place(self, entry: Entry, now: float) -> None:
        """Put an entry that nobody holds where it belongs: waiting, available, or with the dead."""
        if entry.available and not self.is_dead_letter and entry.attempts >= self.settings.max_delivery_count:
            limit = self.settings.max_delivery_count
            text = f"Message could not be consumed after {limit} delivery attempts."
            self._bury(entry, "MaxDeliveryCountExceeded", text, now)
            return
        if entry.available:
            heapq.heappush(self._available, entry.sequence)
        self._watch(entry)

    def _held(self, token: uuid.UUID, now: float) -> Entry:
        self.tick(now)
        entry = self._locked.get(token)
        if entry is None:
            raise LockLostError(f"no lock {token} on a message of {self.name}")
        return entry

    def _unlock(self, entry: Entry, now: float) -> None:
        self._drop_lock(entry)
        self._place(entry, now)

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

    def _bury(self, entry: Entry, reason: str, description: str, now: float) -> None:
        if self.dead_letters is None:
            raise ValueError("a dead-letter queue has no dead-letter queue")
        self._detach(entry)
        message = entry.message.dead_lettered(reason, description)
        self.dead_letters._adopt(replace(entry, message=message, expires_at=None), now)

    def _expire(self, entry: Entry, now: float) -> None:
        if self.settings.dead_letter_on_expiration:
            self._bury(entry, "TTLExpiredException", "The message expired and was dead lettered.", now)
        else:
            self._remove(entry)

    def _first_available(self) -> Entry | None:
        while self._available:
            entry = self._entries.get(self._available[0])
            if entry is not None and entry.available:
                return entry
            heapq.heappop(self._available)
        return None

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
        allowed = 2 * len(self._entries) + _STALE_ALLOWANCE
        if len(self._timers) > allowed:
            live = self._entries.values()
            self._timers = [(entry.due, entry.sequence) for entry in live if entry.due is not None]
            heapq.heapify(self._timers)
        if len(self._available) > allowed:
            self._available = [entry.sequence for entry in self._entries.values() if entry.available]
            heapq.heapify(self._available)


class Namespace:
    """All queues of the bus, found by name without regard to case."""

    def __init__(self, declared: Iterable[QueueSettings], journal: Journal, sequencer: Sequencer) -> None:
        queues = [Queue(settings, journal, sequencer) for settings in declared]
        both = [*queues, *(queue.dead_letters for queue in queues if queue.dead_letters is not None)]
        self._by_name = {queue.name.lower(): queue for queue in both}

    def __iter__(self) -> Iterator[Queue]:
        return iter(self._by_name.values())

    def find(self, name: str) -> Queue | None:
        return self._by_name.get(name.lower())

    def tick(self, now: float) -> None:
        for queue in self:
            queue.tick(now)

    def next_due(self) -> float | None:
        moments = (queue.next_due() for queue in self)
        return min((moment for moment in moments if moment is not None), default=None)
