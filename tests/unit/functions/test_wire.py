"""Values to JSON, as every answer of the API leaves (http-api): exact numbers, dates, periods and instants as text."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.wire import camel, dumps
from shared_code.foundation.calendar import Period


class Colour(StrEnum):
    RED = "Red"


@dataclass(frozen=True, slots=True)
class Row:
    site_number: str
    total: Decimal
    rates_as_of: Period | None = None


VALUES = [
    # value, JSON
    (Decimal("12.5"), "12.50"),
    (Decimal("0"), "0.00"),
    (Decimal("-3"), "-3.00"),
    (Decimal("1E+3"), "1000.00"),
    (Decimal("40052890.53"), "40052890.53"),
    (Decimal("12.3456"), "12.3456"),
    (Decimal("0.000001"), "0.000001"),
    (date(2026, 10, 31), '"2026-10-31"'),
    (Period(2026, 10), '"2026-10"'),
    (datetime(2026, 10, 31, 12, 0, 1, tzinfo=UTC), '"2026-10-31T12:00:01Z"'),
    (None, "null"),
    (True, "true"),
    (7, "7"),
    ("naïve “quoted” \\ text", '"naïve “quoted” \\\\ text"'),
    ("two\nlines", '"two\\nlines"'),
    (Colour.RED, '"Red"'),
    ([], "[]"),
    ({}, "{}"),
    ((1, [Decimal("2")], frozenset({"a"})), '[1,[2.00],["a"]]'),
    ({"site_number": "0042", 1: None}, '{"site_number":"0042","1":null}'),
    (Row("0042", Decimal("1.1"), Period(2026, 1)), '{"siteNumber":"0042","total":1.10,"ratesAsOf":"2026-01"}'),
    ({"items": [Row("7", Decimal(0))]}, '{"items":[{"siteNumber":"7","total":0.00,"ratesAsOf":null}]}'),
]


@pytest.mark.parametrize(("value", "text"), VALUES)
def test_values(value: object, text: str) -> None:
    assert dumps(value) == text


@pytest.mark.parametrize(("name", "wire"), [("total", "total"), ("site_number", "siteNumber"), ("a_b_c", "aBC")])
def test_names_are_camel_case(name: str, wire: str) -> None:
    assert camel(name) == wire


texts = st.text('aé"\\\n\x00\u2028😀', max_size=6)
trees = st.recursive(st.none() | texts | st.integers(), lambda inner: st.dictionaries(texts, inner), max_leaves=8)


@given(trees)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_law_json_reads_back(value: object) -> None:
    assert json.loads(dumps(value)) == value


@given(st.decimals(-(10**15), 10**15, places=4))
@settings(deadline=None, derandomize=True, database=None)
def test_law_no_number_is_rounded_on_the_way_out(value: Decimal) -> None:
    text = dumps(value)

    assert Decimal(text) == value
    assert len(text.partition(".")[2]) >= 2
