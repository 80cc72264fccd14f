"""What to invent: how many sites, which months, how dense, from which seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shared_code.foundation.calendar import Period

Volume = Literal["full", "light"]

FORMAT_VERSION = 1
"""Raise it whenever the same options would give other bytes: cached sets of another version are not reused."""

MAX_SITES = 50_000
FIRST_PERIOD = Period(2024, 1)
"""Every invented site worked before this month, so that no window ever begins before its site does."""

DEFAULT_DIFFICULT = 0.1


class OptionsError(ValueError):
    """An option that cannot be served, or an output folder that is not ours to fill."""


@dataclass(frozen=True, slots=True)
class SampleOptions:
    """Everything that decides the bytes of a set; `out` and `cache` only say where they go.

    `difficult` is the share (0–1) of contracts that carry notes with billing terms, dormant data under a
    false switch, groups out of order or odd spellings: awkward, but readable and valid.
    """

    out: Path
    sites: int = 771
    volume: Volume = "full"
    periods: tuple[Period, ...] = (Period(2026, 10),)
    seed: int = 7
    difficult: float = DEFAULT_DIFFICULT
    cache: Path | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.sites <= MAX_SITES:
            raise OptionsError(f"sites must be 1 to {MAX_SITES:,}, got {self.sites}")
        if self.volume not in ("full", "light"):
            raise OptionsError(f"volume must be full or light, got {self.volume!r}")
        if not self.periods or len(set(self.periods)) != len(self.periods):
            raise OptionsError("give at least one period, and each only once")
        if min(self.periods) < FIRST_PERIOD:
            raise OptionsError(f"the invented operator has no figures before {FIRST_PERIOD}")
        if not 0.0 <= self.difficult <= 1.0:
            raise OptionsError(f"difficult is a share between 0 and 1, got {self.difficult}")

    @property
    def identity(self) -> dict[str, object]:
        """What the manifest records and a cached set is found by; the order of the periods does not matter."""
        return {
            "sites": self.sites,
            "volume": self.volume,
            "periods": [str(period) for period in sorted(self.periods)],
            "seed": self.seed,
            "difficult": self.difficult,
        }


def parse_periods(text: str) -> tuple[Period, ...]:
    """Read `2026-10`, `2026-09,2026-10` or `2026-01:2026-10` (both ends included), in any mixture.

    Raises OptionsError for a range that runs backwards and ValueError for what is no period.
    """
    periods: list[Period] = []
    for part in text.split(","):
        first, colon, last = part.strip().partition(":")
        start = Period.parse(first)
        end = Period.parse(last) if colon else start
        if end < start:
            raise OptionsError(f"the range {part.strip()} runs backwards")
        periods.extend(start.until(end.next))
    return _once(periods)


def _once(periods: Sequence[Period]) -> tuple[Period, ...]:
    return tuple(sorted(set(periods)))
