"""All SQL that reads runs and statements. Lists are paged by key, never by offset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.foundation.database import AnyRow
from shared_code.statements.reading.filters import StatementFilter
from shared_code.statements.tables import invoice, invoice_line, run_item, statement, statement_document, statement_run


def newest_runs(connection: Connection, limit: int) -> Sequence[AnyRow]:
    chosen = sa.select(statement_run).order_by(statement_run.c.created_at.desc(), statement_run.c.run_id)
    return connection.execute(chosen.limit(limit)).all()


def outcomes(connection: Connection, run_id: str) -> Sequence[AnyRow]:
    return connection.execute(
        sa.select(run_item.c.outcome, sa.func.count().label("number"))
        .where(run_item.c.run_id == run_id)
        .group_by(run_item.c.outcome)
    ).all()


def outcomes_of(connection: Connection, run_ids: Sequence[str]) -> Sequence[AnyRow]:
    """Numbers by outcome of up to 1,000 runs."""
    return connection.execute(
        sa.select(run_item.c.run_id, run_item.c.outcome, sa.func.count().label("number"))
        .where(run_item.c.run_id.in_(run_ids))
        .group_by(run_item.c.run_id, run_item.c.outcome)
    ).all()


def reasons(connection: Connection, run_id: str) -> Sequence[AnyRow]:
    return connection.execute(
        sa.select(run_item.c.reason, sa.func.count().label("number"))
        .where(run_item.c.run_id == run_id, run_item.c.reason.is_not(None))
        .group_by(run_item.c.reason)
        .order_by(run_item.c.reason)
    ).all()


def document_states(connection: Connection, run_id: str) -> Sequence[AnyRow]:
    return connection.execute(
        sa.select(statement_document.c.state, sa.func.count().label("number"))
        .where(statement_document.c.run_id == run_id)
        .group_by(statement_document.c.state)
    ).all()


def run_totals(connection: Connection, run_id: str) -> AnyRow:
    """Number of statements and invoices of a run, and the sum of its invoices."""
    statements = sa.select(sa.func.count()).where(statement.c.run_id == run_id).scalar_subquery()
    return connection.execute(
        sa.select(
            statements.label("statements"),
            sa.func.count(invoice.c.number).label("invoices"),
            sa.func.sum(invoice.c.amount).label("total"),
        )
        .select_from(invoice.join(statement, statement.c.statement_id == invoice.c.statement_id))
        .where(statement.c.run_id == run_id)
    ).one()


def items(
    connection: Connection, run_id: str, limit: int, after: tuple[str, str] | None, outcome: str | None
) -> Sequence[AnyRow]:
    chosen = sa.select(run_item).where(run_item.c.run_id == run_id)
    if outcome:
        chosen = chosen.where(run_item.c.outcome == outcome)
    if after:
        chosen = chosen.where(_after(run_item.c.site_number, run_item.c.contract_id, after))
    return connection.execute(chosen.order_by(run_item.c.site_number, run_item.c.contract_id).limit(limit)).all()


def count_items(connection: Connection, run_id: str, outcome: str | None) -> int:
    chosen = sa.select(sa.func.count()).select_from(run_item).where(run_item.c.run_id == run_id)
    if outcome:
        chosen = chosen.where(run_item.c.outcome == outcome)
    return connection.scalar(chosen) or 0


def statements(
    connection: Connection, wanted: StatementFilter, limit: int, after: tuple[str, str] | None
) -> Sequence[AnyRow]:
    chosen = sa.select(statement).where(*_conditions(wanted))
    if after:
        chosen = chosen.where(_after(statement.c.site_number, statement.c.statement_id, after))
    ordered = chosen.order_by(statement.c.site_number, statement.c.statement_id).limit(limit)
    return connection.execute(ordered).all()


def count_statements(connection: Connection, wanted: StatementFilter) -> int:
    chosen = sa.select(sa.func.count()).select_from(statement).where(*_conditions(wanted))
    return connection.scalar(chosen) or 0


def statement_row(connection: Connection, statement_id: str) -> AnyRow | None:
    return connection.execute(sa.select(statement).where(statement.c.statement_id == statement_id)).one_or_none()


def invoices(connection: Connection, statement_id: str) -> Sequence[AnyRow]:
    return connection.execute(
        sa.select(invoice).where(invoice.c.statement_id == statement_id).order_by(invoice.c.invoice_group)
    ).all()


def lines(connection: Connection, statement_id: str) -> Sequence[AnyRow]:
    return connection.execute(
        sa.select(invoice_line)
        .join(invoice, invoice.c.number == invoice_line.c.invoice_number)
        .where(invoice.c.statement_id == statement_id)
        .order_by(invoice.c.invoice_group, invoice_line.c.ordinal)
    ).all()


def document(connection: Connection, statement_id: str) -> AnyRow | None:
    return connection.execute(
        sa.select(statement_document.c.state, statement_document.c.blob_path).where(
            statement_document.c.statement_id == statement_id
        )
    ).one_or_none()


def report_rows(connection: Connection, run_id: str) -> Sequence[AnyRow]:
    """Every item of a run with its statement's total, for the run report."""
    return connection.execute(
        sa.select(
            run_item.c.site_number,
            run_item.c.contract_id,
            run_item.c.outcome,
            run_item.c.reason,
            run_item.c.message,
            run_item.c.details,
            run_item.c.statement_id,
            statement.c.total,
            statement_document.c.blob_path,
        )
        .outerjoin(statement, statement.c.statement_id == run_item.c.statement_id)
        .outerjoin(statement_document, statement_document.c.statement_id == run_item.c.statement_id)
        .where(run_item.c.run_id == run_id)
        .order_by(run_item.c.site_number, run_item.c.contract_id)
    ).all()


def _conditions(wanted: StatementFilter) -> list[sa.ColumnElement[bool]]:
    pairs = (
        (statement.c.period, wanted.period),
        (statement.c.site_number, wanted.site_number),
        (statement.c.status, wanted.status),
        (statement.c.run_id, wanted.run_id),
    )
    found: list[sa.ColumnElement[bool]] = [column == value for column, value in pairs if value is not None]
    if wanted.sites is not None:
        found.append(statement.c.site_number.in_(sorted(wanted.sites)))
    return found


def _after(first: Any, second: Any, key: tuple[str, str]) -> sa.ColumnElement[bool]:
    return sa.or_(first > key[0], sa.and_(first == key[0], second > key[1]))
