"""Fixed fee (billing-flows 6.1, requirements 2.1): services bill their fee in full, each on its own group."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.billing.model import Step
from shared_code.foundation.calendar import Period
from tests.unit.billing.builders import amounts, bill, codes, contract, facts, fees, grouped, money, service

OCT_1, OCT_2, OCT_16, OCT_31 = date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 16), date(2026, 10, 31)
SEP_30, NOV_1 = date(2026, 9, 30), date(2026, 11, 1)

VECTORS = [
    # vector, fees, lines, total
    ("TV-FF-1", ("2500.00", "30800.00"), ["2500.00", "30800.00"], "33300.00"),
    ("TV-FF-3", ("150", "222", "300"), ["150.00", "222.00", "300.00"], "672.00"),
    ("TV-FF-5", ("7096.27",), ["7096.27"], "7096.27"),
    ("TV-FF-6", ("3125.00",), ["3125.00"], "3125.00"),
    ("TV-FF-7", ("38642.00",), ["38642.00"], "38642.00"),
    ("R1: a fee of six decimals is rounded once, halves away from zero", ("10.005", "0.004999"), ["10.01"], "10.01"),
    ("R54: a fee of zero is no line", ("0", "100"), ["100.00"], "100.00"),
]


@pytest.mark.parametrize(("_vector", "given", "lines", "total"), VECTORS, ids=[row[0] for row in VECTORS])
def test_each_service_bills_its_fee(_vector: str, given: tuple[str, ...], lines: list[str], total: str) -> None:
    outcome = bill(contract(fees(*(service(fee, f"Service {place}") for place, fee in enumerate(given)))), facts())

    assert amounts(outcome) == lines
    assert sum(line.amount for line in outcome.lines) == money(total)


def test_tv_ff_1_a_year_of_fees_is_twelve_months() -> None:
    deal = contract(fees(service("2500.00", "Self"), service("30800.00", "Valet")))

    year = [bill(deal, facts(period=Period(2026, month))) for month in range(1, 13)]

    assert sum(line.amount for outcome in year for line in outcome.lines) == money("399600.00")


def test_tv_ff_9_two_groups_of_a_thousand_are_two_thousand() -> None:
    """The sample payload says 2,990; the sum rule (R1) says 2,000."""
    outcome = bill(grouped(fees(service("1000", group=1), service("1000", "Self", group=2))), facts())

    assert [(line.group, line.amount) for line in outcome.lines] == [(1, money("1000.00")), (2, money("1000.00"))]


def test_a_line_carries_name_account_and_reason() -> None:
    line = bill(contract(fees(service("1234.5", "Valet", "4715"))), facts()).lines[0]

    assert (line.block, line.title, line.code, line.description) == ("fixedFee", "Valet", "4715", "")
    assert line.trace.steps == (Step("Monthly fee $1,234.50 as agreed, not prorated", money("1234.50")),)
    assert line.trace.inputs["fee"] == money("1234.5")


DATED = [
    # start, end, billed without proration (R14), billed with daily proration of a fee of 3,100.00
    (None, None, ["3100.00"], ["3100.00"]),
    (OCT_1, None, ["3100.00"], ["3100.00"]),
    (OCT_2, None, [], ["3000.00"]),
    (OCT_16, None, [], ["1600.00"]),
    (OCT_31, None, [], ["100.00"]),
    (NOV_1, None, [], []),
    (None, SEP_30, [], []),
    (None, OCT_1, ["3100.00"], ["100.00"]),
    (None, OCT_16, ["3100.00"], ["1600.00"]),
    (None, OCT_31, ["3100.00"], ["3100.00"]),
    (OCT_2, OCT_16, [], ["1500.00"]),
]


@pytest.mark.parametrize(("start", "end", "full", "_daily"), DATED)
def test_a_dated_service_bills_in_full_or_not_at_all(
    start: date | None, end: date | None, full: list[str], _daily: list[str]
) -> None:
    assert amounts(bill(contract(fees(service("3100", start=start, end=end))), facts())) == full


@pytest.mark.parametrize(("start", "end", "_full", "daily"), DATED)
def test_daily_proration_bills_the_active_days(
    start: date | None, end: date | None, _full: list[str], daily: list[str]
) -> None:
    """Rules R14: the contract option prorates a fixed fee by active days of the month."""
    deal = contract(fees(service("3100", start=start, end=end)), proration="daily")

    assert amounts(bill(deal, facts())) == daily


MONTHS = [
    # period, start, end, what a fee of 1,000.00 comes to
    ("2027-02", date(2027, 2, 15), None, ["500.00"]),  # 14 of 28
    ("2028-02", date(2028, 2, 15), None, ["517.24"]),  # 15 of 29
    ("2028-02", date(2028, 2, 29), None, ["34.48"]),
    ("2026-09", None, date(2026, 9, 1), ["33.33"]),
    ("2026-09", date(2026, 9, 30), date(2026, 9, 30), ["33.33"]),
    ("2026-12", date(2026, 12, 31), date(2027, 1, 1), ["32.26"]),
    ("2027-01", date(2026, 12, 31), date(2027, 1, 1), ["32.26"]),
]


@pytest.mark.parametrize(("period", "start", "end", "expected"), MONTHS)
def test_a_day_costs_its_part_of_its_own_month(
    period: str, start: date | None, end: date | None, expected: list[str]
) -> None:
    deal = contract(fees(service("1000", start=start, end=end)), proration="daily")

    assert amounts(bill(deal, facts(period=Period.parse(period)))) == expected


@given(st.decimals("0.01", "99999", places=2), st.dates(date(2026, 1, 2), date(2029, 12, 31)))
def test_a_fee_that_changes_rows_inside_a_month_bills_the_month_to_the_cent(fee: Decimal, change: date) -> None:
    """No day is lost and none is paid twice: only the rounding of two lines instead of one may differ."""
    rows = fees(service(str(fee), "Valet", end=change - timedelta(days=1)), service(str(fee), "Self", start=change))

    outcome = bill(contract(rows, proration="daily"), facts(period=Period.of(change)))

    assert abs(sum(line.amount for line in outcome.lines) - fee) <= money("0.01")


def test_proration_says_so_in_the_trace() -> None:
    line = bill(contract(fees(service("1000", start=OCT_16)), proration="daily"), facts()).lines[0]

    assert line.trace.steps == (Step("Monthly fee $1,000.00 for 16 of 31 days", money("516.13")),)
    assert (line.trace.inputs["days"], line.trace.inputs["daysOfMonth"]) == (16, 31)


def test_the_days_of_a_contract_that_ends_inside_the_month_count_with_daily_proration() -> None:
    deal = contract(fees(service("3100")), proration="daily", end_date=OCT_16)

    assert amounts(bill(deal, facts())) == ["1600.00"]


def test_a_block_that_is_off_bills_nothing() -> None:
    assert amounts(bill(contract(fees(service("100"), enabled=False)), facts())) == []


def test_a_missing_fee_fails_the_contract_and_bills_nothing_in_part() -> None:
    assert codes(bill(contract(fees(service("100"), service(None, "Self"))), facts())) == ["NULL_NUMBER"]


def test_a_group_that_does_not_exist_fails_the_contract() -> None:
    assert codes(bill(grouped(fees(service("100", group=3))), facts())) == ["GROUP_UNKNOWN"]


def test_an_advanced_contract_bills_fees_ahead_and_needs_no_facts() -> None:
    deal = contract(fees(service("100")), billing_type="Advanced")

    assert amounts(bill(deal, facts(period=Period(2027, 1)))) == ["100.00"]


def test_a_line_names_the_row_of_the_contract_and_its_days() -> None:
    row = service("1234.5", "Valet", id="row-7", display_name="Valet Parking")

    (line,) = bill(contract(fees(row)), facts()).lines

    assert line.trace.inputs == {
        "fee": money("1234.5"),
        "service": "Valet",
        "row": "row-7",
        "days": 31,
        "daysOfMonth": 31,
    }
    assert line.title == "Valet Parking"
