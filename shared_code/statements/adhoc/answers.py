"""Added lines as routes answer with them, read after the change that they tell of."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy.engine import Connection

from shared_code.billing import adhoc
from shared_code.foundation.database import AnyRow, reading
from shared_code.foundation.errors import BillingError
from shared_code.foundation.visibility import EVERYTHING, Visibility
from shared_code.statements.adhoc import errors, repository
from shared_code.statements.adhoc.model import AddedLine, AddedLines, Addition
from shared_code.statements.reading import repository as reads
from shared_code.statements.reading.invoices import invoice_that_counts
from shared_code.statements.reading.queries import comparison_of


def added_lines(number: str, visible: Visibility) -> AddedLines:
    """Every line that people added to the statement of an invoice, whether an invoice prints it or not.

    Of a statement that was sent, those that it had when its successor was made. Raises INVOICE_NOT_FOUND.
    """
    with reading() as connection:
        row = invoice_that_counts(connection, number, visible)
        moment = repository.successor_made_at(connection, row.contract_id, row.period, row.generation)
        found = repository.lines_at(connection, row.contract_id, row.period, moment)
        printing = _printing(connection, row.statement_id)
    return AddedLines(row.statement_id, tuple(_line(one, printing) for one in found))


def addition_of(connection: Connection, statement_id: str, line_id: str) -> Addition:
    """A line that was added, and its statement as it is now. Raises AD_HOC_LINE_NOT_FOUND."""
    row, line = reads.statement_row(connection, statement_id, EVERYTHING), repository.added_line(connection, line_id)
    if row is None or line is None:
        raise BillingError(errors.LINE_NOT_FOUND, f"there is no ad-hoc line {line_id}")
    amounts = {one.invoice_group: one.amount for one in reads.invoices(connection, statement_id)}
    return Addition(
        line=_line(line, _printing(connection, statement_id)),
        invoice_amount=amounts.get(line.invoice_group),
        statement_id=row.statement_id,
        statement_total=row.total,
        statement_status=row.status,
        status_reason=row.status_reason,
        stale_since=row.stale_since,
        stale_reason=row.stale_reason,
        comparison=comparison_of(row.comparison),
    )


def _printing(connection: Connection, statement_id: str) -> dict[str, str]:
    """The invoice number of every added line that is printed, by its id."""
    numbers = {one.invoice_id: one.number for one in reads.invoices(connection, statement_id)}
    added = (line for line in reads.lines(connection, statement_id) if line.block == adhoc.NAME)
    return {json.loads(line.meta)["adHocId"]: numbers[line.invoice_id] for line in added}


def _line(row: AnyRow, printing: Mapping[str, str]) -> AddedLine:
    return AddedLine(
        id=row.line_id,
        type=row.type,
        title=row.title,
        code=row.code,
        description=row.description,
        amount=row.amount,
        group=row.invoice_group,
        invoice_number=printing.get(row.line_id),
        author=row.author,
        reason=row.reason,
        created_at=row.created_at,
    )
