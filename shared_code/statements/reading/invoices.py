"""One invoice by its number, with its lines and the statement that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from shared_code.foundation.answers import PeriodText
from shared_code.foundation.database import AnyRow, reading
from shared_code.foundation.errors import BillingError
from shared_code.foundation.visibility import Visibility
from shared_code.statements import errors
from shared_code.statements.reading import model
from shared_code.statements.reading import repository as reads
from shared_code.statements.reading.queries import invoice_of


@dataclass(frozen=True, slots=True)
class InvoiceDetail(model.Invoice):
    """An invoice with its lines, and its statement in short."""

    statement_id: str
    statement_status: model.StatementStatus
    site_number: str
    site_name: str
    contract_id: str
    period: PeriodText
    """The service period; an invoice in advance is dated in the month before."""
    version: int
    """Printed in its number; one more after each that was sent."""


def invoice_detail(number: str, visible: Visibility) -> InvoiceDetail:
    """The invoice of this number that counts. Raises INVOICE_NOT_FOUND, also for what the caller may not see."""
    with reading() as connection:
        row = invoice_that_counts(connection, number, visible)
        lines = [one for one in reads.lines(connection, row.statement_id) if one.invoice_id == row.invoice_id]
    invoice = invoice_of(row, lines)
    return InvoiceDetail(
        **{name: getattr(invoice, name) for name in model.Invoice.__dataclass_fields__},
        statement_id=row.statement_id,
        statement_status=row.status,
        site_number=row.site_number,
        site_name=row.site_name,
        contract_id=row.contract_id,
        period=row.period,
        version=row.version,
    )


def invoice_that_counts(connection: Connection, number: str, visible: Visibility) -> AnyRow:
    """The row of an invoice that is not superseded, with its statement's. Raises INVOICE_NOT_FOUND."""
    row = reads.invoice_row(connection, number, visible)
    if row is None:
        raise BillingError(errors.INVOICE_NOT_FOUND, f"there is no invoice {number}")
    return row
