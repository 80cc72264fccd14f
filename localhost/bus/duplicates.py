"""Duplicate detection: message ids of one queue that were seen within its window."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from localhost.bus.entry import Journal


class Duplicates:
    """Remembers ids for `window` seconds; with a window of None there is no detection."""

    def __init__(self, queue: str, window: float | None, journal: Journal) -> None:
        self._queue = queue
        self._window = window
        self._journal = journal
        # Ordered by time: the oldest is dropped first, at constant cost.
        self._seen: OrderedDict[str, float] = OrderedDict()

    def is_duplicate(self, message_id: str | None, now: float) -> bool:
        """Whether the id was seen already; if not, it counts as seen from now on. No id is no duplicate."""
        if self._window is None or message_id is None:
            return False
        if message_id in self._seen:
            return True
        self._seen[message_id] = now + self._window
        self._journal.remember(self._queue, message_id, now + self._window)
        return False

    def restore(self, seen: Iterable[tuple[str, float]]) -> None:
        """Take back what a journal kept, by time."""
        self._seen.update(seen)

    def tick(self, now: float) -> None:
        """Forget what has left the window."""
        while (until := self.next_due()) is not None and until <= now:
            message_id, _ = self._seen.popitem(last=False)
            self._journal.forget(self._queue, message_id)

    def next_due(self) -> float | None:
        """When the next id leaves the window; None for never."""
        return next(iter(self._seen.values()), None)
