"""Support services (billing-flows 6.9, requirements 2.7): a monthly amount, or a percentage of payroll."""

import pytest

from shared_code.billing.model import Step
from shared_code.contracts.schema import (
    Pteb,
    PtebActual,
    PtebOff,
    PtebPercentage,
    Support,
    SupportFixed,
    SupportPercentage,
)
from tests.unit.billing.builders import (
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

PAID = selected("6002")


def fixed(amount: str | None) -> SupportFixed:
    return SupportFixed(amount=maybe(amount))


def of_billable(pct: str | None) -> SupportPercentage:
    return SupportPercentage(pct=maybe(pct), base="Billable")


def of_total(pct: str | None) -> SupportPercentage:
    return SupportPercentage(pct=maybe(pct), base="Total")


@pytest.mark.parametrize(
    ("amount", "line"), [("7000.00", "7000.00"), ("5000", "5000.00"), ("2500", "2500.00"), ("0.005", "0.01")]
)
def test_tv_ba_4_a_monthly_amount_needs_no_facts(amount: str, line: str) -> None:
    """TV-BA-4, and rules R1 for the half cent."""
    assert titled(bill(contract(on_accounts(support=fixed(amount))), facts())) == [("supportServices", line)]


PERCENTAGES: list[tuple[str, Pteb, Support, dict[str, str], str]] = [
    # case, PTEB, support, balances, line
    ("TV-BA-5: 8 % of 100,000 billable", PtebActual(), of_billable("8"), {"a6002": "100000", "a6200": "5"}, "8000.00"),
    ("TV-BA-6: 6 % of 150,000 total", PtebActual(), of_total("6"), {"a6002": "120000", "a6399": "30000"}, "9000.00"),
    (
        "TV-FF-2: 0.02 of billable payroll",
        PtebPercentage(pct=money("38")),
        of_billable("2"),
        {"a6002": "10000"},
        "200.00",
    ),
    ("total with percentage PTEB", PtebPercentage(pct=money("32")), of_total("2.5"), {"a6002": "1000"}, "33.00"),
    ("R59: total with PTEB off takes 0 for it", PtebOff(), of_total("10"), {"a6002": "1000", "a6200": "99"}, "100.00"),
    (
        "R45: exact intermediates; of the printed 0.02 and 0.01 it would be 0.03",
        PtebPercentage(pct=money("50")),
        of_total("100"),
        {"a6002": "0.015"},
        "0.02",
    ),
    ("a negative month is a credit", PtebOff(), of_billable("10"), {"a6002": "-1000"}, "-100.00"),
]


@pytest.mark.parametrize(
    ("_case", "pteb", "support", "booked", "line"), PERCENTAGES, ids=[row[0] for row in PERCENTAGES]
)
def test_a_percentage_of_payroll(_case: str, pteb: Pteb, support: Support, booked: dict[str, str], line: str) -> None:
    deal = contract(on_accounts(payroll=PAID, pteb=pteb, support=support))

    assert titled(bill(deal, october(**booked)))[-1] == ("supportServices", line)


def test_additional_payroll_is_part_of_the_base() -> None:
    deal = contract(on_accounts(payroll=PAID, additional_payroll=money("500"), support=of_billable("10")))

    assert amounts(bill(deal, october(a6002="1000"))) == ["1500.00", "150.00"]


def test_support_stands_on_the_payroll_group_under_its_name() -> None:
    line = bill(grouped(on_accounts(support=fixed("9"), payroll_group=2)), facts()).lines[0]

    assert (line.group, line.title, line.code, line.description) == (2, "Support Services", "4791", "")
    assert line.meta == {"lineItemType": "SupportServices", "isSupportServices": True, "isProfitDeduction": True}
    assert line.trace.inputs == {"row": "block", "type": "Fixed", "amount": money("9")}
    assert line.trace.steps == (Step("Monthly amount $9.00 as agreed", money("9.00")),)


def test_the_contract_may_name_the_line() -> None:
    deal = contract(on_accounts(support=fixed("9"), support_title="Business Support Services"))

    assert bill(deal, facts()).lines[0].title == "Business Support Services"


def test_a_share_of_total_payroll_explains_itself_down_to_payroll_and_pteb() -> None:
    deal = contract(on_accounts(payroll=PAID, pteb=PtebActual(), support=of_total("6")))

    line = bill(deal, october(a6002="100", a6200="20", a6500="5")).lines[-1]

    assert line.trace.inputs == {
        "row": "block",
        "type": "Percentage",
        "percent": money("6"),
        "base": "Total",
        "payroll": money("100"),
        "pteb": money("25"),
    }
    assert line.trace.steps == (
        Step("Billable payroll and PTEB", money("125")),
        Step("6 % of the total payroll of $125.00", money("7.50")),
    )
    assert [reference.selection["accounts"] for reference in line.trace.facts] == [("6002",), ("6200", "6500")]


def test_a_share_of_total_payroll_with_percentage_pteb_names_each_row_once() -> None:
    deal = contract(on_accounts(payroll=PAID, pteb=PtebPercentage(pct=money("10")), support=of_total("6")))

    line = bill(deal, october(a6002="100")).lines[-1]

    assert [reference.selection["accounts"] for reference in line.trace.facts] == [("6002",)]


def test_a_share_of_billable_payroll_does_not_speak_of_pteb() -> None:
    deal = contract(on_accounts(payroll=PAID, pteb=PtebActual(), support=of_billable("6")))

    line = bill(deal, october(a6002="100", a6200="20")).lines[-1]

    assert "pteb" not in line.trace.inputs
    assert line.trace.steps == (Step("6 % of the billable payroll of $100.00", money("6.00")),)
    assert [reference.selection["accounts"] for reference in line.trace.facts] == [("6002",)]


@pytest.mark.parametrize("support", [fixed(None), of_billable(None), of_total(None)], ids=lambda one: one.kind)
def test_a_number_that_is_not_entered_fails_the_contract(support: Support) -> None:
    """Rules R48."""
    assert codes(bill(contract(on_accounts(payroll=PAID, support=support)), october(a6002="1"))) == ["NULL_NUMBER"]
