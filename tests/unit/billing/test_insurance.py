"""Insurance (billing-flows 6.10, 18.9, requirements 2.8): a monthly amount, or accounts with a surcharge."""

import pytest

from shared_code.billing.given import Given
from shared_code.billing.insurance import BLOCK
from shared_code.billing.model import Step
from shared_code.contracts.schema import (
    AccountSelection,
    BillableAccounts,
    Insurance,
    InsuranceFixed,
    InsuranceOnAccounts,
    ManagementAgreement,
)
from shared_code.contracts.terms import terms_for
from shared_code.facts.completeness import Need
from shared_code.facts.model import ACCOUNTS
from tests.unit.billing.builders import (
    CONTEXT,
    PERIOD,
    bill,
    codes,
    contract,
    facts,
    grouped,
    managed,
    maybe,
    money,
    october,
    on_accounts,
    selected,
    titled,
)

EXPENSES = selected("7000", "7080", "7082", "7085")


def surcharge(pct: str | None, **fields: str) -> InsuranceOnAccounts:
    return InsuranceOnAccounts(additional_pct=maybe(pct), **fields)


def fixed(amount: str | None) -> InsuranceFixed:
    return InsuranceFixed(amount=maybe(amount))


ON_ACCOUNTS = [
    # case, surcharge, balances, expenses, insurance; none where a line is 0.00
    ("TV-MA-5", "12.5", {"a7000": "100", "a7080": "1000", "a7082": "500", "a7085": "0"}, "100.00", "1687.50"),
    ("TV-MA-6", "15", {"a7080": "1000", "a7082": "500"}, None, "1725.00"),
    ("billing-flows 18.9", "10", {"a7000": "50", "a7082": "2400"}, "50.00", "2640.00"),
    ("MA-08: a surcharge above 100 % is legal", "280", {"a7080": "100"}, None, "380.00"),
    (
        "no surcharge: the accounts move from one line to the other",
        "0",
        {"a7080": "100", "a7000": "1"},
        "1.00",
        "100.00",
    ),
    ("R1: rounded once, after the surcharge", "50", {"a7080": "0.003", "a7082": "0.004"}, None, "0.01"),
    ("a refund is a credit", "12.5", {"a7000": "10", "a7085": "-100"}, "10.00", "-112.50"),
    ("none booked", "12.5", {"a7000": "10"}, "10.00", None),
]


@pytest.mark.parametrize(
    ("_case", "pct", "booked", "expenses", "insurance"), ON_ACCOUNTS, ids=[row[0] for row in ON_ACCOUNTS]
)
def test_insurance_accounts_leave_the_expenses_and_come_back_with_a_surcharge(
    _case: str, pct: str, booked: dict[str, str], expenses: str | None, insurance: str | None
) -> None:
    deal = contract(on_accounts(expense=EXPENSES), managed(insurance=surcharge(pct)))
    expected = [("billableExpenses", expenses), ("insurance", insurance)]

    assert titled(bill(deal, october(**booked))) == [line for line in expected if line[1] is not None]


def test_only_enabled_accounts_are_insurance() -> None:
    """Billing-flows 6.10: one that the client does not pay as an expense is not billed as insurance either."""
    deal = contract(
        on_accounts(expense=selected("7000", "7080", off=("7082", "7085"))), managed(insurance=surcharge("10"))
    )

    assert titled(bill(deal, october(a7000="10", a7080="100", a7082="1000", a7085="10000"))) == [
        ("billableExpenses", "10.00"),
        ("insurance", "110.00"),
    ]


@pytest.mark.parametrize(("agreed", "line"), [("1587", "1587.00"), ("0.005", "0.01")])
def test_ma_05_a_monthly_amount_takes_nothing_out_of_the_expenses(agreed: str, line: str) -> None:
    deal = contract(on_accounts(expense=EXPENSES), managed(insurance=fixed(agreed)))

    assert titled(bill(deal, october(a7000="10", a7080="100"))) == [("billableExpenses", "110.00"), ("insurance", line)]


def test_b12_a_monthly_amount_needs_neither_accounts_nor_facts() -> None:
    """The source fails without an account row; rules R16 computes insurance from the configuration."""
    assert titled(bill(contract(managed(insurance=fixed("20"))), facts())) == [("insurance", "20.00")]


def test_r16_accounts_leave_the_expenses_on_whatever_group_these_are() -> None:
    """The source fails, or bills the accounts twice, when the groups differ (B12): 110.00 and 112.50 on two groups."""
    deal = grouped(on_accounts(expense=EXPENSES, expense_group=1), managed(insurance=surcharge("12.5"), group=2))

    lines = bill(deal, october(a7000="10", a7080="100")).lines

    assert [(line.group, line.block, str(line.amount)) for line in lines] == [
        (1, "billableExpenses", "10.00"),
        (2, "insurance", "112.50"),
    ]


