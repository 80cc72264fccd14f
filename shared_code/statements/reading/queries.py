"""Reads of runs and statements for people and programs. Each is a fixed number of SQL statements."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy.engine import Connection

from shared_code.documents import paths
from shared_code.foundation import blobs
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow, reading
from shared_code.foundation.errors import BillingError, Detail
from shared_code.statements import errors
from shared_code.statements.reading import repository as reads
from shared_code.statements.reading.filters import StatementFilter
from shared_code.statements.reasons import cure
from shared_code.statements.repository import run_of


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, an opaque cursor to the next, and the number of all."""

    items: list[dict[str, object]]
    next_cursor: str | None
    total: int


def run_status(run_id: str) -> dict[str, object]:
    """State, counts by outcome, reasons and documents of a run. Raises RUN_NOT_FOUND."""
    with reading() as connection:
        return status_of(connection, run_id)


def status_of(connection: Connection, run_id: str) -> dict[str, object]:
    """The same inside a transaction of the caller."""
    run = run_of(connection, run_id)
    if run is None:
        raise BillingError(errors.RUN_NOT_FOUND, f"there is no run {run_id}")
    outcomes = {row.outcome: row.number for row in reads.outcomes(connection, run_id)}
    documents = {row.state: row.number for row in reads.document_states(connection, run_id)}
    totals = reads.run_totals(connection, run_id)
    return _run(run) | {
        "outcomes": _outcomes(outcomes),
        "reasons": {row.reason: row.number for row in reads.reasons(connection, run_id)},
        "documents": {"rendered": documents.get("Rendered", 0), "pending": documents.get("Pending", 0)},
        "statements": totals.statements,
        "invoices": totals.invoices,
        "total": totals.total or Decimal(0),
    }


def _run(run: AnyRow) -> dict[str, object]:
    return {
        "id": run.run_id,
        "period": run.period,
        "source": run.source,
        "scope": json.loads(run.scope),
        "state": run.state,
        "attempt": run.attempt,
        "requestedBy": run.requested_by,
        "createdAt": run.created_at,
        "finishedAt": run.finished_at,
        "expected": run.expected,
    }


OUTCOMES = ("Generated", "NothingToBill", "Failed", "Skipped", "Pending")


def _outcomes(counts: dict[str, int]) -> dict[str, int]:
    return {name[0].lower() + name[1:]: counts.get(name, 0) for name in OUTCOMES}


def _outcome_named(text: str | None) -> str | None:
    """An outcome however it is capitalised. Raises FILTER_INVALID for one that there is not."""
    if text is None:
        return None
    found = next((name for name in OUTCOMES if name.lower() == text.lower()), None)
    if found is None:
        message = f"there is no outcome {text!r}; there are {', '.join(OUTCOMES)}"
        raise BillingError(errors.FILTER_INVALID, message, [Detail("outcome", message)])
    return found


def run_items(run_id: str, limit: int, cursor: str | None, outcome: str | None = None) -> Page:
    """The items of a run in order of site, with outcome, reason and message. Raises RUN_NOT_FOUND."""
    outcome = _outcome_named(outcome)
    with reading() as connection:
        if run_of(connection, run_id) is None:
            raise BillingError(errors.RUN_NOT_FOUND, f"there is no run {run_id}")
        rows = reads.items(connection, run_id, limit + 1, _read_cursor(cursor), outcome)
        total = reads.count_items(connection, run_id, outcome)
    return _page([_item(row) for row in rows], limit, total, lambda item: f"{item['siteNumber']}|{item['contractId']}")


def list_runs(limit: int) -> list[dict[str, object]]:
    """The newest runs with their states and counts by outcome. Two statements."""
    with reading() as connection:
        runs = reads.newest_runs(connection, limit)
        counted = reads.outcomes_of(connection, [run.run_id for run in runs])
    by_run: dict[str, dict[str, int]] = {}
    for row in counted:
        by_run.setdefault(row.run_id, {})[row.outcome] = row.number
    return [_run(run) | {"outcomes": _outcomes(by_run.get(run.run_id, {}))} for run in runs]


def list_statements(wanted: StatementFilter, limit: int, cursor: str | None) -> Page:
    """Statements in order of site. Raises PERIOD_INVALID for a period that is none."""
    if wanted.period is not None:
        wanted = replace(wanted, period=_period(wanted.period))
    with reading() as connection:
        rows = reads.statements(connection, wanted, limit + 1, _read_cursor(cursor))
        total = reads.count_statements(connection, wanted)
    return _page([_summary(row) for row in rows], limit, total, lambda item: f"{item['siteNumber']}|{item['id']}")


