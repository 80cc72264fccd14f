"""One chunk of a run: load, compute, write, in one transaction. A contract that cannot be billed fails alone."""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import Any

from shared_code.billing.model import Reason
from shared_code.contracts.repository import set_billed_through
from shared_code.foundation import audit, clock, telemetry
from shared_code.foundation.bus import unit_of_work
from shared_code.foundation.business_settings.model import BusinessSettings
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow, UnitOfWork
from shared_code.foundation.errors import CONCURRENT_CHANGE, BillingError
from shared_code.foundation.garbage import uncollected
from shared_code.periods.errors import PERIOD_CLOSED
from shared_code.periods.repository import CLOSED
from shared_code.statements import errors, repository
from shared_code.statements.brand import brand
from shared_code.statements.chunks import repository as chunks
from shared_code.statements.computing import Computed, compute_agreed
from shared_code.statements.drafts import SiteSnapshot, StatementDraft, draft_statement, reasons_json
from shared_code.statements.inputs import repository as inputs
from shared_code.statements.invoice_numbers import number_taken
from shared_code.statements.limits import SanityLimits, tripped
from shared_code.statements.places import Place, counts, next_place
from shared_code.statements.previews import preview_rows
from shared_code.statements.rows import document_row, invoice_rows, line_rows, statement_row
from shared_code.statements.runs import document_messages, progress_message

log = logging.getLogger(__name__)

CONSUMER = "generate_statement_chunk"
MAX_TOTAL = Decimal(10) ** 12  # beyond any client's month; a figure above it is a fault of the facts or the contract


@dataclass(slots=True)
class _Results:
    """What a chunk came to: drafts and profits to store, statements whose place is taken, an outcome for each item.

    `known_profits` are the contracts that have a profit of the month already.
    """

    drafts: list[StatementDraft] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    profits: dict[str, Decimal] = field(default_factory=dict)
    known_profits: set[str] = field(default_factory=set)
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

    def drop(self, draft: StatementDraft, item: Any, reason: Reason) -> None:
        """A draft that cannot be stored after all."""
        self.profits.pop(draft.contract_id, None)
        self.settle(item, "Failed", [reason])


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What is known of a chunk besides its contracts and facts.

    `standing` are the statements of the period, by contract; `earlier` what was billed last of each month before it.
    """

    run: AnyRow
    period: Period
    decided: BusinessSettings
    standing: Mapping[str, Sequence[AnyRow]]
    earlier: Mapping[str, Mapping[str, Decimal]]

    def totals_before(self, contract_id: str) -> list[Decimal]:
        """The totals of a contract's earlier months, the latest first."""
        totals = self.earlier.get(contract_id, {})
        return [totals[month] for month in sorted(totals, reverse=True)]


@uncollected()  # around the whole call, so that what the chunk was made of is let go before the search goes on
def generate_chunk(run_id: str, chunk: int, message_id: str) -> int:
    """Bill the pending contracts of a chunk and send what follows. Returns the number of statements written.

    Safe to repeat: a message is recorded with its effect, items that have an outcome are not pending any more, and a
    contract and period has one unsent statement by a key of the database. A dry run keeps what it would have written
    and changes nothing else. Raises CONCURRENT_CHANGE when a contract or statement was changed meanwhile; the message
    comes again and finds it. Raises RUN_NOT_FOUND for a run that there is not.
    """
    with unit_of_work() as work:
        run = repository.run_at_work(work.connection, run_id)
        if run is None:
            raise BillingError(errors.RUN_NOT_FOUND, f"there is no run {run_id}")
        if not work.first(CONSUMER, message_id):
            return 0
        results = _bill(work, run, chunk)
        repository.set_outcomes(work.connection, run_id, results.outcomes)
        statement_ids = [draft.statement_id for draft in results.drafts]
        messages = [progress_message(run_id, f"chunk-{message_id}", run.correlation_id)]
        if run.kind != "DryRun":
            messages += document_messages(run_id, statement_ids, run.correlation_id)
        work.send(messages, unseen=True)
    for result, number in Counter(str(item["given_outcome"]) for item in results.outcomes).items():
        telemetry.count("powerbill.contracts.billed", number, powerbill_outcome=result)
    log.info(
        "chunk %d of run %s: %d statements of %d contracts", chunk, run_id, len(statement_ids), len(results.outcomes)
    )
    return len(statement_ids)


