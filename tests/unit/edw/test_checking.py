"""Rows of a slice: each is accepted or rejected with a reason, and no row and no cent is lost on the way."""

from __future__ import annotations

import csv
import io
from decimal import ROUND_HALF_UP, Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.edw import reading
from shared_code.edw.checking import Checked, check
from shared_code.edw.datasets import (
    ACCOUNT_SUMMARY,
    DATASETS,
    MINUTE_COLUMNS,
    REVENUE_DAILY,
    SITE_MASTER,
    TIMESHEET,
    Dataset,
)
from shared_code.edw.errors import ConservationError
from shared_code.edw.reading import read_slice
from shared_code.edw.records import SlicePlanner
from shared_code.edw.values import Context
from shared_code.foundation.calendar import Period
from shared_code.foundation.errors import BillingError

OCTOBER = Context(Period(2026, 10), frozenset({"0001", "0002", "0012"}))
GOOD_LEDGER = ("202610", "0001", "6010", "01", "7", "125.50")
GOOD_REVENUE = ("0001", "2026-10-05", "VD1", "Valet Daily", "", "N", "10.00", "11.00", "0.0825", "0")


def check_text(dataset: Dataset, data: bytes, context: Context = OCTOBER, slice_bytes: int = 0) -> list[Checked]:
    """Plan, read and check a whole file."""
    planner = SlicePlanner(slice_bytes)
    planner.feed(data)
    plan = planner.finish()
    found = []
    for part in plan.slices:
        rows, malformed = read_slice(
            data[part.byte_from : part.byte_to], plan.header, dataset, part.first_row, part.row_count
        )
        found.append(check(dataset, rows, malformed, context))
    return found


