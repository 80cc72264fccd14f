"""One chunk of a run: load, compute, write, in one transaction. A contract that cannot be billed fails alone."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shared_code.billing.blocks import compute
from shared_code.billing.context import BillingContext
from shared_code.billing.model import Outcome, Reason
from shared_code.contracts.increments import due_increments
from shared_code.contracts.repository import set_billed_through
from shared_code.contracts.schema import Contract
from shared_code.contracts.terms import PeriodTerms, terms_for
from shared_code.documents.model import Brand, to_json
from shared_code.facts.model import SiteFacts
from shared_code.facts.repository import load_facts
from shared_code.foundation import clock, queues
from shared_code.foundation.bus import unit_of_work
from shared_code.foundation.calendar import Period
from shared_code.foundation.clock import derived_id
from shared_code.foundation.database import Message, UnitOfWork
from shared_code.foundation.settings import settings
from shared_code.statements import repository
from shared_code.statements.brand import brand
from shared_code.statements.drafts import (
    SiteSnapshot,
    StatementDraft,
    draft_statement,
    meta_json,
    reasons_json,
    snapshot,
    trace_json,
)
from shared_code.statements.runs import progress_message

log = logging.getLogger(__name__)

# Nobody has compared the statement with its forecast yet, so a person approves it (rules R25, R51).
STATUS_AFTER_GENERATION = "ApprovalTeam"
STATUS_REASON = "NO_COMPARISON"


@dataclass(slots=True)
class _Results:
    """What a chunk came to: drafts to store, and an outcome for each item."""

    drafts: list[StatementDraft] = field(default_factory=list)
    outcomes: list[dict[str, object]] = field(default_factory=list)

    def settle(
        self, contract_id: str, outcome: str, reason: Reason | None = None, statement_id: str | None = None
    ) -> None:
        self.outcomes.append(
            {
                "given_contract": contract_id,
                "given_outcome": outcome,
                "given_reason": reason.code if reason else None,
                "given_message": reason.message if reason else None,
                "given_statement": statement_id,
            }
        )


def generate_chunk(run_id: str, chunk: int) -> int:
    """Bill the pending contracts of a chunk and send what follows. Returns the number of statements written.

    Safe to repeat: items that have an outcome are not pending any more, and a contract and period has one statement
    by a key of the database.
    """
    with unit_of_work() as work:
        run = repository.run_of(work.connection, run_id)
        items = repository.pending_chunk(work.connection, run_id, chunk)
        if run is None or not items:
            return 0
        results = _compute_chunk(work, run_id, chunk, Period.parse(run.period), items)
        _store(work, run, results.drafts)
        set_billed_through(work.connection, [draft.contract_id for draft in results.drafts], Period.parse(run.period))
        repository.set_outcomes(work.connection, run_id, results.outcomes)
        work.send(_document_messages(run_id, results.drafts, run.correlation_id))
        work.send([progress_message(run_id, f"chunk-{chunk}", run.correlation_id)])
    log.info("chunk %d of run %s: %d statements of %d contracts", chunk, run_id, len(results.drafts), len(items))
    return len(results.drafts)


def _compute_chunk(work: UnitOfWork, run_id: str, chunk: int, period: Period, items: Sequence[Any]) -> _Results:
    results = _Results()
    billed = repository.already_billed(work.connection, run_id, chunk, period)
    context = _context()
    contracts = [(item, *_read(item, period)) for item in items]
    facts = load_facts(
        work.connection,
        {item.site_number for item in items},
        period,
        _since(period, [terms for _, _, terms in contracts]),
        settings().room_value_types,
    )
    drafts: list[StatementDraft] = []
    for item, contract, terms in contracts:
        if item.contract_id in billed:
            other = Reason("ALREADY_GENERATED", f"run {billed[item.contract_id]} has billed this contract and period")
            results.settle(item.contract_id, "Skipped", other)
            continue
        outcome = _outcome(item, contract, terms, facts[item.site_number], context)
        if outcome.reasons:
            results.settle(item.contract_id, "Failed", outcome.reasons[0])
        elif not outcome.lines:
            results.settle(item.contract_id, "NothingToBill", _nothing(terms))
        else:
            drafts.append(
                draft_statement(item.contract_id, item.contract_version, contract, _site(item), period, outcome)
            )
    _accept(work, drafts, results)
    return results


def _accept(work: UnitOfWork, drafts: Sequence[StatementDraft], results: _Results) -> None:
    """Take each draft unless one of its invoice numbers is taken by another contract (rules R27)."""
    numbers = [invoice.number for draft in drafts for invoice in draft.invoices]
    taken = repository.taken_numbers(work.connection, numbers)
    for draft in drafts:
        own = {invoice.number for invoice in draft.invoices}
        clash = sorted(taken & own)
        if clash:
            reason = Reason("NUMBER_TAKEN", f"invoice number {clash[0]} is taken by another contract of the site")
            results.settle(draft.contract_id, "Failed", reason)
            continue
        taken |= own
        results.drafts.append(draft)
        results.settle(draft.contract_id, "Generated", statement_id=draft.statement_id)


def _read(item: Any, period: Period) -> tuple[Contract, PeriodTerms]:
    contract = Contract.model_validate_json(item.document)
    return contract, terms_for(contract, period)


def _outcome(item: Any, contract: Contract, terms: PeriodTerms, facts: SiteFacts, context: BillingContext) -> Outcome:
    if item.name is None:
        reason = Reason("SITE_UNKNOWN", f"site {item.site_number} is not in the site master; drop a newer site_master")
        return Outcome(reasons=(reason,))
    if terms.billing_type == "Arrears" and terms.period.last_day > clock.today(settings().business_time_zone):
        message = f"the contract is billed in arrears, and {terms.period} ends on {terms.period.last_day}"
        return Outcome(reasons=(Reason("PERIOD_NOT_OVER", message),))
    rates_as_of = Period.parse(item.rates_as_of)
    if increments := due_increments(contract, rates_as_of, terms.period):
        message = f"{increments[0]}, after its rates were stated as of {rates_as_of}; this version cannot compute that"
        return Outcome(reasons=(Reason("COMPONENT_NOT_SUPPORTED", message),))
    early = Reason("RATE_BEFORE_BASE", f"billed at the rates of {rates_as_of}, the first that are known (rules R12)")
    try:
        outcome = compute(terms, facts, context)
        return replace(outcome, warnings=(early,)) if terms.period < rates_as_of else outcome
    except Exception:
        # The others of the chunk go on; this one is reported by name (field report 6).
        log.exception("contract %s of site %s cannot be computed", item.contract_id, item.site_number)
        reason = Reason("CALCULATION_FAULT", "an unforeseen fault in the calculation; the log has its trace")
        return Outcome(reasons=(reason,))


def _nothing(terms: PeriodTerms) -> Reason:
    if not terms.in_force:
        return Reason("NOT_IN_FORCE", f"the contract is not in force in {terms.period}")
    return Reason("NOTHING_TO_BILL", "every line came to 0.00")


def _since(period: Period, terms: Iterable[PeriodTerms]) -> Period:
    """A year back when any contract of the chunk accumulates, else the period alone. R58 adds a part month."""
    accumulates = any(structure.accumulation != "Monthly" for term in terms for structure in term.structures)
    return period.plus(-12) if accumulates else period


def _site(item: Any) -> SiteSnapshot:
    place = " ".join(part for part in (item.state, item.zip) if part)
    address = ", ".join(part for part in (item.street, item.city, place) if part)
    return SiteSnapshot(item.site_number, item.name, address, item.gl_string or "")


def _context() -> BillingContext:
    known = settings()
    return BillingContext(known.operator_name, known.bell_excluded_codes, known.gap_days)


def _store(work: UnitOfWork, run: Any, drafts: Sequence[StatementDraft]) -> None:
    printed = brand()
    repository.add_statements(
        work.connection,
        [_statement_row(draft, run.run_id) for draft in drafts],
        [row for draft in drafts for row in _invoice_rows(draft)],
        [row for draft in drafts for row in _line_rows(draft)],
        [_document_row(draft, run.run_id, printed) for draft in drafts],
    )


def _statement_row(draft: StatementDraft, run_id: str) -> dict[str, object]:
    return {
        "statement_id": draft.statement_id,
        "contract_id": draft.contract_id,
        "period": str(draft.period),
        "version": draft.version,
        "contract_version": draft.contract_version,
        "site_number": draft.site.number,
        "site_name": draft.site.name,
        "status": STATUS_AFTER_GENERATION,
        "status_reason": STATUS_REASON,
        "total": draft.total,
        "run_id": run_id,
        "warnings": reasons_json(draft.warnings),
        "created_at": clock.now(),
    }


def _invoice_rows(draft: StatementDraft) -> Iterable[dict[str, object]]:
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


def _line_rows(draft: StatementDraft) -> Iterable[dict[str, object]]:
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


def _document_row(draft: StatementDraft, run_id: str, printed: Brand) -> dict[str, object]:
    return {
        "statement_id": draft.statement_id,
        "run_id": run_id,
        "state": "Pending",
        "snapshot": to_json(snapshot(draft, printed)),
    }


def _document_messages(run_id: str, drafts: Sequence[StatementDraft], correlation_id: str) -> list[Message]:
    size = settings().documents_per_message
    ids = [draft.statement_id for draft in drafts]
    return [
        Message(
            derived_id("documents", *ids[start : start + size]),
            queues.STATEMENT_DOCUMENTS,
            json.dumps({"run": run_id, "statements": ids[start : start + size]}),
            correlation_id,
        )
        for start in range(0, len(ids), size)
    ]
