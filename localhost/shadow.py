"""`make shadow`: bill a folder of drops month by month, as the app would have, for comparison with another system.

The same use cases as in production, over a fresh embedded database and the storage emulator, in one process: no host,
no bus, no PDFs. The clock is pulled to the month after each period, so that the result does not depend on today.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localhost.processes import Azurite, ProcessError
from localhost.progress import Progress
from localhost.stack import ROOT
from shared_code.foundation import clock, queues
from shared_code.foundation.calendar import Period
from shared_code.foundation.errors import BillingError

if TYPE_CHECKING:
    from shared_code.foundation.database import Message
    from shared_code.foundation.handover import Handover
    from shared_code.statements.reading.books import BookEntry, BookInvoice

_CONTRACTS, _FACTS = "contract-drops", "edw-drops"
_AT_ONCE = 4
_SMALL = 1 << 20  # bytes that are sent in one piece
_CREDITED = ("clientPaidExpense", "nonBillableExpense")  # entered positive, stored negative (billing-flows 5.10)


@dataclass(frozen=True, slots=True)
class Options:
    """A folder in the layout of the containers, the periods to bill in order, the month that rates are stated for."""

    drops: Path
    first: Period
    last: Period
    rates_as_of: Period
    out: Path


class Shadow:
    """One pass over a folder. Runs inside `prepared`."""

    def __init__(self, options: Options, messages: Handover) -> None:
        self._options = options
        self._messages = messages
        self._adhoc = _read_adhoc(options.drops / "adhoc.json")
        self._loaded: set[Path] = set()
        self.refused: list[str] = []

    def bill(self) -> dict[str, dict[str, Any]]:
        """The book of every period, by site and period."""
        self._take_in_contracts()
        book: dict[str, dict[str, Any]] = defaultdict(dict)
        for period in self._options.first.until(self._options.last.next):
            _pull_clock(period.next)
            self._take_in_facts(period)
            for site, entry in self._bill_month(period).items():
                book[site][str(period)] = entry
        return {site: book[site] for site in sorted(book)}

    def _take_in_contracts(self) -> None:
        from shared_code.edw.contract_drops import receive_contract

        def take_in(path: Path) -> str:
            return receive_contract(_CONTRACTS, self._upload(_CONTRACTS, path), self._options.rates_as_of)

        _pull_clock(self._options.first)
        files = sorted((self._options.drops / _CONTRACTS).rglob("*.json"))
        bar = Progress("reading contracts", len(files))
        with ThreadPoolExecutor(_AT_ONCE) as pool:  # they mostly wait for the storage
            for done, (path, batch) in enumerate(zip(files, pool.map(take_in, files), strict=True), start=1):
                self._note_refusal(batch, path)
                bar.show(done)

    def _take_in_facts(self, through: Period) -> None:
        """The files of every month up to this one that were not taken in yet, the site master first.

        Datasets that bill nothing yet (budget, unit accounts) are left out.
        """
        from shared_code.edw.datasets import DATASETS
        from shared_code.edw.drops import receive_drop

        folder = self._options.drops / _FACTS
        known = [path for path in folder.glob("*/*/*") if path.is_file() and path.parts[-3] in DATASETS]
        files = [path for path in known if path not in self._loaded]
        due = [path for path in files if path.parent.name <= str(through)]
        order = sorted(due, key=lambda path: ("site_master" not in path.parts, path.parent.name, str(path)))
        bar = Progress(f"facts of {through}", len(order))
        for done, path in enumerate(order, start=1):
            batch = receive_drop(_FACTS, self._upload(_FACTS, path))
            self._messages.drain(_do)
            self._note_refusal(batch, path)
            self._loaded.add(path)
            bar.show(done)

    def _bill_month(self, period: Period) -> dict[str, dict[str, Any]]:
        from shared_code.statements.reading.books import book_of
        from shared_code.statements.runs import start_run
        from shared_code.statements.scope import RunCommand

        self._enter_adhoc(period)
        run = start_run(RunCommand(str(period), "shadow", f"shadow-{period}", source="shadow"))
        self._messages.drain(_do)
        by_site: dict[str, list[BookEntry]] = defaultdict(list)
        for entry in book_of(run.run_id):
            by_site[entry.site_number].append(entry)
        return {site: _month(entries) for site, entries in by_site.items()}

    def _enter_adhoc(self, period: Period) -> None:
        """The ad-hoc lines of a month, as a person would have entered them before billing."""
        from shared_code.contracts.repository import contract_ids_of
        from shared_code.foundation.bus import unit_of_work
        from shared_code.statements.inputs.repository import add_adhoc_lines

        with unit_of_work() as work:
            rows = []
            for number, line in enumerate(self._adhoc.get(str(period), ())):
                contracts = contract_ids_of(work.connection, line["site"])
                if contracts:
                    rows.append(_adhoc_row(line, contracts[0], period, number))
                else:
                    self.refused.append(f"adhoc.json: site {line['site']} has no contract")
            add_adhoc_lines(work.connection, rows)

    def _upload(self, container: str, path: Path) -> str:
        from shared_code.edw.storage import write_stream
        from shared_code.foundation.blobs import put

        name = path.relative_to(self._options.drops / container).as_posix()
        if path.stat().st_size < _SMALL:
            put(container, name, path.read_bytes(), "application/octet-stream")
            return name
        with path.open("rb") as file:
            write_stream(container, name, iter(lambda: file.read(_SMALL), b""))
        return name

    def _note_refusal(self, batch_id: str, path: Path) -> None:
        """A file that was not taken in as it is must not pass unnoticed."""
        from shared_code.edw.repository import batch_by_id
        from shared_code.foundation.database import reading

        with reading() as connection:
            batch = batch_by_id(connection, batch_id)
        if batch is not None and batch.state not in ("current", "duplicate"):
            self.refused.append(f"{path}: {batch.state}, {batch.reason}: {batch.message}")


def _do(message: Message) -> None:
    """The work of a message, by its queue; documents are not drawn."""
    from shared_code.edw.messages import ImportWork
    from shared_code.edw.slices import finish_batch, stage_slice
    from shared_code.statements.generation import generate_chunk
    from shared_code.statements.messages import ChunkWork

    if message.queue == queues.IMPORT_SLICES:
        work = ImportWork.model_validate_json(message.body)
        if work.slice is None:
            finish_batch(work.batch)
        else:
            stage_slice(work.batch, work.slice)
    elif message.queue == queues.STATEMENT_CHUNKS:
        chunk = ChunkWork.model_validate_json(message.body)
        generate_chunk(chunk.run, chunk.chunk, message.message_id)


def _read_adhoc(path: Path) -> Mapping[str, Sequence[dict[str, Any]]]:
    """The lines of `adhoc.json` by period; none when there is no such file."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    if path.exists():
        for line in json.loads(path.read_bytes(), parse_float=Decimal):
            found[line["period"]].append(line)
    return found


