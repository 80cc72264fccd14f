"""Texts of values, as they are stored."""

from decimal import Decimal

import pytest

from shared_code.foundation.calendar import Period
from shared_code.foundation.values import as_text


@pytest.mark.parametrize("text", ["0.00", "-1.50", "20560.4525800000", "0.0000000000", "1000", "NaN", "-Infinity"])
def test_a_number_keeps_every_decimal_that_it_has(text: str) -> None:
    assert as_text(Decimal(text)) == text


@pytest.mark.parametrize(("number", "text"), [("1E+3", "1000"), ("0E-10", "0.0000000000"), ("-2.5E-7", "-0.00000025")])
def test_no_number_is_written_with_an_exponent(number: str, text: str) -> None:
    assert as_text(Decimal(number)) == text


def test_anything_else_is_written_as_it_writes_itself() -> None:
    assert as_text(Period(2026, 10)) == "2026-10"
    assert as_text(["EUR", 1]) == "['EUR', 1]"
