"""Small seeded choices from which contract-months are made."""

from __future__ import annotations

from random import Random
from typing import Any


def text_of(units: int) -> str:
    """Ten-thousandths as a decimal."""
    sign = "-" if units < 0 else ""
    return f"{sign}{abs(units) // 10_000}.{abs(units) % 10_000:04d}"


class Choices:
    """Chances, amounts and shares; bounds and zeros come up often."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def one(self, *among: Any) -> Any:
        return among[int(self.random.random() * len(among))]

    def units(self, top: int = 5_000) -> int:
        """An amount of facts: whole, in cents, or with 4 decimals; sometimes nothing, sometimes negative."""
        scale = self.one(10_000, 100, 100, 1)
        found = int(self.random.random() * top * 10_000 / scale) * scale
        amount: int = self.one(found, found, found, found, found, found, 0, -found // 3)
        return amount

    def money(self, top: int) -> str:
        some = text_of(abs(self.units(top)))
        amount: str = self.one("0", "0.005", some, some)
        return amount

    def percent(self, top: int = 100) -> str:
        some = self.random.random() * top
        share: str = self.one("0", str(top), str(int(some)), f"{some:.2f}")
        return share
