"""Reads of runs and statements for people and programs. Each is a fixed number of SQL statements."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.engine import Connection

from shared_code.billing.model import Reason
from shared_code.documents import paths
from shared_code.foundation import blobs
from shared_code.foundation.calendar import read_period
from shared_code.foundation.database import AnyRow, reading
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import PageRequest, one_of
from shared_code.foundation.paging import Page, each
from shared_code.foundation.visibility import Visibility
from shared_code.statements import errors
from shared_code.statements.reading import model
from shared_code.statements.reading import repository as reads
from shared_code.statements.reading.filters import RunFilter, StatementFilter
from shared_code.statements.reasons import cure, owner
from shared_code.statements.repository import run_of


def run_status(run_id: str) -> model.RunStatus:
    """State, counts by outcome, reasons and documents of a run. Raises RUN_NOT_FOUND."""
    with reading() as connection:
        return status_of(connection, run_id)


def status_of(connection: Connection, run_id: str) -> model.RunStatus:
    """The same inside a transaction of the caller."""
    row = _run_row(connection, run_id)
    outcomes = {found.outcome: found.number for found in reads.outcomes(connection, run_id)}
    documents = {found.state: found.number for found in reads.document_states(connection, run_id)}
    totals = reads.run_totals(connection, run_id)
    run = _run(row, outcomes)
    return model.RunStatus(
        **{name: getattr(run, name) for name in model.Run.__dataclass_fields__},
        reasons={found.reason: found.number for found in reads.reasons(connection, run_id)},
        documents=model.DocumentCounts(documents.get("Rendered", 0), documents.get("Pending", 0)),
        statements=totals.statements,
        invoices=totals.invoices,
        total=totals.total or Decimal(0),
        timings=_timings(reads.timings(connection, run_id)),
    )


def list_runs(wanted: RunFilter, asked: PageRequest) -> Page[model.Run]:
    """Runs with their counts by outcome, the newest first unless sorted otherwise. Three statements.

    Raises PERIOD_INVALID, FILTER_INVALID, SORT_INVALID, CURSOR_INVALID.
    """
    wanted = replace(wanted, period=_period(wanted.period), state=one_of("state", wanted.state, model.RUN_STATES))
    with reading() as connection:
        found = reads.list_runs(connection, wanted, asked)
        counted = reads.outcomes_of(connection, [row.run_id for row in found.items])
    by_run: dict[str, dict[str, int]] = {}
    for count in counted:
        by_run.setdefault(count.run_id, {})[count.outcome] = count.number
    return each(found, lambda row: _run(row, by_run.get(row.run_id, {})))


def run_items(run_id: str, asked: PageRequest, outcome: str | None = None) -> Page[model.RunItem]:
    """The items of a run in order of site, with outcome, reason and message.

    Raises RUN_NOT_FOUND, FILTER_INVALID, SORT_INVALID, CURSOR_INVALID.
    """
    outcome = one_of("outcome", outcome, model.OUTCOMES)
    with reading() as connection:
        _run_row(connection, run_id)
        return each(reads.list_items(connection, run_id, outcome, asked), _item)


def list_statements(wanted: StatementFilter, asked: PageRequest, visible: Visibility) -> Page[model.Statement]:
    """The statements that the caller may see, in order of site unless sorted otherwise.

    Raises PERIOD_INVALID, FILTER_INVALID, SORT_INVALID, CURSOR_INVALID.
    """
    wanted = replace(wanted, period=_period(wanted.period), status=one_of("status", wanted.status, model.STATUSES))
    with reading() as connection:
        return each(reads.list_statements(connection, wanted, asked, visible), _statement)


def statement_detail(statement_id: str, visible: Visibility) -> model.StatementDetail:
    """A statement with its invoices and lines. Raises STATEMENT_NOT_FOUND, also for what the caller may not see."""
    with reading() as connection:
        row = _visible(connection, statement_id, visible)
        invoices = reads.invoices(connection, statement_id)
        lines = reads.lines(connection, statement_id)
    return detail_of(row, invoices, lines)


def detail_of(row: Any, invoices: Sequence[Any], lines: Sequence[Any]) -> model.StatementDetail:
    """A statement out of its rows, stored or about to be."""
    by_invoice: dict[str, list[Any]] = {}
    for line in lines:
        by_invoice.setdefault(line.invoice_id, []).append(line)
    summary = _statement(row)
    return model.StatementDetail(
        **{name: getattr(summary, name) for name in model.Statement.__dataclass_fields__},
        comparison=comparison_of(row.comparison),
        stale_difference=json.loads(row.stale_difference) if row.stale_since and row.stale_difference else None,
        warnings=_reasons(row.warnings),
        invoices=tuple(invoice_of(invoice, by_invoice.get(invoice.invoice_id, [])) for invoice in invoices),
    )


@dataclass(frozen=True, slots=True)
class Pdf:
    """A statement's PDF and the name under which a person saves it."""

    data: bytes
    file_name: str


