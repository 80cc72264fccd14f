"""Exact amounts, their rounding, and what tiers charge. Part of the oracle; rule numbers stand where a rule decides."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

from tests.oracle.case import UNITS, Case, OpeningRow

HUNDRED = Fraction(100)
NOTHING = Fraction(0)


@lru_cache(maxsize=65536)
def number(text: str) -> Fraction:
    """A number of the contract."""
    return Fraction(text)


def cents(amount: Fraction) -> int:
    """Dollars as whole cents, halves away from zero (R1)."""
    up = (abs(amount.numerator) * 200 + amount.denominator) // (2 * amount.denominator)
    return up if amount >= 0 else -up


def hundredths(minutes: int) -> int:
    """Minutes as hundredths of an hour, halves away from zero (R15: rounded per row)."""
    return cents(Fraction(minutes, 60))


def dollars(units: int) -> Fraction:
    return Fraction(units, UNITS)


def tier_charge(tiers: list[dict[str, Any]], total: Fraction) -> Fraction:
    """The charge on a running total: each band at its own share, nothing above the last bound (R10)."""
    due = NOTHING
    for width, pct in tier_bands(tiers, NOTHING, total):
        due += width * pct / HUNDRED
    return due


def tier_bands(tiers: list[dict[str, Any]], low: Fraction, high: Fraction) -> list[tuple[Fraction, Fraction]]:
    """How much of the stretch from `low` to `high` lies in each tier, with the tier's share."""
    found = []
    floor = NOTHING
    for tier in tiers:
        bound = tier.get("upTo")
        top = high if not bound or number(bound) == 0 else min(high, number(bound))
        bottom = max(low, floor)
        found.append((max(top - bottom, NOTHING), number(tier["sharePct"])))
        if bound:
            floor = number(bound)
    return found


def bands_charged(
    case: Case, tiers: list[dict[str, Any]], opening: OpeningRow | None, months: list[Fraction], this: Fraction
) -> tuple[int, list[tuple[Fraction, Fraction]]]:
    """Cents due for this month of a window and the bands it was charged in (R11)."""
    running = dollars(opening.to_date) if opening else NOTHING
    mark = max(NOTHING, running, dollars(opening.high_water_mark) if opening else NOTHING)
    for amount in months:
        running += amount
        mark = max(mark, running)
    total = running + this
    if case.contract.get("lossRule") == "reference":  # band by band above the to-date, dips charged again (B19)
        bands = tier_bands(tiers, max(running, NOTHING), total)
        return cents(sum((width * pct for width, pct in bands), NOTHING) / HUNDRED), bands
    due = max(cents(tier_charge(tiers, total)) - cents(tier_charge(tiers, mark)), 0)
    return due, tier_bands(tiers, mark, total)
