"""The blocks of a contract and how a statement is computed from them. A new block is one file and one entry here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared_code.billing import fixed_fee, per_labor_hour, per_occupied_room, revenue_share
from shared_code.billing.context import BillingContext
from shared_code.billing.model import Line, Outcome, Reason
from shared_code.billing.rate_history import with_rate_history
from shared_code.contracts.terms import PeriodTerms
from shared_code.facts.completeness import Need, shortfalls
from shared_code.facts.model import SiteFacts
from shared_code.foundation.money import ZERO


@dataclass(frozen=True, slots=True)
class Block:
    """A calculator: the facts it needs, and the lines it bills from terms and facts."""

    name: str
    needs: Callable[[PeriodTerms, SiteFacts], Sequence[Need]]
    bill: Callable[[PeriodTerms, SiteFacts, BillingContext], Sequence[Line]]


# in the order in which lines are printed (billing-flows 5.5, step 5)
BLOCKS = (
    Block(fixed_fee.NAME, fixed_fee.needs, fixed_fee.bill),
    Block(per_occupied_room.NAME, per_occupied_room.needs, per_occupied_room.bill),
    Block(per_labor_hour.NAME, per_labor_hour.needs, per_labor_hour.bill),
    Block(revenue_share.NAME, revenue_share.needs, revenue_share.bill),
)
SUPPORTED = frozenset(block.name for block in BLOCKS)


def compute(terms: PeriodTerms, facts: SiteFacts, context: BillingContext) -> Outcome:
    """Bill one contract for one period, wholly or not at all.

    Reasons in the order of rules R61: contract errors first, then missing, incomplete, rejected facts, missing history.
    Lines of 0.00 are dropped (billing-flows 5.5, step 6); no lines at all means nothing to bill.
    """
    reasons = [*_contract_reasons(terms, facts), *_fact_reasons(terms, facts, context)]
    if reasons:
        return Outcome(reasons=tuple(reasons))
    lines = [line for block in BLOCKS if block.name in terms.blocks for line in block.bill(terms, facts, context)]
    billed = with_rate_history((line for line in lines if line.amount != ZERO), terms.rates)
    return Outcome(lines=tuple(billed))


def needs_of(terms: PeriodTerms, facts: SiteFacts) -> list[Need]:
    """Every dataset and month that the contract's active rows read (rules R60)."""
    return [need for block in BLOCKS if block.name in terms.blocks for need in block.needs(terms, facts)]


def _contract_reasons(terms: PeriodTerms, facts: SiteFacts) -> list[Reason]:
    found = [_unsupported(name) for name in terms.unsupported(SUPPORTED)]
    if any(structure.validation.kind != "none" for structure in terms.structures):
        found.append(_unsupported("validations"))
    found.extend(Reason(finding.code, f"{finding.pointer}: {finding.message}") for finding in terms.errors)
    found.extend(
        Reason("NULL_NUMBER", f"job {job} has overtime hours but no overtime rate; enter the rate")
        for job in per_labor_hour.overtime_rates_missing(terms, facts)
    )
    if revenue_share.NAME in terms.blocks and revenue_share.anchor_missing(terms, facts):
        found.append(
            Reason("ANCHOR_MISSING", "an anniversary window needs a date: enter the contract's anchor or site start")
        )
    return found


def _unsupported(name: str) -> Reason:
    message = f"the contract bills '{name}', which this version cannot compute; nothing is billed in part"
    return Reason("COMPONENT_NOT_SUPPORTED", message)


def _fact_reasons(terms: PeriodTerms, facts: SiteFacts, context: BillingContext) -> list[Reason]:
    missing = shortfalls(facts, needs_of(terms, facts), context.gap_days)
    return [Reason(s.reason.value, s.message) for s in missing]