def csv_text(dataset: Dataset, rows: list[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(dataset.required_headers())
    writer.writerows(rows)
    return out.getvalue().encode()


def with_value(row: tuple[str, ...], dataset: Dataset, **values: str) -> tuple[str, ...]:
    changed = dict(zip(dataset.required_headers(), row, strict=True)) | values
    return tuple(changed.values())


def test_the_first_broken_rule_in_the_order_of_the_columns_is_the_reason() -> None:
    bad = with_value(GOOD_REVENUE, REVENUE_DAILY, DATE="x", DEPOSIT_FLAG="Q", EXTERNALREVENUE="y")
    (made,) = check_text(REVENUE_DAILY, csv_text(REVENUE_DAILY, [GOOD_REVENUE, bad]))
    assert made.rejected.rows() == [(2, "0001", "DATE", "TYPE_DATE", "x", 100000)]
    assert made.accepted.height == 1


SITES: list[tuple[str, str, str, str | None]] = [
    ("0099", "SITE_UNKNOWN", "0099", "0099"),
    ("12", "SITE_UNKNOWN", "12 (did you mean 0012?)", "0012"),
    (" 12 ", "SITE_UNKNOWN", " 12  (did you mean 0012?)", "0012"),
    ("a very long site", "SITE_UNKNOWN", "a very long site", None),
    ("", "VALUE_MISSING", "", None),
]


@pytest.mark.parametrize(("text", "rule", "value", "site"), SITES)
def test_a_rejected_row_names_the_site_whose_billing_waits(text: str, rule: str, value: str, site: str | None) -> None:
    (made,) = check_text(REVENUE_DAILY, csv_text(REVENUE_DAILY, [with_value(GOOD_REVENUE, REVENUE_DAILY, SITE=text)]))
    assert made.rejected.row(0)[1:5] == (site, "SITE", rule, value)


SHAPES: list[tuple[str, bytes]] = [
    ("too few values", b"0001,2026-10-05,VD1"),
    ("too many values", b"0001,2026-10-05,VD1,Valet Daily,,N,10.00,11.00,0.0825,0,more"),
    ("a trailing comma", b"0001,2026-10-05,VD1,Valet Daily,,N,10.00,11.00,0.0825,0,"),
    ("a blank line", b""),
    ("a quotation that ends inside a value", b'0001,2026-10-05,"VD"1,Valet Daily,,N,10.00,11.00,0.0825,0'),
    ("not UTF-8", b"0001,2026-10-05,VD1,Valet D\xe9,,N,10.00,11.00,0.0825,0"),
    ("a null character", b"0001,2026-10-05,VD1,Valet D\x00,,N,10.00,11.00,0.0825,0"),
    ("an old line end inside", b"0001,2026-10-05,VD1,Valet D\ray,,N,10.00,11.00,0.0825,0"),
]


@pytest.mark.parametrize(("_name", "line"), SHAPES)
def test_a_malformed_row_is_rejected_alone(_name: str, line: bytes) -> None:
    good = csv_text(REVENUE_DAILY, [GOOD_REVENUE])
    body = good.partition(b"\n")[2]
    (made,) = check_text(REVENUE_DAILY, good + line + b"\n" + body * 3)
    assert [(row[0], row[3]) for row in made.rejected.rows()] == [(2, "MALFORMED_ROW")]
    assert made.accepted["row_number"].to_list() == [1, 3, 4, 5]


def test_quoted_values_keep_commas_quotes_and_line_ends() -> None:
    row = with_value(GOOD_LEDGER, ACCOUNT_SUMMARY, ACCOUNT_INDEX='a,"b"\nc', BALANCE="1,125.50")
    (made,) = check_text(ACCOUNT_SUMMARY, csv_text(ACCOUNT_SUMMARY, [row, GOOD_LEDGER]))
    assert made.accepted["account_index"].to_list() == ['a,"b"\nc', "7"]
    assert made.money_accepted == 1125_5000 + 125_5000


def test_column_order_is_free_and_unknown_columns_are_ignored() -> None:
    names = [*reversed(ACCOUNT_SUMMARY.required_headers()), "Colour", ""]
    line = [*reversed(GOOD_LEDGER), "red", ""]
    (made,) = check_text(ACCOUNT_SUMMARY, f"{','.join(names)}\n{','.join(line)}\n".encode())
    assert made.accepted.rows() == [(1, "0001", "6010", "01", "7", 1255000)]


# -- properties ---------------------------------------------------------------------------------------------------

LEDGER_ROW = st.tuples(
    st.sampled_from(["202610", "202610", "202609", "x"]),
    st.sampled_from(["0001", "0002", "0012", "12", "0099", ""]),
    st.sampled_from(["6010", " 6011", ""]),
    st.sampled_from(["01", "06"]),
    st.sampled_from(["", "a,b", 'say ""', "two\nlines", '24" x']),
    st.one_of(
        st.decimals(-100_000, 100_000, places=2).map(str), st.sampled_from(["(5.00)", "1,000.25", "n/a", "", "0.00001"])
    ),
)
BROKEN = st.sampled_from([b"202610,0001\n", b"\n", b"202610,0001,6010,01,7,\xff\n", b'202610,"00"01,6010,01,7,5,6\n'])


@st.composite
def ledgers(draw: st.DrawFn) -> bytes:
    """A ledger file of good, bad and malformed rows in any mixture."""
    data = csv_text(ACCOUNT_SUMMARY, [])
    for part in draw(st.lists(st.one_of(LEDGER_ROW, BROKEN), min_size=1, max_size=12)):
        data += part if isinstance(part, bytes) else csv_text(ACCOUNT_SUMMARY, [part]).partition(b"\n")[2]
    return data + csv_text(ACCOUNT_SUMMARY, [GOOD_LEDGER]).partition(b"\n")[2]


@settings(max_examples=60, deadline=None)
@given(ledgers(), st.integers(20, 200))
def test_slices_of_any_size_give_the_same_rows_and_money(data: bytes, slice_bytes: int) -> None:
    (whole,) = check_text(ACCOUNT_SUMMARY, data)
    parts = check_text(ACCOUNT_SUMMARY, data, slice_bytes=slice_bytes)
    assert [row for part in parts for row in part.accepted.rows()] == whole.accepted.rows()
    assert [row for part in parts for row in part.rejected.rows()] == whole.rejected.rows()
    assert sum(part.money_accepted for part in parts) == whole.money_accepted
    assert sum(part.money_rejected for part in parts) == whole.money_rejected


@settings(max_examples=60, deadline=None)
@given(ledgers())
def test_every_row_is_accepted_or_rejected_once(data: bytes) -> None:
    (made,) = check_text(ACCOUNT_SUMMARY, data)
    numbers = sorted(made.accepted["row_number"].to_list() + made.rejected["row_number"].to_list())
    assert numbers == list(range(1, made.rows + 1))
    assert made.money_accepted == sum(made.accepted["balance"].to_list())


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(st.sampled_from('a",\r \n'), max_size=8), min_size=1, max_size=6))
def test_the_fast_reader_reads_what_the_exact_one_reads(lines: list[str]) -> None:
    planner = SlicePlanner(0)
    data = "A,B\n" + "\n".join(lines) + "\n"
    try:
        planner.feed(data.encode())
        plan = planner.finish()
    except BillingError:
        return
    for part in plan.slices:
        body = data.encode()[part.byte_from : part.byte_to]
        fast = reading._read_fast(body, plan.header, part.row_count)
        exact, _, malformed = reading._read_exactly(body, plan.header, plan.header, 1)
        if fast is not None:
            assert malformed.is_empty()
            assert fast.fill_null("").rows() == exact.fill_null("").rows()


def test_a_slice_that_holds_other_rows_than_planned_is_never_read() -> None:
    with pytest.raises(ConservationError):
        read_slice(b"1,2\n3,4\n", ("A", "B"), ACCOUNT_SUMMARY, 1, 3)


