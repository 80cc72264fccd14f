"""Amounts, percentages, points and dates in the forms that people use."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.contracts.notes import numbers

READ: list[tuple[str, Callable[[str], Decimal], str, str]] = [
    (numbers.MONEY, numbers.read_money, "$1,250.50", "1250.50"),
    (numbers.MONEY, numbers.read_money, "$ 24k", "24000"),
    (numbers.MONEY, numbers.read_money, "$1.5m", "1500000"),
    (numbers.MONEY, numbers.read_money, "$.50", "0.50"),
    (numbers.MONEY, numbers.read_money, "5 cents", "0.05"),
    (numbers.MONEY, numbers.read_money, "300 dollars", "300"),
    (numbers.MONEY, numbers.read_money, "usd 300", "300"),
    (numbers.PERCENT, numbers.read_percent, "3%", "3"),
    (numbers.PERCENT, numbers.read_percent, "3.25 %", "3.25"),
    (numbers.PERCENT, numbers.read_percent, "three percent", "3"),
    (numbers.PERCENT, numbers.read_percent, ".5%", "0.5"),
    (numbers.POINTS, numbers.read_points, "0.25 points", "0.25"),
    (numbers.POINTS, numbers.read_points, "a quarter point", "0.25"),
    (numbers.POINTS, numbers.read_points, "half a point", "0.5"),
    (numbers.POINTS, numbers.read_points, "1/2 point", "0.5"),
    (numbers.POINTS, numbers.read_points, "1 percentage point", "1"),
]


@pytest.mark.parametrize(("pattern", "read", "text", "value"), READ)
def test_a_number_is_read_whole(pattern: str, read: Callable[[str], Decimal], text: str, value: str) -> None:
    assert re.fullmatch(pattern, text), text
    assert read(text) == Decimal(value)


@pytest.mark.parametrize("text", ["1234567890123", "$1234567890123", "12345%"])
def test_a_number_of_absurd_length_is_none_and_no_part_of_it_is_one(text: str) -> None:
    assert not re.search(f"{numbers.MONEY}|{numbers.PERCENT}", text)


DATES: list[tuple[str, str, str]] = [
    # text, first day, last day that it can mean
    ("2026-03-09", "2026-03-09", "2026-03-09"),
    ("3/9/2026", "2026-03-09", "2026-03-09"),
    ("03-09-26", "2026-03-09", "2026-03-09"),
    ("march 9, 2026", "2026-03-09", "2026-03-09"),
    ("mar. 9th 2026", "2026-03-09", "2026-03-09"),
    ("mar 9 '26", "2026-03-09", "2026-03-09"),
    ("9-mar-26", "2026-03-09", "2026-03-09"),
    ("march 2026", "2026-03-01", "2026-03-31"),
    ("2/2028", "2028-02-01", "2028-02-29"),
]


@pytest.mark.parametrize(("text", "first", "last"), DATES)
def test_a_date_is_read(text: str, first: str, last: str) -> None:
    assert re.fullmatch(numbers.DATE, text), text
    assert numbers.read_date(text) == date.fromisoformat(first)
    assert numbers.read_date(text, last=True) == date.fromisoformat(last)


def test_a_year_alone_is_its_first_or_its_last_day() -> None:
    assert numbers.read_date("2027") == date(2027, 1, 1)
    assert numbers.read_date("2027", last=True) == date(2027, 12, 31)


@pytest.mark.parametrize("text", ["2/30/2026", "13/1/2026", "0/5/2026", "5/0/2026", "2026-00-10", "2026-06-31", "may"])
def test_a_day_that_does_not_exist_is_none(text: str) -> None:
    assert numbers.read_date(text) is None


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)))
def test_every_day_is_read_in_every_form(day: date) -> None:
    for form in ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%B %d, %Y", "%d-%b-%y"):
        assert numbers.read_date(day.strftime(form).lower()) == day
