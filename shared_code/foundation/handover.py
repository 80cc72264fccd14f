"""Messages that stay in the process: for work that runs whole in one go, without a bus.

They still pass through the outbox, and are marked as published when they are handed over. The work is the same use
cases, called in the order in which messages were sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from shared_code.foundation.sending import Link, installed

if TYPE_CHECKING:
    from shared_code.foundation.database import Message


class Handover:
    """Keeps what is published until somebody takes it."""

    def __init__(self) -> None:
        self._waiting: deque[Message] = deque()

    def run[T](self, queue: str, job: Callable[[Link], T], patience: float) -> T:
        """Do the job of publishing at once; its messages wait here."""
        return job(cast("Link", self))

    def probe(self, queue: str) -> None:
        """Always open."""

    def send(self, messages: Sequence[Message], sent: Callable[[Sequence[Message]], Any]) -> list[Message]:
        """Take the messages over. None is too large."""
        self._waiting.extend(messages)
        sent(messages)
        return []

    def drain(self, work: Callable[[Message], None]) -> int:
        """Do the work of every message, and of those that it sends; returns how many there were."""
        done = 0
        while self._waiting:
            work(self._waiting.popleft())
            done += 1
        return done


@contextmanager
def handover() -> Iterator[Handover]:
    """Messages of this process are kept for the caller, until the end of the block."""
    taking = Handover()
    with installed(taking):
        yield taking
