"""A whole run as a book: what each site was billed, line by line, or why it was not. Four SQL statements."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from shared_code.foundation.database import AnyRow, reading
from shared_code.statements.reading import repository as reads


@dataclass(frozen=True, slots=True)
class BookLine:
    """A printed line."""

    title: str
    code: str
    description: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BookInvoice:
    """An invoice with its lines in print order."""

    group: int
    number: str
    invoice_date: date
    total: Decimal
    lines: tuple[BookLine, ...]


@dataclass(frozen=True, slots=True)
class BookEntry:
    """One contract in one period. `status` is the statement's, or the outcome where there is none."""

    site_number: str
    contract_id: str
    status: str
    reason: str | None
    invoices: tuple[BookInvoice, ...]


def book_of(run_id: str) -> list[BookEntry]:
    """Every contract of a run, by site."""
    with reading() as connection:
        items = reads.items_of(connection, run_id)
        invoices = reads.invoices_of_run(connection, run_id)
        lines = reads.lines_of_run(connection, run_id)
    by_invoice: dict[str, list[BookLine]] = defaultdict(list)
    for line in lines:
        by_invoice[line.invoice_id].append(BookLine(line.title, line.code, line.description, line.amount))
    by_statement: dict[str, list[BookInvoice]] = defaultdict(list)
    for row in invoices:
        found = tuple(by_invoice[row.invoice_id])
        invoice = BookInvoice(row.invoice_group, row.number, row.invoice_date, row.amount, found)
        by_statement[row.statement_id].append(invoice)
    return [_entry(item, tuple(by_statement.get(item.statement_id, ()))) for item in items]


def _entry(item: AnyRow, invoices: tuple[BookInvoice, ...]) -> BookEntry:
    billed = item.statement_id is not None
    status = item.status if billed else item.outcome
    reason = item.status_reason if billed else item.reason
    return BookEntry(item.site_number, item.contract_id, status, reason, invoices)
