"""Python's search for cycles of objects, kept from work that makes very many objects and soon lets go of all of them.

The search walks every object that lives, again and again while their number grows: a fifth of the time of a chunk of
contracts (decision 0027). Objects without cycles are let go at once, as always.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Search:
    """Python's search for cycles in this process, and how many threads keep it off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._was_on = True

    def hold(self) -> None:
        with self._lock:
            if self._holders == 0:
                self._was_on = gc.isenabled()
                gc.disable()
            self._holders += 1

    def release(self) -> None:
        with self._lock:
            self._holders -= 1
            if self._holders == 0 and self._was_on:
                gc.enable()


_search = _Search()


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for cycles in this process until the block ends; the last of several threads lets it go on.

    For work that is bounded: cycles that it leaves stay in memory until then. A process whose search was switched off
    by somebody else keeps it switched off.
    """
    _search.hold()
    try:
        yield
    finally:
        _search.release()
