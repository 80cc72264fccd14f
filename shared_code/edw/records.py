"""Where rows begin and end in a comma-separated text, found without reading it whole (RFC 4180).

A quotation mark opens a quoted value only at the start of a value; anywhere else it is a character like others. This
is also what Python's `csv` does, so the slow exact reader and the fast one agree on what a row is.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared_code.edw import errors
from shared_code.foundation.errors import BillingError

# Also the longest value that Python's csv reader takes.
MAX_RECORD_BYTES = 131_072
_STEP = 4_000_000  # bytes looked at together
_NOT_STRUCTURE = bytes(set(range(256)) - set(b'",\n'))
_QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+("?)')


@dataclass(frozen=True, slots=True)
class SliceRange:
    """A run of whole rows: bytes [byte_from, byte_to), `row_count` rows, the first of them row `first_row` (from 1)."""

    byte_from: int
    byte_to: int
    first_row: int
    row_count: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The header of a file and the slices that cover all its rows."""

    header: tuple[str, ...]
    slices: tuple[SliceRange, ...]

    @property
    def row_count(self) -> int:
        return sum(part.row_count for part in self.slices)


def is_simple(data: bytes) -> bool:
    """Whether no comma and no line end of `data`, which ends at a line end, stands inside a quoted value.

    Before a hidden separator the quotation marks since the last separator are odd in number: the opening one and
    escaped pairs. So when all such runs are even nothing is hidden. Conservative: odd runs may be harmless.
    """
    if b'"' not in data:
        return True
    return b'"' not in data.translate(None, _NOT_STRUCTURE).replace(b'""', b"")


def quoted_spans(data: bytes) -> Iterator[tuple[int, int, bool]]:
    """Start, end and closedness of each quoted value of `data`, which starts at the start of a row."""
    at = data.find(b'"')
    while at >= 0:
        end = at + 1
        if at == 0 or data[at - 1] in b",\n":
            found = _QUOTED.match(data, at)
            if found is not None:
                end = found.end()
                yield at, end, bool(found[1])
        at = data.find(b'"', end)


def count_commas(data: bytes) -> int:
    """The commas that separate values in `data`, which consists of whole rows."""
    commas = data.count(b",")
    if is_simple(data):
        return commas
    return commas - sum(data.count(b",", start, end) for start, end, _ in quoted_spans(data))


def split_records(data: bytes) -> Iterator[bytes]:
    """Each row of `data` with its line end, in order."""
    start = 0
    for end in _record_ends(data):
        yield data[start:end]
        start = end
    if start < len(data):
        yield data[start:]


def _record_ends(data: bytes) -> Iterator[int]:
    spans = quoted_spans(data)
    span = next(spans, None)
    at = data.find(b"\n")
    while at >= 0:
        while span is not None and span[1] <= at:
            span = next(spans, None)
        if span is not None and span[0] < at:
            at = data.find(b"\n", span[1])
            continue
        yield at + 1
        at = data.find(b"\n", at + 1)


def _complete(block: bytes) -> tuple[int, int]:
    """Where the last whole row of `block` ends, and how many whole rows there are."""
    end = block.rfind(b"\n") + 1
    if is_simple(block[:end]):
        return end, block.count(b"\n", 0, end)
    last = rows = 0
    for last in _record_ends(block):  # noqa: B007 - the last value is the result
        rows += 1
    return last, rows


