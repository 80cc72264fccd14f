"""Deposited revenue (billing-flows 6.8): what the operator has banked is credited, parking tax of the client billed.

The two are independent (contract-corpus DQ26). Tax is summed over the days, each at its row's own rate (rules R20).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared_code.billing.block import Block
from shared_code.billing.given import NOTHING_BILLED, Billed, Given
from shared_code.billing.model import Line, Step, Trace
from shared_code.billing.references import revenue_reference
from shared_code.facts.model import REVENUE
from shared_code.facts.predicates import (
    CLIENT_COLLECTED_NET,
    CLIENT_COLLECTED_TAX,
    DEPOSITED_GROSS,
    DEPOSITED_NET,
    DEPOSITED_TAX,
)
from shared_code.foundation.money import ZERO, to_cents

if TYPE_CHECKING:
    from shared_code.contracts.schema import DepositItem

NAME = "depositedRevenue"

TAX = "Parking tax on {revenue:dollars} that the client collected, day by day at its rate"
NET = "Less the revenue that the operator deposited, net of tax"
GROSS = "Less the revenue that the operator deposited, with tax"


def bill(given: Given) -> Billed:
    """First the tax that the operator remits for the client, then the credit of what it has deposited."""
    if not given.terms.deposits:
        return NOTHING_BILLED
    row = given.terms.deposits[0]
    lines = [_tax(row, given)] if row.operator_pays_parking_tax else []
    if row.deposited_revenue_enabled:
        lines.append(_deposited(row, given))
    return Billed(lines)


def _any_part(given: Given) -> bool:
    return any(row.deposited_revenue_enabled or row.operator_pays_parking_tax for row in given.terms.deposits)


def _tax(row: DepositItem, given: Given) -> Line:
    """Tax on what the client collected: rows of deposit flag N only (rules R20)."""
    facts, month = given.facts, given.facts.period
    net, tax = facts.measure(CLIENT_COLLECTED_NET), facts.measure(CLIENT_COLLECTED_TAX)
    amount = to_cents(tax.amount)
    trace = Trace(
        {"row": row.id, "clientCollected": net.amount, "tax": tax.amount},
        (Step(TAX, amount, (net.amount,)),),
        (revenue_reference(facts, month, CLIENT_COLLECTED_TAX, tax),),
    )
    title = f"Client Collected Parking Tax due to {given.context.operator_name}"
    meta = {"lineItemType": "paidParkingTax", "isPaidParkingTax": True}
    return Line(NAME, row.group, title, given.context.gl.deposited_revenue, "", amount, trace, meta)


def _deposited(row: DepositItem, given: Given) -> Line:
    """What the operator deposited: net when it pays the tax itself, else with the tax that the client pays."""
    facts = given.facts
    predicate, words, taxes = DEPOSITED_GROSS, GROSS, ZERO
    if row.operator_pays_parking_tax:
        predicate, words, taxes = DEPOSITED_NET, NET, to_cents(facts.measure(DEPOSITED_TAX).amount)
    found = facts.measure(predicate)
    amount = to_cents(-found.amount)
    trace = Trace(
        {"row": row.id, "deposited": found.amount},
        (Step(words, amount),),
        (revenue_reference(facts, facts.period, predicate, found),),
    )
    title = f"Less: {given.context.operator_name} Deposited Revenue"
    meta = {"lineItemType": "depositedRevenue", "isDepositedRevenue": True, "taxesPaid": taxes}
    return Line(NAME, row.group, title, given.context.gl.deposited_revenue, "", amount, trace, meta)


BLOCK = Block(NAME, NAME, bill, {REVENUE: _any_part})
