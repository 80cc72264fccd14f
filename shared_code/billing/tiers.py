"""Progressive tiers, and what a window still owes. Used by revenue share; profit share follows the same rule (R11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from shared_code.foundation.money import ZERO, to_cents

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class TierTerm:
    """A share in percent, up to a cumulative bound; None is unbounded (rules R10)."""

    percent: Decimal
    up_to: Decimal | None


@dataclass(frozen=True, slots=True)
class Band:
    """The part of an amount that falls into one tier, and its share, not rounded."""

    lower: Decimal
    upper: Decimal | None
    percent: Decimal
    amount: Decimal
    due: Decimal


def bands(total: Decimal, tiers: Sequence[TierTerm]) -> tuple[Band, ...]:
    """Split `total` over `tiers`. What is above the last bound is charged 0 (rules R10); below zero there is nothing.

    Bounds are cumulative. The shares of the bands sum to the charge on `total`.
    """
    found: list[Band] = []
    lower = Decimal(0)
    for tier in tiers:
        if total <= lower:
            break
        upper = tier.up_to
        amount = (total if upper is None or total <= upper else upper) - lower
        if amount > 0:
            found.append(Band(lower, upper, tier.percent, amount, amount * tier.percent / _HUNDRED))
        if upper is None:
            return tuple(found)
        lower = upper
    if tiers and total > lower:
        found.append(Band(lower, None, Decimal(0), total - lower, Decimal(0)))
    return tuple(found)


def charge(total: Decimal, tiers: Sequence[TierTerm]) -> Decimal:
    """The charge on a running total, in cents."""
    return to_cents(sum((b.due for b in bands(total, tiers)), Decimal(0)))


def due_above(total: Decimal, high_water_mark: Decimal, tiers: Sequence[TierTerm]) -> Decimal:
    """What a window owes for its running total above what was charged before (rules R11).

    R2 f(total) − R2 f(high-water mark), never below 0: the charges of a window telescope to the cent.
    """
    return max(charge(total, tiers) - charge(high_water_mark, tiers), ZERO)


def due_by_bands(month: Decimal, to_date: Decimal, tiers: Sequence[TierTerm]) -> Decimal:
    """The older rule that a contract may ask for: charge the bands between to-date and total (billing-flows 6.4).

    Unlike `due_above` it charges revenue twice that is earned, lost and earned again (B19).
    """
    total = month + to_date
    previous = Decimal(0)
    due = Decimal(0)
    for tier in tiers:
        previous = max(previous, to_date)
        limit = tier.up_to
        if limit is not None and previous > limit:
            continue
        amount = (total if limit is None or total <= limit else limit) - previous
        due += max(amount, Decimal(0)) * tier.percent / _HUNDRED
        if limit is None:
            break
        previous = limit
    return to_cents(due)