class SlicePlanner:
    """Takes a file in chunks, in order, and gives the header and slices of about `slice_bytes` (0: one slice).

    Memory is one chunk and one row. Raises BillingError for a text that cannot be told apart into rows.
    Blank lines at the end of a file are not rows.
    """

    def __init__(self, slice_bytes: int) -> None:
        self._slice_bytes = slice_bytes
        self._carry = b""
        self._offset = 0  # of the carry in the file
        self._header: tuple[str, ...] | None = None
        self._slices: list[SliceRange] = []
        self._start = 0  # of the slice that is being collected
        self._rows = 0  # its rows
        self._end = 0  # its end
        self._blank_rows = 0  # blank lines after its end: rows only if something follows
        self._done = 0  # rows of finished slices
        self._seen = False

    @property
    def header(self) -> tuple[str, ...] | None:
        """The column names, as soon as the first line is complete."""
        return self._header

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        if not self._seen and chunk:
            self._seen = True
            chunk = self._open(chunk)
        step = min(self._slice_bytes or _STEP, _STEP)
        for start in range(0, len(chunk), step):
            self._take(chunk[start : start + step])

    def finish(self) -> Plan:
        """The plan, after the last byte."""
        if self._carry and self._header is None:
            self._read_header(self._carry)
            self._carry = b""
        if self._carry:
            if any(not closed for _, _, closed in quoted_spans(self._carry)):
                raise BillingError(errors.QUOTE_UNCLOSED, f"row {self._row()}: a quotation mark is never closed")
            self._append(self._carry, 1)
        if self._header is None:
            raise BillingError(errors.FILE_EMPTY, "the file is empty")
        self._cut()
        return Plan(self._header, tuple(self._slices))

    def _open(self, chunk: bytes) -> bytes:
        if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise BillingError(errors.FILE_UNREADABLE, "the file is UTF-16; save it as UTF-8")
        if chunk.startswith(codecs.BOM_UTF8):
            self._offset = len(codecs.BOM_UTF8)
            return chunk[self._offset :]
        return chunk

    def _take(self, piece: bytes) -> None:
        block = self._carry + piece
        if self._header is None:
            first = next(_record_ends(block), None)
            if first is None:
                self._keep(block)
                return
            self._read_header(block[:first])
            self._offset += first
            self._start = self._end = self._offset
            block = block[first:]
        end, rows = _complete(block)
        if end:
            self._append(block[:end], rows)
        self._keep(block[end:])
        if self._slice_bytes and self._end - self._start >= self._slice_bytes:
            self._cut()

    def _keep(self, rest: bytes) -> None:
        if len(rest) > MAX_RECORD_BYTES:
            raise BillingError(errors.RECORD_TOO_LONG, f"row {self._row()} is longer than {MAX_RECORD_BYTES} bytes")
        self._carry = rest

    def _row(self) -> int:
        return self._done + self._rows + self._blank_rows + 1

    def _append(self, data: bytes, rows: int) -> None:
        """Add whole rows. Trailing blank lines wait: they count only when something follows them."""
        solid = len(data.rstrip(b"\r\n"))
        if solid:
            blank = max(data.count(b"\n", solid) - 1, 0)
            self._rows += self._blank_rows + rows - blank
            self._blank_rows = blank
            self._end = self._offset + (data.find(b"\n", solid) + 1 or len(data))
        else:
            self._blank_rows += rows
        self._offset += len(data)

    def _cut(self) -> None:
        if self._rows:
            self._slices.append(SliceRange(self._start, self._end, self._done + 1, self._rows))
        self._done += self._rows
        self._start = self._end
        self._rows = 0

    def _read_header(self, line: bytes) -> None:
        self._header = parse_header(line)


def parse_header(line: bytes) -> tuple[str, ...]:
    """The column names of a header line: trimmed, upper case. Raises FILE_UNREADABLE, HEADER_INVALID."""
    if b"\x00" in line:
        raise BillingError(errors.FILE_UNREADABLE, "the file is binary, not text separated by commas")
    try:
        text = line.decode("utf-8-sig")
        names = next(csv.reader([text.rstrip("\r\n")]), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise BillingError(errors.FILE_UNREADABLE, "the first line is not UTF-8 text separated by commas") from error
    header = tuple(name.strip().upper() for name in names)
    if not any(header):
        raise BillingError(errors.HEADER_INVALID, "the first line is blank; it must name the columns")
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise BillingError(errors.HEADER_INVALID, f"columns stand twice in the header: {', '.join(twice)}")
    return header
