"""An invented operator in the app's database whose month is ready to be closed: contracts, facts, a year before it.

One operator of at most 770 sites is invented, saved and summed up by the app's own code. Larger ones are copies of it
under other site numbers, and the earlier months are copies of the one: only what billing reads is written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import batched
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sample_data.generate import generate
from sample_data.options import SampleOptions
from shared_code.contracts.saving import Saving, read_document, save_in
from shared_code.contracts.tables import contract, contract_version
from shared_code.edw import repository as staging
from shared_code.edw.checking import check
from shared_code.edw.datasets import DATASETS, Dataset
from shared_code.edw.publication import repository as publication
from shared_code.edw.reading import read_slice
from shared_code.edw.records import SlicePlanner
from shared_code.edw.values import Context
from shared_code.facts.tables import (
    account_summary,
    current_facts,
    forecast,
    hours_monthly,
    import_batch,
    revenue_monthly,
    site,
    statistics_monthly,
)
from shared_code.foundation import audit, clock
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import UnitOfWork, transaction
from shared_code.statements.tables import monthly_profit

PERIOD = Period(2026, 10)
CLOSING = datetime(2026, 11, 5, 12, tzinfo=UTC)
"""The instant at which the month is closed, for `clock.set_clock`."""

_RATES_AS_OF = Period(2025, 12)
_MONTHS_BEFORE = 12
_MOST_SITES = 770
_DIGITS = 4  # of the one operator's site numbers; those of copies are longer
_ROWS_AT_ONCE = 5_000
_FACTS = ("revenue_daily", "site_statistics", "account_summary", "timesheet", "forecast")
_SUMS = (revenue_monthly, statistics_monthly, hours_monthly, account_summary, forecast)
_READ_OF_EARLIER_MONTHS = (revenue_monthly, account_summary)  # windows read nothing else
_PROFIT = Decimal("1500.00")


def fill(contracts: int) -> None:
    """Fill the empty database of this process with `contracts` sites that have a contract each."""
    base = max(number for number in range(1, _MOST_SITES + 1) if contracts % number == 0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(SampleOptions(out=folder, sites=base, volume="light", periods=(PERIOD,)))
        with transaction() as work:
            _take_in_sites(work.connection, folder)
            for number, dataset in enumerate(_FACTS, start=1):
                _take_in(work.connection, folder, DATASETS[dataset], number)
            _take_in_contracts(work, folder)
    with transaction() as work:
        for copy in range(1, contracts // base):
            _copy_sites(work.connection, f"{copy:02d}")
        _copy_contracts(work, [f"{copy:02d}" for copy in range(1, contracts // base)])
        for months in range(1, _MONTHS_BEFORE + 1):
            _copy_month(work.connection, months)
        _write_profits(work.connection)


# -- one operator, by the app's own code --------------------------------------------------------------------------


def _take_in_sites(connection: Connection, folder: Path) -> None:
    staging.save_sites(connection, 0, _accepted(folder, DATASETS["site_master"], None))


def _take_in(connection: Connection, folder: Path, dataset: Dataset, batch_no: int) -> None:
    """Store a dataset's rows, their sums, and the pointers of its sites: complete for every day of the month."""
    rows = _accepted(folder, dataset, staging.known_sites(connection))
    connection.execute(import_batch.insert(), _batch_row(dataset.name, batch_no))
    staging.insert_rows(connection, dataset.table, batch_no, rows)
    publication.write_monthly(connection, dataset, batch_no)
    first, last = (PERIOD.first_day, PERIOD.last_day) if dataset.dated else (None, None)
    pointers = [
        publication.Pointer(number, count, 0, first, last, 0 if dataset.dated else None)
        for number, count in rows["site"].value_counts(sort=False).rows()
    ]
    publication.point(connection, dataset.name, str(PERIOD), batch_no, pointers)
    if dataset.table not in _SUMS:  # billing reads their sums
        staging.clear_batch(connection, dataset.table, batch_no)


def _accepted(folder: Path, dataset: Dataset, sites: frozenset[str] | None) -> Any:
    """The accepted rows of the dataset's file, as a frame."""
    data = next((folder / "edw-drops" / dataset.name / str(PERIOD)).iterdir()).read_bytes()
    planner = SlicePlanner(len(data))
    planner.feed(data)
    plan = planner.finish()
    (part,) = plan.slices
    rows, malformed = read_slice(
        data[part.byte_from : part.byte_to], plan.header, dataset, part.first_row, part.row_count
    )
    return check(dataset, rows, malformed, Context(PERIOD, sites)).accepted


def _batch_row(dataset: str, batch_no: int) -> dict[str, object]:
    return {
        "batch_no": batch_no,
        "batch_id": clock.derived_id("batch", batch_no),
        "effect_key": f"{dataset}|{PERIOD}|{batch_no}",
        "dataset": dataset,
        "period": str(PERIOD),
        "container": "edw-drops",
        "source_name": f"{dataset}.csv",
        "sha256": "0" * 64,
        "byte_count": 1,
        "state": "current",
        "last_day": PERIOD.last_day if DATASETS[dataset].dated else None,
        "created_at": clock.now(),
    }


