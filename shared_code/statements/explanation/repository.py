"""All SQL of explanations."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.tables import contract_version
from shared_code.facts.tables import current_facts, import_batch
from shared_code.foundation.database import AnyRow
from shared_code.foundation.visibility import Visibility
from shared_code.statements.tables import invoice, invoice_line, statement


def line_row(connection: Connection, line_id: str, visible: Visibility) -> AnyRow | None:
    """A line with its statement and the version of the contract that was billed, if the caller may see both."""
    return connection.execute(
        sa.select(
            invoice_line,
            invoice.c.number.label("invoice_number"),
            statement.c.statement_id,
            statement.c.site_number,
            statement.c.period,
            statement.c.contract_id,
            statement.c.contract_version,
            contract_version.c.effective_from,
            contract_version.c.rates_as_of,
        )
        .join(invoice, invoice.c.invoice_id == invoice_line.c.invoice_id)
        .join(statement, statement.c.statement_id == invoice.c.statement_id)
        .outerjoin(
            contract_version,
            sa.and_(
                contract_version.c.contract_id == statement.c.contract_id,
                contract_version.c.version == statement.c.contract_version,
            ),
        )
        .where(invoice_line.c.line_id == line_id, visible.limit(statement.c.site_number, statement.c.period))
    ).one_or_none()


def current_batches(connection: Connection, site: str, months: list[str]) -> frozenset[tuple[str, str, str]]:
    """Dataset, month and batch of everything that serves a site now in these months."""
    rows = connection.execute(
        sa.select(current_facts.c.dataset, current_facts.c.period, import_batch.c.batch_id)
        .join(import_batch, import_batch.c.batch_no == current_facts.c.batch_no)
        .where(current_facts.c.site == site, current_facts.c.period.in_(months))
    )
    return frozenset((row.dataset, row.period, row.batch_id) for row in rows)
