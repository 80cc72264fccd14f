"""Columns of a chunk of sites: text from few values, money from whole cents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sample_data.figures import KINDS, Figures
from sample_data.noise import Ints, Words, month_keys
from shared_code.foundation.calendar import Period


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some sites in one month: what every dataset starts from."""

    seed: int
    period: Period
    full: bool
    figures: tuple[Figures, ...]

    @property
    def size(self) -> int:
        return len(self.figures)

    @property
    def numbers(self) -> list[str]:
        return [figure.site.number for figure in self.figures]

    @property
    def indexes(self) -> list[int]:
        return [figure.site.index for figure in self.figures]

    def keys(self, dataset: str) -> Words:
        """The noise keys of these sites for a dataset."""
        return month_keys(self.seed, self.indexes, self.period, dataset)

    def whole(self, values: Sequence[int]) -> Ints:
        """One number per site as an array."""
        return np.array(values, dtype=np.int64)

    @property
    def kinds(self) -> Ints:
        return self.whole([KINDS.index(figure.site.kind) for figure in self.figures])

    @property
    def weekday_of_first(self) -> int:
        return self.period.first_day.weekday()

    @property
    def loaded_at(self) -> str:
        """The warehouse's load stamp: the morning after the month."""
        return f"{self.period.next.first_day} 06:00:00"


def text_column(name: str, values: Sequence[str], positions: NDArray[np.integer]) -> pl.Series:
    """A text column that repeats few values: `values[positions]`."""
    return pl.Series(name, list(values), dtype=pl.String).gather(positions.ravel().astype(np.uint32))


def money_column(name: str, cents: Ints) -> pl.Series:
    """Cents as a number that prints with exactly two decimals (the nearest double of n/100 does)."""
    return pl.Series(name, cents.ravel() / 100.0)


def whole_column(name: str, values: Ints) -> pl.Series:
    return pl.Series(name, values.ravel())


def site_rows(chunk: Chunk, rows: int) -> Ints:
    """The site position of each row when every site has `rows` rows."""
    return np.repeat(np.arange(chunk.size, dtype=np.int64), rows)


def day_texts(period: Period) -> list[str]:
    """`YYYY-MM-DD` of each day of the month."""
    return [f"{period}-{day:02d}" for day in range(1, period.days + 1)]
