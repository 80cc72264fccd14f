"""Ad-hoc lines (rules R18, billing-flows 5.10): what people add, kept apart from what is generated.

Miscellaneous and reimbursable lines are always printed. A client-paid expense is a credit on the invoice, unless the
client shares the profit: then it lowers the profit instead. A non-billable expense is never on an invoice.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared_code.billing.block import Block
from shared_code.billing.given import Billed, Given
from shared_code.billing.model import AdHocLine, Line, Trace
from shared_code.contracts.schema import ProfitShareOn

NAME = "adHoc"


def bill(given: Given) -> Billed:
    """The ad-hoc lines that are printed, in the order in which they were added."""
    if not given.adhoc:
        return Billed()
    shared = shares_profit(given)
    return Billed([_line(one) for one in given.adhoc if _printed(one, shared)])


def shares_profit(given: Given) -> bool:
    """Whether a profit share of the contract is on, so that expenses lower the profit."""
    return any(isinstance(agreement.profit_share, ProfitShareOn) for agreement in given.terms.agreements)


def deductions(given: Given, kind: str) -> Iterable[AdHocLine]:
    """The ad-hoc lines of a type, which a profit share deducts."""
    return (one for one in given.adhoc if one.type == kind)


def _printed(one: AdHocLine, shared: bool) -> bool:
    if one.type == "nonBillableExpense":
        return False
    return one.type != "clientPaidExpense" or not shared


def _line(one: AdHocLine) -> Line:
    """The printed line; its metadata says what it is, so that nothing of it is ever lost."""
    meta: dict[str, object] = {"isAdhoc": True, "adHocId": one.id, "adHocType": one.type, "invoiceGroup": one.group}
    trace = Trace(inputs={"type": one.type, "author": one.author, "reason": one.reason, "amount": one.amount})
    return Line(NAME, one.group, one.title, one.code, one.description, one.amount, trace, meta)


BLOCK = Block(NAME, None, bill)
