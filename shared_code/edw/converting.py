"""Drops that are not plain text, rewritten as text so that they are planned, sliced and read in the one way.

Memory stays bounded: gzip is expanded a few megabytes at a time, Parquet is read a batch of rows at a time from a
file on disk. Excel workbooks must be loaded whole and are therefore limited in size.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import polars as pl

from shared_code.edw import errors
from shared_code.foundation.errors import BillingError

_CHUNK = 4_000_000
_PARQUET_ROWS = 50_000
MAX_WORKBOOK_BYTES = 50_000_000
MAX_EXPANDED_BYTES = 16_000_000_000  # of a gzip file: beyond it is a bomb, not a month


class Format(StrEnum):
    """The formats that are read, by the end of the file's name."""

    GZIP = ".csv.gz"
    CSV = ".csv"
    PARQUET = ".parquet"
    XLSX = ".xlsx"

    @classmethod
    def of(cls, name: str) -> Format:
        """The format of a file by its name, whatever its case. Raises FORMAT_UNKNOWN."""
        for known in cls:
            if name.lower().endswith(known):
                return known
        raise BillingError(errors.FORMAT_UNKNOWN, f"{name!r} ends in none of {', '.join(cls)}")


_MAGIC = {Format.GZIP: b"\x1f\x8b", Format.PARQUET: b"PAR1", Format.XLSX: b"PK"}


def to_csv(path: Path, form: Format) -> Iterator[bytes]:
    """The content of a file as CSV, in chunks. Raises FILE_EMPTY, FILE_UNREADABLE, FILE_TOO_LARGE."""
    with path.open("rb") as file:
        magic = file.read(4)
    if not magic:
        raise BillingError(errors.FILE_EMPTY, "the file is empty")
    if not magic.startswith(_MAGIC[form]):
        raise BillingError(errors.FILE_UNREADABLE, f"the content is not what {form} says")
    return {Format.GZIP: _expand, Format.PARQUET: _parquet, Format.XLSX: _workbook}[form](path)


def _expand(path: Path) -> Iterator[bytes]:
    total = 0
    with path.open("rb") as file:
        for piece in _gunzip(file):
            total += len(piece)
            if total > MAX_EXPANDED_BYTES:
                raise BillingError(errors.FILE_TOO_LARGE, f"the file expands to more than {MAX_EXPANDED_BYTES} bytes")
            yield piece


def _gunzip(file: BinaryIO) -> Iterator[bytes]:
    """All members of a gzip file, at most `_CHUNK` expanded bytes at a time."""
    inflate = zlib.decompressobj(wbits=31)
    pending = b""
    try:
        while pending or (pending := file.read(_CHUNK)):
            yield inflate.decompress(pending, _CHUNK)
            pending = inflate.unconsumed_tail
            if inflate.eof:
                pending = inflate.unused_data
                inflate = zlib.decompressobj(wbits=31) if pending or (pending := file.read(_CHUNK)) else inflate
    except zlib.error as error:
        raise BillingError(errors.FILE_UNREADABLE, f"the compressed file is damaged: {error}") from error
    if not inflate.eof:
        raise BillingError(errors.FILE_UNREADABLE, "the compressed file ends too early")


def _parquet(path: Path) -> Iterator[bytes]:
    try:
        frames = pl.scan_parquet(path).select(pl.all().cast(pl.String)).collect_batches(chunk_size=_PARQUET_ROWS)
        header = True
        for frame in frames:
            yield frame.write_csv(include_header=header).encode()
            header = False
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BillingError(errors.FILE_UNREADABLE, f"the Parquet file cannot be read: {_first_line(error)}") from error


def _workbook(path: Path) -> Iterator[bytes]:
    import fastexcel

    if path.stat().st_size > MAX_WORKBOOK_BYTES:
        raise BillingError(errors.FILE_TOO_LARGE, f"a workbook may have {MAX_WORKBOOK_BYTES} bytes")
    try:
        frame = fastexcel.read_excel(path.read_bytes()).load_sheet(0, dtypes="string").to_polars()
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError) as error:
        raise BillingError(errors.FILE_UNREADABLE, f"the workbook cannot be read: {_first_line(error)}") from error
    for start in range(0, max(frame.height, 1), _PARQUET_ROWS):
        yield frame.slice(start, _PARQUET_ROWS).write_csv(include_header=start == 0).encode()


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]
