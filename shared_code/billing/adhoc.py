"""Ad-hoc lines (rules R18, billing-flows 5.10): what people add, kept apart from what is generated.

Miscellaneous and reimbursable lines are always printed. A client-paid expense is a credit on the invoice, unless the
client shares the profit: then it lowers the profit instead. A non-billable expense is never on an invoice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared_code.billing.block import Block
from shared_code.billing.given import NOTHING_BILLED, Billed, Given
from shared_code.billing.model import AdHocLine, AdHocType, Line, Step, Trace
from shared_code.contracts.schema import ProfitShareOn
from shared_code.contracts.terms import PeriodTerms

NAME = "adHoc"

_STATED = {
    "miscellaneous": "Amount as a person entered it",
    "reimbursableExpense": "Expense as a person entered it",
    "clientPaidExpense": "Credit for an expense that the client paid, as a person entered it",
}


def bill(given: Given) -> Billed:
    """The ad-hoc lines that are printed, in the order in which they were added."""
    if not given.adhoc:
        return NOTHING_BILLED
    return Billed(printed(given.adhoc, shared=shares_profit(given.terms)))


def printed(lines: Iterable[AdHocLine], *, shared: bool) -> Sequence[Line]:
    """Those of `lines` that stand on an invoice, as it prints them. `shared`: whether a profit share is on."""
    return [_line(one) for one in lines if is_printed(one.type, shared=shared)]


def shares_profit(terms: PeriodTerms) -> bool:
    """Whether a profit share of the contract is on, so that expenses lower the profit."""
    return any(isinstance(agreement.profit_share, ProfitShareOn) for agreement in terms.agreements)


def is_printed(kind: AdHocType, *, shared: bool) -> bool:
    """Whether lines of a type stand on an invoice (rules R18)."""
    if kind == "nonBillableExpense":
        return False
    return kind != "clientPaidExpense" or not shared


def changes_profit(kind: AdHocType, *, shared: bool) -> bool:
    """Whether lines of a type lower the profit that is shared (rules R18)."""
    return shared and kind in ("clientPaidExpense", "nonBillableExpense")


def _line(one: AdHocLine) -> Line:
    """The printed line; its metadata says what it is, so that nothing of it is ever lost."""
    meta: dict[str, object] = {"isAdhoc": True, "adHocId": one.id, "adHocType": one.type, "invoiceGroup": one.group}
    inputs: dict[str, object] = {"type": one.type, "author": one.author, "reason": one.reason, "amount": one.amount}
    trace = Trace(inputs, (Step(_STATED[one.type], one.amount),))
    return Line(NAME, one.group, one.title, one.code, one.description, one.amount, trace, meta)


BLOCK = Block(NAME, None, bill)
