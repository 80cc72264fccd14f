"""Expenses outside the ledger (billing-flows 6.12): a monthly amount, or a percentage of revenue or payroll.

Payroll and PTEB are those of the same statement, additional payroll included (rules R19), exact and not as printed
(rules R45); PTEB that is off counts 0 (R59). The terms of the period hold only expenses that are still billed (R33).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from shared_code.billing.billable_payroll import PAYROLL, PAYROLL_FACTS
from shared_code.billing.block import Block
from shared_code.billing.given import NOTHING_BILLED, Billed, Given
from shared_code.billing.ledger_lines import accounts_missing, agreement
from shared_code.billing.model import FactReference, Line, Reason, Step, Trace, required
from shared_code.billing.pteb import PTEB, PTEB_FACTS
from shared_code.billing.references import revenue_reference
from shared_code.facts.model import REVENUE
from shared_code.facts.predicates import SHAREABLE
from shared_code.foundation.money import HUNDRED, to_cents

if TYPE_CHECKING:
    from shared_code.contracts.schema import Agreement, NonGlAmount, NonGlLine, NonGlPayroll, NonGlRevenue

NAME = "nonGlExpense"

AGREED = "Monthly amount {amount:dollars} as agreed"
PERCENTAGE = "{percent:number} % of {base} of {amount:dollars}"


def problems(given: Given) -> Iterable[Reason]:
    """A percentage of payroll without a row of accounts (rules R62)."""
    return accounts_missing(given, "expenses on payroll") if _rests_on(given, "Payroll") else ()


def bill(given: Given) -> Billed:
    """One line per expense on the agreement's group, in the order of the contract, without metadata.

    A profit share knows these lines by their block (billing-flows 6.12, step 5).
    """
    row = agreement(given)
    return Billed([_line(row, expense, given) for expense in row.non_gl]) if row is not None else NOTHING_BILLED


def _rests_on_revenue(given: Given) -> bool:
    """Payroll and PTEB ask for their own facts."""
    return _rests_on(given, "Revenue")


def _rests_on(given: Given, kind: str) -> bool:
    row = agreement(given)
    return row is not None and kind in [expense.kind for expense in row.non_gl]


def _line(row: Agreement, expense: NonGlLine, given: Given) -> Line:
    if expense.kind == "FixedAmount":
        exact, trace = _amount(expense)
    elif expense.kind == "Revenue":
        exact, trace = _of_revenue(expense, given)
    else:
        exact, trace = _of_payroll(expense, given)
    return Line(NAME, row.group, expense.title, given.context.gl.non_gl_expense, "", to_cents(exact), trace)


def _amount(expense: NonGlAmount) -> tuple[Decimal, Trace]:
    agreed = required(expense.amount, "amount of", expense.title)
    inputs: dict[str, object] = {"row": expense.id, "type": expense.kind, "amount": agreed}
    return agreed, Trace(inputs, (Step(AGREED, to_cents(agreed), (agreed,)),))


def _of_revenue(expense: NonGlRevenue, given: Given) -> tuple[Decimal, Trace]:
    """Of all shareable revenue of the month, whatever its code; bell service stays in it (rules R57)."""
    found = given.facts.all_revenue()
    references = (revenue_reference(given.facts, given.facts.period, SHAREABLE, found),)
    base: dict[str, object] = {"revenue": found.amount}
    return _share(expense, found.amount, "the month's revenue", base, references)


def _of_payroll(expense: NonGlPayroll, given: Given) -> tuple[Decimal, Trace]:
    payroll, references = given.value(PAYROLL), given.value(PAYROLL_FACTS)
    if expense.base == "Billable":
        return _share(expense, payroll, "the billable payroll", {"payroll": payroll}, references)
    pteb = given.value(PTEB)
    base: dict[str, object] = {"payroll": payroll, "pteb": pteb}
    references = (*references, *given.value(PTEB_FACTS))
    return _share(expense, payroll + pteb, "the billable payroll and PTEB", base, references)


def _share(
    expense: NonGlRevenue | NonGlPayroll,
    whole: Decimal,
    name: str,
    base: dict[str, object],
    references: tuple[FactReference, ...],
) -> tuple[Decimal, Trace]:
    percent = required(expense.pct, "percentage of", expense.title)
    exact = whole * percent / HUNDRED
    inputs: dict[str, object] = {"row": expense.id, "type": expense.kind, "percent": percent, **base}
    steps = (Step(PERCENTAGE, exact, (percent, name, whole)), Step("In cents", to_cents(exact)))
    return exact, Trace(inputs, steps, references)


BLOCK = Block(
    NAME,
    "managementAgreement",
    bill,
    {REVENUE: _rests_on_revenue},
    problems=problems,
    reads=(PAYROLL, PAYROLL_FACTS, PTEB, PTEB_FACTS),
    part="nonGl",
)
