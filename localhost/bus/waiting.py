"""Numbers of messages that wait to be delivered: smallest first, in one line per session."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator

_STALE_ALLOWANCE = 256


class Waiting:
    """Lines of sequence numbers by session id; where a queue has no sessions, one line under None.

    A number may go stale: `is_live` says whether it still counts. Stale ones are dropped when they come
    first, and all at once when they outweigh what is alive.
    """

    def __init__(self, is_live: Callable[[int], bool]) -> None:
        self._is_live = is_live
        self._lines: dict[str | None, list[int]] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def push(self, number: int, session_id: str | None = None) -> None:
        heapq.heappush(self._lines.setdefault(session_id, []), number)
        self._size += 1

    def first(self, session_id: str | None = None) -> int | None:
        """The number that comes next in the line; None when the line is empty."""
        line = self._lines.get(session_id, [])
        while line:
            if self._is_live(line[0]):
                return line[0]
            self.pop(session_id)
        return None

    def pop(self, session_id: str | None = None) -> int:
        """Take the first number out of a line that is not empty."""
        line = self._lines[session_id]
        number = heapq.heappop(line)
        self._size -= 1
        if not line:
            del self._lines[session_id]
        return number

    def sessions(self) -> Iterator[tuple[int, str]]:
        """Every session with a message that waits: the number of its first one, and its id."""
        for session_id in [*self._lines]:
            number = self.first(session_id) if session_id is not None else None
            if session_id is not None and number is not None:
                yield number, session_id

    def compact(self, live: Iterable[tuple[int, str | None]], alive: int) -> None:
        """Build the lines anew from `live` when less than about half of the numbers can be alive."""
        if self._size <= 2 * alive + _STALE_ALLOWANCE:
            return
        self._lines.clear()
        self._size = 0
        for number, session_id in live:
            self.push(number, session_id)
