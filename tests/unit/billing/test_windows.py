"""Accumulation windows: the first month whose revenue counts for a period (rules R2, R58)."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.billing.windows import Accumulation, window_start
from shared_code.foundation.calendar import Period

MONTHLY, CALENDAR, ANNIVERSARY = Accumulation.MONTHLY, Accumulation.CALENDAR, Accumulation.ANNIVERSARY
APR_1, APR_15, FEB_29, FEB_28 = date(2024, 4, 1), date(2024, 4, 15), date(2024, 2, 29), date(2023, 2, 28)

WINDOWS = [
    # accumulation, anchor, period, first month of the window
    (MONTHLY, None, "2026-10", "2026-10"),
    (MONTHLY, APR_15, "2026-10", "2026-10"),
    # a calendar window is of the service year, never of the site's start (B1)
    (CALENDAR, None, "2026-01", "2026-01"),
    (CALENDAR, None, "2026-12", "2026-01"),
    (CALENDAR, APR_15, "2026-10", "2026-01"),
    # an anniversary on the first of a month starts its window in that month
    (ANNIVERSARY, APR_1, "2024-04", "2024-04"),
    (ANNIVERSARY, APR_1, "2025-03", "2024-04"),
    (ANNIVERSARY, APR_1, "2025-04", "2025-04"),
    (ANNIVERSARY, APR_1, "2026-10", "2026-04"),
    (ANNIVERSARY, APR_1, "2027-03", "2026-04"),
    # inside a month it takes effect at the next first; the part month before belongs to the first window (R58)
    (ANNIVERSARY, APR_15, "2024-04", "2024-04"),
    (ANNIVERSARY, APR_15, "2024-05", "2024-04"),
    (ANNIVERSARY, APR_15, "2025-03", "2024-04"),
    (ANNIVERSARY, APR_15, "2025-04", "2024-04"),
    (ANNIVERSARY, APR_15, "2025-05", "2025-05"),
    (ANNIVERSARY, APR_15, "2026-04", "2025-05"),
    (ANNIVERSARY, APR_15, "2026-05", "2026-05"),
    # the last day of February: leap year or not, the window starts in March
    (ANNIVERSARY, FEB_29, "2024-02", "2024-02"),
    (ANNIVERSARY, FEB_29, "2025-02", "2024-02"),
    (ANNIVERSARY, FEB_29, "2025-03", "2025-03"),
    (ANNIVERSARY, FEB_29, "2028-02", "2027-03"),
    (ANNIVERSARY, FEB_29, "2028-03", "2028-03"),
    (ANNIVERSARY, FEB_28, "2024-02", "2023-02"),
    (ANNIVERSARY, FEB_28, "2024-03", "2024-03"),
    # the end of the year
    (ANNIVERSARY, date(2024, 12, 31), "2025-12", "2024-12"),
    (ANNIVERSARY, date(2024, 12, 31), "2026-01", "2026-01"),
    (ANNIVERSARY, date(2024, 1, 1), "2026-12", "2026-01"),
    # sites are older than the first period that there is
    (ANNIVERSARY, date(1985, 5, 1), "2026-10", "2026-05"),
    (ANNIVERSARY, date(1985, 5, 2), "2026-05", "2025-06"),
    (ANNIVERSARY, date(1900, 1, 1), "2026-10", "2026-01"),
    # an anchor after the period opens no window that holds it: a wrong year must not bill every month from tier one
    (ANNIVERSARY, date(2026, 11, 1), "2026-10", None),
    (ANNIVERSARY, date(2026, 10, 31), "2026-10", "2026-10"),
    (ANNIVERSARY, None, "2026-10", None),
]


@pytest.mark.parametrize(("accumulation", "anchor", "period", "first"), WINDOWS)
def test_the_first_month_of_the_window(
    accumulation: Accumulation, anchor: date | None, period: str, first: str | None
) -> None:
    start = window_start(accumulation, Period.parse(period), anchor)

    assert (None if start is None else str(start)) == first


periods = st.builds(Period, st.integers(2010, 2100), st.integers(1, 12))
anchors = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@given(periods, anchors)
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_law_every_month_of_a_window_names_the_same_window(period: Period, anchor: date) -> None:
    """A window neither overlaps the one before nor leaves a month out. The first one may have a part month more."""
    start = window_start(ANNIVERSARY, period, anchor)

    assert (start is None) == (anchor > period.last_day)
    if start is not None:
        assert start <= period < start.plus(13)
        assert {window_start(ANNIVERSARY, month, anchor) for month in start.until(period.next)} == {start}


@given(periods, anchors)
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_law_a_later_window_starts_in_the_month_of_the_anniversary_or_the_next(period: Period, anchor: date) -> None:
    start = window_start(ANNIVERSARY, period, anchor)

    if start is not None and period.first_day >= date(anchor.year + 1, 12, 31):
        assert start.month == (anchor.month if anchor.day == 1 else anchor.month % 12 + 1)
