"""What people may add to a statement, and where it is printed: tables of types, signs, accounts, places (rules R18)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from shared_code.billing import adhoc
from shared_code.billing.blocks import BLOCKS
from shared_code.billing.comparison import Comparison, DeviationLimits, compare_again
from shared_code.billing.context import GlCodes
from shared_code.billing.model import AdHocLine, AdHocType, Line, Trace
from shared_code.foundation.errors import BillingError
from shared_code.statements.adhoc import printing
from shared_code.statements.adhoc.requests import AdHocLineRequest
from shared_code.statements.adhoc.rules import line_of, require_fitting
from shared_code.statements.drafts import InvoiceDraft, comparison_json, read_comparison
from tests.unit.billing.builders import money
from tests.unit.statements.added import wish

ACCOUNTS = GlCodes()


def stored(request: AdHocLineRequest, group: int = 1, accounts: GlCodes = ACCOUNTS) -> AdHocLine:
    return line_of(request, "line-1", group, "ann", accounts)


STORED: list[tuple[str, str, str, str | None, str, str]] = [
    # case, type, entered, code, stored, account
    ("ADH-01: miscellaneous bills", "miscellaneous", "12.34", None, "12.34", "4790"),
    ("ADH-02: miscellaneous credits", "miscellaneous", "-12.34", None, "-12.34", "4790"),
    ("miscellaneous with an account of its own", "miscellaneous", "0.01", "4711", "0.01", "4711"),
    ("ADH-01: reimbursable", "reimbursableExpense", "20", None, "20.00", "4792"),
    ("reimbursable with an account of its own", "reimbursableExpense", "20", "4799", "20.00", "4799"),
    ("ADH-01: client-paid is a credit", "clientPaidExpense", "1284", "7045", "-1284.00", "7045"),
    ("client-paid, the first account", "clientPaidExpense", "1", "7000", "-1.00", "7000"),
    ("client-paid, the last account", "clientPaidExpense", "1", "7999", "-1.00", "7999"),
    ("ADH-01: non-billable is stored negative", "nonBillableExpense", "5.5", None, "-5.50", ""),
    ("non-billable with an account", "nonBillableExpense", "5.5", "7170", "-5.50", "7170"),
]


@pytest.mark.parametrize(
    ("kind", "entered", "code", "amount", "account"), [c[1:] for c in STORED], ids=[c[0] for c in STORED]
)
def test_what_is_stored(kind: str, entered: str, code: str | None, amount: str, account: str) -> None:
    line = stored(wish(kind, entered, code=code))

    assert (str(line.amount), line.code) == (amount, account)
    assert (line.title, line.author, line.reason) == ("Gate repair", "ann", "agreed by phone")


def test_an_account_that_is_not_entered_is_that_of_the_configuration_table() -> None:
    """Rules R34."""
    accounts = GlCodes(miscellaneous="4123", reimbursable_expense="4124")

    assert stored(wish("miscellaneous"), accounts=accounts).code == "4123"
    assert stored(wish("reimbursableExpense"), accounts=accounts).code == "4124"


REFUSED: list[tuple[str, str, str, str | None, str, str]] = [
    # case, type, entered, code, error, field
    ("ADH-05: miscellaneous of nothing", "miscellaneous", "0.00", None, "AD_HOC_AMOUNT_INVALID", "amount"),
    ("ADH-05: reimbursable of nothing", "reimbursableExpense", "0", None, "AD_HOC_AMOUNT_INVALID", "amount"),
    ("ADH-05: reimbursable below nothing", "reimbursableExpense", "-1", None, "AD_HOC_AMOUNT_INVALID", "amount"),
    ("ADH-05: client-paid below nothing", "clientPaidExpense", "-1", "7045", "AD_HOC_AMOUNT_INVALID", "amount"),
    ("ADH-05: non-billable below nothing", "nonBillableExpense", "-1", None, "AD_HOC_AMOUNT_INVALID", "amount"),
    ("ADH-01: client-paid without account", "clientPaidExpense", "1", None, "AD_HOC_CODE_INVALID", "code"),
    ("ADH-01: client-paid below 7000", "clientPaidExpense", "1", "6999", "AD_HOC_CODE_INVALID", "code"),
    ("ADH-01: client-paid above 7999", "clientPaidExpense", "1", "8000", "AD_HOC_CODE_INVALID", "code"),
]


@pytest.mark.parametrize(
    ("kind", "entered", "code", "error", "field"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_what_is_refused(kind: str, entered: str, code: str | None, error: str, field: str) -> None:
    with pytest.raises(BillingError) as refused:
        stored(wish(kind, entered, code=code))

    assert (refused.value.code, refused.value.kind.status) == (error, 422)
    assert [detail.field for detail in refused.value.details] == [field]


MALFORMED: list[tuple[str, dict[str, Any]]] = [
    ("more than two decimals", {"amount": Decimal("1.001")}),
    ("a figure beyond any month", {"amount": Decimal("1000000000000.00")}),
    ("not a number", {"amount": Decimal("NaN")}),
    ("ADH-05: no title", {"title": None}),
    ("a blank title", {"title": "  "}),
    ("a title of two lines", {"title": "one\ntwo"}),
    ("a bell in the description", {"description": "ding\a"}),
    ("no reason", {"reason": ""}),
    ("another type", {"type": "refund"}),
    ("an account that is no number", {"code": "47A0"}),
    ("a group of three digits", {"group": 100}),
    ("a field that nobody knows", {"comment": "x"}),
]


@pytest.mark.parametrize("fields", [c[1] for c in MALFORMED], ids=[c[0] for c in MALFORMED])
def test_what_is_no_wish_at_all(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        wish(**{"kind": fields.pop("type", "miscellaneous"), **fields})


FITTING: list[tuple[str, AdHocType, int, bool, Sequence[tuple[AdHocType, int]], str | None]] = [
    # case, type, group, whether profit is shared, lines that are there, error
    ("a group of the contract", "miscellaneous", 2, False, [], None),
    ("R52: a group that it does not have", "miscellaneous", 3, False, [], "AD_HOC_GROUP_UNKNOWN"),
    ("R53: non-billable without profit share", "nonBillableExpense", 1, False, [], "AD_HOC_NO_PROFIT_SHARE"),
    ("non-billable with profit share", "nonBillableExpense", 1, True, [("nonBillableExpense", 1)], None),
    ("ADH-03: a second", "reimbursableExpense", 1, False, [("reimbursableExpense", 1)], "AD_HOC_REIMBURSABLE_TWICE"),
    ("ADH-03: on another invoice", "reimbursableExpense", 1, False, [("reimbursableExpense", 2)], None),
    ("ADH-03: beside another type", "reimbursableExpense", 1, False, [("miscellaneous", 1)], None),
    ("a second client-paid", "clientPaidExpense", 1, False, [("clientPaidExpense", 1)], None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "group", "shared", "there", "error"), [c[1:] for c in FITTING], ids=[c[0] for c in FITTING]
)
def test_what_the_statement_takes(
    kind: AdHocType, group: int, shared: bool, there: Sequence[tuple[AdHocType, int]], error: str | None
) -> None:
    others = [stored(wish(other), place) for other, place in there]

    try:
        require_fitting(stored(wish(kind), group), {1, 2}, others, shared=shared)
    except BillingError as refused:
        assert refused.code == error
    else:
        assert error is None


# -- where lines stand ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """A stored line."""

    line_id: str
    ordinal: int
    block: str
    amount: Decimal
    meta: str = "{}"
    title: str = "Title"
    code: str = "4700"
    description: str = ""


@dataclass(frozen=True, slots=True)
class Invoice:
    """A stored invoice."""

    invoice_id: str
    number: str
    invoice_group: int


def added(name: str, amount: str = "5.00", group: int = 1) -> Line:
    return Line(adhoc.NAME, group, name, "4790", "", money(amount), Trace(), {"adHocId": name})


def no_invoice(group: int, lines: Sequence[Line]) -> InvoiceDraft:
    raise AssertionError(f"no invoice is wanted for group {group}")


def arranged(stored_lines: Sequence[Row], *printed: Line) -> list[str]:
    found = printing.pages([Invoice("i", "n", 1)], {"i": stored_lines}, printed, no_invoice)
    return [line.title if isinstance(line, Line) else line.line_id for page in found for line in page.lines]


def test_added_lines_have_their_place_in_the_printed_order() -> None:
    """GEN-11: behind the hours, before revenue share, validations and profit share."""
    every = [
        Row(block.name, i, block.name, money("1.00")) for i, block in enumerate(BLOCKS) if block.name != adhoc.NAME
    ]

    names = [block.name for block in BLOCKS]
    place = names.index(adhoc.NAME)
    assert arranged(every, added("a"), added("b")) == [*names[:place], "a", "b", *names[place + 1 :]]
    assert names[place - 1 : place + 2] == ["perLaborHour", "adHoc", "revenueShare"]


def test_a_line_that_is_printed_already_stays_the_row_that_it_is() -> None:
    """B35: nothing of a stored line is lost or written anew, whatever its metadata holds."""
    there = Row("kept", 2, adhoc.NAME, money("5.00"), '{"adHocId": "a", "taxesPaid": 7}')
    gone = Row("gone", 3, adhoc.NAME, money("5.00"), '{"adHocId": "b"}')
    tax = Row("tax", 1, "depositedRevenue", money("1.00"), '{"taxesPaid": 12.5, "isPaidParkingTax": true}')

    (page,) = printing.pages([Invoice("i", "n", 1)], {"i": [tax, there, gone]}, [added("a"), added("c")], no_invoice)

    assert page.lines == (tax, there, added("c"))


EMPTY: list[tuple[str, list[Row], int]] = [
    ("a line that charges", [Row("fee", 1, "fixedFee", money("1.00"))], 1),
    ("no line at all", [], 0),
    ("R54: a calculation of 0.00 alone", [Row("share", 1, "profitShare", money("0.00"))], 0),
    ("two of 0.00 together", [Row("a", 1, "fixedFee", money("1")), Row("b", 2, "midMonthAdvance", money("-1"))], 1),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "invoices"), [c[1:] for c in EMPTY], ids=[c[0] for c in EMPTY])
def test_an_invoice_without_charges_goes(rows: list[Row], invoices: int) -> None:
    assert len(printing.pages([Invoice("i", "n", 1)], {"i": rows}, [], no_invoice)) == invoices


def test_tv_ff_4_an_invoice_is_totalled_anew() -> None:
    """An existing line of 100 and an added one of 200 come to 300.00."""
    fee = Row("fee", 1, "fixedFee", Decimal("100.0000"))

    (page,) = printing.pages([Invoice("i", "n", 1)], {"i": [fee]}, [added("a", "200.00")], no_invoice)

    assert (str(page.amount), str(printing.total_of([page]))) == ("300.00", "300.00")


# -- the comparison to forecast -------------------------------------------------------------------------------------

BEFORE = Comparison(money("600"), money("300"), money("1000"), money("100"), money("10"), (), "2026-10-02 06:30")
COMPARED: list[tuple[str, list[tuple[str, str]], str, str, str]] = [
    # case, code and amount of all lines, invoiced, deviation, percent (current API 4.13)
    ("ADH-07: 50.00 more on 4790", [("4700", "300"), ("4790", "50")], "350", "50", "5"),
    ("ADH-07: an expense account changes nothing", [("4700", "300"), ("7100", "-50")], "300", "100", "10"),
    ("ADH-07: the same taken back", [("4700", "300")], "300", "100", "10"),
    ("B22: a code that is no number is on no account", [("4700", "300"), ("", "-50")], "300", "100", "10"),
    ("from 4000 to 4999", [("4000", "1"), ("4999", "2"), ("3999", "4"), ("5000", "8")], "3", "397", "39.7"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "invoiced", "deviation", "percent"), [c[1:] for c in COMPARED], ids=[c[0] for c in COMPARED]
)
def test_the_comparison_follows(lines: list[tuple[str, str]], invoiced: str, deviation: str, percent: str) -> None:
    charges = [printing.Charge(code, money(amount)) for code, amount in lines]

    found = compare_again(read_comparison(comparison_json(BEFORE)), charges, DeviationLimits())

    assert (found.invoiced, found.deviation_amount, found.deviation_percent) == (
        money(invoiced),
        money(deviation),
        money(percent),
    )
    assert (found.posted, found.forecast, found.forecast_loaded) == (
        BEFORE.posted,
        BEFORE.forecast,
        BEFORE.forecast_loaded,
    )


def test_a_ledger_that_was_not_loaded_is_not_loaded_with_another_line_either() -> None:
    unknown = Comparison(money("0"), money("0"), None, money("0"), money("0"), ("NO_FORECAST", "NO_LEDGER"))

    found = compare_again(unknown, [printing.Charge("4700", money("1"))], DeviationLimits(amount=money("0.01")))

    assert found.why == ("NO_FORECAST", "NO_LEDGER")


MOVED: list[tuple[str, str, str | None, list[str], tuple[str, str | None]]] = [
    # case, status, its reason, why it deviates, what follows
    ("R25: what deviates now is approved", "ReadyToSend", None, ["DEVIATION"], ("ApprovalTeam", "DEVIATION")),
    ("what does not goes on", "ReadyToSend", None, [], ("ReadyToSend", None)),
    ("a reason to be ready is kept", "ReadyToSend", "RELEASED", [], ("ReadyToSend", "RELEASED")),
    ("AR Review stays", "ARReview", "SITE_COMMENT", ["DEVIATION"], ("ARReview", "SITE_COMMENT")),
    ("Held stays", "Held", "TOO_MANY_LINES", ["DEVIATION"], ("Held", "TOO_MANY_LINES")),
    ("Approval Team stays, deviating or not", "ApprovalTeam", "DEVIATION", [], ("ApprovalTeam", "DEVIATION")),
]


@pytest.mark.parametrize(("status", "reason", "why", "after"), [c[1:] for c in MOVED], ids=[c[0] for c in MOVED])
def test_where_the_statement_goes(
    status: str, reason: str | None, why: list[str], after: tuple[str, str | None]
) -> None:
    assert printing.moved_on(status, reason, why) == after