def test_insurance_on_accounts_says_what_it_is_and_why() -> None:
    deal = contract(on_accounts(expense=EXPENSES), managed(insurance=surcharge("12.50")))

    line = bill(deal, october(a7080="1000", a7082="500")).lines[0]

    assert (line.title, line.code, line.description) == ("Insurance", "4791", "")
    assert line.meta == {"lineItemType": "insurance", "isInsurance": True, "isProfitDeduction": True}
    assert line.trace.inputs == {
        "row": "deal",
        "type": "BasedOnBillableAccounts",
        "additionalPercent": money("12.50"),
        "accounts": {"7080": money("1000"), "7082": money("500")},
        "balance": money("1500"),
    }
    assert line.trace.steps == (
        Step("Balance of the billable insurance accounts", money("1500")),
        Step("$1,500.00 and 12.5 % of it on top", money("1687.50")),
    )
    assert [reference.selection["accounts"] for reference in line.trace.facts] == [("7080", "7082")]


def test_a_monthly_amount_says_what_it_is_and_why() -> None:
    line = bill(contract(managed(insurance=fixed("1587"))), facts()).lines[0]

    assert line.meta["isInsurance"] is True
    assert line.trace.inputs == {"row": "deal", "type": "FixedFee", "amount": money("1587")}
    assert line.trace.steps == (Step("Monthly insurance $1,587.00 as agreed", money("1587.00")),)
    assert line.trace.facts == ()


@pytest.mark.parametrize(
    "insurance",
    [surcharge("1", title="Liability"), InsuranceFixed(amount=money("1"), title="Liability")],
    ids=lambda one: one.kind,
)
def test_the_contract_may_name_the_line(insurance: Insurance) -> None:
    deal = contract(on_accounts(expense=selected("7080")), managed(insurance=insurance))

    assert bill(deal, october(a7080="100")).lines[-1].title == "Liability"


def test_insurance_on_accounts_that_are_off_fails_the_contract() -> None:
    """Rules R62."""
    off = on_accounts(expense=EXPENSES).model_copy(update={"enabled": False})

    assert codes(bill(contract(managed(insurance=surcharge("10"))), facts())) == ["ACCOUNTS_OFF"]
    assert codes(bill(contract(off, managed(insurance=surcharge("10"))), facts())) == ["ACCOUNTS_OFF"]


def test_insurance_on_an_account_block_without_rows_fails_the_contract() -> None:
    """Rules R8: it would be billed as zero."""
    deal = contract(BillableAccounts(enabled=True), managed(insurance=surcharge("10")))

    outcome = bill(deal, facts())
    assert codes(outcome) == ["ACCOUNTS_OFF"]
    assert outcome.reasons[0].message == (
        "insurance accounts rest on the billable accounts, and their block has no rows; add one"
    )


@pytest.mark.parametrize(
    ("insurance", "expense", "expected"),
    [
        (surcharge("10"), selected("7080"), [Need(ACCOUNTS, PERIOD)]),
        (surcharge("10"), selected("7000", off=("7080",)), []),
        (fixed("10"), selected("7080"), []),
    ],
    ids=["its accounts", "R60: no enabled account of its own", "R60: a monthly amount"],
)
def test_the_ledger_is_needed_when_an_insurance_account_is_read(
    insurance: Insurance, expense: AccountSelection, expected: list[Need]
) -> None:
    """Asked of the block itself, since the expenses need the same month for their own accounts."""
    terms = terms_for(contract(on_accounts(expense=expense), managed(insurance=insurance)), PERIOD)

    assert list(BLOCK.needs(Given(terms, facts(), CONTEXT))) == expected


@pytest.mark.parametrize("insurance", [surcharge(None), fixed(None)], ids=lambda one: one.kind)
def test_a_number_that_is_not_entered_fails_the_contract(insurance: Insurance) -> None:
    """Rules R48."""
    deal = contract(on_accounts(expense=EXPENSES), managed(insurance=insurance))

    assert codes(bill(deal, october(a7080="1"))) == ["NULL_NUMBER"]


def test_a_second_agreement_fails_the_contract() -> None:
    """Rules R9."""
    [row] = managed(insurance=fixed("5")).agreements
    two = managed().model_copy(update={"agreements": (row, row.model_copy(update={"id": "two"}))})

    assert codes(bill(contract(two), facts())) == ["SECOND_ROW"]


def test_an_agreement_block_without_rows_bills_nothing() -> None:
    assert titled(bill(contract(ManagementAgreement(enabled=True)), facts())) == []


def test_a_group_that_does_not_exist_fails_the_contract() -> None:
    assert codes(bill(contract(managed(insurance=fixed("5"), group=3)), facts())) == ["GROUP_UNKNOWN"]


def test_a_monthly_amount_stands_on_the_group_of_the_agreement() -> None:
    """Else the client's other invoice would carry it."""
    deal = grouped(managed(insurance=fixed("20"), group=2))

    assert [(line.group, line.block) for line in bill(deal, facts()).lines] == [(2, "insurance")]


def test_insurance_accounts_are_those_of_the_month() -> None:
    """Without the month in its reference, the drill-down could not find the rows again."""
    deal = contract(on_accounts(expense=EXPENSES), managed(insurance=surcharge("10")))

    (line,) = bill(deal, october(a7080="5")).lines

    assert [reference.period for reference in line.trace.facts] == ["2026-10"]
