"""Cutting text into lines, and writing dates and addresses."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.documents.text import (
    clean,
    clipped,
    customer_address,
    day_range,
    long_date,
    operator_address,
    short_date,
    wrap,
    wrap_at_most,
)
from shared_code.documents.typeface import typeface

REGULAR = typeface().regular


@pytest.mark.parametrize(
    ("case", "given_text", "lines"),
    [
        ("empty", "", []),
        ("blank", " \n ", []),
        ("short", "one", ["one"]),
        ("line feeds", "one\n\ntwo\r\nthree\rfour", ["one", "", "two", "three", "four"]),
        ("at spaces", "aaaaaaaa bbbbbbbb cccccccc", ["aaaaaaaa", "bbbbbbbb", "cccccccc"]),
        ("not at a no-break space", "a\u00a0b c", ["a\u00a0b c"]),
        ("spaces at a break vanish", "aaaaaaaa     bbbbbbbb", ["aaaaaaaa", "bbbbbbbb"]),
        ("after a hyphen of a long word", "aaaa-bbbbbb", ["aaaa-", "bbbbbb"]),
    ],
)
def test_text_is_wrapped(case: str, given_text: str, lines: list[str]) -> None:
    assert wrap(given_text, REGULAR, 10, 50) == lines, case


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("aW i-/\n\u00a0é中"), max_size=120), st.floats(12, 200))
def test_every_line_fits_and_no_character_is_lost(text: str, width: float) -> None:
    lines = wrap(text, REGULAR, 10, width)
    assert all(REGULAR.width(line, 10) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_a_column_narrower_than_a_character_still_ends() -> None:
    assert wrap("WWW", REGULAR, 10, 1) == ["W", "W", "W"]


@pytest.mark.parametrize(("text", "shown"), [("short", "short"), ("a b\nc", "a b c"), ("W" * 5_000, "WWW…")])
def test_a_clipped_text_ends_in_an_ellipsis(text: str, shown: str) -> None:
    assert clipped(text, REGULAR, 10, 40) == shown


@pytest.mark.parametrize(
    ("texts", "lines"),
    [
        ([], []),
        (["one", "", "two"], ["one", "two"]),
        (["one", "two", "three"], ["one", "two…"]),
        (["aaaaaaaa bbbbbbbb cccccccc"], ["aaaaaaaa", "bbbbbbb…"]),
    ],
)
def test_a_place_of_fixed_size_shows_what_was_cut(texts: list[str], lines: list[str]) -> None:
    assert wrap_at_most(2, texts, REGULAR, 10, 50) == lines


def test_cleaning_twice_changes_nothing() -> None:
    odd = "e\u0301\t\u2028x\u00ad\u3000\x1f\ud800"
    assert clean(odd) == clean(clean(odd)) == "é \nx ?"


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 10, 1), date(2026, 10, 31), "October 1 – 31, 2026"),
        (date(2026, 9, 15), date(2026, 10, 14), "September 15 – October 14, 2026"),
        (date(2025, 12, 1), date(2026, 1, 31), "December 1, 2025 – January 31, 2026"),
    ],
)
def test_a_range_names_month_and_year_once(first: date, last: date, text: str) -> None:
    assert day_range(first, last) == text


def test_dates_are_written_in_english() -> None:
    assert long_date(date(2026, 5, 3)) == "May 3, 2026"
    assert short_date(date(2026, 9, 30)) == "Sep 30, 2026"


@pytest.mark.parametrize(
    ("given_text", "lines"),
    [
        ("1 Main St, Springfield, IL 62701", ["1 Main St", "Springfield, IL 62701"]),
        ("1 Main St", ["1 Main St"]),
        ("1 Main St\nSuite 4\nSpringfield", ["1 Main St", "Suite 4", "Springfield"]),
        ("1 Main St,", ["1 Main St"]),
        ("", []),
        (" , ", []),
    ],
)
def test_a_customers_address_splits_at_its_first_comma(given_text: str, lines: list[str]) -> None:
    assert customer_address(given_text) == lines


@pytest.mark.parametrize(
    ("given_text", "lines"),
    [
        ("9 Elm Rd, Suite 210, Dover, DE 19901", ["9 Elm Rd, Suite 210", "Dover, DE 19901"]),
        ("9 Elm Rd Ste. 5B, Dover, DE", ["9 Elm Rd Ste. 5B", "Dover, DE"]),
        ("9 Elm Rd #7, Dover, DE", ["9 Elm Rd #7", "Dover, DE"]),
        ("9 Elm Rd, Dover, DE", ["9 Elm Rd", "Dover, DE"]),
        ("9 Elm Rd\nDover, DE", ["9 Elm Rd", "Dover, DE"]),
        ("", []),
    ],
)
def test_the_operators_address_breaks_after_the_suite(given_text: str, lines: list[str]) -> None:
    assert operator_address(given_text) == lines
