"""All SQL that reads runs and statements. Lists are paged by key, never by offset."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.foundation.database import AnyRow
from shared_code.foundation.listing import Listing, PageRequest, SortField
from shared_code.foundation.paging import Page
from shared_code.foundation.visibility import Visibility
from shared_code.statements.reading.filters import RunFilter, StatementFilter
from shared_code.statements.staleness.repository import has_later_version
from shared_code.statements.tables import (
    dry_run_statement,
    invoice,
    invoice_line,
    run_item,
    statement,
    statement_document,
    statement_run,
)

RUNS = Listing(
    columns=(statement_run,),
    fields={"createdAt": SortField(statement_run.c.created_at, datetime)},
    default="-createdAt",
    key=SortField(statement_run.c.run_id, str),
)
ITEMS = Listing(
    columns=(run_item,),
    fields={"siteNumber": SortField(run_item.c.site_number, str)},
    default="siteNumber",
    key=SortField(run_item.c.contract_id, str),
)
STATEMENTS = Listing(
    columns=(statement,),
    fields={
        "siteNumber": SortField(statement.c.site_number, str),
        "total": SortField(statement.c.total, Decimal),
        "createdAt": SortField(statement.c.created_at, datetime),
    },
    default="siteNumber",
    key=SortField(statement.c.statement_id, str),
)

PREVIEWS = Listing(
    columns=(dry_run_statement,),
    fields={"siteNumber": SortField(dry_run_statement.c.site_number, str)},
    default="siteNumber",
    key=SortField(dry_run_statement.c.contract_id, str),
)


def list_runs(connection: Connection, wanted: RunFilter, asked: PageRequest) -> Page[AnyRow]:
    c = statement_run.c
    return RUNS.page(
        connection, asked, *_equal((c.period, wanted.period), (c.source, wanted.source), (c.state, wanted.state))
    )


def outcomes(connection: Connection, run_id: str) -> Sequence[AnyRow]:
    return connection.execute(
        sa.select(run_item.c.outcome, sa.func.count().label("number"))
        .where(run_item.c.run_id == run_id)
        .group_by(run_item.c.outcome)
    ).all()


def outcomes_of(connection: Connection, run_ids: Sequence[str]) -> Sequence[AnyRow]:
    """Numbers by outcome of up to 1,000 runs, a page of them."""
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


def timings(connection: Connection, run_id: str) -> AnyRow:
    """When the first item of a run was begun, and when the last one got its outcome."""
    c = run_item.c
    return connection.execute(
        sa.select(
            sa.func.min(c.started_at).label("started"),
            sa.func.max(sa.case((c.started_at.is_not(None), c.finished_at))).label("finished"),
        ).where(c.run_id == run_id)
    ).one()


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


def list_items(connection: Connection, run_id: str, outcome: str | None, asked: PageRequest) -> Page[AnyRow]:
    conditions = _equal((run_item.c.run_id, run_id), (run_item.c.outcome, outcome))
    return ITEMS.page(connection, asked, *conditions)


def list_statements(
    connection: Connection, wanted: StatementFilter, asked: PageRequest, visible: Visibility
) -> Page[AnyRow]:
    c = statement.c
    conditions = _equal(
        (c.period, wanted.period),
        (c.site_number, wanted.site_number),
        (c.status, wanted.status),
        (c.run_id, wanted.run_id),
    )
    if wanted.status != "Superseded":  # what counts, unless somebody asks for what does not
        conditions.append(c.status != "Superseded")
    if wanted.stale:  # what a later version has settled is not asked for
        conditions += [c.stale_since.is_not(None), sa.not_(has_later_version())]
    return STATEMENTS.page(connection, asked, visible.limit(c.site_number, c.period), *conditions)


def statement_row(connection: Connection, statement_id: str, visible: Visibility) -> AnyRow | None:
    """A statement, if the caller may see it."""
    return connection.execute(
        sa.select(statement).where(
            statement.c.statement_id == statement_id, visible.limit(statement.c.site_number, statement.c.period)
        )
    ).one_or_none()


def standing_of(connection: Connection, contract_id: str, period: str) -> Sequence[AnyRow]:
    """Every statement of a contract and period, superseded ones included, in order of generation."""
    c = statement.c
    return connection.execute(
        sa.select(c.statement_id, c.version, c.generation, c.status)
        .where(c.contract_id == contract_id, c.period == period)
        .order_by(c.generation)
    ).all()


def list_previews(connection: Connection, run_id: str, asked: PageRequest) -> Page[AnyRow]:
    return PREVIEWS.page(connection, asked, dry_run_statement.c.run_id == run_id)


def invoices(connection: Connection, statement_id: str) -> Sequence[AnyRow]:
    return connection.execute(
        sa.select(invoice).where(invoice.c.statement_id == statement_id).order_by(invoice.c.invoice_group)
    ).all()


def lines(connection: Connection, statement_id: str) -> Sequence[AnyRow]:
    return connection.execute(
        sa.select(invoice_line)
        .join(invoice, invoice.c.invoice_id == invoice_line.c.invoice_id)
        .where(invoice.c.statement_id == statement_id)
        .order_by(invoice.c.invoice_group, invoice_line.c.ordinal)
    ).all()


def invoice_row(connection: Connection, number: str, visible: Visibility) -> AnyRow | None:
    """The invoice of this number that counts, with what its statement says of itself, if the caller may see it."""
    c = statement.c
    return connection.execute(
        sa.select(invoice, c.status, c.site_number, c.site_name, c.contract_id, c.period, c.version, c.generation)
        .select_from(invoice.join(statement, c.statement_id == invoice.c.statement_id))
        .where(invoice.c.number == number, invoice.c.superseded_at.is_(None), visible.limit(c.site_number, c.period))
    ).one_or_none()


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


def _equal(*pairs: tuple[sa.Column[str], str | None]) -> list[sa.ColumnElement[bool]]:
    """Conditions that columns have these values; None narrows nothing."""
    return [column == value for column, value in pairs if value is not None]


def items_of(connection: Connection, run_id: str) -> Sequence[AnyRow]:
    """Every item of a run with the status of its statement, by site and contract."""
    return connection.execute(
        sa.select(
            run_item.c.site_number,
            run_item.c.contract_id,
            run_item.c.outcome,
            run_item.c.reason,
            run_item.c.statement_id,
            statement.c.status,
            statement.c.status_reason,
        )
        .outerjoin(statement, statement.c.statement_id == run_item.c.statement_id)
        .where(run_item.c.run_id == run_id)
        .order_by(run_item.c.site_number, run_item.c.contract_id)
    ).all()


def invoices_of_run(connection: Connection, run_id: str) -> Sequence[AnyRow]:
    """Every invoice that a run made, by statement and group."""
    return connection.execute(
        sa.select(invoice)
        .join(statement, statement.c.statement_id == invoice.c.statement_id)
        .where(statement.c.run_id == run_id)
        .order_by(invoice.c.statement_id, invoice.c.invoice_group)
    ).all()


def lines_of_run(connection: Connection, run_id: str) -> Sequence[AnyRow]:
    """Every line that a run made, by invoice in print order, without traces."""
    c = invoice_line.c
    return connection.execute(
        sa.select(c.invoice_id, c.title, c.code, c.description, c.amount)
        .join(invoice, invoice.c.invoice_id == c.invoice_id)
        .join(statement, statement.c.statement_id == invoice.c.statement_id)
        .where(statement.c.run_id == run_id)
        .order_by(c.invoice_id, c.ordinal)
    ).all()
