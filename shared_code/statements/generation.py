"""One chunk of a run: load, compute, write, in one transaction. A contract that cannot be billed fails alone."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from shared_code.billing.calculation import compute
from shared_code.billing.comparison import Comparison, DeviationLimits, compare
from shared_code.billing.context import BillingContext, gl_codes
from shared_code.billing.given import History
from shared_code.billing.model import AdHocLine, Outcome, Reason
from shared_code.contracts.index_values.repository import current as index_values
from shared_code.contracts.rates.bases import read_bases
from shared_code.contracts.rates.model import Indexes
from shared_code.contracts.repository import latest_versions, set_billed_through
from shared_code.contracts.schema import ClaimsCapped, Contract
from shared_code.contracts.terms import PeriodTerms, terms_for
from shared_code.facts.model import SiteFacts
from shared_code.facts.repository import Reading, load_facts
from shared_code.foundation import audit, clock, telemetry
from shared_code.foundation.bus import unit_of_work
from shared_code.foundation.business_settings.model import BusinessSettings
from shared_code.foundation.business_settings.repository import current as business_settings
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import UnitOfWork
from shared_code.foundation.errors import CONCURRENT_CHANGE, BillingError
from shared_code.foundation.settings import settings
from shared_code.periods.errors import PERIOD_CLOSED
from shared_code.periods.repository import is_closed
from shared_code.statements import errors, repository
from shared_code.statements.brand import brand
from shared_code.statements.drafts import SiteSnapshot, StatementDraft, draft_statement, reasons_json
from shared_code.statements.history import adhoc_by_contract, histories
from shared_code.statements.rows import document_row, invoice_rows, line_rows, statement_row
from shared_code.statements.runs import document_messages, progress_message

log = logging.getLogger(__name__)

CONSUMER = "generate_statement_chunk"
MAX_TOTAL = Decimal(10) ** 12  # beyond any client's month; a figure above it is a fault of the facts or the contract


@dataclass(frozen=True, slots=True)
class _Work:
    """One item of the chunk with what it is billed from."""

    item: Any
    contract: Contract
    terms: PeriodTerms


@dataclass(frozen=True, slots=True)
class _Known:
    """What a contract is billed from besides its terms."""

    facts: SiteFacts
    context: BillingContext
    history: History
    adhoc: Sequence[AdHocLine]
    review: DeviationLimits


@dataclass(slots=True)
class _Results:
    """What a chunk came to: drafts and profits to store, and an outcome for each item."""

    drafts: list[StatementDraft] = field(default_factory=list)
    profits: dict[str, Decimal] = field(default_factory=dict)
    outcomes: list[dict[str, object]] = field(default_factory=list)

    def settle(self, item: Any, outcome: str, reasons: Sequence[Reason] = (), statement: str | None = None) -> None:
        """Give an item its outcome. The first reason is the one reported; all are kept (rules R61)."""
        self.outcomes.append(
            {
                "given_contract": item.contract_id,
                "given_outcome": outcome,
                "given_reason": reasons[0].code if reasons else None,
                "given_message": reasons[0].message if reasons else None,
                "given_details": reasons_json(reasons) if reasons else None,
                "given_statement": statement,
                "given_version": item.contract_version,
            }
        )

    def fault(self, item: Any) -> None:
        """An unforeseen fault in one item: it is reported by name and the others go on (field report 6)."""
        log.exception("contract %s of site %s cannot be computed", item.contract_id, item.site_number)
        message = "an unforeseen fault in the calculation; the log names it with its trace"
        self.settle(item, "Failed", [Reason("CALCULATION_FAULT", message)])


def generate_chunk(run_id: str, chunk: int, message_id: str) -> int:
    """Bill the pending contracts of a chunk and send what follows. Returns the number of statements written.

    Safe to repeat: a message is recorded with its effect, items that have an outcome are not pending any more, and a
    contract and period has one statement by a key of the database. Raises CONCURRENT_CHANGE when a contract got a new
    version meanwhile; the message comes again and finds it. Raises RUN_NOT_FOUND for a run that there is not.
    """
    with unit_of_work() as work:
        run = repository.run_of(work.connection, run_id)
        if run is None:
            raise BillingError(errors.RUN_NOT_FOUND, f"there is no run {run_id}")
        if not work.first(CONSUMER, message_id):
            return 0
        period = Period.parse(run.period)
        items = repository.pending_chunk(work.connection, run_id, chunk, period)
        results = _compute_chunk(work, run_id, chunk, period, items)
        _store(work, run, results.drafts)
        repository.set_profits(work.connection, period, _profit_rows(run_id, period, results))
        billed = [draft.contract_id for draft in results.drafts]
        set_billed_through(work.connection, billed, period)
        _require_unchanged(work, items, billed)
        repository.set_outcomes(work.connection, run_id, results.outcomes)
        statement_ids = [draft.statement_id for draft in results.drafts]
        work.send(document_messages(run_id, statement_ids, run.correlation_id))
        work.send([progress_message(run_id, f"chunk-{message_id}", run.correlation_id)])
        audit.record(work, [_generated(run_id, draft) for draft in results.drafts])
    for result, number in Counter(str(item["given_outcome"]) for item in results.outcomes).items():
        telemetry.count("powerbill.contracts.billed", number, powerbill_outcome=result)
    log.info("chunk %d of run %s: %d statements of %d contracts", chunk, run_id, len(results.drafts), len(items))
    return len(results.drafts)


def _generated(run_id: str, draft: StatementDraft) -> audit.Event:
    """The event of a new statement, in the stream of its contract: an auditor reads a contract's history in order."""
    data = {
        "run": run_id,
        "period": draft.period,
        "version": draft.version,
        "contractVersion": draft.contract_version,
        "total": draft.total,
        "invoices": [{"number": invoice.number, "amount": invoice.amount} for invoice in draft.invoices],
    }
    stream, site = f"contract/{draft.contract_id}", draft.site.number
    return audit.Event(stream, "statement.generated", draft.statement_id, data, site=site)


