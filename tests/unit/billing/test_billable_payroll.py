"""Billable payroll (billing-flows 6.9, requirements 2.7): enabled payroll accounts and additional payroll."""

from decimal import Decimal

import pytest

from shared_code.billing.calculation import needs_of
from shared_code.billing.given import Given
from shared_code.billing.model import Step
from shared_code.contracts.schema import AccountSelection, BillableAccounts
from shared_code.contracts.terms import terms_for
from shared_code.facts.completeness import Need
from shared_code.facts.model import ACCOUNTS
from tests.unit.billing.builders import (
    CONTEXT,
    PERIOD,
    account_row,
    amounts,
    bill,
    codes,
    contract,
    facts,
    fees,
    grouped,
    ledger,
    maybe,
    money,
    october,
    on_accounts,
    present,
    selected,
    service,
    titled,
)

PAID = selected("6002", "6015", off=("6010",))

ADDITIONAL = [
    # case, additional payroll, balance of 6002, line; none where it is 0.00
    ("TV-BA-10: 5,000 is added", "5000", "0", ["5000.00"]),
    ("TV-BA-10: excluded, so nothing is entered", None, "0", []),
    ("TV-BA-10: 1,000 with 2,000 booked", "1000", "2000", ["3000.00"]),
    ("TV-BA-10: 999,999.99", "999999.99", "0", ["999999.99"]),
    ("TV-BA-10 with R1: 1,234.567 is rounded when the line is made", "1234.567", "0", ["1234.57"]),
    ("an additional amount of zero adds nothing", "0", "2000", ["2000.00"]),
    ("a credit in the ledger passes as it is", "100", "-2600", ["-2500.00"]),
    ("R1: balance and addition are rounded once, together", "0.004", "0.001", ["0.01"]),
]


@pytest.mark.parametrize(("_case", "additional", "balance", "lines"), ADDITIONAL, ids=[row[0] for row in ADDITIONAL])
def test_additional_payroll_is_added_to_what_is_booked(
    _case: str, additional: str | None, balance: str, lines: list[str]
) -> None:
    deal = contract(on_accounts(payroll=PAID, additional_payroll=maybe(additional)))

    assert amounts(bill(deal, october(a6002=balance))) == lines


def test_tv_ba_10_a_negative_additional_amount_cannot_be_agreed() -> None:
    """The vector takes −2,500 for the forecast; invoices add amounts above 0 only, and the contract has no others."""
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        account_row(additional_payroll=money("-2500"))


def test_tv_ba_2_nine_payroll_accounts_are_summed() -> None:
    booked = {
        "6002": "4000.10",
        "6015": "500.05",
        "6016": "250.01",
        "6017": "777.02",
        "6019": "300.00",
        "6030": "101.00",
        "6100": "900.00",
        "6110": "400.00",
        "6115": "100.00",
    }
    others = {"6010": "999.00", "6200": "50.00", "7000": "10.00"}

    outcome = bill(contract(on_accounts(payroll=selected(*booked))), ledger({str(PERIOD): {**booked, **others}}))

    assert amounts(outcome) == ["7328.18"]


def test_the_template_bills_every_account_but_those_switched_off() -> None:
    """Rules R31."""
    usual = AccountSelection(template="payroll-1", default_enabled=True, rows=selected(off=("6010", "6014")).rows)

    outcome = bill(contract(on_accounts(payroll=usual)), october(a6000="1", a6010="10", a6014="100", a6115="1000"))

    assert amounts(outcome) == ["1001.00"]


def test_an_account_counts_once_and_however_it_is_written() -> None:
    """Rules R46: a code that differs in blanks only is the same account, not one that is silently not billed."""
    assert amounts(bill(contract(on_accounts(payroll=selected(" 6002", "6002", "6002 "))), october(a6002="7"))) == [
        "7.00"
    ]


def test_the_line_says_what_it_is_and_lists_the_accounts_that_had_balances() -> None:
    deal = contract(on_accounts(payroll=PAID, additional_payroll=money("50")))

    line = bill(deal, october(a6002="100.255", a7000="9")).lines[0]

    assert (line.block, line.title, line.code, line.description) == (
        "billablePayroll",
        "Site Salaries & Wages",
        "4791",
        "",
    )
    assert line.meta == {
        "lineItemType": "billablePayrollAccounts",
        "isBillablePayrollAccounts": True,
        "isProfitDeduction": True,
    }
    assert line.trace.inputs == {
        "row": "block",
        "accounts": {"6002": money("100.255")},
        "balance": money("100.255"),
        "additionalPayroll": money("50"),
    }
    assert line.trace.steps == (
        Step("Balance of the billable payroll accounts", money("100.255")),
        Step("Additional payroll as agreed", money("50")),
        Step("Billable payroll, in cents", money("150.26")),
    )
    [reference] = line.trace.facts
    assert (reference.dataset, reference.rows, reference.amount) == (ACCOUNTS, 2, money("100.255"))
    assert reference.selection["accounts"] == ("6002",)
    assert reference.batches == (f"batch-{PERIOD}",)


