"""Periods: months as values, read, ordered and counted."""

from copy import copy, deepcopy
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.foundation.calendar import PERIOD_INVALID, Period, read_period
from shared_code.foundation.errors import BillingError, ErrorKind

OCTOBER = Period(2026, 10)

READ = [
    ("2026-10", OCTOBER),
    ("202610", OCTOBER),
    ("2000-01", Period(2000, 1)),
    ("2199-12", Period(2199, 12)),
]


@pytest.mark.parametrize(("text", "period"), READ)
def test_reading(text: str, period: Period) -> None:
    assert Period.parse(text) == period


UNREADABLE = [
    "",
    "2026",
    "2026-00",
    "2026-13",
    "2026-1",
    "26-10",
    "10/2026",
    "2026-10-01",
    "2026-10 ",
    "2026-10\n",
    " 2026-10",
    "２０２６-10",
    "1999-12",
    "2200-01",
    "Oct 2026",
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="period"):
        Period.parse(text)


@pytest.mark.parametrize(("year", "month"), [(1999, 12), (2200, 1), (2026, 0), (2026, 13)])
def test_a_period_that_does_not_exist_cannot_be_made(year: int, month: int) -> None:
    with pytest.raises(ValueError, match="no such period"):
        Period(year, month)


DAYS = [
    ("2026-10", date(2026, 10, 1), date(2026, 10, 31), 31),
    ("2026-02", date(2026, 2, 1), date(2026, 2, 28), 28),
    ("2028-02", date(2028, 2, 1), date(2028, 2, 29), 29),
    ("2100-02", date(2100, 2, 1), date(2100, 2, 28), 28),
    ("2026-12", date(2026, 12, 1), date(2026, 12, 31), 31),
]


@pytest.mark.parametrize(("text", "first", "last", "days"), DAYS)
def test_days(text: str, first: date, last: date, days: int) -> None:
    period = Period.parse(text)

    assert (period.first_day, period.last_day, period.days) == (first, last, days)
    assert Period.of(first) == Period.of(last) == period


STEPS = [
    ("2026-10", 0, "2026-10"),
    ("2026-10", 3, "2027-01"),
    ("2026-10", -10, "2025-12"),
    ("2026-12", 1, "2027-01"),
    ("2026-01", -1, "2025-12"),
    ("2026-10", 24, "2028-10"),
]


@pytest.mark.parametrize(("start", "months", "end"), STEPS)
def test_months_are_added(start: str, months: int, end: str) -> None:
    assert str(Period.parse(start).plus(months)) == end
    assert str(Period.parse(end).plus(-months)) == start


def test_neighbours_and_texts() -> None:
    assert (str(OCTOBER), OCTOBER.compact) == ("2026-10", "202610")
    assert (str(OCTOBER.previous), str(OCTOBER.next)) == ("2026-09", "2026-11")


def test_until_excludes_its_end_and_is_empty_backwards() -> None:
    assert [str(month) for month in Period(2026, 11).until(Period(2027, 2))] == ["2026-11", "2026-12", "2027-01"]
    assert list(OCTOBER.until(OCTOBER)) == []
    assert list(OCTOBER.until(OCTOBER.previous)) == []


ALIKE = [
    Period(2026, 10),
    Period.parse("202610"),
    Period.of(date(2026, 10, 31)),
    Period(2026, 9).next,
    replace(Period(2027, 10), year=2026),
    copy(OCTOBER),
    deepcopy(OCTOBER),
]


@pytest.mark.parametrize("period", ALIKE)
def test_a_month_is_one_object_however_it_is_made(period: Period) -> None:
    assert period is OCTOBER
    assert {period: "found"}[OCTOBER] == "found"
    assert period != OCTOBER.next


periods = st.builds(Period, st.integers(2000, 2199), st.integers(1, 12))


@given(periods, periods)
@settings(deadline=None, derandomize=True, database=None)
def test_law_order_is_that_of_first_days_and_distance_that_of_indexes(one: Period, other: Period) -> None:
    assert (one < other) == (one.first_day < other.first_day)
    assert one.plus(other.index - one.index) == other


@given(periods)
@settings(deadline=None, derandomize=True, database=None)
def test_law_texts_read_back_and_months_follow_each_other(period: Period) -> None:
    assert Period.parse(str(period)) == Period.parse(period.compact) == period
    assert period.last_day - period.first_day + timedelta(1) == timedelta(period.days)
    assert Period.of(period.last_day + timedelta(1)).index == period.index + 1 if period.year < 2199 else True


@pytest.mark.parametrize(("kind", "status"), [(PERIOD_INVALID, 400), (replace(PERIOD_INVALID, status=422), 422)])
def test_a_period_that_is_none_is_refused_at_its_place(kind: ErrorKind, status: int) -> None:
    assert read_period("2026-10", "month", kind) == Period(2026, 10)

    with pytest.raises(BillingError) as refused:
        read_period("2026-13", "month", kind)

    assert (refused.value.code, refused.value.kind.number, refused.value.kind.status) == (
        "PERIOD_INVALID",
        2301,
        status,
    )
    assert [detail.field for detail in refused.value.details] == ["month"]
    assert "'2026-13'" in refused.value.message
