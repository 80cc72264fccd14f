"""All SQL of explanations."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.tables import contract_version
from shared_code.foundation.database import AnyRow
from shared_code.foundation.visibility import Visibility
from shared_code.statements.tables import invoice, invoice_line, statement


def line_row(connection: Connection, line_id: str, visible: Visibility) -> AnyRow | None:
    """A line with its statement and the version of the contract that was billed, if the caller may see the site."""
    return connection.execute(
        sa.select(
            invoice_line,
            statement.c.statement_id,
            statement.c.site_number,
            statement.c.period,
            statement.c.contract_id,
            statement.c.contract_version,
            contract_version.c.effective_from,
        )
        .join(invoice, invoice.c.number == invoice_line.c.invoice_number)
        .join(statement, statement.c.statement_id == invoice.c.statement_id)
        .outerjoin(
            contract_version,
            sa.and_(
                contract_version.c.contract_id == statement.c.contract_id,
                contract_version.c.version == statement.c.contract_version,
            ),
        )
        .where(invoice_line.c.line_id == line_id, visible.limit(statement.c.site_number))
    ).one_or_none()
