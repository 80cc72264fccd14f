"""Seeded choices for single objects (sites, contracts). Facts use `noise`, which works on whole columns."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from shared_code.foundation.money import to_cents

Quantiles = Sequence[tuple[float, float]]
"""Points (share of the population, value), ascending, from share 0 to share 1."""


class Draw:
    """A stream of choices that depends on its key and on nothing else.

    Only `Random.random` is used: its sequence for a text seed is fixed by the language, while the algorithms
    of `choice` and `shuffle` are not.
    """

    def __init__(self, *key: object) -> None:
        self._random = random.Random("/".join(map(str, key)))

    def share(self) -> float:
        """A number in [0, 1)."""
        return self._random.random()

    def chance(self, probability: float) -> bool:
        return self.share() < probability

    def number(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return low + int(self.share() * (high - low + 1))

    def pick[T](self, options: Sequence[T]) -> T:
        return options[int(self.share() * len(options))]

    def weighted[T](self, weights: Mapping[T, float]) -> T:
        """A key of `weights`, as often as its weight says."""
        mark = self.share() * sum(weights.values())
        for option, weight in weights.items():
            mark -= weight
            if mark < 0:
                return option
        return option

    def several[T](self, weights: Mapping[T, float], count: int) -> list[T]:
        """`count` different keys, heavier ones more often and earlier."""
        left = dict(weights)
        chosen: list[T] = []
        for _ in range(min(count, len(left))):
            option = self.weighted(left)
            del left[option]
            chosen.append(option)
        return chosen

    def quantile(self, points: Quantiles) -> float:
        """A value from a distribution given by a few quantiles, linear between them."""
        share = self.share()
        for (low_share, low), (high_share, high) in pairwise(points):
            if share <= high_share:
                return low + (high - low) * (share - low_share) / (high_share - low_share)
        return points[-1][1]

    def money(self, points: Quantiles, step: str = "1") -> float:
        """A quantile rounded to a multiple of `step` dollars, at least one step, as a JSON float."""
        unit = Decimal(step)
        steps = max(round(Decimal(repr(self.quantile(points))) / unit), 1)
        return float(to_cents(steps * unit))

    def guid(self) -> str:
        """A lower-case GUID text."""
        bits = 0
        for _ in range(4):
            bits = bits << 32 | int(self.share() * 2**32)
        return str(uuid.UUID(int=bits, version=4))
