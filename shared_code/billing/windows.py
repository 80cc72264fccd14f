"""Accumulation windows: which months count towards the tiers of a period (rules R2, R58)."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from shared_code.facts.model import SiteFacts
from shared_code.foundation.calendar import Period


class Accumulation(StrEnum):
    """How long revenue adds up before tiers start again."""

    MONTHLY = "Monthly"
    CALENDAR = "AnnualCalendar"
    ANNIVERSARY = "AnnualAnniversary"


def window_start(accumulation: str, period: Period, anchor: date | None) -> Period | None:
    """First month of the window that `period` belongs to; None when an anniversary has no anchor date on or before it.

    Calendar: January of the service year. Anniversary: the latest anniversary on or before the first of the month; one
    inside a month takes effect at the next first. The part month before the first window belongs to it (rules R58).
    `accumulation` is one of the words of `Accumulation`.
    """
    if accumulation == Accumulation.MONTHLY:
        return period
    if accumulation == Accumulation.CALENDAR:
        return period.plus(1 - period.month)
    if anchor is None:
        return None
    # Distances in months, since an anchor may lie before the first period that there is.
    since_anchor = period.index - (anchor.year * 12 + anchor.month - 1)
    if since_anchor < 0:
        return None
    since_first = since_anchor if anchor.day == 1 else since_anchor - 1
    if since_first < 12:
        return period.plus(-since_anchor)
    return period.plus(-(since_first % 12))


def served_since(first: Period, facts: SiteFacts) -> Period:
    """The first month of a window in which the site had started by the end of the month, the service period at last."""
    started = facts.started
    if started is None or started <= first.last_day:
        return first
    return Period.of(min(started, facts.period.last_day))
