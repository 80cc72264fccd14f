"""A month of many contracts, computed from what is stored now: the same for a run, a dry run and a second look.

Everything is read in a fixed number of SQL statements for all contracts together. A contract that cannot be billed is a
value with its reasons, and does not keep the others from it (field report 6). Nothing is written.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.engine import Connection

from shared_code.billing.calculation import compute
from shared_code.billing.comparison import Comparison, DeviationLimits, compare
from shared_code.billing.context import BillingContext, gl_codes
from shared_code.billing.given import History
from shared_code.billing.model import AdHocLine, Outcome, Reason
from shared_code.contracts.rates.bases import read_bases
from shared_code.contracts.rates.model import Indexes
from shared_code.contracts.schema import Contract
from shared_code.contracts.terms import PeriodTerms, terms_for
from shared_code.facts.loading import Reading, load_facts
from shared_code.facts.model import SiteFacts
from shared_code.foundation.business_settings.model import BusinessSettings
from shared_code.foundation.calendar import Period
from shared_code.foundation.settings import settings
from shared_code.foundation.values import value_class
from shared_code.statements.inputs.history import adhoc_by_contract, histories
from shared_code.statements.inputs.repository import Agreed, agreed
from shared_code.statements.inputs.wanted import narrowed
from shared_code.statements.scope import is_over

log = logging.getLogger(__name__)


@value_class
class Computed:
    """What a contract's month comes to. `contract` is None when its stored document cannot be read.

    `outcome` has the lines, or the reasons why there are none; neither means that nothing is to be billed, and
    `nothing` says why. `comparison` is there for contracts in arrears with lines. `replaces_profit`: a profit of the
    month is stored, from when it was billed before.
    """

    item: Any
    contract: Contract | None
    outcome: Outcome
    comparison: Comparison | None = None
    nothing: Reason | None = None
    replaces_profit: bool = False


@value_class
class _Work:
    """One contract with what it is billed from."""

    item: Any
    contract: Contract
    terms: PeriodTerms


@value_class
class _Known:
    """What a contract is billed from besides its terms. `over`: the last day of the month has come."""

    facts: SiteFacts
    context: BillingContext
    history: History
    adhoc: Sequence[AdHocLine]
    review: DeviationLimits
    over: bool


def compute_months(
    connection: Connection, items: Sequence[Any], period: Period, decided: BusinessSettings
) -> list[Computed]:
    """Compute `period` for each item, a row of `chunks.repository`."""
    return compute_agreed(connection, items, period, replace(agreed(connection, period.first_day), decided=decided))


def compute_agreed(connection: Connection, items: Sequence[Any], period: Period, known: Agreed) -> list[Computed]:
    """The same with all that holds for all contracts read already."""
    found, readable = _readable(items, period, known.indexes)
    decided, context = known.decided, _context(known)
    contract_ids = [part.item.contract_id for part in readable]
    past, billed_before = histories(connection, contract_ids, period)
    added = adhoc_by_contract(connection, contract_ids, period)
    review = DeviationLimits(
        combined="AND" if decided.deviation_needs_both else "OR", forecast_expected=decided.forecast_expected
    )
    over = is_over(period)
    facts = load_facts(
        connection,
        {part.item.site_number for part in readable},
        period,
        _reading(period, readable, context, decided),
    )
    for part in readable:
        contract_id = part.item.contract_id
        try:
            site, lines = facts[part.item.site_number], added.get(contract_id, ())
            given = _Known(site, context, past[contract_id], lines, review, over)
            found.append(_computed(part, given, replaces_profit=contract_id in billed_before))
        except Exception:
            found.append(_fault(part.item))
    return found


def _readable(items: Sequence[Any], period: Period, indexes: Indexes) -> tuple[list[Computed], list[_Work]]:
    """The items whose stored document can be read; one that cannot be fails alone."""
    failed: list[Computed] = []
    readable: list[_Work] = []
    for item in items:
        try:
            contract = Contract.model_validate_json(item.document)
            bases = read_bases(item.rate_bases, Period.parse(item.rates_as_of).first_day)
            readable.append(_Work(item, contract, terms_for(contract, period, bases, indexes)))
        except Exception:
            failed.append(_fault(item))
    return failed, readable


def _fault(item: Any) -> Computed:
    """An unforeseen fault in one item: it is reported by name and the others go on (field report 6)."""
    log.exception("contract %s of site %s cannot be computed", item.contract_id, item.site_number)
    message = "an unforeseen fault in the calculation; the log names it with its trace"
    return Computed(item, None, Outcome(reasons=(Reason("CALCULATION_FAULT", message),)))


def _computed(part: _Work, known: _Known, *, replaces_profit: bool) -> Computed:
    outcome = _outcome(part, known)
    comparison, nothing = None, None
    if outcome.lines and not outcome.reasons:
        comparison = _compared(part.contract, known, outcome)
    elif not outcome.reasons:
        nothing = _nothing(part.terms)
    return Computed(part.item, part.contract, outcome, comparison, nothing, replaces_profit)


def _outcome(part: _Work, known: _Known) -> Outcome:
    item, terms = part.item, part.terms
    if not terms.in_force:
        return Outcome()
    if item.name is None:
        reason = Reason("SITE_UNKNOWN", f"site {item.site_number} is not in the site master; drop a newer site_master")
        return Outcome(reasons=(reason,))
    if terms.billing_type == "Arrears" and not known.over:
        message = f"the contract is billed in arrears, and {terms.period} ends on {terms.period.last_day}"
        return Outcome(reasons=(Reason("PERIOD_NOT_OVER", message),))
    outcome = compute(terms, known.facts, known.context, known.history, known.adhoc)
    warnings = tuple(Reason(note.code, note.message) for note in terms.rate_warnings)
    return replace(outcome, warnings=(*warnings, *outcome.warnings)) if warnings else outcome


def _compared(contract: Contract, known: _Known, outcome: Outcome) -> Comparison | None:
    """The month against its forecast; a contract billed in advance is not compared (rules R50)."""
    if contract.billing_type == "Advanced":
        return None
    review = known.review
    limits = DeviationLimits(
        contract.deviation_amount, contract.deviation_pct, review.combined, review.forecast_expected
    )
    return compare(outcome.lines, known.facts, limits, known.context.ledger)


def _nothing(terms: PeriodTerms) -> Reason:
    if not terms.in_force:
        return Reason("NOT_IN_FORCE", f"the contract is not in force in {terms.period}")
    return Reason("NOTHING_TO_BILL", "every line came to 0.00")


def _reading(period: Period, parts: Sequence[_Work], context: BillingContext, decided: BusinessSettings) -> Reading:
    """What the contracts read: a year back for those that accumulate. R58 adds a part month."""
    everything = Reading(
        since=period.plus(-12),
        history_accounts=context.ledger.claims,
        excluded_entities=decided.excluded_entities,
        room_value_types=decided.occupied_rooms_value_types,
        bell_excluded_codes=decided.bell_excluded_codes,
        revenue_accounts=(context.ledger.revenue_from, context.ledger.revenue_through),
        started={part.item.site_number: part.item.first_worked_date for part in parts},
    )
    return narrowed(everything, [(part.item.site_number, part.terms) for part in parts])


def _context(known: Agreed) -> BillingContext:
    decided = known.decided
    return BillingContext(
        settings().operator_name, decided.bell_excluded_codes, decided.gap_days, gl_codes(known.accounts)
    )
