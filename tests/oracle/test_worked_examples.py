"""The oracle itself meets worked examples that were computed by hand (billing-flows 18), so that it can be a judge.

A contract-month is a few blocks and rows; what is compared are the lines as (title, cents).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.oracle import oracle
from tests.oracle.case import UNITS, Case, LedgerRow, Month, OpeningRow, RevenueRow, TimesheetRow

MONTH: Month = (2026, 9)
SHARE, VALIDATED = f"{oracle.OPERATOR} Fees for Services", f"{oracle.OPERATOR} Fees for Validated Parking"
PROFIT = f"{oracle.OPERATOR} Profit Share"


def _case(*components: dict[str, Any], **more: Any) -> Case:
    contract = {"billingType": "Arrears", "components": [{**part, "enabled": True} for part in components]}
    return Case(contract | more, MONTH, date(2026, 1, 1))


def _revenue(net: int, *, month: Month = MONTH, flag: str = "N", validation: int = 0, tax: int = 0) -> RevenueRow:
    day = date(*month, 10)
    return RevenueRow(day, "SD1", "PARKING", "CASH", flag, net * UNITS, net * UNITS, tax, validation * UNITS)


def _lines(case: Case) -> list[tuple[str, int]]:
    result = oracle.bill(case)
    assert not result.reasons
    return [(line.title, line.cents) for line in result.lines]


def _tiers(*tiers: tuple[str, str | None]) -> list[dict[str, Any]]:
    return [{"sharePct": share, "upTo": bound} for share, bound in tiers]


def _share(to_date: int, this: int, tiers: list[dict[str, Any]], mark: int = 0, loss: str = "highWaterMark") -> Case:
    row = {"id": "s", "revenueCodes": ["SD1"], "accumulation": "AnnualCalendar", "tiers": tiers}
    case = _case({"kind": "revenueShare", "structures": [row | {"validation": {"kind": "none"}}]}, lossRule=loss)
    case.openings["structure", "s"] = OpeningRow((2026, 8), to_date * UNITS, max(to_date, mark, 0) * UNITS)
    case.revenue = [_revenue(this)]
    return case


DIP = _tiers(("20", "80"), ("30", None))


@pytest.mark.parametrize(
    ("case", "due"),
    [
        pytest.param(_share(0, 130_000, _tiers(("70", "100000"), ("80", None))), 94_000, id="18.1 two bands"),
        pytest.param(
            _share(250_000, 60_000, _tiers(("50", "100000"), ("60", "300000"), ("75", None))), 37_500, id="18.2 to date"
        ),
        pytest.param(_share(60, 50, DIP, mark=100, loss="reference"), 13, id="18.5 charged again after a dip"),
        pytest.param(_share(60, 50, DIP, mark=100), 3, id="18.5 by the high-water mark (R11): 3, not 13"),
        pytest.param(_share(300, 1_000, _tiers(("10", "500"))), 20, id="nothing above a last bound (R10)"),
    ],
)
def test_revenue_share(case: Case, due: int) -> None:
    assert _lines(case) == [(SHARE, due * 100)]


def test_a_negative_month_is_charged_nothing() -> None:
    """18.3."""
    assert _lines(_share(0, -500, _tiers(("50", "1000"), ("60", None)))) == []


def test_validations_carry_the_weights_of_the_bands() -> None:
    """18.6: 6,500 over the threshold, at 100/130 of 70 % and 30/130 of 80 %."""
    case = _share(0, 130_000, _tiers(("70", "100000"), ("80", None)))
    row = case.contract["components"][0]["structures"][0]
    row["validation"] = {"kind": "ValidationAmount", "value": "3500"}
    case.revenue.append(_revenue(0, flag="V", validation=10_000))
    assert _lines(case) == [(SHARE, 9_400_000), (VALIDATED, 470_000)]


def test_labor_hours_are_rounded_per_row() -> None:
    """18.8."""
    job = {"id": "j", "jobCode": "Valet", "displayName": "Valet Hours", "rate": "28.75", "otRate": "43.13"}
    case = _case({"kind": "perLaborHour", "lines": [job]})
    minutes = ((455, 0, 0), (517, 25, 0), (500, 0, 13))
    case.timesheet = [TimesheetRow(date(2026, 9, 1), "VALET", *row, 0) for row in minutes]
    assert _lines(case) == [("Valet Hours", 70_524), ("Valet Hours", 2_760)]


def test_deposited_revenue_and_parking_tax() -> None:
    """18.13."""
    row = {"id": "d", "depositedRevenueEnabled": True, "operatorPaysParkingTax": True}
    case = _case({"kind": "depositedRevenue", "items": [row]})
    case.revenue = [_revenue(20_000, tax=100_000), _revenue(50_000, flag="Y", tax=100_000)]
    assert [cents for _, cents in _lines(case)] == [200_000, -5_000_000]


def _managed(agreement: dict[str, Any], **accounts: Any) -> Case:
    """A managed site; `accounts` are the expense accounts that are on."""
    row: dict[str, Any] = {"id": "a", "fee": {"kind": "FixedFee", "amount": "0"}, "insurance": {"kind": "off"}}
    row |= {"claims": {"kind": "off"}, "profitShare": {"kind": "off"}, "validation": {"kind": "none"}} | agreement
    block = {"id": "b", "payroll": {"rows": []}, "pteb": {"kind": "off"}, "support": {"kind": "off"}}
    block |= {"payrollTitle": "Salaries", "expenseTitle": "Expenses"}
    codes = [code.removeprefix("a") for code in accounts]
    block["expense"] = {"rows": [{"code": code, "enabled": True} for code in codes]}
    case = _case({"kind": "billableAccounts", "blocks": [block]}, {"kind": "managementAgreement", "agreements": [row]})
    balances = zip(codes, accounts.values(), strict=True)
    case.ledger = [LedgerRow(MONTH, code, "01", int(balance * UNITS)) for code, balance in balances]
    return case


def test_insurance_takes_its_accounts_off_the_expenses() -> None:
    """18.9."""
    rule = {"kind": "BasedOnBillableAccounts", "additionalPct": "10", "title": "Insurance"}
    case = _managed({"insurance": rule}, a7000=1_000, a7080=2_400)
    assert _lines(case) == [("Expenses", 100_000), ("Insurance", 264_000)]


@pytest.mark.parametrize(("to_date", "billed"), [(10_000, 5_000), (48_000, 2_000), (52_000, 0)])
def test_claims_are_billed_up_to_the_yearly_cap(to_date: int, billed: int) -> None:
    """18.10: what is above the cap leaves the expenses and is not billed."""
    rule = {"kind": "AnnualCalendar", "cap": "50000", "title": "Claims"}
    case = _managed({"claims": rule}, a7000=1_000, a7100=5_000)
    case.openings["claims", "a"] = OpeningRow((2026, 8), to_date * UNITS, to_date * UNITS)
    claims = [("Claims", billed * 100)] if billed else []
    assert _lines(case) == [("Expenses", 100_000), *claims]


@pytest.mark.parametrize(
    ("profit", "to_date", "tiers", "due"),
    [
        pytest.param("55949.50", 0, _tiers(("20", "30000"), ("35", None)), 1_508_233, id="18.7 in whole cents (R1)"),
        pytest.param("10000", -4_000, _tiers(("20", "5000"), ("30", None)), 130_000, id="18.4 a loss is carried"),
    ],
)
def test_profit_share(profit: str, to_date: int, tiers: list[dict[str, Any]], due: int) -> None:
    """Revenue of 120,000 less one expense that leaves the profit of the example."""
    expense = 120_000 - float(profit)
    case = _managed({"profitShare": {"kind": "on", "accumulation": "AnnualCalendar", "tiers": tiers}}, a7000=expense)
    case.openings["profitShare", "a"] = OpeningRow((2026, 8), to_date * UNITS, 0)
    case.revenue = [_revenue(120_000)]
    assert _lines(case) == [("Expenses", round(expense * 100)), (PROFIT, due)]
