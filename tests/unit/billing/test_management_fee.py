"""Management fee (billing-flows 6.11, requirements 2.8): a monthly fee, hours of jobs, or part of the revenue."""

from decimal import Decimal

import pytest

from shared_code.billing.model import Line, Step
from shared_code.contracts.schema import FeeFixed, FeeHourly, FeeJob, FeePercentage, ManagementAgreement
from shared_code.facts.model import SiteFacts
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
    titled,
    worked,
)


def fixed(amount: str | None, **fields: object) -> ManagementAgreement:
    return managed(fee=FeeFixed(amount=maybe(amount)), **fields)


def percentage(pct: str | None) -> ManagementAgreement:
    return managed(fee=FeePercentage(pct=maybe(pct)))


def hourly(*jobs: tuple[str, str | None, str | None]) -> ManagementAgreement:
    rows = tuple(FeeJob(code=code, rate=maybe(rate), ot_rate=maybe(overtime)) for code, rate, overtime in jobs)
    return managed(fee=FeeHourly(job_codes=rows))


def only_line(deal: ManagementAgreement, found: SiteFacts) -> Line:
    (line,) = bill(contract(deal), found).lines
    return line


@pytest.mark.parametrize(
    ("agreed", "lines"),
    [
        pytest.param("15000", ["15000.00"], id="TV-MA-1: 15,000 a month"),
        pytest.param("0.005", ["0.01"], id="R1: half a cent goes away from zero"),
        pytest.param("0", [], id="R54: a fee of 0 is legal, and no line"),
    ],
)
def test_a_fixed_fee_is_billed_as_agreed(agreed: str, lines: list[str]) -> None:
    assert amounts(bill(contract(fixed(agreed)), facts())) == lines


def test_tv_ma_1_the_fee_stands_on_account_4791_where_a_document_says_4790() -> None:
    """Rules R34."""
    line = only_line(fixed("15000"), facts())

    assert (line.title, line.code, line.description) == ("Management Fee", "4791", "")
    assert line.meta == {"lineItemType": "managementFee", "isManagementFee": True, "isProfitDeduction": True}
    assert line.trace.steps == (Step("Monthly fee $15,000.00 as agreed", money("15000.00")),)


def test_the_fee_stands_on_the_group_of_the_agreement() -> None:
    assert [line.group for line in bill(grouped(fixed("1", group=2)), facts()).lines] == [2]


PERCENTAGES = [
    # case, percentage, revenue of the month, line
    ("TV-MA-3: 5 % of 500,000", "5", "500000", "25000.00"),
    ("R1: half a cent goes away from zero", "50", "0.01", "0.01"),
    ("a negative month is a credit", "5", "-100.10", "-5.01"),
]


@pytest.mark.parametrize(("_case", "pct", "revenue", "line"), PERCENTAGES, ids=[row[0] for row in PERCENTAGES])
def test_a_percentage_of_the_revenue(_case: str, pct: str, revenue: str, line: str) -> None:
    assert amounts(bill(contract(percentage(pct)), facts(revenue=monthly(revenue)))) == [line]


def test_a_percentage_is_of_all_revenue_codes_of_the_month_alone() -> None:
    """Bell service under OR1 stays in the base (rules R57)."""
    found = facts(revenue={"2026-09": {"SD1": "999"}, "2026-10": {"SD1": "100", "OR1": "20", "VL2": "3.50"}})

    line = only_line(percentage("10"), found)

    assert line.amount == money("12.35")
    assert line.description == "Total Base for Fee Calculation: $123.50"
    assert line.trace.steps == (
        Step("10 % of the month's revenue of $123.50", money("12.35")),
        Step("Management fee, in cents", money("12.35")),
    )
    assert [(ref.rows, ref.amount) for ref in line.trace.facts] == [(9, money("123.50"))]


HOURS = [
    # each case: minutes of regular and of overtime work, their rates, the line
    ("TV-MA-2: 40 hours at 55", ("2400", "0"), ("55", "0"), "2200.00"),
    ("TV-MA-2: 80 hours at 30", ("4800", "0"), ("30", "0"), "2400.00"),
    ("TV-MA-2: 160 hours at 22", ("9600", "0"), ("22", "0"), "3520.00"),
    ("TV-MA-18: 1,365 minutes at 25.03 are 22.75 hours", ("1365", "0"), ("25.03", None), "569.43"),
    ("R15: 18.8's 1,472 minutes are 705.33; rounded by row they are 705.24", ("1472", "0"), ("28.75", "0"), "705.33"),
    ("R15: overtime has its own rate", ("60", "90"), ("10", "20"), "40.00"),
    ("R45: two costs of 0.005 are rounded apart", ("1", "1"), ("0.3", "0.3"), "0.02"),
    ("a third of an hour at 0.03 is a cent, exactly", ("20", "0"), ("0.03", "0"), "0.01"),
    ("R1: ten minutes at 0.03 are half a cent", ("10", "0"), ("0.03", "0"), "0.01"),
]


@pytest.mark.parametrize(("_case", "minutes", "rates", "line"), HOURS, ids=[row[0] for row in HOURS])
def test_a_fee_by_labor_hour_sums_minutes_first(
    _case: str, minutes: tuple[str, str], rates: tuple[str, str | None], line: str
) -> None:
    assert amounts(bill(contract(hourly(("VALET", *rates))), worked(VALET=minutes))) == [line]


