"""Wakes the event loop from outside: from a signal or from another thread."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from proton._selectable import Selectable


class Wakeup(Selectable):  # type: ignore[misc]  # the library has no types
    """Calls `action` in the event loop once a byte arrives on a socket pair, and is then spent.

    The loop sleeps in `select`, which a signal alone does not end; a byte does.
    """

    def __init__(self, reactor: Any, action: Callable[[], None]) -> None:
        inside, self._outside = socket.socketpair()
        for each in (inside, self._outside):
            each.setblocking(False)
        super().__init__(inside, reactor)
        self._transport = None
        self._action = action
        self.reading = True
        self.update()

    @property
    def descriptor(self) -> int:
        return self._outside.fileno()

    def trigger(self) -> None:
        """End the sleep. Harmless after the loop has ended."""
        try:
            self._outside.send(b"\0")
        except OSError:
            return

    def readable(self) -> None:
        """The loop calls this when a byte has arrived."""
        self.terminate()
        self.update()
        self._action()
