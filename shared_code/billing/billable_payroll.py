"""Billable payroll (billing-flows 6.9): the balance of the enabled payroll accounts, and additional payroll."""

from __future__ import annotations

from shared_code.billing.block import Block
from shared_code.billing.given import NOTHING_BILLED, Billed, Given, Value
from shared_code.billing.ledger_lines import account_block, deduction
from shared_code.billing.model import FactReference, Step, Trace
from shared_code.billing.references import ledger_reference
from shared_code.facts.model import ACCOUNTS
from shared_code.foundation.money import NOTHING, to_cents

NAME = "billablePayroll"
TITLE = "Site Salaries & Wages"  # where the contract has none (requirements BA-02)

PAYROLL = Value("billablePayroll.amount", NOTHING)
"""Exact billable payroll, additional payroll included: the base of percentages of it (rules R19, R45)."""
PAYROLL_FACTS: Value[tuple[FactReference, ...]] = Value("billablePayroll.facts", ())
"""The source rows of PAYROLL, for the traces of lines that are a percentage of it."""


def bill(given: Given) -> Billed:
    """One line on the payroll group. A negative or missing additional amount adds nothing (billing-flows 6.9).

    Rows of excluded entities never count, as in every ledger sum (rules R17; the flow filters expenses only).
    """
    block = account_block(given)
    if block is None:
        return NOTHING_BILLED
    facts, month = given.facts, given.facts.period
    codes = given.terms.payroll_codes
    booked = facts.booked(month, codes)
    found = booked.found
    additional = max(block.additional_payroll or NOTHING, NOTHING)
    payroll = found.amount + additional
    amount = to_cents(payroll)
    steps = [Step("Balance of the billable payroll accounts", found.amount)]
    if additional:
        steps.append(Step("Additional payroll as agreed", additional))
    steps.append(Step("Billable payroll, in cents", amount))
    references = (ledger_reference(facts, month, booked),) if codes else ()
    inputs: dict[str, object] = {
        "row": block.id,
        "accounts": booked.balances,
        "balance": found.amount,
        "additionalPayroll": block.additional_payroll,
    }
    trace = Trace(inputs, tuple(steps), references)
    title = block.payroll_title or TITLE
    line = deduction(given, NAME, "billablePayrollAccounts", block.payroll_group, title, amount, trace)
    return Billed([line], {PAYROLL.name: payroll, PAYROLL_FACTS.name: references})


def _any_account(given: Given) -> bool:
    return bool(given.terms.payroll_codes)


BLOCK = Block(NAME, "billableAccounts", bill, {ACCOUNTS: _any_account}, gives=(PAYROLL, PAYROLL_FACTS), part="payroll")
