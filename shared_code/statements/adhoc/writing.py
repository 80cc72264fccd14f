"""The stored invoices and lines of a statement brought to what its pages show, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy.engine import Connection

from shared_code.billing.model import Line
from shared_code.foundation.database import AnyRow
from shared_code.statements.adhoc import repository
from shared_code.statements.adhoc.printing import Page
from shared_code.statements.rows import invoice_row, line_row


def write_pages(
    connection: Connection,
    statement_id: str,
    invoices: Sequence[AnyRow],
    lines: Sequence[AnyRow],
    pages: Sequence[Page],
) -> bool:
    """Add what is new, remove what is gone, move what stands elsewhere; what stays keeps its row. False: nothing to do.

    `invoices` and `lines` are what is stored.
    """
    kept = {line.line_id for page in pages for line in page.lines if not isinstance(line, Line)}
    gone = [line.line_id for line in lines if line.line_id not in kept]
    fresh = [row for page in pages for row in _new_rows(page)]
    if not gone and not fresh:
        return False
    remaining = {page.invoice_id for page in pages}
    repository.remove_lines(connection, gone)
    repository.remove_invoices(connection, [one.invoice_id for one in invoices if one.invoice_id not in remaining])
    repository.add_invoices(
        connection, [invoice_row(one.draft, statement_id) for one in pages if one.draft is not None]
    )
    repository.set_ordinals(connection, [place for page in pages for place in _places(page)])
    repository.add_lines(connection, fresh)
    amounts = {one.invoice_id: one.amount for one in invoices}
    repository.set_amounts(
        connection,
        [
            {"given_invoice": page.invoice_id, "given_amount": page.amount}
            for page in pages
            if page.draft is None and amounts[page.invoice_id] != page.amount
        ],
    )
    return True


def _new_rows(page: Page) -> Iterator[dict[str, object]]:
    for ordinal, line in enumerate(page.lines, start=1):
        if isinstance(line, Line):
            yield line_row(page.invoice_id, ordinal, line)


def _places(page: Page) -> Iterator[dict[str, object]]:
    """The places of stored lines that are not where they were."""
    for ordinal, line in enumerate(page.lines, start=1):
        if not isinstance(line, Line) and line.ordinal != ordinal:
            yield {"given_line": line.line_id, "given_ordinal": ordinal}
