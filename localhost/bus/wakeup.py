"""Wakes the event loop from outside: from a signal or from another thread."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from proton._selectable import Selectable


class Wakeup(Selectable):  # type: ignore[misc]  # the library has no types
    """Calls `action` in the event loop whenever bytes arrive on a socket pair.

    The loop sleeps in `select`, which goes on sleeping after a signal's handler; a byte wakes it.
    """

    def __init__(self, reactor: Any, action: Callable[[], None]) -> None:
        self._inside, self._outside = socket.socketpair()
        for each in (self._inside, self._outside):
            each.setblocking(False)
        super().__init__(self._inside, reactor)
        self._transport = None
        self._action = action
        self.reading = True
        self.update()

    def trigger(self) -> None:
        """End the sleep. Harmless after the loop has ended."""
        try:
            self._outside.send(b"\0")
        except OSError:
            return

    def close(self) -> None:
        """Close both ends, after the loop has ended."""
        for each in (self._inside, self._outside):
            each.close()

    def readable(self) -> None:
        """The loop calls this when a byte has arrived."""
        self._inside.recv(4096)
        self._action()
