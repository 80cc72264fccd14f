"""What a dry run shows: the statements that the real run would write, made of the same rows (http-api, dryRun)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from types import SimpleNamespace

from pydantic import TypeAdapter

from shared_code.billing.model import Reason
from shared_code.foundation import clock
from shared_code.foundation.database import reading, transaction
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import PageRequest
from shared_code.foundation.paging import Page, each
from shared_code.statements import errors
from shared_code.statements.drafts import StatementDraft, reasons_json
from shared_code.statements.invoice_numbers import number_taken
from shared_code.statements.reading import repository as reads
from shared_code.statements.reading.model import StatementDetail
from shared_code.statements.reading.queries import detail_of
from shared_code.statements.repository import fail_previewed, preview_documents, run_of
from shared_code.statements.rows import invoice_rows, line_rows, statement_row

_NEVER_BEFORE = dict.fromkeys(("superseded_at", "stale_since", "stale_reason", "stale_difference"))
_NUMBER = re.compile(r'"number":"([^"]+)"')  # of an invoice, as `_document` writes it; nothing else has this name


def preview_rows(drafts: Sequence[StatementDraft], run_id: str) -> list[dict[str, object]]:
    """The drafts as rows of `dry_run_statement`: each as `GET /statements/{id}` would answer after the real run."""
    return [
        {
            "run_id": run_id,
            "contract_id": draft.contract_id,
            "site_number": draft.site.number,
            "document": _document(draft, run_id),
        }
        for draft in drafts
    ]


def previews(run_id: str, asked: PageRequest) -> Page[StatementDetail]:
    """What a dry run would have written, in order of site. Raises RUN_NOT_FOUND, NOT_A_DRY_RUN."""
    with reading() as connection:
        run = run_of(connection, run_id)
        if run is None:
            raise BillingError(errors.RUN_NOT_FOUND, f"there is no run {run_id}")
        if run.kind != "DryRun":
            raise BillingError(errors.NOT_A_DRY_RUN, f"run {run_id} was none")
        return each(reads.list_previews(connection, run_id, asked), lambda row: preview(row.document))


def refuse_repeated_numbers(run_id: str) -> None:
    """Let a contract of a dry run fail whose invoice number one before it has, as it would in the real run.

    A chunk of the real run sees what earlier chunks have stored; those of a dry run store nothing, so the whole run is
    looked over at its end. Doing it again changes nothing.
    """
    owners: dict[str, tuple[str, str]] = {}
    taken: list[tuple[str, Reason]] = []
    with reading() as connection:
        for row in preview_documents(connection, run_id):
            numbers = _NUMBER.findall(row.document)
            clash = next((number for number in numbers if number in owners), None)
            if clash is None:
                owners |= dict.fromkeys(numbers, (row.contract_id, row.site_number))
            else:
                refused = number_taken(clash, row.contract_id, row.site_number, *owners[clash])
                taken.append((row.contract_id, refused))
    if taken:
        with transaction() as work:
            for contract_id, reason in taken:
                details = reasons_json([reason])
                fail_previewed(work.connection, run_id, contract_id, reason.code, reason.message, details)


def _document(draft: StatementDraft, run_id: str) -> str:
    statement = SimpleNamespace(**statement_row(draft), run_id=run_id, created_at=clock.now(), **_NEVER_BEFORE)
    invoices = [SimpleNamespace(**row) for row in invoice_rows(draft)]
    lines = [SimpleNamespace(**row) for row in line_rows(draft)]
    return _document_type().dump_json(detail_of(statement, invoices, lines)).decode()


def preview(document: str) -> StatementDetail:
    """A stored preview as it is shown."""
    return _document_type().validate_json(document)


@cache
def _document_type() -> TypeAdapter[StatementDetail]:
    return TypeAdapter(StatementDetail)
