"""PTEB (billing-flows 6.9): payroll taxes and employee benefits, as booked or as a percentage of billable payroll."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from shared_code.billing.billable_payroll import PAYROLL, PAYROLL_FACTS
from shared_code.billing.block import Block
from shared_code.billing.given import NOTHING_BILLED, Billed, Given, Value
from shared_code.billing.ledger_lines import account_block, deduction
from shared_code.billing.model import FactReference, Line, Step, Trace, required
from shared_code.billing.references import ledger_reference
from shared_code.facts.model import ACCOUNTS
from shared_code.foundation.money import HUNDRED, to_cents

if TYPE_CHECKING:
    from shared_code.contracts.schema import AccountBlock, PtebPercentage

NAME = "pteb"
TITLE = "PTEB"  # where the contract has none

BALANCE = "Balance of the accounts {accounts:list}"
PERCENTAGE = "{percent:number} % of the billable payroll of {payroll:dollars}"

PTEB = Value("pteb.amount", Decimal(0))
"""Exact PTEB, 0 when it is off (rules R59): part of the base of percentages of total payroll (rules R19, R45)."""
PTEB_FACTS: Value[tuple[FactReference, ...]] = Value("pteb.facts", ())
"""The source rows of PTEB as booked, for the traces of lines on total payroll; a percentage has those of payroll."""


def bill(given: Given) -> Billed:
    """One line on the payroll group. The percentage is taken of exact payroll, additional payroll included."""
    block = account_block(given)
    if block is None or block.pteb.kind == "off":
        return NOTHING_BILLED
    if block.pteb.kind == "Actual":
        return _actual(block, given)
    return _percentage(block, block.pteb, given)


def _as_booked(given: Given) -> bool:
    block = account_block(given)
    return block is not None and block.pteb.kind == "Actual"


def _actual(block: AccountBlock, given: Given) -> Billed:
    facts, month, codes = given.facts, given.facts.period, given.context.ledger.pteb
    booked = facts.booked(month, codes)
    found = booked.found
    step = Step(BALANCE, found.amount, (codes,))
    inputs: dict[str, object] = {"row": block.id, "type": "Actual", "accounts": booked.balances}
    references = (ledger_reference(facts, month, booked),)
    return Billed(
        [_line(block, given, found.amount, inputs, step, references)],
        {PTEB.name: found.amount, PTEB_FACTS.name: references},
    )


def _percentage(block: AccountBlock, pteb: PtebPercentage, given: Given) -> Billed:
    percent, payroll = required(pteb.pct, "PTEB percentage"), given.value(PAYROLL)
    exact = payroll * percent / HUNDRED
    step = Step(PERCENTAGE, exact, (percent, payroll))
    inputs: dict[str, object] = {"row": block.id, "type": "Percentage", "percent": percent, "payroll": payroll}
    return Billed([_line(block, given, exact, inputs, step, given.value(PAYROLL_FACTS))], {PTEB.name: exact})


def _line(
    block: AccountBlock,
    given: Given,
    exact: Decimal,
    inputs: dict[str, object],
    step: Step,
    facts: tuple[FactReference, ...],
) -> Line:
    amount = to_cents(exact)
    trace = Trace(inputs, (step, Step("PTEB, in cents", amount)), facts)
    return deduction(given, NAME, "PTEB", block.payroll_group, block.pteb_title or TITLE, amount, trace)


BLOCK = Block(
    NAME,
    "billableAccounts",
    bill,
    {ACCOUNTS: _as_booked},
    reads=(PAYROLL, PAYROLL_FACTS),
    gives=(PTEB, PTEB_FACTS),
    part="pteb",
)
