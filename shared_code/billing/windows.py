"""Accumulation windows: which months count towards the tiers of a period (rules R2, R58)."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from shared_code.foundation.calendar import Period


class Accumulation(StrEnum):
    """How long revenue adds up before tiers start again."""

    MONTHLY = "Monthly"
    CALENDAR = "AnnualCalendar"
    ANNIVERSARY = "AnnualAnniversary"


def window_start(accumulation: Accumulation, period: Period, anchor: date | None) -> Period | None:
    """First month of the window that `period` belongs to; None when an anniversary has no anchor date.

    Calendar: January of the service year. Anniversary: the latest anniversary on or before the first of the month; one
    inside a month takes effect at the next first. The part month before the first window belongs to it (rules R58).
    """
    if accumulation is Accumulation.MONTHLY:
        return period
    if accumulation is Accumulation.CALENDAR:
        return Period(period.year, 1)
    if anchor is None:
        return None
    opens = Period.of(anchor)
    first = opens if anchor.day == 1 else opens.next
    if period < first.plus(12):
        return min(opens, period)
    years = (period.index - first.index) // 12
    return first.plus(12 * years)
