"""Expenses outside the ledger (billing-flows 6.12): a monthly amount, or a percentage of revenue or payroll."""

import pytest

from shared_code.billing.model import Step
from shared_code.contracts.schema import (
    BillableAccounts,
    ManagementAgreement,
    NonGlAmount,
    NonGlLine,
    NonGlPayroll,
    NonGlRevenue,
    PtebActual,
    PtebOff,
    PtebPercentage,
)
from shared_code.contracts.schema.base import PayrollBase
from shared_code.facts.model import SiteFacts
from shared_code.foundation.calendar import Period
from tests.unit.billing.builders import (
    amounts,
    bill,
    codes,
    contract,
    facts,
    grouped,
    managed,
    maybe,
    money,
    monthly,
    october,
    on_accounts,
    selected,
    titled,
)


def amount(agreed: str | None, title: str = "Radios", ends: str | None = None) -> NonGlAmount:
    last = Period.parse(ends) if ends else None
    return NonGlAmount(id=title, title=title, amount=maybe(agreed), final_period=last)


def of_revenue(pct: str | None) -> NonGlRevenue:
    return NonGlRevenue(id="r", title="Marketing", pct=maybe(pct))


def of_payroll(pct: str | None, base: PayrollBase = "Billable") -> NonGlPayroll:
    return NonGlPayroll(id="p", title="Training", base=base, pct=maybe(pct))


def expenses(*lines: NonGlLine, enabled: bool | None = True, **fields: object) -> ManagementAgreement:
    return managed(non_gl=lines, non_gl_enabled=enabled, **fields)


def test_expenses_are_billed_in_the_order_of_the_contract() -> None:
    deal = contract(expenses(amount("750", "Uniforms"), of_revenue("1.5"), amount("0.005", "Radios")))

    outcome = bill(deal, facts(revenue=monthly("1000.25")))

    assert [(line.title, str(line.amount)) for line in outcome.lines] == [
        ("Uniforms", "750.00"),
        ("Marketing", "15.00"),
        ("Radios", "0.01"),
    ]


def test_a_line_has_the_account_of_the_configuration_and_no_metadata() -> None:
    """Rules R54; a profit share knows these lines by their block."""
    (line,) = bill(grouped(expenses(amount("1"), group=2)), facts()).lines

    assert (line.block, line.group, line.code, line.description, line.meta) == ("nonGlExpense", 2, "4791", "", {})
    assert line.trace.steps == (Step("Monthly amount $1.00 as agreed", money("1.00")),)


@pytest.mark.parametrize(
    ("period", "lines"),
    [
        pytest.param("2025-06", ["300.00"], id="TV-MA-16: the final period is billed (R33)"),
        pytest.param("2025-07", [], id="TV-MA-16: the month after it is not"),
    ],
)
def test_the_final_period_is_the_last_that_is_billed(period: str, lines: list[str]) -> None:
    deal = contract(expenses(amount("300", ends="2025-06")))

    assert amounts(bill(deal, facts(period=Period.parse(period)))) == lines


@pytest.mark.parametrize("enabled", [False, None])
def test_a_contract_that_has_them_off_bills_none(enabled: bool | None) -> None:
    assert amounts(bill(contract(expenses(amount("1"), of_revenue("1"), enabled=enabled)), facts())) == []


PTEB = {"off": PtebOff(), "actual": PtebActual(), "percentage": PtebPercentage(pct=money("10"))}
BASES: list[tuple[str, PayrollBase, str, dict[str, str], str | None, str]] = [
    # case, base, PTEB, balances, additional payroll, the expense at 50 %
    ("payroll alone", "Billable", "actual", {"a6002": "1000", "a6200": "80"}, None, "500.00"),
    ("R19: additional payroll counts", "Billable", "off", {"a6002": "1000"}, "100", "550.00"),
    ("total payroll has PTEB as booked", "Total", "actual", {"a6002": "1000", "a6200": "80"}, None, "540.00"),
    (
        "R19: PTEB of the statement, 10 % and not the 80 booked",
        "Total",
        "percentage",
        {"a6002": "1000"},
        "20",
        "561.00",
    ),
    ("R59: PTEB that is off counts 0", "Total", "off", {"a6002": "1000", "a6200": "80"}, None, "500.00"),
    (
        "R45: of exact 10.005, 5.0025; the printed 10.01 would give 5.01",
        "Billable",
        "off",
        {"a6002": "10.005"},
        None,
        "5.00",
    ),
]