def test_tv_ma_2_each_job_has_a_line_of_the_same_title() -> None:
    deal = contract(hourly(("MGR", "55", "0"), ("sup ", "30", "0"), ("VALET", "22", "0")))

    outcome = bill(deal, worked(MGR=("2400", "0"), SUP=("4800", "0"), VALET=("9600", "0")))

    assert amounts(outcome) == ["2200.00", "2400.00", "3520.00"]
    assert sum((line.amount for line in outcome.lines), Decimal(0)) == money("8120.00")
    assert {line.title for line in outcome.lines} == {"Management Fee"}


def test_the_text_states_hours_to_four_decimals_and_rates_to_two() -> None:
    """Rules R55. Two more lines where there is overtime."""
    regular = "Total Hours Worked: 24.5333.\nMeridian Service Fee at $28.75 Per Person Hour"
    overtime = "Total Overtime Hours Worked: 0.6333.\nMeridian Service Overtime Fee at $43.13 Per Person Hour."
    deal = hourly(("VALET", "28.75", "43.13"))

    assert only_line(deal, worked(VALET=("1472", "0"))).description == regular
    assert only_line(deal, worked(VALET=("1472", "38"))).description == f"{regular}\n{overtime}"


def test_hours_explain_themselves_in_minutes() -> None:
    line = only_line(hourly(("VALET", "28.75", "43.13")), worked(VALET=("1472", "38")))

    assert line.trace.steps == (
        Step("1472 regular minutes at $28.75 per hour", money("705.33")),
        Step("38 overtime minutes at $43.13 per hour", money("27.32")),
        Step("Regular time and overtime together", money("732.65")),
    )
    assert line.trace.inputs == {
        "row": "deal",
        "type": "PerLaborHour",
        "job": "VALET",
        "rate": money("28.75"),
        "overtimeRate": money("43.13"),
        "regularMinutes": money("1472"),
        "overtimeMinutes": money("38"),
    }
    assert [(ref.amount, ref.selection) for ref in line.trace.facts] == [
        (money("1510"), {"roles": ["VALET"], "unit": "minutes"})
    ]


def test_a_job_that_nobody_worked_has_no_line() -> None:
    found = worked(VALET=("60", "0"))

    assert titled(bill(contract(hourly(("GUARD", "9", "9"), ("VALET", "9", "9"))), found)) == [
        ("managementFee", "9.00")
    ]


REFUSALS = [
    # case, agreement, facts, reason code
    ("R48: no fee is entered", fixed(None), facts(), "NULL_NUMBER"),
    ("R48: no percentage is entered", percentage(None), facts(revenue=monthly("1")), "NULL_NUMBER"),
    ("R48: an hourly fee without jobs", hourly(), worked(), "NO_JOBS"),
    ("R48: no hourly rate is entered", hourly(("VALET", None, "1")), worked(), "NULL_NUMBER"),
    ("R48: overtime without a rate", hourly(("VALET", "1", None)), worked(VALET=("0", "1")), "NULL_NUMBER"),
    ("R8: nor can it be corrected", hourly(("VALET", "1", None)), worked(VALET=("0", "-1")), "NULL_NUMBER"),
    ("R8: a percentage without revenue", percentage("5"), facts(), "MISSING_FACTS"),
    ("R8: hours without time sheets", hourly(("VALET", "1", "1")), facts(), "MISSING_FACTS"),
]


@pytest.mark.parametrize(("_case", "deal", "found", "code"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_what_is_not_known_fails_the_contract(
    _case: str, deal: ManagementAgreement, found: SiteFacts, code: str
) -> None:
    assert codes(bill(contract(deal), found)) == [code]


def test_a_percentage_names_its_inputs_and_the_rows_of_the_month() -> None:
    line = only_line(percentage("5"), facts(revenue=monthly("200", "100")))

    assert line.trace.inputs == {
        "row": "deal",
        "type": "RevenuePercentage",
        "percent": money("5"),
        "revenue": money("100"),
    }
    assert [reference.period for reference in line.trace.facts] == ["2026-10"]


def test_a_single_minute_of_overtime_is_told_in_the_text() -> None:
    """It is paid, so the client reads of it."""
    line = only_line(hourly(("VALET", "60", "60")), worked(VALET=("0", "1")))

    assert str(line.amount) == "1.00"
    assert "Total Overtime Hours Worked: 0.0167." in line.description


def test_a_fixed_fee_names_its_inputs() -> None:
    assert only_line(fixed("15000"), facts()).trace.inputs == {
        "row": "deal",
        "type": "FixedFee",
        "amount": money("15000"),
    }


def test_r48_overtime_without_a_rate_names_the_job_and_the_cure() -> None:
    (reason,) = bill(contract(hourly(("VALET", "1", None))), worked(VALET=("0", "1"))).reasons

    assert reason.message == "job VALET of the management fee has overtime but no overtime rate; enter the rate"


def test_regular_time_alone_needs_no_sum() -> None:
    line = only_line(hourly(("VALET", "60", "60")), worked(VALET=("60", "0")))

    assert line.trace.steps == (Step("60 regular minutes at $60.00 per hour", money("60.00")),)