def statement_pdf(statement_id: str, visible: Visibility) -> Pdf:
    """The stored PDF. Raises STATEMENT_NOT_FOUND, or DOCUMENT_NOT_READY while it is being drawn."""
    with reading() as connection:
        _visible(connection, statement_id, visible)
        document = reads.document(connection, statement_id)
        numbers = [row.number for row in reads.invoices(connection, statement_id)]
    if document is None or document.state != "Rendered":
        raise BillingError(errors.DOCUMENT_NOT_READY, "the PDF of this statement is still being drawn")
    return Pdf(blobs.get(paths.STATEMENTS, document.blob_path), paths.attachment_name(numbers))


def _run_row(connection: Connection, run_id: str) -> AnyRow:
    row = run_of(connection, run_id)
    if row is None:
        raise BillingError(errors.RUN_NOT_FOUND, f"there is no run {run_id}")
    return row


def _visible(connection: Connection, statement_id: str, visible: Visibility) -> AnyRow:
    row = reads.statement_row(connection, statement_id, visible)
    if row is None:
        raise BillingError(errors.STATEMENT_NOT_FOUND, f"there is no statement {statement_id}")
    return row


def _period(text: str | None) -> str | None:
    return str(read_period(text)) if text is not None else None


def _run(row: AnyRow, outcomes: Mapping[str, int]) -> model.Run:
    return model.Run(
        id=row.run_id,
        kind=row.kind,
        period=row.period,
        source=row.source,
        scope=json.loads(row.scope),
        state=row.state,
        attempt=row.attempt,
        requested_by=row.requested_by,
        created_at=row.created_at,
        finished_at=row.finished_at,
        cancelled_at=row.cancelled_at,
        expected=row.expected,
        # the outcomes stand in the order of the counts
        outcomes=model.OutcomeCounts(*(outcomes.get(name, 0) for name in model.OUTCOMES)),
    )


def _timings(row: AnyRow) -> model.RunTimings:
    if row.started is None or row.finished is None:
        return model.RunTimings(row.started, row.finished, None)
    taken = (row.finished - row.started) // timedelta(milliseconds=1)
    return model.RunTimings(row.started, row.finished, Decimal(max(taken, 0)).scaleb(-3))


def _item(row: AnyRow) -> model.RunItem:
    return model.RunItem(
        contract_id=row.contract_id,
        site_number=row.site_number,
        contract_version=row.contract_version,
        outcome=row.outcome,
        reason=row.reason,
        message=row.message,
        suggestion=cure(row.reason),
        owner=owner(row.reason),
        reasons=_reasons(row.details),
        statement_id=row.statement_id,
    )


def _reasons(stored: str | None) -> tuple[Reason, ...]:
    return tuple(Reason(**reason) for reason in json.loads(stored or "[]"))


def _statement(row: Any) -> model.Statement:
    return model.Statement(
        id=row.statement_id,
        site_number=row.site_number,
        site_name=row.site_name,
        contract_id=row.contract_id,
        contract_version=row.contract_version,
        period=row.period,
        version=row.version,
        generation=row.generation,
        status=row.status,
        status_reason=row.status_reason,
        total=row.total,
        run_id=row.run_id,
        created_at=row.created_at,
        superseded_at=row.superseded_at,
        stale_since=row.stale_since,
        stale_reason=row.stale_reason,
    )


def comparison_of(stored: str | None) -> model.ForecastComparison | None:
    """A stored comparison to forecast as it is shown."""
    if stored is None:
        return None
    found = json.loads(stored)
    forecast = found["forecastedRevenue"]
    return model.ForecastComparison(
        forecasted_revenue=None if forecast is None else Decimal(forecast),
        posted_revenue=Decimal(found["postedRevenue"]),
        invoiced_revenue=Decimal(found["invoicedRevenue"]),
        total_actual_revenue=Decimal(found["totalActualRevenue"]),
        forecast_deviation_percentage=Decimal(found["forecastDeviationPercentage"]),
        forecast_deviation_amount=Decimal(found["forecastDeviationAmount"]),
        forecast_last_updated=found["forecastLastUpdated"],
        why=tuple(found["why"]),
    )


def invoice_of(row: Any, lines: Sequence[Any]) -> model.Invoice:
    """An invoice out of its row and those of its lines."""
    return model.Invoice(
        number=row.number,
        group=row.invoice_group,
        invoice_date=row.invoice_date,
        due_date=row.due_date,
        payment_terms=row.payment_terms,
        purchase_order=row.purchase_order,
        title=row.title,
        description=row.description,
        customer_name=row.customer_name,
        vendor_id=row.vendor_id,
        emails=tuple(json.loads(row.emails or "[]")),
        amount=row.amount,
        lines=tuple(map(_line, lines)),
    )


def _line(row: Any) -> model.InvoiceLine:
    return model.InvoiceLine(
        id=row.line_id,
        block=row.block,
        title=row.title,
        description=row.description,
        code=row.code,
        amount=row.amount,
        ad_hoc_line_id=json.loads(row.meta).get("adHocId"),
    )