def _profit_rows(run_id: str, period: Period, results: _Results) -> list[dict[str, object]]:
    """The month's profits of contracts that are done with it, billed or not (rules R44)."""
    now = clock.now()
    done = {one["given_contract"] for one in results.outcomes if one["given_outcome"] in ("Generated", "NothingToBill")}
    return [
        {"contract_id": contract, "period": str(period), "profit": profit, "run_id": run_id, "created_at": now}
        for contract, profit in results.profits.items()
        if contract in done
    ]


def _require_unchanged(work: UnitOfWork, items: Sequence[Any], billed: Sequence[str]) -> None:
    """Nobody has saved a version of a contract since it was read; `set_billed_through` has locked their rows."""
    latest = latest_versions(work.connection, billed)
    changed = [
        item.contract_id for item in items if latest.get(item.contract_id, item.latest_version) != item.latest_version
    ]
    if changed:
        raise BillingError(CONCURRENT_CHANGE, f"{len(changed)} contracts were changed while they were billed")


def _compute_chunk(work: UnitOfWork, run_id: str, chunk: int, period: Period, items: Sequence[Any]) -> _Results:
    results = _Results()
    if is_closed(work.connection, period):
        closed = Reason(PERIOD_CLOSED.code, f"{period} was closed after the run had started")
        for item in items:
            results.settle(item, "Failed", [closed])
        return results
    billed = repository.already_billed(work.connection, run_id, chunk, period)
    for item in items:
        if item.contract_id in billed:
            message = f"run {billed[item.contract_id]} has billed this contract and period"
            results.settle(item, "Skipped", [Reason("ALREADY_GENERATED", message)])
    open_items = [item for item in items if item.contract_id not in billed]
    readable = _readable(open_items, period, index_values(work.connection), results)
    decided = business_settings(work.connection)
    context = _context(decided, repository.gl_accounts(work.connection, period.first_day))
    contract_ids = [part.item.contract_id for part in readable]
    past = histories(work.connection, contract_ids, period)
    review = DeviationLimits(
        combined="AND" if decided.deviation_needs_both else "OR", forecast_expected=decided.forecast_expected
    )
    added = adhoc_by_contract(work.connection, contract_ids, period)
    facts = load_facts(
        work.connection,
        {part.item.site_number for part in readable},
        period,
        _reading(period, [part.terms for part in readable], context, decided),
    )
    drafts: list[tuple[Any, StatementDraft]] = []
    for part in readable:
        try:
            contract_id = part.item.contract_id
            known = _Known(facts[part.item.site_number], context, past[contract_id], added.get(contract_id, ()), review)
            draft = _draft(part, known, results)
        except Exception:
            results.fault(part.item)
        else:
            drafts.extend((part.item, made) for made in draft)
    _accept(work, drafts, results)
    return results


def _readable(items: Sequence[Any], period: Period, indexes: Indexes, results: _Results) -> list[_Work]:
    """The items whose stored document can be read; one that cannot be fails alone."""
    found: list[_Work] = []
    for item in items:
        try:
            contract = Contract.model_validate_json(item.document)
            bases = read_bases(item.rate_bases, Period.parse(item.rates_as_of).first_day)
            found.append(_Work(item, contract, terms_for(contract, period, bases, indexes)))
        except Exception:
            results.fault(item)
    return found


