"""PTEB (billing-flows 6.9, requirements 2.7): payroll taxes and benefits, as booked or as a percentage."""

import pytest

from shared_code.billing.calculation import compute
from shared_code.billing.model import Step
from shared_code.contracts.schema import FixedPct, PtebActual, PtebPercentage
from tests.unit.billing.builders import (
    CONTEXT,
    PERIOD,
    amounts,
    bill,
    codes,
    contract,
    facts,
    grouped,
    maybe,
    money,
    october,
    on_accounts,
    selected,
    titled,
)
from tests.unit.contracts import rated

PAID = selected("6002")


def percentage(pct: str | None) -> PtebPercentage:
    return PtebPercentage(pct=maybe(pct))


PERCENTAGES = [
    # case, payroll booked, additional payroll, percentage, payroll and PTEB lines
    ("TV-BA-2: 15 % of 7,328.18", "7328.18", None, "15", ["7328.18", "1099.23"]),
    ("TV-BA-8: 15 % of 1,000", "1000", None, "15", ["1000.00", "150.00"]),
    ("TV-FF-2: 0.38 of payroll", "10000", None, "38", ["10000.00", "3800.00"]),
    ("BA-05: additional payroll counts", "900", "100", "32", ["1000.00", "320.00"]),
    ("R45: of exact payroll, not of the printed line", "100.004", None, "100", ["100.00", "100.00"]),
    ("R45: exact 10.005 at 50 % is 5.0025; the printed 10.01 would give 5.01", "10.005", None, "50", ["10.01", "5.00"]),
    ("R1: half a cent goes away from zero", "1", None, "0.5", ["1.00", "0.01"]),
    ("R1: also below zero", "-1", None, "0.5", ["-1.00", "-0.01"]),
    ("BA-07: nothing at 0 %", "1000", None, "0", ["1000.00"]),
]


@pytest.mark.parametrize(
    ("_case", "booked", "additional", "pct", "lines"), PERCENTAGES, ids=[row[0] for row in PERCENTAGES]
)
def test_a_percentage_of_billable_payroll(
    _case: str, booked: str, additional: str | None, pct: str, lines: list[str]
) -> None:
    deal = contract(on_accounts(payroll=PAID, additional_payroll=maybe(additional), pteb=percentage(pct)))

    # The actual accounts are booked too, and are not billed.
    assert amounts(bill(deal, october(a6002=booked, a6200="77", a6399="88"))) == lines


def test_tv_ba_8_a_percentage_escalates_and_then_bills_more() -> None:
    """10 % of 2,000, escalated by 5 % in May: 10.5 % of it, 210.00."""
    rise = rated.rule(FixedPct, "billableAccounts.pteb", "May", pct="5")
    deal = contract(on_accounts(payroll=PAID, pteb=percentage("10")), escalators=(rise,))
    terms = rated.terms(deal, str(PERIOD), PERIOD.plus(-9).first_day)

    assert amounts(compute(terms, october(a6002="2000"), CONTEXT)) == ["2000.00", "210.00"]


ACTUALS = [
    # case, balances, line
    ("TV-BA-1: three accounts are 10,496.15", {"a6200": "8000.10", "a6399": "1496.03", "a6500": "1000.02"}, "10496.15"),
    ("TV-BA-9: 1,000.00", {"a6200": "1000"}, "1000.00"),
    ("TV-BA-9: 1,250.75", {"a6399": "1250.75"}, "1250.75"),
    ("R1: the sum is rounded, not its accounts", {"a6200": "0.004", "a6399": "0.004", "a6500": "0.004"}, "0.01"),
    ("a refund of taxes is a credit", {"a6500": "-12.5"}, "-12.50"),
]


@pytest.mark.parametrize(("_case", "booked", "line"), ACTUALS, ids=[row[0] for row in ACTUALS])
def test_actual_pteb_is_what_the_ledger_has(_case: str, booked: dict[str, str], line: str) -> None:
    assert titled(bill(contract(on_accounts(pteb=PtebActual())), october(**booked))) == [("pteb", line)]


def test_tv_ba_9_an_escalator_does_not_change_actual_pteb() -> None:
    rise = rated.rule(FixedPct, "billableAccounts.pteb", "May", pct="5")
    terms = rated.terms(contract(on_accounts(pteb=PtebActual()), escalators=(rise,)), str(PERIOD))

    assert amounts(compute(terms, october(a6200="1000"), CONTEXT)) == ["1000.00"]


def test_pteb_stands_on_the_payroll_group_under_its_name() -> None:
    line = bill(grouped(on_accounts(pteb=PtebActual(), payroll_group=2)), october(a6200="3")).lines[0]

    assert (line.group, line.title, line.code, line.description) == (2, "PTEB", "4791", "")
    assert line.meta == {"lineItemType": "PTEB", "isPTEB": True, "isProfitDeduction": True}


def test_the_contract_may_name_the_line() -> None:
    deal = contract(on_accounts(pteb=PtebActual(), pteb_title="Taxes & Benefits"))

    assert bill(deal, october(a6200="1")).lines[0].title == "Taxes & Benefits"


def test_a_percentage_explains_itself_down_to_the_rows_of_payroll() -> None:
    line = bill(contract(on_accounts(payroll=PAID, pteb=percentage("12.50"))), october(a6002="1234.567")).lines[1]

    assert line.trace.inputs == {
        "row": "block",
        "type": "Percentage",
        "percent": money("12.50"),
        "payroll": money("1234.567"),
    }
    assert line.trace.steps == (
        Step("12.5 % of the billable payroll of $1,234.567", money("154.320875")),
        Step("PTEB, in cents", money("154.32")),
    )
    assert [reference.selection["accounts"] for reference in line.trace.facts] == [("6002",)]


def test_actual_pteb_explains_itself_down_to_its_accounts() -> None:
    line = bill(contract(on_accounts(pteb=PtebActual())), october(a6200="1.5", a6500="2.25")).lines[0]

    assert line.trace.inputs == {
        "row": "block",
        "type": "Actual",
        "accounts": {"6200": money("1.5"), "6500": money("2.25")},
    }
    assert line.trace.steps == (
        Step("Balance of the accounts 6200, 6399, 6500", money("3.75")),
        Step("PTEB, in cents", money("3.75")),
    )
    assert [reference.selection["accounts"] for reference in line.trace.facts] == [("6200", "6500")]


def test_actual_pteb_needs_the_ledger() -> None:
    assert codes(bill(contract(on_accounts(pteb=PtebActual())), facts())) == ["MISSING_FACTS"]


def test_a_percentage_that_is_not_entered_fails_the_contract() -> None:
    """Rules R48."""
    assert codes(bill(contract(on_accounts(payroll=PAID, pteb=percentage(None))), october(a6002="1"))) == [
        "NULL_NUMBER"
    ]


def test_actual_pteb_is_that_of_the_month() -> None:
    """Without the month in its reference, the drill-down could not find the rows again."""
    (line,) = bill(contract(on_accounts(pteb=PtebActual())), october(a6200="3")).lines

    assert [reference.period for reference in line.trace.facts] == ["2026-10"]
