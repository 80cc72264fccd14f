"""Reproducible noise for whole columns: a counter-based generator on 64-bit integers.

Each value is a hash of (seed, site, period, row, purpose). So a site's month is the same whichever sites and
months are generated with it, in whatever order, and a chunk of sites costs a few array operations. Only integer
arithmetic and exact float products are used; no library's random streams or elementary functions, whose last
bit may change from version to version.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared_code.foundation.calendar import Period

Words = NDArray[np.uint64]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_LOW_HALF: Final = np.uint64(0xFFFFFFFF)


def month_keys(seed: int, indexes: list[int], period: Period, dataset: str) -> Words:
    """One key per site for a month of a dataset; shape (sites,)."""
    text = f"{seed}/{dataset}/{period}".encode()
    base = np.uint64(int.from_bytes(hashlib.sha256(text).digest()[:8]))
    return _mix(_mix(np.array(indexes, dtype=np.uint64)) ^ base)


def words(keys: Words, rows: int, purpose: int) -> Words:
    """64 random bits per site and row; shape (sites, rows)."""
    counter = np.arange(1, rows + 1, dtype=np.uint64) * _GOLDEN
    return _mix((keys[:, None] + counter[None, :]) ^ _mix(np.array([purpose], dtype=np.uint64)))


def uniform(keys: Words, rows: int, purpose: int) -> Floats:
    """Numbers in [0, 1); shape (sites, rows)."""
    return _fraction(words(keys, rows, purpose) >> np.uint64(11), 2.0**-53)


def wobble(keys: Words, rows: int, purpose: int, spread: float) -> Floats:
    """Factors around 1, between 1 − spread and 1 + spread, triangular; shape (sites, rows)."""
    bits = words(keys, rows, purpose)
    both = _fraction(bits & _LOW_HALF, 2.0**-32) + _fraction(bits >> np.uint64(32), 2.0**-32)
    return 1.0 + spread * (both - 1.0)


def rounded(values: Floats) -> Ints:
    """Half up to whole numbers, for values that are not negative."""
    return np.floor(values + 0.5).astype(np.int64)


def share_of(amounts: Ints, millionths: Ints) -> Ints:
    """`amounts` × `millionths` / 1,000,000 in whole cents, halves away from zero, exactly."""
    size = (np.abs(amounts) * millionths + 500_000) // 1_000_000
    result: Ints = np.sign(amounts) * size
    return result


def _fraction(bits: Words, unit: float) -> Floats:
    result: Floats = bits.astype(np.float64) * unit
    return result


def _mix(values: Words) -> Words:
    """The finaliser of splitmix64."""
    word: Any = values + _GOLDEN
    word = (word ^ (word >> np.uint64(30))) * _FIRST
    word = (word ^ (word >> np.uint64(27))) * _SECOND
    result: Words = word ^ (word >> np.uint64(31))
    return result