def test_without_additional_payroll_no_step_speaks_of_it() -> None:
    line = bill(contract(on_accounts(payroll=PAID)), october(a6002="1")).lines[0]

    assert [step.text for step in line.trace.steps] == [
        "Balance of the billable payroll accounts",
        "Billable payroll, in cents",
    ]


def test_the_contract_may_name_the_line() -> None:
    deal = contract(on_accounts(payroll=PAID, payroll_title="Payroll Accounts"))

    assert bill(deal, october(a6002="1")).lines[0].title == "Payroll Accounts"


def test_payroll_and_expenses_stand_on_their_own_groups() -> None:
    """Rules R7, requirements BA-09."""
    deal = grouped(on_accounts(payroll=PAID, payroll_group=2, expense=selected("7000"), expense_group=1))

    lines = bill(deal, october(a6002="5", a7000="6")).lines

    assert [(line.block, line.group) for line in lines] == [("billableExpenses", 1), ("billablePayroll", 2)]


def test_a_group_that_does_not_exist_fails_the_contract() -> None:
    deal = contract(on_accounts(payroll=PAID, payroll_group=2))

    assert codes(bill(deal, october(a6002="5"))) == ["GROUP_UNKNOWN"]


def test_a_second_account_block_fails_the_contract() -> None:
    """Rules R9: it would bill the site's total twice."""
    two = on_accounts(payroll=PAID).model_copy(update={"blocks": (account_row(payroll=PAID), account_row(id="two"))})

    assert codes(bill(contract(two), october(a6002="5"))) == ["SECOND_ROW"]


LEDGER_OF_OCTOBER = Need(ACCOUNTS, PERIOD)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"payroll": PAID}, {LEDGER_OF_OCTOBER}),
        ({"expense": selected("7000")}, {LEDGER_OF_OCTOBER}),
        ({"payroll": selected(off=("6002",)), "additional_payroll": Decimal(5)}, set()),
    ],
    ids=["payroll", "expenses", "R60: no enabled account reads nothing"],
)
def test_the_ledger_is_needed_when_an_account_of_it_is_read(fields: dict[str, object], expected: set[Need]) -> None:
    terms = terms_for(contract(on_accounts(**fields)), PERIOD)

    assert set(needs_of(Given(terms, facts(), CONTEXT))) == expected


def test_a_month_without_a_ledger_is_never_billed_as_zero() -> None:
    """Rules R8: neither this line nor any other."""
    assert codes(bill(contract(on_accounts(payroll=PAID), fees(service("1"))), facts())) == ["MISSING_FACTS"]


def test_a_block_without_rows_bills_nothing() -> None:
    assert titled(bill(contract(BillableAccounts(enabled=True)), facts())) == []


def test_rejected_ledger_rows_fail_the_contract() -> None:
    found = facts(presence={(ACCOUNTS, PERIOD): present(PERIOD, rejected=1)})

    assert codes(bill(contract(on_accounts(payroll=PAID)), found)) == ["REJECTED_ROWS"]


def test_a_ledger_without_these_accounts_is_a_true_zero() -> None:
    """Rules R54: a line of 0.00 is no line."""
    assert titled(bill(contract(on_accounts(payroll=PAID)), october(a7000="5"))) == []


def test_the_accounts_are_those_of_the_month() -> None:
    """Without the month in its reference, the drill-down could not find the rows again."""
    (line,) = bill(contract(on_accounts(payroll=PAID)), october(a6002="1")).lines

    assert [reference.period for reference in line.trace.facts] == ["2026-10"]


def test_additional_payroll_alone_rests_on_no_rows() -> None:
    """Rules R60: no account is read, so none is named as a source."""
    (line,) = bill(contract(on_accounts(additional_payroll=money("50"))), facts()).lines

    assert (str(line.amount), line.trace.facts) == ("50.00", ())