def _take_in_contracts(work: UnitOfWork, folder: Path) -> None:
    saving = Saving("bench", "taken in", rates_as_of=_RATES_AS_OF)
    for path in sorted((folder / "contract-drops").glob("*.json")):
        save_in(work, read_document(path.read_bytes(), legacy=True, name=path.name), saving)


# -- copies -------------------------------------------------------------------------------------------------------


def _copied(connection: Connection, table: sa.Table, rows: sa.ColumnElement[bool], changes: Mapping[str, Any]) -> None:
    """Write these rows once more, with some columns changed."""
    columns = [changes.get(column.name, column) for column in table.columns]
    connection.execute(table.insert().from_select(list(table.columns), sa.select(*columns).where(rows)))


def _copy_sites(connection: Connection, prefix: str) -> None:
    """Every site of the one operator once more, its number behind a prefix, with the facts of the month."""
    _copied(
        connection,
        site,
        sa.func.length(site.c.site_number) == _DIGITS,
        {"site_number": prefix + site.c.site_number},
    )
    for table in (*_SUMS, current_facts):
        changes: dict[str, Any] = {"site": prefix + table.c.site}
        if "row_number" in table.c:
            changes["row_number"] = table.c.row_number + int(prefix) * 100 * _MOST_SITES
        _copied(connection, table, sa.func.length(table.c.site) == _DIGITS, changes)


def _copy_contracts(work: UnitOfWork, prefixes: list[str]) -> None:
    """The operator's contracts for the copied sites, each with the audit event of its saving."""
    rows = work.connection.execute(
        sa.select(contract, contract_version).join(
            contract_version, contract_version.c.contract_id == contract.c.contract_id
        )
    ).all()
    for part in batched((_copy(row, prefix) for prefix in prefixes for row in rows), _ROWS_AT_ONCE, strict=False):
        heads, versions = zip(*part, strict=True)
        work.connection.execute(contract.insert(), list(heads))
        work.connection.execute(contract_version.insert(), list(versions))
        audit.record(work, [_saved(head) for head in heads])


def _copy(row: Any, prefix: str) -> tuple[dict[str, object], dict[str, object]]:
    found = dict(row._mapping)
    number = found["site_number"]
    contract_id = clock.derived_in_order(prefix + number, "contract", found["document_id"])
    named = f'"number":"{number}"'
    if named not in found["document"]:
        raise ValueError(f"the document of site {number} does not name it")
    document = found["document"].replace(named, f'"number":"{prefix}{number}"')
    document = document.replace('"siteNumber":"', f'"siteNumber":"{prefix}')  # invoices of a group for another site
    changed = {
        "contract_id": contract_id,
        "site_number": prefix + number,
        "document": document,
        "document_hash": clock.fingerprint(document.encode()),
    }
    values = found | changed
    head, version = ({c.name: values[c.name] for c in table.columns} for table in (contract, contract_version))
    return head, version


def _saved(head: Mapping[str, Any]) -> audit.Event:
    contract_id, number = head["contract_id"], head["site_number"]
    return audit.Event(f"contract/{contract_id}", "contract.saved", contract_id, {"version": 1}, site=number)


def _copy_month(connection: Connection, months: int) -> None:
    """What was loaded, as it was so many months earlier, in batches of its own."""
    earlier, shift = PERIOD.plus(-months), 10 * months
    batches = [_batch_row(name, number + shift) for number, name in enumerate(_FACTS, start=1)]
    for row in batches:
        row |= {"period": str(earlier), "last_day": earlier.last_day if row["last_day"] else None}
    connection.execute(import_batch.insert(), batches)
    of_month = current_facts.c.period == str(PERIOD)
    days = {
        name: sa.case((current_facts.c[name].is_(None), None), else_=day)
        for name, day in (("first_day", earlier.first_day), ("last_day", earlier.last_day))
    }
    changes = {"period": sa.literal(str(earlier)), "batch_no": current_facts.c.batch_no + shift, **days}
    _copied(connection, current_facts, of_month, changes)
    for table in _READ_OF_EARLIER_MONTHS:
        _copied(connection, table, table.c.batch_no <= len(_FACTS), {"batch_no": table.c.batch_no + shift})


def _write_profits(connection: Connection) -> None:
    """A year of profits for contracts that may share them; others have none."""
    shares = contract_version.c.components.contains("managementAgreement")
    for contracts in batched(
        connection.scalars(sa.select(contract_version.c.contract_id).where(shares)).all(), _ROWS_AT_ONCE, strict=False
    ):
        connection.execute(monthly_profit.insert(), list(_profits(contracts)))


def _profits(contracts: tuple[str, ...]) -> Iterator[dict[str, object]]:
    instant = clock.now()
    for contract_id in contracts:
        for months in range(1, _MONTHS_BEFORE + 1):
            yield {
                "contract_id": contract_id,
                "period": str(PERIOD.plus(-months)),
                "profit": _PROFIT,
                "run_id": "earlier",
                "created_at": instant,
            }