def statement_detail(statement_id: str, sites: Collection[str] | None) -> dict[str, object]:
    """A statement with its invoices and lines. Raises STATEMENT_NOT_FOUND, also for what the caller may not see."""
    with reading() as connection:
        row = _visible(connection, statement_id, sites)
        invoices = reads.invoices(connection, statement_id)
        lines = reads.lines(connection, statement_id)
    by_invoice: dict[str, list[dict[str, object]]] = {}
    for line in lines:
        by_invoice.setdefault(line.invoice_number, []).append(_line(line))
    return {
        **_summary(row),
        "warnings": json.loads(row.warnings),
        "invoices": [_invoice(invoice, by_invoice.get(invoice.number, [])) for invoice in invoices],
    }


@dataclass(frozen=True, slots=True)
class Pdf:
    """A statement's PDF and the name under which a person saves it."""

    data: bytes
    file_name: str


def statement_pdf(statement_id: str, sites: Collection[str] | None) -> Pdf:
    """The stored PDF. Raises STATEMENT_NOT_FOUND, or DOCUMENT_NOT_READY while it is being drawn."""
    with reading() as connection:
        _visible(connection, statement_id, sites)
        document = reads.document(connection, statement_id)
        numbers = [row.number for row in reads.invoices(connection, statement_id)]
    if document is None or document.state != "Rendered":
        raise BillingError(errors.DOCUMENT_NOT_READY, "the PDF of this statement is still being drawn")
    return Pdf(blobs.get(paths.STATEMENTS, document.blob_path), paths.attachment_name(numbers))


def _visible(connection: Connection, statement_id: str, sites: Collection[str] | None) -> AnyRow:
    row = reads.statement_row(connection, statement_id)
    if row is None or (sites is not None and row.site_number not in sites):
        raise BillingError(errors.STATEMENT_NOT_FOUND, f"there is no statement {statement_id}")
    return row


def _period(text: str) -> str:
    try:
        return str(Period.parse(text))
    except ValueError as fault:
        raise BillingError(errors.PERIOD_INVALID, str(fault), [Detail("period", str(fault))]) from fault


def _page(items: list[dict[str, object]], limit: int, total: int, key: Any) -> Page:
    more = len(items) > limit
    kept = items[:limit]
    return Page(kept, _write_cursor(key(kept[-1])) if more else None, total)


def _write_cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _read_cursor(cursor: str | None) -> tuple[str, str] | None:
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        first, second = text.split("|")
    except ValueError as fault:
        raise BillingError(errors.CURSOR_INVALID, "the cursor is not one that a list gave") from fault
    return first, second


def _item(row: AnyRow) -> dict[str, object]:
    return {
        "contractId": row.contract_id,
        "siteNumber": row.site_number,
        "contractVersion": row.contract_version,
        "outcome": row.outcome,
        "reason": row.reason,
        "message": row.message,
        "suggestion": cure(row.reason),
        "reasons": json.loads(row.details) if row.details else [],
        "statementId": row.statement_id,
    }


def _summary(row: AnyRow) -> dict[str, object]:
    return {
        "id": row.statement_id,
        "siteNumber": row.site_number,
        "siteName": row.site_name,
        "contractId": row.contract_id,
        "contractVersion": row.contract_version,
        "period": row.period,
        "version": row.version,
        "status": row.status,
        "statusReason": row.status_reason,
        "total": row.total,
        "runId": row.run_id,
        "createdAt": row.created_at,
    }


def _invoice(row: AnyRow, lines: Sequence[dict[str, object]]) -> dict[str, object]:
    return {
        "number": row.number,
        "group": row.invoice_group,
        "invoiceDate": row.invoice_date,
        "dueDate": row.due_date,
        "paymentTerms": row.payment_terms,
        "purchaseOrder": row.purchase_order,
        "title": row.title,
        "description": row.description,
        "amount": row.amount,
        "lines": list(lines),
    }


def _line(row: AnyRow) -> dict[str, object]:
    return {
        "id": row.line_id,
        "block": row.block,
        "title": row.title,
        "description": row.description,
        "code": row.code,
        "amount": row.amount,
    }
