"""Billable expenses (billing-flows 6.9, 6.10, requirements 2.7): expense accounts, less what has its own line."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.billing.model import Step
from shared_code.contracts.schema import ClaimsCapped, InsuranceFixed, InsuranceOnAccounts, PtebActual, SupportFixed
from tests.unit.billing.builders import (
    PERIOD,
    amounts,
    bill,
    contract,
    grouped,
    ledger,
    managed,
    money,
    october,
    on_accounts,
    selected,
    titled,
)

INSURANCE = InsuranceOnAccounts(additional_pct=money("10"))
CLAIMS = ClaimsCapped(kind="PerClaim", cap=None)
SPLIT = ("7080", "7082", "7085", "7099", "7100", "7101", "7102")


def test_tv_ba_3_ten_expense_accounts_are_summed() -> None:
    booked = {
        "7000": "1000.00",
        "7010": "55.08",
        "7011": "2200.00",
        "7017": "870.00",
        "7018": "3600.00",
        "7019": "4000.00",
        "7040": "2500.00",
        "7045": "1500.00",
        "7050": "750.00",
        "7055": "250.00",
    }
    others = {"7005": "999.00", "6002": "50.00", "4785": "-8.00"}

    outcome = bill(contract(on_accounts(expense=selected(*booked))), ledger({str(PERIOD): {**booked, **others}}))

    assert amounts(outcome) == ["16725.08"]


CASES = [
    # case, balances, line
    ("R1: the sum is rounded once", {"a7000": "0.004", "a7010": "0.004"}, ["0.01"]),
    ("R1: half a cent goes away from zero, below zero too", {"a7000": "-1.005"}, ["-1.01"]),
    ("R54: expenses that cancel are no line", {"a7000": "5", "a7010": "-5"}, []),
    ("an account that is off is not billed", {"a7000": "5", "a7005": "100"}, ["5.00"]),
]


@pytest.mark.parametrize(("_case", "booked", "lines"), CASES, ids=[row[0] for row in CASES])
def test_the_balances_of_enabled_accounts(_case: str, booked: dict[str, str], lines: list[str]) -> None:
    deal = contract(on_accounts(expense=selected("7000", "7010", off=("7005",))))

    assert amounts(bill(deal, october(**booked))) == lines


def test_what_insurance_and_claims_take_out_leaves_one_rounding() -> None:
    """R1, R16: 100.009 − 0.003 − 0.003 is 100.003, so 100.00; three roundings would give 100.01."""
    deal = contract(on_accounts(expense=selected("7000", *SPLIT)), managed(insurance=INSURANCE, claims=CLAIMS))

    assert titled(bill(deal, october(a7000="100.003", a7080="0.003", a7100="0.003"))) == [
        ("billableExpenses", "100.00")
    ]


def test_a_line_says_what_it_is_and_why() -> None:
    deal = contract(on_accounts(expense=selected("7000", "7080", "7100")), managed(insurance=INSURANCE, claims=CLAIMS))

    line = bill(deal, october(a7000="10.005", a7080="20", a7100="30", a7102="99")).lines[0]

    assert (line.title, line.code, line.description) == ("Total Other Expenses", "4791", "")
    assert line.meta == {
        "lineItemType": "billableExpenseAccounts",
        "isBillableExpenseAccounts": True,
        "isProfitDeduction": True,
    }
    assert line.trace.inputs == {
        "row": "block",
        "accounts": {"7000": money("10.005"), "7080": money("20"), "7100": money("30")},
        "balance": money("60.005"),
        "insuranceAccounts": money("20"),
        "claimsAccounts": money("30"),
    }
    assert line.trace.steps == (
        Step("Balance of the billable expense accounts", money("60.005")),
        Step("Less the insurance accounts, which have their own line", money("-20")),
        Step("Less the claims accounts, which have their own line", money("-30")),
        Step("Billable expenses, in cents", money("10.01")),
    )
    assert [reference.selection["accounts"] for reference in line.trace.facts] == [("7000", "7080", "7100")]


def test_without_insurance_and_claims_no_step_speaks_of_them() -> None:
    line = bill(contract(on_accounts(expense=selected("7000"))), october(a7000="5")).lines[0]

    assert set(line.trace.inputs) == {"row", "accounts", "balance"}
    assert [step.value for step in line.trace.steps] == [money("5"), money("5.00")]


def test_the_contract_may_name_the_line() -> None:
    deal = contract(on_accounts(expense=selected("7000"), expense_title="Payroll Expense Accounts"))

    assert bill(deal, october(a7000="5")).lines[0].title == "Payroll Expense Accounts"


EXPENSE, PAYROLL, PTEB, SUPPORT = "billableExpenses", "billablePayroll", "pteb", "supportServices"
ORDERS = [
    # case, management agreement, blocks in print order
    ("6.9: expenses come first", {}, [EXPENSE, PAYROLL, PTEB, SUPPORT]),
    (
        "6.10: a monthly insurance takes nothing out",
        {"insurance": InsuranceFixed(amount=money("3"))},
        [EXPENSE, PAYROLL, PTEB, SUPPORT, "insurance"],
    ),
    (
        "6.10: insurance on accounts adds the expenses anew",
        {"insurance": INSURANCE},
        [PAYROLL, PTEB, SUPPORT, EXPENSE, "insurance"],
    ),
    ("6.10: claims add them anew", {"claims": CLAIMS}, [PAYROLL, PTEB, SUPPORT, EXPENSE, "claims"]),
    (
        "R54: expense, insurance, claims; the flow has insurance first",
        {"insurance": INSURANCE, "claims": CLAIMS},
        [PAYROLL, PTEB, SUPPORT, EXPENSE, "insurance", "claims"],
    ),
    (
        "R54: also beside a monthly insurance",
        {"insurance": InsuranceFixed(amount=money("3")), "claims": CLAIMS},
        [PAYROLL, PTEB, SUPPORT, EXPENSE, "insurance", "claims"],
    ),
]


@pytest.mark.parametrize(("_case", "fields", "order"), ORDERS, ids=[row[0] for row in ORDERS])
def test_the_order_of_print(_case: str, fields: dict[str, object], order: list[str]) -> None:
    accounts = on_accounts(
        payroll=selected("6002"),
        pteb=PtebActual(),
        support=SupportFixed(amount=money("7")),
        expense=selected("7000", *SPLIT),
    )

    outcome = bill(
        contract(managed(**fields), accounts), october(a6002="1", a6200="2", a7000="4", a7080="5", a7100="6")
    )

    assert [block for block, _ in titled(outcome)] == order


BALANCES = st.dictionaries(
    st.sampled_from(["7000", *SPLIT]),
    st.decimals("-100000", "100000", places=4),
    min_size=1,
)


@given(BALANCES)
def test_no_account_is_billed_twice_and_none_is_lost(booked: dict[str, Decimal]) -> None:
    """Without a surcharge and a cap, the three lines are the three parts of the expense accounts, each in cents."""
    deal = grouped(
        on_accounts(expense=selected("7000", *SPLIT), expense_group=2),
        managed(insurance=InsuranceOnAccounts(additional_pct=Decimal(0)), claims=CLAIMS),
    )

    outcome = bill(deal, ledger({str(PERIOD): {code: str(amount) for code, amount in booked.items()}}))

    billed = sum((line.amount for line in outcome.lines), Decimal(0))
    assert abs(billed - sum(booked.values())) <= 3 * Decimal("0.005")


def test_the_accounts_are_those_of_the_month() -> None:
    """Without the month in its reference, the drill-down could not find the rows again."""
    (line,) = bill(contract(on_accounts(expense=selected("7000"))), october(a7000="1")).lines

    assert [reference.period for reference in line.trace.facts] == ["2026-10"]