@pytest.mark.parametrize(
    ("_case", "base", "pteb", "booked", "additional", "line"), BASES, ids=[row[0] for row in BASES]
)
def test_a_percentage_of_payroll(
    _case: str, base: PayrollBase, pteb: str, booked: dict[str, str], additional: str | None, line: str
) -> None:
    accounts = on_accounts(payroll=selected("6002"), pteb=PTEB[pteb], additional_payroll=maybe(additional))

    outcome = bill(contract(expenses(of_payroll("50", base)), accounts), october(**booked))

    assert titled(outcome)[-1] == ("nonGlExpense", line)


def test_a_percentage_explains_itself_down_to_its_accounts() -> None:
    accounts = on_accounts(payroll=selected("6002"), pteb=PtebActual())

    outcome = bill(contract(expenses(of_payroll("2.50", "Total")), accounts), october(a6002="100", a6399="20"))

    trace = outcome.lines[-1].trace
    assert trace.inputs == {
        "row": "p",
        "type": "Payroll",
        "percent": money("2.50"),
        "payroll": money("100"),
        "pteb": money("20"),
    }
    assert trace.steps == (
        Step("2.5 % of the billable payroll and PTEB of $120.00", money("3")),
        Step("In cents", money("3.00")),
    )
    assert [reference.selection["accounts"] for reference in trace.facts] == [("6002",), ("6399",)]


def test_a_percentage_of_revenue_explains_itself() -> None:
    (line,) = bill(contract(expenses(of_revenue("1"))), facts(revenue=monthly("50", "70"))).lines

    assert line.trace.inputs["revenue"] == money("70")
    assert line.trace.steps[0] == Step("1 % of the month's revenue of $70.00", money("0.70"))
    assert [(reference.period, reference.amount) for reference in line.trace.facts] == [("2026-10", money("70"))]


REFUSALS = [
    # case, expense, facts, reason code
    ("R48: no amount is entered", amount(None), facts(), "NULL_NUMBER"),
    ("R48: no percentage is entered", of_revenue(None), facts(revenue=monthly("1")), "NULL_NUMBER"),
    ("R62: payroll while the account block is off", of_payroll("1"), facts(), "ACCOUNTS_OFF"),
    ("R8: no revenue of the month", of_revenue("1"), facts(), "MISSING_FACTS"),
]


@pytest.mark.parametrize(("_case", "line", "found", "code"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_what_is_not_known_fails_the_contract(_case: str, line: NonGlLine, found: SiteFacts, code: str) -> None:
    assert codes(bill(contract(expenses(line)), found)) == [code]


def test_payroll_of_a_month_that_is_not_loaded_fails_the_contract() -> None:
    deal = contract(expenses(of_payroll("1")), on_accounts(payroll=selected("6002")))

    assert codes(bill(deal, facts())) == ["MISSING_FACTS"]


def test_a_monthly_amount_names_its_inputs() -> None:
    (line,) = bill(contract(expenses(amount("12.5"))), facts()).lines

    assert line.trace.inputs == {"row": "Radios", "type": "FixedAmount", "amount": money("12.5")}


def test_a_percentage_of_billable_payroll_explains_itself_by_payroll_alone() -> None:
    """PTEB that is billed beside it is no part of the base, and is not named."""
    accounts = on_accounts(payroll=selected("6002"), pteb=PtebActual())

    trace = bill(contract(expenses(of_payroll("10")), accounts), october(a6002="100", a6399="20")).lines[-1].trace

    assert trace.inputs == {"row": "p", "type": "Payroll", "percent": money("10"), "payroll": money("100")}
    assert trace.steps[0] == Step("10 % of the billable payroll of $100.00", money("10"))
    assert [reference.selection["accounts"] for reference in trace.facts] == [("6002",)]


def test_expenses_on_payroll_say_what_is_missing_where_the_account_block_has_no_rows() -> None:
    """Rules R8, R62: they would be billed as zero."""
    outcome = bill(contract(expenses(of_payroll("1")), BillableAccounts(enabled=True)), facts())

    assert codes(outcome) == ["ACCOUNTS_OFF"]
    assert outcome.reasons[0].message == (
        "expenses on payroll rest on the billable accounts, and their block has no rows; add one"
    )
