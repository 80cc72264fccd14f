"""Insurance of a management agreement (billing-flows 6.10): a monthly amount, or insurance accounts and a surcharge.

The accounts leave the expense line wherever its group is (rules R16), with the entity filter of all ledger sums (R17).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from shared_code.billing.block import Block
from shared_code.billing.given import NOTHING_BILLED, Billed, Given, Value
from shared_code.billing.ledger_lines import (
    accounts_missing,
    agreement,
    billed_expense_codes,
    deduction,
)
from shared_code.billing.model import Line, Reason, Step, Trace, required
from shared_code.billing.references import ledger_reference
from shared_code.facts.model import ACCOUNTS
from shared_code.foundation.money import HUNDRED, to_cents

if TYPE_CHECKING:
    from shared_code.contracts.schema import Agreement, InsuranceFixed, InsuranceOnAccounts

NAME = "insurance"
TITLE = "Insurance"  # where the contract has none

AGREED = "Monthly insurance {amount:dollars} as agreed"
ON_TOP = "{balance:dollars} and {percent:number} % of it on top"

INSURANCE_ACCOUNTS: Value[Decimal | None] = Value("insurance.accounts", None)
"""What leaves the expense line, exact; None when insurance does not rest on accounts."""


def problems(given: Given) -> Iterable[Reason]:
    """Insurance on accounts without a row of accounts."""
    return accounts_missing(given, "insurance accounts") if _on_accounts(given) else ()


def bill(given: Given) -> Billed:
    """One line on the agreement's group. A monthly amount takes nothing out of the expenses (billing-flows 6.10)."""
    row = agreement(given)
    if row is None or row.insurance.kind == "off":
        return NOTHING_BILLED
    if row.insurance.kind == "FixedFee":
        return Billed([_fixed(row, row.insurance, given)])
    return _based_on_accounts(row, row.insurance, given)


def _on_accounts(given: Given) -> bool:
    row = agreement(given)
    return row is not None and row.insurance.kind == "BasedOnBillableAccounts"


def _on_billed_accounts(given: Given) -> bool:
    return _on_accounts(given) and bool(_codes(given))


def _codes(given: Given) -> tuple[str, ...]:
    return billed_expense_codes(given, given.context.ledger.insurance)


def _fixed(row: Agreement, insurance: InsuranceFixed, given: Given) -> Line:
    agreed = required(insurance.amount, "insurance amount")
    amount = to_cents(agreed)
    inputs: dict[str, object] = {"row": row.id, "type": insurance.kind, "amount": agreed}
    trace = Trace(inputs, (Step(AGREED, amount, (agreed,)),))
    return deduction(given, NAME, NAME, row.group, insurance.title or TITLE, amount, trace)


def _based_on_accounts(row: Agreement, insurance: InsuranceOnAccounts, given: Given) -> Billed:
    percent = required(insurance.additional_pct, "insurance percentage")
    facts, month, codes = given.facts, given.facts.period, _codes(given)
    booked = facts.booked(month, codes)
    found = booked.found
    amount = to_cents(found.amount * (HUNDRED + percent) / HUNDRED)
    inputs: dict[str, object] = {
        "row": row.id,
        "type": insurance.kind,
        "additionalPercent": percent,
        "accounts": booked.balances,
        "balance": found.amount,
    }
    steps = (
        Step("Balance of the billable insurance accounts", found.amount),
        Step(ON_TOP, amount, (found.amount, percent)),
    )
    trace = Trace(inputs, steps, (ledger_reference(facts, month, booked),) if codes else ())
    line = deduction(given, NAME, NAME, row.group, insurance.title or TITLE, amount, trace)
    return Billed([line], {INSURANCE_ACCOUNTS.name: found.amount})


BLOCK = Block(
    NAME,
    "managementAgreement",
    bill,
    {ACCOUNTS: _on_billed_accounts},
    problems=problems,
    gives=(INSURANCE_ACCOUNTS,),
    part="insurance",
)
