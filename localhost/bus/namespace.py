"""All queues of the bus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from localhost.bus.config import QueueSettings
from localhost.bus.entry import Journal, Sequencer
from localhost.bus.queue import Queue


class Namespace:
    """All queues of the bus, found by name without regard to case; dead-letter queues are among them."""

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