def _draft(part: _Work, known: _Known, results: _Results) -> list[StatementDraft]:
    """The item's draft, or none and an outcome that says why."""
    outcome = _outcome(part, known)
    if outcome.profit is not None:
        results.profits[part.item.contract_id] = outcome.profit
    if outcome.reasons:
        results.settle(part.item, "Failed", outcome.reasons)
        return []
    if not outcome.lines:
        results.settle(part.item, "NothingToBill", [_nothing(part.terms)])
        return []
    item = part.item
    draft = draft_statement(
        item.contract_id, item.contract_version, part.contract, _site(item), part.terms.period, outcome
    )
    draft = replace(draft, comparison=_compared(part.contract, known, outcome))
    if abs(draft.total) >= MAX_TOTAL:
        message = f"a total of {draft.total} is beyond any month; look at the facts and the rates"
        results.settle(item, "Failed", [Reason("AMOUNT_OUT_OF_RANGE", message)])
        return []
    return [draft]


def _accept(work: UnitOfWork, drafts: Sequence[tuple[Any, StatementDraft]], results: _Results) -> None:
    """Take each draft unless one of its invoice numbers is taken by another contract (rules R27)."""
    numbers = [invoice.number for _, draft in drafts for invoice in draft.invoices]
    taken = repository.taken_numbers(work.connection, numbers)
    for item, draft in drafts:
        own = {invoice.number for invoice in draft.invoices}
        clash = sorted(taken & own)
        if clash or len(own) < len(draft.invoices):
            number = clash[0] if clash else draft.invoices[0].number
            message = f"invoice number {number} is taken by another contract or group of the site"
            results.settle(item, "Failed", [Reason("NUMBER_TAKEN", message)])
            continue
        taken |= own
        results.drafts.append(draft)
        results.settle(item, "Generated", statement=draft.statement_id)


def _outcome(part: _Work, known: _Known) -> Outcome:
    item, terms = part.item, part.terms
    if not terms.in_force:
        return Outcome()
    if item.name is None:
        reason = Reason("SITE_UNKNOWN", f"site {item.site_number} is not in the site master; drop a newer site_master")
        return Outcome(reasons=(reason,))
    if terms.billing_type == "Arrears" and terms.period.last_day > clock.today(settings().business_time_zone):
        message = f"the contract is billed in arrears, and {terms.period} ends on {terms.period.last_day}"
        return Outcome(reasons=(Reason("PERIOD_NOT_OVER", message),))
    outcome = compute(terms, known.facts, known.context, known.history, known.adhoc)
    warnings = tuple(Reason(note.code, note.message) for note in terms.rate_warnings)
    return replace(outcome, warnings=(*warnings, *outcome.warnings)) if warnings else outcome


def _compared(contract: Contract, known: _Known, outcome: Outcome) -> Comparison | None:
    """The month against its forecast; a contract billed in advance is not compared (rules R50)."""
    if contract.billing_type == "Advanced":
        return None
    limits = replace(known.review, amount=contract.deviation_amount, percent=contract.deviation_pct)
    return compare(outcome.lines, known.facts, limits, known.context.ledger)


def _nothing(terms: PeriodTerms) -> Reason:
    if not terms.in_force:
        return Reason("NOT_IN_FORCE", f"the contract is not in force in {terms.period}")
    return Reason("NOTHING_TO_BILL", "every line came to 0.00")


def _reading(
    period: Period, terms: Sequence[PeriodTerms], context: BillingContext, decided: BusinessSettings
) -> Reading:
    """What the chunk's contracts read: a year back when any of them accumulates. R58 adds a part month."""
    shares = any(row.accumulation != "Monthly" for term in terms for row in term.structures)
    claims = any(
        isinstance(row.claims, ClaimsCapped) and row.claims.kind != "PerClaim"
        for term in terms
        for row in term.agreements
    )
    return Reading(
        since=period.plus(-12) if shares or claims else period,
        history_accounts=context.ledger.claims if claims else (),
        excluded_entities=decided.excluded_entities,
        room_value_types=decided.occupied_rooms_value_types,
        bell_excluded_codes=decided.bell_excluded_codes,
    )


def _site(item: Any) -> SiteSnapshot:
    place = " ".join(part for part in (item.state, item.zip) if part)
    address = ", ".join(part for part in (item.street, item.city, place) if part)
    return SiteSnapshot(item.site_number, item.name, address, item.gl_string or "")


def _context(decided: BusinessSettings, accounts: Mapping[str, str]) -> BillingContext:
    return BillingContext(settings().operator_name, decided.bell_excluded_codes, decided.gap_days, gl_codes(accounts))


def _store(work: UnitOfWork, run: Any, drafts: Sequence[StatementDraft]) -> None:
    printed = brand()
    repository.add_statements(
        work.connection,
        [statement_row(draft, run.run_id) for draft in drafts],
        [row for draft in drafts for row in invoice_rows(draft)],
        [row for draft in drafts for row in line_rows(draft)],
        [document_row(draft, run.run_id, printed) for draft in drafts],
    )
