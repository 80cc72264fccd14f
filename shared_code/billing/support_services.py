"""Support services (billing-flows 6.9): a monthly amount, or a percentage of billable or of total payroll."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from shared_code.billing.billable_payroll import PAYROLL, PAYROLL_FACTS
from shared_code.billing.block import Block
from shared_code.billing.given import NOTHING_BILLED, Billed, Given
from shared_code.billing.ledger_lines import account_block, deduction
from shared_code.billing.model import Step, Trace, required
from shared_code.billing.pteb import PTEB, PTEB_FACTS
from shared_code.foundation.money import HUNDRED, NOTHING, to_cents

if TYPE_CHECKING:
    from shared_code.contracts.schema import AccountBlock, SupportFixed, SupportPercentage

NAME = "supportServices"
TITLE = "Support Services"  # where the contract has none

AGREED = "Monthly amount {amount:dollars} as agreed"
OF_BILLABLE = "{percent:number} % of the billable payroll of {payroll:dollars}"
OF_TOTAL = "{percent:number} % of the total payroll of {payroll:dollars}"


def bill(given: Given) -> Billed:
    """One line on the payroll group. Percentages are of exact intermediates, not of printed lines (rules R45)."""
    block = account_block(given)
    if block is None or block.support.kind == "off":
        return NOTHING_BILLED
    if block.support.kind == "Fixed":
        amount, trace = _fixed(block, block.support)
    else:
        amount, trace = _percentage(block, block.support, given)
    title = block.support_title or TITLE
    return Billed([deduction(given, NAME, "SupportServices", block.payroll_group, title, amount, trace)])


def _fixed(block: AccountBlock, support: SupportFixed) -> tuple[Decimal, Trace]:
    agreed = required(support.amount, "support amount")
    amount = to_cents(agreed)
    inputs: dict[str, object] = {"row": block.id, "type": "Fixed", "amount": agreed}
    return amount, Trace(inputs, (Step(AGREED, amount, (agreed,)),))


def _percentage(block: AccountBlock, support: SupportPercentage, given: Given) -> tuple[Decimal, Trace]:
    percent = required(support.pct, "support percentage")
    payroll = given.value(PAYROLL)
    total = support.base == "Total"
    pteb = given.value(PTEB) if total else NOTHING
    base = payroll + pteb
    amount = to_cents(base * percent / HUNDRED)
    inputs: dict[str, object] = {
        "row": block.id,
        "type": "Percentage",
        "percent": percent,
        "base": support.base,
        "payroll": payroll,
    }
    if not total:
        step = Step(OF_BILLABLE, amount, (percent, payroll))
        return amount, Trace(inputs, (step,), given.value(PAYROLL_FACTS))
    inputs["pteb"] = pteb
    steps = (
        Step("Billable payroll and PTEB", base),
        Step(OF_TOTAL, amount, (percent, base)),
    )
    return amount, Trace(inputs, steps, (*given.value(PAYROLL_FACTS), *given.value(PTEB_FACTS)))


BLOCK = Block(NAME, "billableAccounts", bill, reads=(PAYROLL, PAYROLL_FACTS, PTEB, PTEB_FACTS), part="support")
