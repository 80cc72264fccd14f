"""Progressive tiers, and what a window still owes. Used by revenue share; profit share follows the same rule (R11)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from shared_code.foundation.money import HUNDRED, NOTHING, ZERO, to_cents
from shared_code.foundation.values import value_class


@value_class
class TierTerm:
    """A share in percent, up to a cumulative bound; None is unbounded (rules R10)."""

    percent: Decimal
    up_to: Decimal | None


@value_class
class Band:
    """The part of an amount that falls into one tier, and its share, not rounded."""

    lower: Decimal
    upper: Decimal | None
    percent: Decimal
    amount: Decimal
    due: Decimal


@value_class
class Charge:
    """The charge on an amount: its bands, what they come to exactly, and in cents."""

    bands: tuple[Band, ...]
    exact: Decimal
    cents: Decimal


UNCHARGED = Charge((), NOTHING, ZERO)
"""The charge on what is not above 0."""


def bands(total: Decimal, tiers: Sequence[TierTerm]) -> tuple[Band, ...]:
    """Split `total` over `tiers`. What is above the last bound is charged 0 (rules R10); below zero there is nothing.

    Bounds are cumulative. The shares of the bands sum to the charge on `total`.
    """
    found: list[Band] = []
    lower = NOTHING
    for tier in tiers:
        if total <= lower:
            break
        upper = tier.up_to
        amount = (total if upper is None or total <= upper else upper) - lower
        if amount > NOTHING:
            found.append(Band(lower, upper, tier.percent, amount, amount * tier.percent / HUNDRED))
        if upper is None:
            return tuple(found)
        lower = upper
    if tiers and total > lower:
        found.append(Band(lower, None, NOTHING, total - lower, NOTHING))
    return tuple(found)


def bands_above(total: Decimal, mark: Decimal, tiers: Sequence[TierTerm]) -> tuple[Band, ...]:
    """The parts of the bands of `total` that lie above what was charged before; none when `total` is not above it.

    `lower` is where the part begins. Their weights spread validations over the shares (rules R49).
    """
    return above(bands(total, tiers), mark)


def above(found: Iterable[Band], mark: Decimal) -> tuple[Band, ...]:
    """The parts of bands that lie above a mark, of all of them above 0."""
    if mark <= NOTHING:
        return tuple(found)
    parts = []
    for band in found:
        lower = max(band.lower, mark)
        amount = band.lower + band.amount - lower
        if amount > NOTHING:
            parts.append(Band(lower, band.upper, band.percent, amount, amount * band.percent / HUNDRED))
    return tuple(parts)


def charge(total: Decimal, tiers: Sequence[TierTerm]) -> Charge:
    """The charge on a running total: its bands, exactly and in cents."""
    if total <= NOTHING:
        return UNCHARGED
    found, exact = bands(total, tiers), NOTHING
    for band in found:
        exact += band.due
    return Charge(found, exact, to_cents(exact))


def still_due(whole: Charge, before: Charge) -> Decimal:
    """What a window owes: the charge on its running total, less that on its high-water mark, never below 0 (rules R11).

    Both are rounded first, R2 f(total) − R2 f(mark), so that the charges of a window telescope to the cent.
    """
    return max(whole.cents - before.cents, ZERO)


def due_by_bands(month: Decimal, to_date: Decimal, tiers: Sequence[TierTerm]) -> Decimal:
    """The older rule that a contract may ask for: charge the bands between to-date and total (billing-flows 6.4).

    Unlike `still_due` it charges revenue twice that is earned, lost and earned again (B19).
    """
    total = month + to_date
    previous = due = NOTHING
    for tier in tiers:
        previous = max(previous, to_date)
        limit = tier.up_to
        if limit is not None and previous > limit:
            continue
        amount = (total if limit is None or total <= limit else limit) - previous
        due += max(amount, NOTHING) * tier.percent / HUNDRED
        if limit is None:
            break
        previous = limit
    return to_cents(due)