def _bill(work: UnitOfWork, run: AnyRow, number: int) -> _Results:
    """Compute the chunk and store it, or what a dry run would have stored."""
    results = _Results()
    chunks.begin_items(work.connection, run.run_id, number)  # first: who cancels the run waits, or was before
    period = Period.parse(run.period)
    items = chunks.pending_chunk(work.connection, run.run_id, number, period)
    if run.month_state == CLOSED:
        closed = Reason(PERIOD_CLOSED.code, f"{period} was closed after the run had started")
        for item in items:
            results.settle(item, "Failed", [closed])
        return results
    known = inputs.agreed(work.connection, period.first_day)
    chunk = _chunk(work, run, number, known.decided)  # before lines are read: who adds one waits, or has been before
    computed = compute_agreed(work.connection, _not_billed(run, chunk.standing, items, results), period, known)
    _settle(work, chunk, computed, results)
    if run.kind == "DryRun":
        repository.add_previews(work.connection, preview_rows(results.drafts, run.run_id))
    else:
        _store(work, chunk, items, results)
    return results


def _chunk(work: UnitOfWork, run: AnyRow, number: int, decided: BusinessSettings) -> _Chunk:
    period = Period.parse(run.period)
    first = period.plus(-decided.median_months) if decided.largest_change_percent else period
    standing: dict[str, list[AnyRow]] = defaultdict(list)
    earlier: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for row in chunks.standing(work.connection, run.run_id, number, period, first):
        if row.period == run.period:
            standing[row.contract_id].append(row)
        else:  # by period and generation, so the last of a month stays
            earlier[row.contract_id][row.period] = row.total
    return _Chunk(run, period, decided, standing, earlier)


def _not_billed(
    run: AnyRow, standing: Mapping[str, Sequence[AnyRow]], items: Sequence[Any], results: _Results
) -> list[Any]:
    """The items to compute; those that something has overtaken are skipped with the reason."""
    open_items = []
    for item in items:
        overtaken = _overtaken(run, standing.get(item.contract_id, ()))
        if overtaken:
            results.settle(item, "Skipped", [Reason("ALREADY_GENERATED", overtaken)])
        else:
            open_items.append(item)
    return open_items


def _overtaken(run: AnyRow, standing: Sequence[AnyRow]) -> str | None:
    """Why a contract is left as it is: it has its statement, or the one that was to be made anew was sent meanwhile."""
    if run.kind == "Regenerate":
        wanted = json.loads(run.scope).get("version")
        sent = wanted is not None and next_place(standing).version != wanted
        return f"version {wanted} was sent meanwhile; ask again for a correction of it" if sent else None
    billed = counts(standing)
    return f"run {billed[0].run_id} has billed this contract and period" if billed else None


def _settle(work: UnitOfWork, chunk: _Chunk, computed: Sequence[Computed], results: _Results) -> None:
    """Give every computed item its outcome; those with lines get their place, numbers and review status."""
    drafts: list[tuple[Any, StatementDraft]] = []
    limits = _limits(chunk.decided)
    for one in computed:
        if one.outcome.reasons or one.contract is None:
            results.settle(one.item, "Failed", one.outcome.reasons)
            continue
        if one.outcome.profit is not None:
            results.profits[one.item.contract_id] = one.outcome.profit
        if one.replaces_profit:
            results.known_profits.add(one.item.contract_id)
        place = next_place(chunk.standing.get(one.item.contract_id, ()))
        if place.replaces:
            results.replaced.append(place.replaces)
        if one.nothing is not None:
            results.settle(one.item, "NothingToBill", [one.nothing])
            continue
        draft = _draft(one, chunk.period, place)
        if abs(draft.total) >= MAX_TOTAL:
            message = f"a total of {draft.total} is beyond any month; look at the facts and the rates"
            results.drop(draft, one.item, Reason("AMOUNT_OUT_OF_RANGE", message))
            continue
        held = tripped(draft, chunk.totals_before(draft.contract_id), limits)
        drafts.append((one.item, draft.held_for(held) if held else draft))
    _number(work, drafts, results)


def _draft(one: Computed, period: Period, place: Place) -> StatementDraft:
    item = one.item
    assert one.contract is not None  # noqa: S101 - there are no lines without one
    return draft_statement(
        item.contract_id,
        item.contract_version,
        one.contract,
        _site(item),
        period,
        one.outcome,
        place,
        one.comparison,
        commented=bool(item.commented),
    )


def _limits(decided: BusinessSettings) -> SanityLimits:
    return SanityLimits(
        decided.largest_invoice, decided.largest_change_percent, decided.largest_line_count, decided.median_months
    )


