"""All SQL of lines that people add to statements and take back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.tables import contract_version
from shared_code.foundation import clock
from shared_code.foundation.database import AnyRow
from shared_code.foundation.dialect import locked
from shared_code.foundation.visibility import Visibility
from shared_code.statements.tables import adhoc_line, invoice, invoice_line, statement, statement_document


def statement_of_number(connection: Connection, number: str, visible: Visibility) -> AnyRow | None:
    """The statement whose invoice of this number counts, with contract and snapshot, if the caller may see it.

    Its row is kept from others until this transaction ends.
    """
    chosen = (
        sa.select(
            statement,
            invoice.c.invoice_group,
            contract_version.c.document,
            statement_document.c.snapshot,
            statement_document.c.run_id.label("document_run_id"),
        )
        .select_from(
            statement.join(invoice, invoice.c.statement_id == statement.c.statement_id)
            .join(
                contract_version,
                sa.and_(
                    contract_version.c.contract_id == statement.c.contract_id,
                    contract_version.c.version == statement.c.contract_version,
                ),
            )
            .join(statement_document, statement_document.c.statement_id == statement.c.statement_id)
        )
        .where(invoice.c.number == number, invoice.c.superseded_at.is_(None), _seen(visible))
    )
    return connection.execute(locked(chosen, statement)).one_or_none()


def was_superseded(connection: Connection, number: str, visible: Visibility) -> bool:
    """Whether there was an invoice of this number which does not count any more."""
    chosen = (
        sa.select(sa.func.count())
        .select_from(invoice.join(statement, statement.c.statement_id == invoice.c.statement_id))
        .where(invoice.c.number == number, invoice.c.superseded_at.is_not(None), _seen(visible))
    )
    return bool(connection.scalar(chosen))


def _seen(visible: Visibility) -> sa.ColumnElement[bool]:
    return visible.limit(statement.c.site_number, statement.c.period)


def successor_made_at(connection: Connection, contract_id: str, period: str, generation: int) -> datetime | None:
    """When the generation after this one was made; None when there is none."""
    c = statement.c
    made_at: datetime | None = connection.scalar(
        sa.select(sa.func.min(c.created_at)).where(
            c.contract_id == contract_id, c.period == period, c.generation > generation
        )
    )
    return made_at


def lines_at(connection: Connection, contract_id: str, period: str, moment: datetime | None) -> Sequence[AnyRow]:
    """The added lines that a contract and period had at a moment, None for now, in the order of their addition."""
    c = adhoc_line.c
    conditions = [c.contract_id == contract_id, c.period == period]
    if moment is None:
        conditions.append(c.removed_at.is_(None))
    else:
        conditions += [c.created_at <= moment, sa.or_(c.removed_at.is_(None), c.removed_at >= moment)]
    return connection.execute(sa.select(adhoc_line).where(*conditions).order_by(c.created_at, c.line_id)).all()


def added_line(connection: Connection, line_id: str) -> AnyRow | None:
    """A line that was added, even if it was taken back since."""
    return connection.execute(sa.select(adhoc_line).where(adhoc_line.c.line_id == line_id)).one_or_none()


def take_back(connection: Connection, line_id: str, actor_id: str) -> bool:
    """Mark a line as taken back; it stays on record. False when it was before."""
    done = connection.execute(
        adhoc_line.update()
        .where(adhoc_line.c.line_id == line_id, adhoc_line.c.removed_at.is_(None))
        .values(removed_at=clock.now(), removed_by=actor_id)
    )
    return done.rowcount == 1


def change_statement(connection: Connection, row: AnyRow, values: Mapping[str, object]) -> bool:
    """Change a statement that is still as it was read. False when it is not."""
    c = statement.c
    done = connection.execute(
        statement.update()
        .where(
            c.statement_id == row.statement_id,
            c.status == row.status,
            c.generation == row.generation,
            c.superseded_at.is_(None),
        )
        .values(**values)
    )
    return done.rowcount == 1


def add_invoices(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        connection.execute(invoice.insert(), list(rows))


def remove_invoices(connection: Connection, invoice_ids: Sequence[str]) -> None:
    """Remove invoices of one statement that have no lines any more."""
    if invoice_ids:
        connection.execute(invoice_line.delete().where(invoice_line.c.invoice_id.in_(invoice_ids)))
        connection.execute(invoice.delete().where(invoice.c.invoice_id.in_(invoice_ids)))


def set_amounts(connection: Connection, amounts: Sequence[Mapping[str, object]]) -> None:
    """Set amounts of invoices: `given_invoice`, `given_amount`."""
    if amounts:
        connection.execute(
            invoice.update()
            .where(invoice.c.invoice_id == sa.bindparam("given_invoice"))
            .values(amount=sa.bindparam("given_amount")),
            list(amounts),
        )


def add_lines(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        connection.execute(invoice_line.insert(), list(rows))


def remove_lines(connection: Connection, line_ids: Sequence[str]) -> None:
    if line_ids:
        connection.execute(invoice_line.delete().where(invoice_line.c.line_id.in_(line_ids)))


def set_ordinals(connection: Connection, places: Sequence[Mapping[str, object]]) -> None:
    """Move lines to their place: `given_line`, `given_ordinal`."""
    if places:
        connection.execute(
            invoice_line.update()
            .where(invoice_line.c.line_id == sa.bindparam("given_line"))
            .values(ordinal=sa.bindparam("given_ordinal")),
            list(places),
        )


def draw_again(connection: Connection, statement_id: str, snapshot: str) -> None:
    """Store another snapshot; its document is to be drawn."""
    connection.execute(
        statement_document.update()
        .where(statement_document.c.statement_id == statement_id)
        .values(snapshot=snapshot, state="Pending")
    )
