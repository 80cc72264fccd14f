"""What laws expect, worked out in fractions and not by the code that bills; and how often a law is tried."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor

from hypothesis import settings

from shared_code.billing.model import Line
from tests.unit.billing.builders import TierText

LAW = settings(max_examples=200, deadline=None, derandomize=True, database=None)
"""The same two hundred examples in every run."""


def in_cents(exact: Fraction) -> Decimal:
    """Half a cent goes away from zero (rules R1)."""
    whole = floor(abs(exact) * 100 + Fraction(1, 2))
    return Decimal(whole if exact > 0 else -whole).scaleb(-2)


def on_tiers(total: Fraction, rows: Sequence[TierText]) -> Fraction:
    """The charge on a running total, not rounded; nothing below zero."""
    due, lower = Fraction(0), Fraction(0)
    for percent, bound in rows:
        upper = total if bound is None else min(total, Fraction(bound))
        due += max(upper - lower, Fraction(0)) * Fraction(percent or "0") / 100
        lower = lower if bound is None else Fraction(bound)
    return due


def total_of(lines: Iterable[Line]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))
