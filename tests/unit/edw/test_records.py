"""Where rows begin and end: splitting a file at any size changes nothing."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.edw import records
from shared_code.edw.records import Plan, SlicePlanner
from shared_code.foundation.errors import BillingError

CELL = st.text(st.sampled_from('ab",\n\r x'), max_size=6)
ROW = st.lists(CELL, min_size=2, max_size=2)


def plan(data: bytes, slice_bytes: int, chunk: int = 7) -> Plan:
    planner = SlicePlanner(slice_bytes)
    for start in range(0, len(data), chunk):
        planner.feed(data[start : start + chunk])
    return planner.finish()


def written(rows: list[list[str]], ending: str = "\n") -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=ending, quoting=csv.QUOTE_ALL)
    writer.writerow(["A", "B"])
    writer.writerows(rows)
    return out.getvalue().encode()


@given(st.lists(ROW, max_size=12), st.integers(1, 60), st.integers(3, 50), st.sampled_from(["\n", "\r\n"]))
def test_slices_cover_all_rows_once_and_in_order(rows: list[list[str]], size: int, chunk: int, ending: str) -> None:
    data = written(rows, ending)
    made = plan(data, size, chunk)
    found: list[list[str]] = []
    for part in made.slices:
        assert part.first_row == len(found) + 1
        pieces = list(records.split_records(data[part.byte_from : part.byte_to]))
        assert len(pieces) == part.row_count
        for piece in pieces:
            found += csv.reader(io.StringIO(piece.decode(), newline=""))
    assert found == rows
    assert all(a.byte_to == b.byte_from for a, b in zip(made.slices, made.slices[1:], strict=False))


@given(
    st.binary(max_size=200).map(lambda tail: b"A,B\n" + tail.replace(b"\x00", b"")),
    st.integers(1, 40),
    st.integers(4, 60),
)
def test_any_bytes_split_the_same_way_at_any_size(data: bytes, size: int, chunk: int) -> None:
    def rows(slice_bytes: int, step: int) -> list[bytes] | str:
        try:
            made = plan(data, slice_bytes, step)
        except BillingError as error:
            return error.code
        return [piece for part in made.slices for piece in records.split_records(data[part.byte_from : part.byte_to])]

    assert rows(size, chunk) == rows(0, len(data))


@given(st.binary(max_size=80).map(lambda body: bytes(b'",\na'[x % 4] for x in body) + b"\n"))
def test_the_short_cut_never_misses_a_hidden_separator(data: bytes) -> None:
    spans = list(records.quoted_spans(data))
    hidden = sum(data.count(mark, start, end) for start, end, _ in spans for mark in (b",", b"\n"))
    if records.is_simple(data):
        assert hidden == 0
    assert records.count_commas(data) == data.count(b",") - sum(data.count(b",", s, e) for s, e, _ in spans)


CASES: list[tuple[str, str, int]] = [
    ("plain", "1,2\n3,4\n", 2),
    ("no line end at the end", "1,2\n3,4", 2),
    ("line ends of Windows", "1,2\r\n3,4\r\n", 2),
    ("blank lines at the end are no rows", "1,2\n3,4\n\n\r\n\n", 2),
    ("blank lines between are rows, and are refused later", "1,2\n\n3,4\n", 3),
    ("a quoted line end", '1,"a\nb"\n3,4\n', 2),
    ("an escaped quotation mark", '1,"a""\nb"\n3,4\n', 2),
    ("inches are no quotation", '1,24" wide\n3,26" wide\n5,6\n', 3),
    ("a quotation that ends inside a value", '1,"24" wide\n3,4\n', 2),
]


@pytest.mark.parametrize(("_name", "text", "count"), CASES)
def test_rows_are_told_apart(_name: str, text: str, count: int) -> None:
    assert plan(b"A,B\n" + text.encode(), 4).row_count == count


def test_the_header_is_trimmed_upper_case_and_without_byte_order_mark() -> None:
    made = plan("\ufeff site , Date \r\n1,2\r\n".encode(), 100, 50)
    assert made.header == ("SITE", "DATE")
    assert (made.slices[0].byte_from, made.slices[0].row_count) == (18, 1)
