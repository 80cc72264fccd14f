"""Drafts as rows of the tables: what is stored of a statement, and the snapshot that will be printed."""

from __future__ import annotations

from collections.abc import Iterable

from shared_code.documents.model import Brand, to_json
from shared_code.foundation import clock
from shared_code.foundation.clock import derived_id
from shared_code.statements.drafts import StatementDraft, comparison_json, meta_json, reasons_json, snapshot, trace_json


def statement_row(draft: StatementDraft, run_id: str) -> dict[str, object]:
    return {
        "statement_id": draft.statement_id,
        "contract_id": draft.contract_id,
        "period": str(draft.period),
        "version": draft.version,
        "contract_version": draft.contract_version,
        "site_number": draft.site.number,
        "site_name": draft.site.name,
        "status": draft.status,
        "status_reason": draft.status_reason,
        "total": draft.total,
        "run_id": run_id,
        "warnings": reasons_json(draft.warnings),
        "comparison": comparison_json(draft.comparison) if draft.comparison else None,
        "created_at": clock.now(),
    }


def invoice_rows(draft: StatementDraft) -> Iterable[dict[str, object]]:
    for invoice in draft.invoices:
        yield {
            "number": invoice.number,
            "statement_id": draft.statement_id,
            "invoice_group": invoice.group,
            "invoice_date": invoice.invoice_date,
            "due_date": invoice.due_date,
            "payment_terms": invoice.payment_terms,
            "purchase_order": invoice.purchase_order,
            "title": invoice.title,
            "description": invoice.description,
            "amount": invoice.amount,
        }


def line_rows(draft: StatementDraft) -> Iterable[dict[str, object]]:
    for invoice in draft.invoices:
        for ordinal, line in enumerate(invoice.lines, start=1):
            yield {
                "line_id": derived_id("line", invoice.number, ordinal),
                "invoice_number": invoice.number,
                "ordinal": ordinal,
                "block": line.block,
                "title": line.title,
                "description": line.description,
                "code": line.code,
                "amount": line.amount,
                "meta": meta_json(line.meta),
                "trace": trace_json(line),
            }


def document_row(draft: StatementDraft, run_id: str, printed: Brand) -> dict[str, object]:
    return {
        "statement_id": draft.statement_id,
        "run_id": run_id,
        "state": "Pending",
        "snapshot": to_json(snapshot(draft, printed)),
    }