# -- time sheets --------------------------------------------------------------------------------------------------


def time_sheet(year: int, day: int, **minutes: str) -> tuple[str, ...]:
    columns = {name + twin: "0" for name in MINUTE_COLUMNS for twin in ("", "_NEXT_DAY")} | minutes
    return ("0001", str(year), str(day), "VALET", "E1", *columns.values())


DAYS: list[tuple[int, int, int, str | None, str | None]] = [
    (2026, 10, 274, "2026-10-01", None),
    (2026, 10, 304, "2026-10-31", None),
    (2026, 10, 305, None, "PERIOD_MISMATCH"),
    (2026, 12, 365, "2026-12-31", None),
    (2026, 12, 366, None, "TYPE_DATE"),
    (2028, 12, 366, "2028-12-31", None),
    (2028, 2, 60, "2028-02-29", None),
    (2026, 3, 60, "2026-03-01", None),
    (2026, 10, 0, None, "TYPE_DATE"),
    (26, 10, 274, None, "TYPE_DATE"),
]


@pytest.mark.parametrize(("year", "month", "day", "date", "rule"), DAYS)
def test_a_day_of_the_year_is_a_date_of_its_year(
    year: int, month: int, day: int, date: str | None, rule: str | None
) -> None:
    context = Context(Period(max(year, 2026), month), OCTOBER.sites)
    (made,) = check_text(TIMESHEET, csv_text(TIMESHEET, [time_sheet(year, day)]), context)
    assert made.accepted["day"].to_list() == ([date] if date else [])
    assert made.rejected["rule"].to_list() == ([rule] if rule else [])


@given(st.integers(-3000, 3000), st.integers(-3000, 3000))
def test_hours_are_rounded_per_row_halves_away_from_zero(first: int, second: int) -> None:
    row = time_sheet(2026, 274, REGULAR=str(first), REGULAR_NEXT_DAY=str(second), HOLIDAY=str(second))
    (made,) = check_text(TIMESHEET, csv_text(TIMESHEET, [row]))
    expected = (Decimal(first + second) / 60).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert Decimal(made.accepted["regular_hours"][0]).scaleb(-4) == expected
    assert made.accepted["regular_minutes"][0] == (first + second) * 10_000
    assert made.accepted["overtime_minutes"][0] == second * 10_000


def test_a_missing_minute_rejects_the_row_and_never_counts_as_zero() -> None:
    (made,) = check_text(TIMESHEET, csv_text(TIMESHEET, [time_sheet(2026, 274, HOLIDAY_NEXT_DAY="")]))
    assert [row[2:4] for row in made.rejected.rows()] == [("HOLIDAY_NEXT_DAY", "VALUE_MISSING")]


# -- the site master ----------------------------------------------------------------------------------------------


def test_sites_with_one_number_collapse_when_equal_and_are_rejected_when_not() -> None:
    rest = len(SITE_MASTER.required_headers()) - 2

    def site(number: str, name: str) -> tuple[str, ...]:
        return (number, name, *[""] * rest)

    rows = [site("0001", "One"), site("0001", "One"), site("0002", "Two"), site("0002", "Other"), site("3", "Three")]
    (made,) = check_text(SITE_MASTER, csv_text(SITE_MASTER, rows), Context(Period(2026, 10), None))
    assert made.accepted["row_number"].to_list() == [1]
    assert made.duplicates == 1
    assert [(row[0], row[3]) for row in made.rejected.rows()] == [
        (3, "KEY_CONFLICT"),
        (4, "KEY_CONFLICT"),
        (5, "SITE_FORMAT"),
    ]


# -- the declaration ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda d: d.name)
def test_every_stored_column_is_filled_and_fits(dataset: Dataset) -> None:
    columns = {c.target: c for c in dataset.columns if c.target}
    derived = (
        {"day", "regular_hours", "overtime_hours", "regular_minutes", "overtime_minutes"}
        if dataset is TIMESHEET
        else set()
    )
    for stored in dataset.table.columns:
        if stored.name in {"batch_no", "row_number"} | derived:
            continue
        declared = columns[stored.name]
        assert declared.length in (0, getattr(stored.type, "length", None)), stored.name
        assert stored.nullable or declared.required or declared.blank is not None, stored.name
        assert declared.scale == getattr(stored.type, "scale", declared.scale), stored.name
    assert set(dataset.key) | set(dataset.control) <= {c.name for c in dataset.table.columns}


def test_an_empty_frame_has_the_form_of_rejected_rows() -> None:
    (made,) = check_text(ACCOUNT_SUMMARY, csv_text(ACCOUNT_SUMMARY, [GOOD_LEDGER]))
    assert made.rejected.is_empty()
    assert made.rejected.schema["amount"] == pl.Int64
