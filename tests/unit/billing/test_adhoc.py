"""Ad-hoc lines (rules R18, R52; billing-flows 5.10): what people add, and what becomes of it."""

from collections.abc import Sequence
from typing import Any

import pytest

from shared_code.billing.adhoc import changes_profit
from shared_code.billing.calculation import compute
from shared_code.billing.model import AdHocLine, AdHocType, Outcome
from shared_code.contracts.schema import Contract, ProfitShareOn
from shared_code.contracts.terms import terms_for
from tests.unit.billing.builders import (
    CONTEXT,
    PERIOD,
    contract,
    facts,
    fees,
    managed,
    money,
    monthly,
    on_accounts,
    service,
    tiers,
)


def added(kind: AdHocType, amount: str, group: int = 1, **fields: Any) -> AdHocLine:
    """A line as it is stored: expenses of the client are negative."""
    text = {"title": kind, "code": "4790", "description": "as agreed", "author": "Ann Lee", "reason": "a damaged gate"}
    return AdHocLine(id=f"{kind}-{amount}", group=group, type=kind, amount=money(amount), **{**text, **fields})


def billed(deal: Contract, *lines: AdHocLine) -> Outcome:
    return compute(terms_for(deal, PERIOD), facts(revenue=monthly("1000")), CONTEXT, adhoc=lines)


def shared() -> Contract:
    """Half of the month's profit."""
    on = ProfitShareOn(accumulation="Monthly", tiers=tiers(("50", None)))
    return contract(managed(profit_share=on), on_accounts())


PLAIN = contract(fees(service("100.00")))
CASES: list[tuple[str, AdHocType, str, Sequence[str]]] = [
    # case, type, amount as stored, amounts on the invoice of a contract without profit share
    ("miscellaneous is printed as it is", "miscellaneous", "-7.50", ["100.00", "-7.50"]),
    ("a reimbursable expense is billed", "reimbursableExpense", "20.00", ["100.00", "20.00"]),
    ("a client-paid expense is a credit", "clientPaidExpense", "-20.00", ["100.00", "-20.00"]),
    ("a non-billable expense is never on an invoice", "nonBillableExpense", "-20.00", ["100.00"]),
]


@pytest.mark.parametrize(("kind", "amount", "printed"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_without_a_profit_share(kind: AdHocType, amount: str, printed: Sequence[str]) -> None:
    assert [str(line.amount) for line in billed(PLAIN, added(kind, amount)).lines] == list(printed)


SHARED: list[tuple[AdHocType, str, list[str], str]] = [
    # type, amount, lines, profit of a month with 1,000.00 of revenue
    ("clientPaidExpense", "-100.00", ["450.00"], "900.00"),
    ("nonBillableExpense", "-100.00", ["450.00"], "900.00"),
    ("reimbursableExpense", "100.00", ["100.00", "500.00"], "1000.00"),
    ("miscellaneous", "100.00", ["100.00", "500.00"], "1000.00"),
]


@pytest.mark.parametrize(("kind", "amount", "printed", "profit"), SHARED)
def test_with_a_profit_share_expenses_lower_the_profit_and_leave_the_invoice(
    kind: AdHocType, amount: str, printed: list[str], profit: str
) -> None:
    outcome = billed(shared(), added(kind, amount))

    assert [str(line.amount) for line in outcome.lines] == printed
    assert outcome.profit == money(profit)


def test_a_line_keeps_who_why_and_what_it_is() -> None:
    line = billed(PLAIN, added("miscellaneous", "5.00", group=2)).lines[-1]

    assert (line.block, line.group, line.title, line.code, line.description) == (
        "adHoc",
        2,
        "miscellaneous",
        "4790",
        "as agreed",
    )
    assert (line.meta["isAdhoc"], line.meta["adHocType"]) == (True, "miscellaneous")
    assert (line.trace.inputs["author"], line.trace.inputs["reason"]) == ("Ann Lee", "a damaged gate")


def test_a_line_on_a_group_without_an_invoice_makes_one() -> None:
    """Rules R52."""
    outcome = billed(contract(fees(service("0"))), added("miscellaneous", "5.00", group=3))

    assert [(line.group, str(line.amount)) for line in outcome.lines] == [(3, "5.00")]


def test_all_that_was_entered_is_kept_with_the_line() -> None:
    """Who disputes a line of a person must find that line, its kind, its invoice and the amount as it was entered."""
    line = billed(PLAIN, added("reimbursableExpense", "5.00", group=2)).lines[-1]

    assert line.meta == {
        "isAdhoc": True,
        "adHocId": "reimbursableExpense-5.00",
        "adHocType": "reimbursableExpense",
        "invoiceGroup": 2,
    }
    assert line.trace.inputs == {
        "type": "reimbursableExpense",
        "author": "Ann Lee",
        "reason": "a damaged gate",
        "amount": money("5.00"),
    }


STATED: list[tuple[AdHocType, str, str]] = [
    # type, amount, how the explanation speaks of it
    ("miscellaneous", "-7.50", "Amount as a person entered it"),
    ("reimbursableExpense", "20.00", "Expense as a person entered it"),
    ("clientPaidExpense", "-20.00", "Credit for an expense that the client paid, as a person entered it"),
]


@pytest.mark.parametrize(("kind", "amount", "text"), STATED)
def test_an_explanation_says_that_a_person_entered_the_amount(kind: AdHocType, amount: str, text: str) -> None:
    line = billed(PLAIN, added(kind, amount)).lines[-1]

    assert [(step.text, str(step.value)) for step in line.trace.steps] == [(text, amount)]


LOWERS_THE_PROFIT: list[tuple[AdHocType, bool]] = [
    ("miscellaneous", False),
    ("clientPaidExpense", True),
    ("reimbursableExpense", False),
    ("nonBillableExpense", True),
]


@pytest.mark.parametrize(("kind", "lowers"), LOWERS_THE_PROFIT)
def test_only_expenses_that_are_not_charged_change_a_shared_profit(kind: AdHocType, lowers: bool) -> None:
    assert changes_profit(kind, shared=True) is lowers
    assert changes_profit(kind, shared=False) is False
