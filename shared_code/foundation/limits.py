"""How often a caller may ask: a bucket of tokens each, filled at a steady rate (http-api, limits).

The buckets live in the process: an instance protects itself and what stands behind it, before it asks the database
anything. With n instances a caller gets up to n times the rate, which autoscaling intends.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_minute` calls in the long run, `burst` of them at once."""

    per_minute: int
    burst: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """What became of one call: allowed or not, size of the bucket, tokens left, seconds to the next and to all."""

    allowed: bool
    limit: int
    remaining: int
    retry_after: int
    reset_after: int


class Buckets:
    """One bucket for each key, safe from several threads. The longest unused go first when there are too many."""

    def __init__(self, read_seconds: Callable[[], float] = time.monotonic, most: int = 10_000) -> None:
        self._read = read_seconds
        self._most = most
        self._lock = threading.Lock()
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, rate: Rate) -> Allowance:
        """Take one token of `key`, if there is one."""
        per_second = rate.per_minute / 60
        moment = self._read()
        with self._lock:
            level, seen = self._levels.pop(key, (float(rate.burst), moment))
            level = min(float(rate.burst), level + (moment - seen) * per_second)
            allowed = level >= 1
            level -= allowed
            self._levels[key] = (level, moment)
            if len(self._levels) > self._most:
                self._levels.popitem(last=False)
        wait = 0 if level >= 1 else ceil((1 - level) / per_second)
        return Allowance(allowed, rate.burst, int(level), wait, ceil((rate.burst - level) / per_second))
