"""P5: a revenue file of about a million rows with rejects, on one core, against a bare `polars.read_csv` with decimals.

Planned, read, checked and written slice by slice as the app does it, from a file instead of a container.
"""

import os

os.environ["POLARS_MAX_THREADS"] = "1"  # before polars is imported: both sides have one core

import resource
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from sample_data.generate import generate
from sample_data.options import SampleOptions, parse_periods
from shared_code.edw import repository
from shared_code.edw.checking import Checked, check
from shared_code.edw.datasets import DATASETS
from shared_code.edw.reading import read_slice
from shared_code.edw.records import Plan, SlicePlanner
from shared_code.edw.values import Context
from shared_code.facts.tables import revenue_daily
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import create_database
from tests.bench.figures import median_seconds, report

SITES = 600
PERIOD = Period(2026, 10)
SLICE_BYTES = 8_000_000
REJECT_EVERY = 50
DATASET = DATASETS["revenue_daily"]
MONEY = ("NETEXTERNALREVENUE", "EXTERNALREVENUE", "BILLABLE_NET_VALIDATION")
MEGABYTE = 1024


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, sites = _file(Path(folder))
        rows = sum(part.row_count for part in _plan(path).slices)
        _report_memory(path, sites)
        checked = median_seconds(lambda: sum(result.rows for result in _checked(path, sites)), 3)
        bare = median_seconds(lambda: _bare(path), 3)
        report("P5 validated and typed", rows / checked, "rows/s", "≥ 0.4 × the baseline", ("read_csv", rows / bare))
        begun = time.perf_counter()
        stored = _store(Path(folder), path, sites)
        seconds = time.perf_counter() - begun
        report("P5 into SQLite, with provenance and index", stored / seconds, "rows/s", "≥ 150,000 rows/s")


def _report_memory(path: Path, sites: frozenset[str]) -> None:
    """Peak of a process that checks the whole file, before anything else has been read here."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in _checked(path, sites):
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    baseline = ("before reading, sample data made in the same process", before / MEGABYTE)
    report("P5 peak memory", peak / MEGABYTE, "MB", "≤ 300 MB", baseline)


def _file(folder: Path) -> tuple[Path, frozenset[str]]:
    """The invented operator's revenue with a bad number in every fiftieth row."""
    generate(SampleOptions(out=folder, sites=SITES, volume="full", periods=parse_periods(str(PERIOD))))
    source = next((folder / "edw-drops" / "revenue_daily" / str(PERIOD)).iterdir())
    target = folder / "revenue.csv"
    sites: set[str] = set()
    with source.open() as lines, target.open("w") as out:
        out.write(next(lines))
        for number, line in enumerate(lines):
            sites.add(line.partition(",")[0])
            out.write(line.replace(".", ".x", 1) if number % REJECT_EVERY == 0 else line)
    return target, frozenset(sites)


def _plan(path: Path) -> Plan:
    planner = SlicePlanner(SLICE_BYTES)
    with path.open("rb") as file:
        while chunk := file.read(4_000_000):
            planner.feed(chunk)
    return planner.finish()


def _checked(path: Path, sites: frozenset[str]) -> Iterator[Checked]:
    plan = _plan(path)
    context = Context(PERIOD, sites)
    with path.open("rb") as file:
        for part in plan.slices:
            file.seek(part.byte_from)
            data = file.read(part.byte_to - part.byte_from)
            yield check(DATASET, *read_slice(data, plan.header, DATASET, part.first_row, part.row_count), context)


def _bare(path: Path) -> int:
    """What polars does by itself: columns of the same types, nothing checked (bad values become null)."""
    types = {"DATE": pl.Date(), "TAXRATE": pl.Decimal(9, 6)} | dict.fromkeys(MONEY, pl.Decimal(18, 4))
    schema = {name: types.get(name, pl.String()) for name in _plan(path).header}
    return pl.read_csv(path, schema=schema, ignore_errors=True).height


def _store(folder: Path, path: Path, sites: frozenset[str]) -> int:
    """The accepted rows into a fresh database, their index made after the load."""
    engine = create_database(f"sqlite:///{folder / 'facts.sqlite'}")
    index = next(iter(revenue_daily.indexes))
    with engine.begin() as connection:
        revenue_daily.create(connection)
        index.drop(connection)
    stored = 0
    for result in _checked(path, sites):
        with engine.connect().execution_options(sqlite_begin="IMMEDIATE") as connection, connection.begin():
            repository.insert_rows(connection, revenue_daily, 1, result.accepted)
        stored += result.accepted.height
    with engine.begin() as connection:
        index.create(connection)
    with sqlite3.connect(folder / "facts.sqlite") as check_connection:
        assert check_connection.execute("SELECT COUNT(*) FROM revenue_daily").fetchone() == (stored,)
    return stored


if __name__ == "__main__":
    main()
