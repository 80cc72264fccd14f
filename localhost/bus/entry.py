"""A message in a queue, the journal that keeps it, and the numbers that it is given."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Protocol

from localhost.bus.codec import Message


@dataclass(slots=True)
class Entry:
    """A message in a queue. `attempts` counts deliveries that were started, so 1 during the first one.

    It is scheduled, available, locked (`token`) or deferred; a deferred one can be locked as well. A lock
    without `locked_until` lasts as long as that of its session. Times are seconds since the epoch.
    """

    sequence: int
    message: Message
    enqueued_at: float
    attempts: int = 0
    scheduled_for: float | None = None
    expires_at: float | None = None
    deferred: bool = False
    token: uuid.UUID | None = None
    locked_until: float | None = None

    @property
    def due(self) -> float | None:
        """When something happens to this entry by itself; None for never. What is deferred does not expire."""
        if self.scheduled_for is not None:
            return self.scheduled_for
        if self.token is not None:
            return self.locked_until
        return None if self.deferred else self.expires_at

    @property
    def available(self) -> bool:
        return self.token is None and self.scheduled_for is None and not self.deferred


class Journal(Protocol):
    """What outlives the process."""

    def put(self, queue: str, entry: Entry) -> None:
        """The entry is in `queue` from now on (and in no other)."""

    def update(self, entry: Entry) -> None:
        """The entry's number of attempts has changed, or it was deferred."""

    def delete(self, entry: Entry) -> None:
        """The entry is gone."""

    def remember(self, queue: str, message_id: str, until: float) -> None:
        """`message_id` is refused as a duplicate until then."""

    def forget(self, queue: str, message_id: str) -> None:
        """`message_id` is no duplicate any more."""

    def keep_state(self, queue: str, session_id: str, value: bytes | None, changed_at: float) -> None:
        """The session's state is `value` from now on; None for no state."""


class Sequencer:
    """Hands out sequence numbers, rising over all queues of the bus; `last` is the one handed out last."""

    def __init__(self, last: int = 0) -> None:
        self.last = last

    def next(self) -> int:
        self.last += 1
        return self.last
