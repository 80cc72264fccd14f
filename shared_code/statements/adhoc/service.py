"""Add a line to a statement, or take one back: stored apart from what was generated, and shown at once (rules R18).

Each is one transaction over the statement's row, which is kept from others: lines, invoices, totals, comparison to
forecast and the snapshot change together, and the document is drawn again. The month is not computed anew; where a line
changes a shared profit, the statement is marked so that it cannot be sent before it is (requirements GEN-22).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from shared_code.billing import adhoc
from shared_code.billing.comparison import Comparison, DeviationLimits, compare_again
from shared_code.billing.context import gl_codes
from shared_code.billing.model import AdHocLine, Line
from shared_code.contracts.schema import Contract
from shared_code.contracts.terms import PeriodTerms, terms_for
from shared_code.documents.model import from_json, to_json
from shared_code.foundation import audit, clock, context
from shared_code.foundation.bus import unit_of_work
from shared_code.foundation.business_settings.repository import current as business_settings
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow, UnitOfWork
from shared_code.foundation.errors import CONCURRENT_CHANGE, BillingError
from shared_code.foundation.money import dollars
from shared_code.foundation.visibility import Visibility
from shared_code.periods.closing import require_open
from shared_code.statements import errors as statements
from shared_code.statements import repository as stored
from shared_code.statements.adhoc import errors, printing, repository
from shared_code.statements.adhoc.answers import addition_of
from shared_code.statements.adhoc.model import Addition
from shared_code.statements.adhoc.requests import AdHocLineRequest
from shared_code.statements.adhoc.rules import line_of, require_fitting
from shared_code.statements.adhoc.writing import write_pages
from shared_code.statements.drafts import InvoiceDraft, SiteSnapshot, comparison_json, draft_invoice, read_comparison
from shared_code.statements.generation import MAX_TOTAL
from shared_code.statements.inputs import repository as inputs
from shared_code.statements.inputs.history import adhoc_by_contract
from shared_code.statements.places import SENT, SUPERSEDED, Place
from shared_code.statements.reading import repository as reads
from shared_code.statements.reasons import REASONS
from shared_code.statements.runs import document_messages, start_within
from shared_code.statements.scope import RunCommand


@dataclass(frozen=True, slots=True)
class _Opened:
    """A statement that may be changed, with all that a change of its lines depends on."""

    row: AnyRow
    period: Period
    contract: Contract
    terms: PeriodTerms
    invoices: Sequence[AnyRow]
    lines: Sequence[AnyRow]

    @property
    def shared(self) -> bool:
        return adhoc.shares_profit(self.terms)

    @property
    def groups(self) -> set[int]:
        """The groups that a line may stand on: those of the contract (rules R52), and those that have an invoice."""
        return {group.number for group in self.terms.groups} | {one.invoice_group for one in self.invoices}


@dataclass(frozen=True, slots=True)
class _Change:
    """What was done to which line."""

    action: str
    line: AdHocLine


def add(number: str, wish: AdHocLineRequest, visible: Visibility) -> Addition:
    """Add a line to the statement of an invoice. The same wish under the same Idempotency-Key is one line.

    Raises INVOICE_NOT_FOUND, STATEMENT_SUPERSEDED, AD_HOC_STATEMENT_SENT, PERIOD_CLOSED, AD_HOC_* for what the line may
    not be, NUMBER_TAKEN where it would make an invoice whose number another contract has, CONCURRENT_CHANGE.
    """
    line_id = _id_of(number, wish)
    with unit_of_work() as work:
        opened = _open(work, number, visible)
        if repository.added_line(work.connection, line_id) is None:
            accounts = gl_codes(inputs.gl_accounts(work.connection, opened.period.first_day))
            group = wish.group or opened.row.invoice_group
            line = line_of(wish, line_id, group, context.current().actor_id, accounts)
            require_fitting(line, opened.groups, _added(work, opened), shared=opened.shared)
            inputs.add_adhoc_lines(work.connection, [_row(line, opened)])
            _reprint(work, opened, _Change("adHocLine.added", line))
        return addition_of(work.connection, opened.row.statement_id, line_id)


def remove(number: str, line_id: str, visible: Visibility) -> None:
    """Take a line back. It may stand on any invoice of the statement, or on none.

    When nothing would be left to bill, the statement keeps its lines, cannot be sent, and is made anew by a run that is
    started with this. Raises INVOICE_NOT_FOUND, STATEMENT_SUPERSEDED, AD_HOC_STATEMENT_SENT, PERIOD_CLOSED,
    AD_HOC_LINE_NOT_FOUND, CONCURRENT_CHANGE.
    """
    with unit_of_work() as work:
        opened = _open(work, number, visible)
        line = next((one for one in _added(work, opened) if one.id == line_id), None)
        if line is None or not repository.take_back(work.connection, line_id, context.current().actor_id):
            raise BillingError(errors.LINE_NOT_FOUND, f"the statement of invoice {number} has no ad-hoc line {line_id}")
        _reprint(work, opened, _Change("adHocLine.removed", line))


def _id_of(number: str, wish: AdHocLineRequest) -> str:
    """The id of a line follows from the request that adds it: repeated, it finds its line and adds no other."""
    actor = context.current()
    if not actor.idempotency_key:
        return clock.new_id()
    return clock.derived_id("ad-hoc line", actor.actor_id, actor.idempotency_key, number, wish.model_dump_json())


def _open(work: UnitOfWork, number: str, visible: Visibility) -> _Opened:
    row = repository.statement_of_number(work.connection, number, visible)
    if row is None:
        if repository.was_superseded(work.connection, number, visible):
            raise BillingError(statements.STATEMENT_SUPERSEDED, f"invoice {number} was replaced")
        raise BillingError(statements.INVOICE_NOT_FOUND, f"there is no invoice {number}")
    if row.status == SENT:
        raise BillingError(errors.STATEMENT_SENT, f"the statement of invoice {number} was sent")
    if row.status == SUPERSEDED:  # while this transaction waited for its row
        raise BillingError(CONCURRENT_CHANGE, f"the statement of invoice {number} was made anew at the same moment")
    period = Period.parse(row.period)
    require_open(work.connection, period)
    contract = Contract.model_validate_json(row.document)
    return _Opened(
        row,
        period,
        contract,
        terms_for(contract, period),
        reads.invoices(work.connection, row.statement_id),
        reads.lines(work.connection, row.statement_id),
    )


def _added(work: UnitOfWork, opened: _Opened) -> Sequence[AdHocLine]:
    found = adhoc_by_contract(work.connection, [opened.row.contract_id], opened.period)
    return found.get(opened.row.contract_id, ())


def _row(line: AdHocLine, opened: _Opened) -> dict[str, object]:
    return {
        "line_id": line.id,
        "contract_id": opened.row.contract_id,
        "period": opened.row.period,
        "invoice_group": line.group,
        "type": line.type,
        "title": line.title,
        "code": line.code,
        "description": line.description,
        "amount": line.amount,
        "author": line.author,
        "reason": line.reason,
        "created_at": clock.now(),
    }


def _reprint(work: UnitOfWork, opened: _Opened, change: _Change) -> None:
    """Show the lines that there are now, in the same transaction."""
    printed = adhoc.printed(_added(work, opened), shared=opened.shared)
    pages = _pages(opened, printed)
    if not pages:
        _make_anew(work, opened, change)
        return
    _require_possible(work, opened, pages)
    values = _values(work, opened, pages, change)
    if write_pages(work.connection, opened.row.statement_id, opened.invoices, opened.lines, pages):
        _draw(work, opened, pages)
    _store(work, opened, values, change)


def _pages(opened: _Opened, printed: Sequence[Line]) -> tuple[printing.Page, ...]:
    by_invoice: dict[str, list[AnyRow]] = defaultdict(list)
    for line in opened.lines:
        by_invoice[line.invoice_id].append(line)
    return printing.pages(opened.invoices, by_invoice, printed, partial(_new_invoice, opened))


def _new_invoice(opened: _Opened, group: int, lines: Sequence[Line]) -> InvoiceDraft:
    """An invoice by the usual rules; its address is the one that the statement prints (rules R27, R52)."""
    row, printed = opened.row, from_json(opened.row.snapshot)
    site = SiteSnapshot(row.site_number, row.site_name, printed.bill_to.address, printed.gl_entity)
    own = next((one for one in opened.terms.groups if opened.contract.grouping_enabled and one.number == group), None)
    place = Place(row.version, row.generation)
    return draft_invoice(row.statement_id, opened.contract, own, group, lines, site, opened.period, place)


def _require_possible(work: UnitOfWork, opened: _Opened, pages: Sequence[printing.Page]) -> None:
    total = printing.total_of(pages)
    if abs(total) >= MAX_TOTAL:
        raise BillingError(errors.AMOUNT_INVALID, f"a total of {dollars(total)} is beyond any month")
    numbers = [page.number for page in pages if page.draft is not None]
    for owner in stored.number_owners(work.connection, numbers, []):
        message = (
            f"invoice number {owner.number} of contract {opened.row.contract_id} (site {opened.row.site_number})"
            f" is taken by contract {owner.contract_id} (site {owner.site_number})"
        )
        raise BillingError(REASONS["NUMBER_TAKEN"], message)


def _values(work: UnitOfWork, opened: _Opened, pages: Sequence[printing.Page], change: _Change) -> dict[str, object]:
    """What the statement says of itself with these pages."""
    compared = _compared(work, opened, pages)
    status, reason = printing.moved_on(opened.row.status, opened.row.status_reason, compared.why if compared else ())
    values: dict[str, object] = {
        "total": printing.total_of(pages),
        "comparison": comparison_json(compared) if compared else None,
        "status": status,
        "status_reason": reason,
    }
    if adhoc.changes_profit(change.line.type, shared=opened.shared):
        values |= _stale(opened, "PROFIT_CHANGED")
    return values


def _compared(work: UnitOfWork, opened: _Opened, pages: Sequence[printing.Page]) -> Comparison | None:
    if opened.row.comparison is None:
        return None
    decided = business_settings(work.connection)
    limits = DeviationLimits(
        opened.contract.deviation_amount,
        opened.contract.deviation_pct,
        "AND" if decided.deviation_needs_both else "OR",
        decided.forecast_expected,
    )
    return compare_again(read_comparison(opened.row.comparison), printing.charges(pages), limits)


def _stale(opened: _Opened, reason: str) -> dict[str, object]:
    """It stays stale since when it first was; what was found different before is not all that differs now."""
    return {
        "stale_since": opened.row.stale_since or clock.now(),
        "stale_reason": reason,
        "stale_difference": None,
    }


def _draw(work: UnitOfWork, opened: _Opened, pages: Sequence[printing.Page]) -> None:
    row = opened.row
    snapshot = to_json(printing.redrawn(from_json(row.snapshot), pages))
    repository.draw_again(work.connection, row.statement_id, snapshot)
    occasion = clock.new_id()
    work.send(document_messages(row.document_run_id, [row.statement_id], context.current().correlation_id, occasion))


def _make_anew(work: UnitOfWork, opened: _Opened, change: _Change) -> None:
    """Nothing is left to bill. A run says so, as for every month that bills nothing (rules R56), and until it has the
    statement cannot be sent."""
    actor = context.current()
    command = RunCommand(
        opened.row.period,
        actor.actor_name,
        actor.correlation_id,
        source="ad-hoc-line",
        contract_id=opened.row.contract_id,
        regenerate=True,
        version=opened.row.version,
        occasion=f"line-{change.line.id}",
    )
    start_within(work, command, opened.period)
    _store(work, opened, _stale(opened, "LINE_REMOVED"), change)


def _store(work: UnitOfWork, opened: _Opened, values: dict[str, Any], change: _Change) -> None:
    row, line = opened.row, change.line
    if not repository.change_statement(work.connection, row, values):
        raise BillingError(CONCURRENT_CHANGE, "the statement was changed by somebody else at the same moment")
    data = {
        "statement": row.statement_id,
        "period": row.period,
        "version": row.version,
        "generation": row.generation,
        "group": line.group,
        "type": line.type,
        "title": line.title,
        "code": line.code,
        "amount": line.amount,
        "total": {"before": row.total, "after": values.get("total", row.total)},
        "status": {"before": row.status, "after": values.get("status", row.status)},
        "stale": values.get("stale_reason", row.stale_reason),
    }
    event = audit.Event(
        f"contract/{row.contract_id}", change.action, line.id, data, line.reason, row.site_number.strip()
    )
    audit.record(work, [event])
