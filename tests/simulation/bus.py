"""The bus as its users meet it: peek-lock, a count of deliveries, locks that end, dead letters.

Without duplicate detection, as the queues of the app are declared (`localhost/bus/queues.json`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared_code.foundation.database import Message
from shared_code.foundation.queues import MAX_DELIVERIES

LOCK = timedelta(minutes=1)


@dataclass(slots=True, eq=False)
class Entry:
    """A message in a queue. `free_at`: when it may be delivered, by its lock or because it is late."""

    message: Message
    sequence: int
    free_at: datetime
    deliveries: int = 0
    lock: int = 0
    dead: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as one receiver got it: the lock is its own."""

    entry: Entry
    lock: int
    number: int

    @property
    def message(self) -> Message:
        return self.entry.message


@dataclass(slots=True)
class Bus:
    """All queues in one list, in the order in which messages came."""

    entries: list[Entry] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    _numbers: int = 0

    def send(self, messages: Sequence[Message], free_at: datetime) -> None:
        self.sent += messages
        for message in messages:
            self.entries.append(Entry(message, self._next(), free_at))

    def first(self, now: datetime) -> Entry | None:
        """The first message that may be delivered."""
        return next((entry for entry in self.entries if entry.free_at <= now), None)

    def receive(self, now: datetime) -> Delivery | None:
        """Lock the first message that may be delivered."""
        entry = self.first(now)
        if entry is None:
            return None
        entry.deliveries += 1
        entry.lock, entry.free_at = self._next(), now + LOCK
        return Delivery(entry, entry.lock, entry.deliveries)

    def complete(self, delivery: Delivery, now: datetime) -> bool:
        """Remove a message. False when the lock was lost: then it comes again."""
        if not self._holds(delivery, now):
            return False
        self.entries.remove(delivery.entry)
        return True

    def abandon(self, delivery: Delivery, now: datetime) -> None:
        """Give a message back; after its last delivery it goes to the dead letters."""
        if self._holds(delivery, now):
            self._free(delivery.entry, now)

    def lose_lock(self, delivery: Delivery, now: datetime) -> None:
        """Let the message be delivered again though it is worked on."""
        if self._holds(delivery, now):
            self._free(delivery.entry, now)

    def give_back(self, now: datetime) -> None:
        """A process had fetched all that wait, and gives them back: a delivery each, and another order."""
        waiting = [entry for entry in self.entries if entry.free_at <= now]
        for entry in reversed(waiting):
            entry.deliveries += 1
            self._free(entry, now)
            self.entries.remove(entry)
            self.entries.append(entry)

    def put_off(self, delivery: Delivery, free_at: datetime) -> None:
        """The message was on its way for longer: it has not been delivered yet."""
        entry = delivery.entry
        entry.deliveries -= 1
        entry.lock, entry.free_at = 0, free_at
        self.entries.remove(entry)
        self.entries.append(entry)

    def _holds(self, delivery: Delivery, now: datetime) -> bool:
        entry = delivery.entry
        return entry in self.entries and entry.lock == delivery.lock and entry.free_at > now

    def _free(self, entry: Entry, now: datetime) -> None:
        entry.lock, entry.free_at = 0, now
        if not entry.dead and entry.deliveries >= MAX_DELIVERIES:
            entry.dead, entry.deliveries = "MaxDeliveryCountExceeded", 0

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers
