"""Drafts as rows of the tables: what is stored of a statement, and the snapshot that will be printed.

What all statements of a chunk have in common is not in the rows; `repository.add_statements` knows it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from shared_code.billing.model import Line
from shared_code.documents.model import Brand, to_json
from shared_code.foundation.clock import derived_within, numbered_within
from shared_code.statements.drafts import (
    InvoiceDraft,
    StatementDraft,
    comparison_json,
    meta_json,
    reasons_json,
    snapshot,
    trace_json,
)


def statement_row(draft: StatementDraft) -> dict[str, object]:
    return {
        "statement_id": draft.statement_id,
        "contract_id": draft.contract_id,
        "period": str(draft.period),
        "version": draft.version,
        "generation": draft.generation,
        "contract_version": draft.contract_version,
        "site_number": draft.site.number,
        "site_name": draft.site.name,
        "status": draft.status,
        "status_reason": draft.review.reason,
        "total": draft.total,
        "warnings": reasons_json((*draft.held, *draft.warnings)),
        "comparison": comparison_json(draft.comparison) if draft.comparison else None,
    }


def invoice_rows(draft: StatementDraft) -> Iterable[dict[str, object]]:
    return (invoice_row(invoice, draft.statement_id) for invoice in draft.invoices)


def invoice_row(invoice: InvoiceDraft, statement_id: str) -> dict[str, object]:
    return {
        "invoice_id": invoice.invoice_id,
        "number": invoice.number,
        "statement_id": statement_id,
        "invoice_group": invoice.group,
        "invoice_date": invoice.invoice_date,
        "due_date": invoice.due_date,
        "payment_terms": invoice.payment_terms,
        "purchase_order": invoice.purchase_order,
        "title": invoice.title,
        "description": invoice.description,
        "customer_name": invoice.customer_name,
        "vendor_id": invoice.vendor_id,
        "emails": json.dumps(invoice.emails) if invoice.emails else None,
        "amount": invoice.amount,
    }


def line_rows(draft: StatementDraft) -> Iterable[dict[str, object]]:
    for invoice in draft.invoices:
        for ordinal, line in enumerate(invoice.lines, start=1):
            yield line_row(invoice.invoice_id, ordinal, line)


def line_row(invoice_id: str, ordinal: int, line: Line) -> dict[str, object]:
    return {
        "line_id": line_id(invoice_id, ordinal, line),
        "invoice_id": invoice_id,
        "ordinal": ordinal,
        "block": line.block,
        "title": line.title,
        "description": line.description,
        "code": line.code,
        "amount": line.amount,
        "meta": meta_json(line.meta),
        "trace": trace_json(line),
    }


def line_id(invoice_id: str, ordinal: int, line: Line) -> str:
    """The id of a line. One that a person added keeps its id wherever it stands among the others."""
    added = line.meta.get("adHocId")
    return numbered_within(invoice_id, ordinal) if added is None else derived_within(invoice_id, "line", added)


def document_row(draft: StatementDraft, printed: Brand) -> dict[str, object]:
    return {"statement_id": draft.statement_id, "snapshot": to_json(snapshot(draft, printed))}