def _number(work: UnitOfWork, drafts: Sequence[tuple[Any, StatementDraft]], results: _Results) -> None:
    """Take each draft unless another contract has one of its invoice numbers (rules R27).

    The numbers of all drafts are looked up together at the end, so nobody waits for a counter (field reports 13, 16).
    """
    numbers = [invoice.number for _, draft in drafts for invoice in draft.invoices]
    taken = {row.number: row for row in repository.number_owners(work.connection, numbers, results.replaced)}
    owners = {number: (row.contract_id, row.site_number) for number, row in taken.items()}
    for item, draft in drafts:
        wanted = [invoice.number for invoice in draft.invoices]
        clash = next(filter(owners.__contains__, wanted), None)
        if clash is not None or draft.repeats_a_number:
            number = clash or wanted[0]
            contract, site = owners.get(number, (draft.contract_id, draft.site.number))
            results.drop(draft, item, number_taken(number, draft.contract_id, draft.site.number, contract, site))
            continue
        owners |= dict.fromkeys(wanted, (draft.contract_id, draft.site.number))
        results.drafts.append(draft)
        held = draft.status == "Held"
        results.settle(item, "Held" if held else "Generated", draft.held, draft.statement_id)


def _store(work: UnitOfWork, chunk: _Chunk, items: Sequence[Any], results: _Results) -> None:
    """Write the statements, and take those whose place they take out of the count, in one transaction (rules R24)."""
    failed = {one["given_contract"] for one in results.outcomes if one["given_outcome"] == "Failed"}
    replaced = _replaced(chunk, results, failed)
    repository.supersede(work.connection, replaced)
    drafts, printed = results.drafts, brand()
    repository.add_statements(
        work.connection,
        chunk.run.run_id,
        map(statement_row, drafts),
        chain.from_iterable(map(invoice_rows, drafts)),
        chain.from_iterable(map(line_rows, drafts)),
        (document_row(draft, printed) for draft in drafts),
    )
    replaced_profits = sorted(results.known_profits & results.profits.keys())
    inputs.set_profits(work.connection, chunk.period, _profit_rows(chunk, results), replaced_profits)
    billed = [draft.contract_id for draft in drafts]
    _require_unchanged(items, set_billed_through(work.connection, billed, chunk.period))
    events = [_generated(chunk.run.run_id, draft) for draft in drafts]
    audit.record(work, events, opens=False)  # saving a contract has opened its stream


def _replaced(chunk: _Chunk, results: _Results, failed: set[object]) -> list[str]:
    """A statement stays as it is when its successor could not be made (B10)."""
    owner = {row.statement_id: contract for contract, rows in chunk.standing.items() for row in rows}
    return [one for one in results.replaced if owner[one] not in failed]


def _generated(run_id: str, draft: StatementDraft) -> audit.Event:
    """The event of a new statement, in the stream of its contract: an auditor reads a contract's history in order."""
    data = {
        "run": run_id,
        "period": draft.period,
        "version": draft.version,
        "generation": draft.generation,
        "replaces": draft.replaces,
        "status": draft.status,
        "contractVersion": draft.contract_version,
        "total": draft.total,
        "invoices": [{"number": invoice.number, "amount": invoice.amount} for invoice in draft.invoices],
    }
    stream, site = f"contract/{draft.contract_id}", draft.site.number
    return audit.Event(stream, "statement.generated", draft.statement_id, data, site=site)


def _profit_rows(chunk: _Chunk, results: _Results) -> list[dict[str, object]]:
    """The month's profits of contracts that are done with it, billed or not (rules R44)."""
    now, run_id, period = clock.now(), chunk.run.run_id, str(chunk.period)
    return [
        {"contract_id": contract, "period": period, "profit": profit, "run_id": run_id, "created_at": now}
        for contract, profit in results.profits.items()
    ]


def _require_unchanged(items: Sequence[Any], latest: Mapping[str, int]) -> None:
    """Nobody has saved a version of a contract since it was read; those that were billed are locked by now."""
    changed = [
        item.contract_id for item in items if latest.get(item.contract_id, item.latest_version) != item.latest_version
    ]
    if changed:
        raise BillingError(CONCURRENT_CHANGE, f"{len(changed)} contracts were changed while they were billed")


def _site(item: Any) -> SiteSnapshot:
    place = " ".join([part for part in (item.state, item.zip) if part])
    address = ", ".join([part for part in (item.street, item.city, place) if part])
    return SiteSnapshot(item.site_number, item.name, address, item.gl_string or "")
