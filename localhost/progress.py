"""A progress bar on one line of a terminal, and one line per tenth where there is no terminal."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

_WIDTH = 28


@dataclass(slots=True)
class Progress:
    """Shows how much of a known number is done."""

    title: str
    total: int
    _started: float = field(default_factory=time.monotonic)
    _shown: int = -1
    _finished: bool = False

    def show(self, done: int) -> None:
        """Draw the bar; the last call, with everything done, ends the line."""
        if self._finished:
            return
        done = min(done, self.total)
        share = done / self.total if self.total else 1.0
        finished = self._finished = done == self.total
        if sys.stdout.isatty():
            bar = "█" * int(share * _WIDTH)
            line = f"\r  {self.title:<24} {bar:<{_WIDTH}} {done:>7,} of {self.total:,}"
            print(line, end="\n" if finished else "", flush=True)
        elif finished or int(share * 10) > self._shown:
            self._shown = int(share * 10)
            seconds = time.monotonic() - self._started
            print(f"  {self.title:<24} {done:>7,} of {self.total:,}  ({seconds:.0f} s)", flush=True)