def _adhoc_row(line: Mapping[str, Any], contract_id: str, period: Period, number: int) -> dict[str, object]:
    amount = Decimal(str(line["amount"]))
    return {
        "line_id": clock.derived_id("shadow-line", contract_id, period, number),
        "contract_id": contract_id,
        "period": str(period),
        "invoice_group": int(line.get("group") or 1),
        "type": line["type"],
        "title": line["title"],
        "code": str(line.get("code") or ""),
        "description": line.get("description") or "",
        "amount": -abs(amount) if line["type"] in _CREDITED else amount,
        "author": "shadow",
        "reason": "from adhoc.json",
        "created_at": clock.now() + timedelta(microseconds=number),  # they are printed in this order
    }


def _month(entries: Sequence[BookEntry]) -> dict[str, Any]:
    """What a site was billed in a month; several contracts of a site stand together (rules R42)."""
    worst = next((entry for entry in entries if not entry.invoices), entries[0])
    return {
        "status": worst.status,
        "reason": worst.reason,
        "invoices": [_invoice(invoice) for entry in entries for invoice in entry.invoices],
    }


def _invoice(invoice: BookInvoice) -> dict[str, Any]:
    return {
        "group": invoice.group,
        "number": invoice.number,
        "invoiceDate": invoice.invoice_date.isoformat(),
        "total": f"{invoice.total:.2f}",
        "lines": [
            {"title": line.title, "code": line.code, "description": line.description, "amount": f"{line.amount:.2f}"}
            for line in invoice.lines
        ],
    }


def _pull_clock(month: Period) -> None:
    """Set the clock to the fifth of a month: the day on which books are closed."""
    at = datetime(month.year, month.month, 5, 12, tzinfo=UTC)
    clock.set_clock(lambda: at)


@contextmanager
def prepared(azurite: Azurite, database: Path) -> Iterator[Handover]:
    """The app of this process over a fresh database and the emulator, its messages kept in the process."""
    example = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    os.environ.update(
        {
            **example,
            "DATABASE_URL": f"sqlite:///{database}",
            "BillingStorage": azurite.connection_string,
            "AzureWebJobsStorage": azurite.connection_string,
        }
    )
    from shared_code.foundation.handover import handover
    from shared_code.foundation.settings import settings
    from shared_code.operations.migrate import upgrade

    upgrade(settings().database_url)
    try:
        with handover() as messages:
            yield messages
    finally:
        clock.set_clock(None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Bill the folder and write the book; 1 when a file was not taken in, 2 when folder or periods are wrong."""
    logging.disable(logging.WARNING)
    try:
        options = _options(arguments)
        with tempfile.TemporaryDirectory(prefix="shadow-") as state:
            folder = Path(state)
            with Azurite(folder / "azurite") as azurite, prepared(azurite, folder / "shadow.sqlite") as messages:
                shadow = Shadow(options, messages)
                book = shadow.bill()
    except (BillingError, ProcessError, ValueError, KeyError, OSError) as error:
        sys.stderr.write(f"shadow billing ended: {error}\n")
        return 2
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(book, indent=1) + "\n")
    for line in shadow.refused:
        sys.stderr.write(f"not taken in: {line}\n")
    months = sum(len(by_period) for by_period in book.values())
    billed = sum(bool(month["invoices"]) for by_period in book.values() for month in by_period.values())
    sys.stdout.write(f"{options.out}: {len(book)} sites, {months} site-months, {billed} of them billed\n")
    return 1 if shadow.refused else 0


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m localhost.shadow")
    parser.add_argument("--drops", required=True, type=Path, help="a folder with contract-drops/ and edw-drops/")
    parser.add_argument("--periods", required=True, help="2026-01:2026-09, or one month")
    parser.add_argument("--out", required=True, type=Path, help="the file to write")
    parser.add_argument("--rates-as-of", default="", help="the month that rates are stated for (the one before)")
    given = parser.parse_args(arguments)
    first, _, last = given.periods.partition(":")
    begin, end = Period.parse(first), Period.parse(last or first)
    if end < begin:
        raise ValueError(f"the periods run backwards: {given.periods}")
    if not (given.drops / _CONTRACTS).is_dir():
        raise ValueError(f"{given.drops} has no folder {_CONTRACTS}")
    as_of = Period.parse(given.rates_as_of) if given.rates_as_of else begin.previous
    return Options(given.drops, begin, end, as_of, given.out)


if __name__ == "__main__":
    sys.exit(main())
