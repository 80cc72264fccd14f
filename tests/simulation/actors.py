"""Processes that take turns: each does its job in a thread of its own, and only the one with the baton runs.

The baton is handed over at boundaries only, so a schedule is the same each time it is played.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.bus import Delivery
from tests.simulation.faults import Crash

HUNG_SECONDS = 20.0  # no boundary is so far away; a test must fail, not hang


class HungError(Exception):
    """An actor did not come to its next boundary: it waits for something that only another actor can give."""


@dataclass(slots=True)
class Actor:
    """A job of one process. `writing`: its connection while that holds the database's one write lock.

    `crashed` and `fault` say how the job ended, if it did not end well.
    """

    name: str
    job: Callable[[], object]
    delivery: Delivery | None = None
    writing: object | None = None
    stalled: bool = False
    finished: bool = False
    crashed: bool = False
    fault: BaseException | None = None
    _cut: bool = False
    _thread: threading.Thread | None = None
    _turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _back: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def go_on(self) -> None:
        """Give the actor the baton, and wait until it comes back."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._live, name=self.name, daemon=True)
            self._thread.start()
        self._turn.release()
        if not self._back.acquire(timeout=HUNG_SECONDS):
            raise HungError(self.name)

    def pause(self) -> None:
        """Give the baton back; called by the actor itself. Raises Crash when it shall not go on."""
        self._back.release()
        self._turn.acquire()
        if self._cut:
            raise Crash

    def end(self) -> None:
        """Let the actor die where it stands."""
        if self._thread is not None and not self.finished:
            self._cut = True
            self.go_on()

    def _live(self) -> None:
        self._turn.acquire()
        _here.actor = self
        try:
            self.job()
        except Crash:
            self.crashed = True
        except BaseException as fault:  # it is looked at by whoever gave the baton
            self.fault = fault
        self.finished = True
        self._back.release()


class _Here(threading.local):
    actor: Actor | None = None


_here = _Here()


def present() -> Actor | None:
    """The actor that runs in this thread; None in the thread of the test."""
    return _here.actor
