"""What a window owes for a month: tiers on its running total (rules R10, R11). Revenue and profit share alike."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from shared_code.billing.given import Opening
from shared_code.billing.model import Step, required
from shared_code.billing.tiers import UNCHARGED, Band, TierTerm, above, bands_above, charge, due_by_bands, still_due
from shared_code.foundation.calendar import Period
from shared_code.foundation.money import NOTHING
from shared_code.foundation.values import value_class

if TYPE_CHECKING:
    from shared_code.contracts.schema import Tier

BAND = "{share:number} % of the {amount:dollars} above {bound:dollars}"
CHARGE = "Charge on the running total {total:dollars}"
LESS = "Less the charge on the high-water mark {mark:dollars}"
BETWEEN = "Due for the bands between {earlier:dollars} and {total:dollars}"


@value_class
class WindowDue:
    """What is due in cents, the bands that it is the charge on, and how it comes about.

    `to_date` is what the window had come to before the month. `before` is the exact charge on what lies below the
    bands, and `mark` the high-water mark, where the rule of losses counts one.
    """

    due: Decimal
    parts: tuple[Band, ...]
    to_date: Decimal
    before: Decimal
    mark: Decimal | None
    steps: tuple[Step, ...]


def window_due(
    month: Decimal,
    earlier: Sequence[Decimal],
    opening: Opening | None,
    rows: Sequence[Tier],
    rule: Literal["highWaterMark", "reference"],
) -> WindowDue:
    """What is due for a month after the `earlier` ones of its window, by the rule of losses that the contract has."""
    tiers = [TierTerm(required(row.share_pct, "share"), row.up_to or None) for row in rows]  # 0 is unbounded (R10)
    to_date = sum(earlier, opening.to_date if opening else NOTHING)
    total = to_date + month
    if rule == "reference":
        due = due_by_bands(month, to_date, tiers)
        parts = bands_above(total, max(to_date, NOTHING), tiers)
        between = (*[_band_step(band) for band in parts], Step(BETWEEN, due, (to_date, total)))
        return WindowDue(due, parts, to_date, NOTHING, None, between)
    mark = _high_water_mark(earlier, opening)
    whole, former = charge(total, tiers), charge(mark, tiers)
    due = still_due(whole, former)
    steps = [_band_step(band) for band in whole.bands]
    steps.append(Step(CHARGE, whole.cents, (total,)))
    if former is not UNCHARGED:
        steps.append(Step(LESS, -former.cents, (mark,)))
    steps.append(Step("Due for the month, not below zero", due))
    return WindowDue(due, above(whole.bands, mark), to_date, former.exact, mark, tuple(steps))


def _high_water_mark(earlier: Sequence[Decimal], opening: Opening | None) -> Decimal:
    """The highest running total of a window before this month, 0 at least, its opening included (rules R11, R39)."""
    running = mark = NOTHING
    if opening:
        running = opening.to_date
        mark = max(opening.high_water_mark, running, NOTHING)
    for amount in earlier:
        running += amount
        mark = max(mark, running)
    return mark


def _band_step(band: Band) -> Step:
    return Step(BAND, band.due, (band.percent, band.amount, band.lower))


def window_inputs(
    start: Period, opening: Opening | None, rows: Sequence[Tier], rule: str, owed: WindowDue
) -> dict[str, object]:
    """The inputs of a trace that say what a window is, and what it had come to before the month."""
    return {
        "windowStart": str(start),
        "opening": opening.to_date if opening else None,
        "openingAsOf": str(opening.as_of) if opening else None,
        "toDate": owed.to_date,
        "highWaterMark": owed.mark,
        "lossRule": rule,
        "tiers": [{"percent": row.share_pct, "upTo": row.up_to} for row in rows],
    }
