"""Money: rounded in one place, halves away from zero (rules R1), and printed (rules R55)."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.foundation.money import dollars, plain, to_cents, to_places

ROUNDED = [
    # exact, cents, printed
    ("0", "0.00", "$0.00"),
    ("0.005", "0.01", "$0.01"),
    ("0.0049999", "0.00", "$0.00"),
    ("-0.005", "-0.01", "-$0.01"),
    ("-0.004", "0.00", "$0.00"),
    ("2.675", "2.68", "$2.68"),
    ("1.005", "1.01", "$1.01"),
    ("15082.325", "15082.33", "$15,082.33"),
    ("-15082.325", "-15082.33", "-$15,082.33"),
    ("40052890.53", "40052890.53", "$40,052,890.53"),
    ("1E+3", "1000.00", "$1,000.00"),
    ("999999999999999999.995", "1000000000000000000.00", "$1,000,000,000,000,000,000.00"),
]


@pytest.mark.parametrize(("exact", "cents", "printed"), ROUNDED)
def test_rounding_and_printing(exact: str, cents: str, printed: str) -> None:
    assert str(to_cents(Decimal(exact))) == cents
    assert dollars(Decimal(exact)) == printed


PLACES = [
    ("7.583333", 2, "7.58"),
    ("8.625", 2, "8.63"),
    ("-8.625", 2, "-8.63"),
    ("0.41666", 2, "0.42"),
    ("1234.5", 0, "1235"),
    ("1.2", 4, "1.2000"),
]


@pytest.mark.parametrize(("exact", "places", "rounded"), PLACES)
def test_rounding_to_places(exact: str, places: int, rounded: str) -> None:
    assert str(to_places(Decimal(exact), places)) == rounded


PLAIN = [
    ("24.5300", "24.53"),
    ("180", "180"),
    ("180.0000", "180"),
    ("100", "100"),
    ("0.000", "0"),
    ("1E+3", "1000"),
    ("0.0001", "0.0001"),
    ("-0.50", "-0.5"),
]


@pytest.mark.parametrize(("number", "printed"), PLAIN)
def test_quantities_print_without_exponent_or_needless_zeros(number: str, printed: str) -> None:
    assert plain(Decimal(number)) == printed


exact = st.decimals(-(10**15), 10**15, places=6)


@given(exact)
@settings(deadline=None, derandomize=True, database=None)
def test_law_rounding_moves_at_most_half_a_cent_and_is_symmetric(amount: Decimal) -> None:
    assert abs(to_cents(amount) - amount) <= Decimal("0.005")
    assert to_cents(-amount) == -to_cents(amount)
    assert to_cents(to_cents(amount)) == to_cents(amount)


@given(exact)
@settings(deadline=None, derandomize=True, database=None)
def test_law_what_is_printed_is_what_is_billed(amount: Decimal) -> None:
    assert Decimal(dollars(amount).replace("$", "").replace(",", "")) == to_cents(amount)
    assert Decimal(plain(amount)) == amount
