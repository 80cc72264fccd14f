"""The bytes of a slice to columns of text. Fast where every row is well formed, exact where one is not."""

from __future__ import annotations

import csv
import io
import logging
import re
from collections.abc import Sequence
from itertools import batched

import polars as pl

from shared_code.edw import records
from shared_code.edw.checking import REJECTED_SCHEMA, VALUE_LENGTH
from shared_code.edw.datasets import Dataset
from shared_code.edw.errors import ConservationError
from shared_code.edw.values import MALFORMED_ROW

log = logging.getLogger(__name__)
_WELL_QUOTED = re.compile(rb'(?:(?:"[^"]*+(?:""[^"]*+)*+"\r?+|[^",\n]*+)[,\n])*+')
_BLOCK = 20_000  # rows that the exact reader holds as Python objects at a time


def read_slice(
    data: bytes, header: Sequence[str], dataset: Dataset, first_row: int, row_count: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read whole rows: a frame of texts (row_number, then the dataset's source columns that the file has), and the
    rows that have too few or too many values or are not UTF-8, in the form of rejected rows.

    Raises ConservationError when the bytes do not hold `row_count` rows.
    """
    wanted = [c.source for c in dataset.columns if c.source in header]
    frame = _read_fast(data, header, row_count)
    if frame is not None:
        rows, malformed = frame.select(wanted), pl.DataFrame(schema=REJECTED_SCHEMA)
        numbers = pl.Series(range(first_row, first_row + row_count), dtype=pl.Int64)
    else:
        rows, numbers, malformed = _read_exactly(data, header, wanted, first_row)
    if rows.height + malformed.height != row_count:
        raise ConservationError(f"a slice of {row_count} rows was read as {rows.height + malformed.height}")
    return rows.insert_column(0, numbers.alias("row_number")), malformed


def _read_fast(data: bytes, header: Sequence[str], row_count: int) -> pl.DataFrame | None:
    """All columns through polars, or None when a row is not well formed.

    polars pads a short row silently, so the commas are counted: no row has more values than the header (it refuses
    those), hence as many commas as expected in all means that no row has fewer.
    """
    if _is_odd(data) or records.count_commas(data) != row_count * (len(header) - 1):
        return None
    try:
        frame = pl.read_csv(
            io.BytesIO(data), has_header=False, schema=dict.fromkeys(_distinct(header), pl.String), infer_schema=False
        )
    except pl.exceptions.PolarsError as error:
        log.info("rows are read one by one: %s", str(error).partition("\n")[0])
        return None
    return frame if frame.height == row_count else None


def _is_odd(data: bytes) -> bool:
    """Whether there is something that polars and the exact reader see differently: null characters, carriage returns
    within values, quotation marks other than around a whole value. What becomes of a row must not depend on whether
    its neighbours are well formed.
    """
    if b"\x00" in data or data.count(b"\r") != data.count(b"\r\n"):
        return True
    if b'"' not in data:
        return False
    return _WELL_QUOTED.fullmatch(data if data.endswith(b"\n") else data + b"\n") is None


def _distinct(header: Sequence[str]) -> list[str]:
    """Column names that a frame accepts: nameless columns, which are ignored, get one each."""
    return [name or f"\x00{position}" for position, name in enumerate(header)]


def _read_exactly(
    data: bytes, header: Sequence[str], wanted: Sequence[str], first_row: int
) -> tuple[pl.DataFrame, pl.Series, pl.DataFrame]:
    """Row by row with Python's csv, in blocks: only for slices in which some row is malformed."""
    places = [header.index(name) for name in wanted]
    schema = dict.fromkeys(wanted, pl.String)
    frames: list[pl.DataFrame] = []
    numbers: list[pl.Series] = []
    bad: list[tuple[int, str]] = []
    for block in batched(enumerate(records.split_records(data), first_row), _BLOCK, strict=False):
        kept: list[tuple[str, ...]] = []
        kept_numbers: list[int] = []
        for number, record in block:
            values = _values(record, len(header))
            if values is None:
                bad.append((number, record.decode("utf-8", "replace").rstrip("\r\n")[:VALUE_LENGTH]))
            else:
                kept.append(tuple(values[place] for place in places))
                kept_numbers.append(number)
        frames.append(pl.DataFrame(kept, schema=schema, orient="row"))
        numbers.append(pl.Series(kept_numbers, dtype=pl.Int64))
    return pl.concat(frames), pl.concat(numbers), _malformed(bad)


def _values(record: bytes, width: int) -> list[str] | None:
    """The values of one row, or None when it is malformed."""
    try:
        found = list(csv.reader(io.StringIO(record.decode("utf-8"), newline="\n"), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    if b"\x00" in record or len(found) != 1 or len(found[0]) != width:
        return None
    return found[0]


def _malformed(bad: Sequence[tuple[int, str]]) -> pl.DataFrame:
    rows = [(number, None, "", MALFORMED_ROW, text, None) for number, text in bad]
    return pl.DataFrame(rows, schema=REJECTED_SCHEMA, orient="row")
