"""Billable expenses (billing-flows 6.9, 6.10): the enabled expense accounts, less what insurance and claims take."""

from __future__ import annotations

from shared_code.billing.block import Block
from shared_code.billing.claims import CLAIMS_ACCOUNTS
from shared_code.billing.given import NOTHING_BILLED, Billed, Given
from shared_code.billing.insurance import INSURANCE_ACCOUNTS
from shared_code.billing.ledger_lines import account_block, deduction
from shared_code.billing.model import Step, Trace
from shared_code.billing.references import ledger_reference
from shared_code.billing.support_services import NAME as SUPPORT_SERVICES
from shared_code.facts.model import ACCOUNTS
from shared_code.foundation.money import to_cents

NAME = "billableExpenses"
TITLE = "Total Other Expenses"  # where the contract has none (requirements BA-03)


def bill(given: Given) -> Billed:
    """One line on the expense group, rounded once after what insurance and claims take out (rules R1, R16).

    These are taken out wherever the group of the expenses is. The line then stands behind support services, before
    insurance and claims, where the flow adds it anew; otherwise it comes first (billing-flows 6.9, 6.10, rules R54).
    """
    block = account_block(given)
    if block is None:
        return NOTHING_BILLED
    facts, month = given.facts, given.facts.period
    codes = given.terms.expense_codes
    booked = facts.booked(month, codes)
    found = booked.found
    insurance, claims = given.value(INSURANCE_ACCOUNTS), given.value(CLAIMS_ACCOUNTS)
    amount = to_cents(found.amount - (insurance or 0) - (claims or 0))
    inputs: dict[str, object] = {"row": block.id, "accounts": booked.balances, "balance": found.amount}
    steps = [Step("Balance of the billable expense accounts", found.amount)]
    for name, taken in (("insurance", insurance), ("claims", claims)):
        if taken is not None:
            inputs[f"{name}Accounts"] = taken
            steps.append(Step(f"Less the {name} accounts, which have their own line", -taken))
    steps.append(Step("Billable expenses, in cents", amount))
    trace = Trace(inputs, tuple(steps), (ledger_reference(facts, month, booked),) if codes else ())
    title = block.expense_title or TITLE
    line = deduction(given, NAME, "billableExpenseAccounts", block.expense_group, title, amount, trace)
    return Billed([line], behind="" if insurance is None and claims is None else SUPPORT_SERVICES)


def _any_account(given: Given) -> bool:
    return bool(given.terms.expense_codes)


BLOCK = Block(
    NAME,
    "billableAccounts",
    bill,
    {ACCOUNTS: _any_account},
    reads=(INSURANCE_ACCOUNTS, CLAIMS_ACCOUNTS),
    part="expense",
)
