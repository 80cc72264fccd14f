"""The rules of a contract: one row per way to break one, with its reason code, place and weight (rules R61)."""

from datetime import date
from typing import Any

import pytest

from shared_code.contracts.findings import refusal
from shared_code.contracts.schema import (
    ClaimsCapped,
    Component,
    Contract,
    FeeFixed,
    FeeHourly,
    FeeJob,
    FeePercentage,
    InsuranceFixed,
    InsuranceOnAccounts,
    InvoiceGroup,
    NonGlAmount,
    NonGlPayroll,
    NonGlRevenue,
    ProfitShareOn,
    PtebPercentage,
    Site,
    SupportFixed,
    SupportPercentage,
    ValidationMoney,
    ValidationPercentage,
    ValidationVehicles,
)
from shared_code.contracts.validation import check
from shared_code.foundation.calendar import Period
from tests.unit.contracts import parts
from tests.unit.contracts.documents import contract, money
from tests.unit.contracts.parts import tier

Case = tuple[str, list[Component], dict[str, Any], list[tuple[str, str, str]]]
TEN, OVER = money("10"), money("100.01")
TWO_GROUPS = (InvoiceGroup(id="g1", number=1), InvoiceGroup(id="g2", number=2))
EXPENSE = {"id": "n", "title": "Device"}

SOUND: list[tuple[str, list[Component], dict[str, Any]]] = [
    ("a fixed fee", [parts.fees(parts.fee())], {}),
    ("a fee in advance", [parts.fees(parts.fee()), parts.advances(parts.advance())], {"billing_type": "Advanced"}),
    ("fixed management in advance", [parts.agreement()], {"billing_type": "Advanced"}),
    ("group 2 of two", [parts.fees(parts.fee(group=2))], {"grouping_enabled": True, "groups": TWO_GROUPS}),
    ("grouping on without groups", [parts.fees(parts.fee())], {"grouping_enabled": True}),
    ("100 % then 0 %", [parts.share(parts.structure(tiers=(tier("100", "50"), tier("0"))))], {}),
    (
        "insurance at 300 %",
        [parts.accounts(), parts.agreement(insurance=InsuranceOnAccounts(additional_pct=money("300")))],
        {},
    ),
    ("no claims cap", [parts.accounts(), parts.agreement(claims=ClaimsCapped(kind="AnnualCalendar", cap=None))], {}),
    ("vehicles without a number", [parts.share(parts.structure(validation=ValidationVehicles(value=None)))], {}),
    (
        "one job before and after a raise",
        [parts.hours(parts.job(end=date(2026, 3, 31)), parts.job(start=date(2026, 4, 1)))],
        {},
    ),
    ("a broken block that is off", [parts.fees(parts.fee(fee=None, group=9), enabled=False)], {}),
    ("expenses that are off", [parts.agreement(non_gl=(NonGlAmount(**EXPENSE, amount=None),))], {}),
]


@pytest.mark.parametrize(("components", "fields"), [row[1:] for row in SOUND], ids=[row[0] for row in SOUND])
def test_a_sound_contract_has_no_findings(components: list[Component], fields: dict[str, Any]) -> None:
    assert check(contract(*components, **fields)) == []


def _structures(**second: Any) -> Component:
    first = parts.structure(validation=ValidationPercentage(value=TEN))
    return parts.share(first, parts.structure(revenue_codes=("SM1",), **second))


AT = "/components/0"
ROW = f"{AT}/lines/0"
TIERS = f"{AT}/structures/0/tiers"
DEAL = f"{AT}/agreements/0"
BLOCK = f"{AT}/blocks/0"
BROKEN: list[Case] = [
    ("group without grouping", [parts.rooms(group=2)], {}, [("GROUP_UNKNOWN", f"{AT}/group", "error")]),
    (
        "group that is not listed",
        [parts.fees(parts.fee(group=3))],
        {"grouping_enabled": True, "groups": TWO_GROUPS},
        [("GROUP_UNKNOWN", f"{ROW}/group", "error")],
    ),
    (
        "both groups of the accounts",
        [parts.accounts(payroll_group=4, expense_group=0)],
        {},
        [("GROUP_UNKNOWN", f"{BLOCK}/payrollGroup", "error"), ("GROUP_UNKNOWN", f"{BLOCK}/expenseGroup", "error")],
    ),
    (
        "group 100",
        [parts.fees(parts.fee(group=100))],
        {"grouping_enabled": True, "groups": (InvoiceGroup(id="g", number=100),)},
        [("GROUP_TOO_HIGH", "/groups/0/number", "error")],
    ),
    (
        "a group twice",
        [parts.fees(parts.fee())],
        {"grouping_enabled": True, "groups": (TWO_GROUPS[0], TWO_GROUPS[0])},
        [("GROUP_REPEATED", "/groups/1/number", "error")],
    ),
    ("a second row", [parts.deposits(2)], {}, [("SECOND_ROW", f"{AT}/items/1", "error")]),
    ("a block twice", [parts.rooms(), parts.rooms()], {}, [("COMPONENT_REPEATED", "/components/1", "error")]),
    ("a block without rows", [parts.fees()], {}, [("EMPTY_BLOCK", f"{AT}/lines", "warning")]),
    ("no fee", [parts.fees(parts.fee(fee=None))], {}, [("NULL_NUMBER", f"{ROW}/fee", "incomplete")]),
    ("no rate", [parts.hours(parts.job(rate=None))], {}, [("NULL_NUMBER", f"{ROW}/rate", "incomplete")]),
    ("no overtime rate", [parts.hours(parts.job(ot_rate=None))], {}, [("NULL_NUMBER", f"{ROW}/otRate", "warning")]),
    ("no room rate", [parts.rooms(room_rate=None)], {}, [("NULL_NUMBER", f"{AT}/roomRate", "incomplete")]),
    (
        "no advance",
        [parts.advances(parts.advance(amount=None))],
        {},
        [("NULL_NUMBER", f"{AT}/items/0/amount", "incomplete")],
    ),
    (
        "a fee that ends before it starts",
        [parts.fees(parts.fee(start=date(2026, 2, 1), end=date(2026, 1, 31)))],
        {},
        [("DATES_REVERSED", f"{ROW}/start", "error")],
    ),
    (
        "an advance that ends before it starts",
        [parts.advances(parts.advance(start=Period(2026, 2), end=Period(2026, 1)))],
        {},
        [("DATES_REVERSED", f"{AT}/items/0/start", "error")],
    ),
    (
        "a contract that ends before it starts",
        [parts.rooms()],
        {"start_date": date(2026, 2, 1), "end_date": date(2026, 1, 1)},
        [("DATES_REVERSED", "/startDate", "error")],
    ),
    (
        "one job twice",
        [parts.hours(parts.job(), parts.job(job_code=" gsa"))],
        {},
        [("JOB_CODE_REPEATED", f"{AT}/lines/1/jobCode", "error")],
    ),
    (
        "codes in two structures",
        [parts.share(parts.structure(), parts.structure(revenue_codes=("SM1", "sd1 ")))],
        {},
        [("CODES_OVERLAP", f"{AT}/structures/1/revenueCodes/1", "error")],
    ),
    (
        "another validation rule",
        [_structures(validation=ValidationMoney(value=TEN))],
        {},
        [("VALIDATION_DIFFERS", f"{AT}/structures/1/validation", "error")],
    ),
    (
        "no tiers",
        [parts.share(parts.structure(tiers=()))],
        {},
        [("TIERS_INVALID", TIERS, "incomplete")],
    ),
    (
        "tiers out of order",
        [parts.share(parts.structure(tiers=(tier("5", "20"), tier("5", "10"), tier("5"))))],
        {},
        [("TIERS_INVALID", f"{TIERS}/1/upTo", "error")],
    ),
    (
        "unbounded in the middle",
        [parts.share(parts.structure(tiers=(tier("5"), tier("5", "10"))))],
        {},
        [("TIERS_INVALID", f"{TIERS}/1/upTo", "error"), ("TIERS_INVALID", f"{TIERS}/1/upTo", "warning")],
    ),
    (
        "a bounded last tier",
        [parts.share(parts.structure(tiers=(tier("5", "10"),)))],
        {},
        [("TIERS_INVALID", f"{TIERS}/0/upTo", "warning")],
    ),
    (
        "a share above 100",
        [parts.share(parts.structure(tiers=(tier("100.01"),)))],
        {},
        [("TIERS_INVALID", f"{TIERS}/0/sharePct", "error")],
    ),
    (
        "a tier without a share",
        [parts.share(parts.structure(tiers=(tier(None),)))],
        {},
        [("NULL_NUMBER", f"{TIERS}/0/sharePct", "incomplete")],
    ),
    (
        "no validation percentage",
        [parts.share(parts.structure(validation=ValidationPercentage(value=None)))],
        {},
        [("NULL_NUMBER", f"{AT}/structures/0/validation/value", "incomplete")],
    ),
    (
        "PTEB above 100",
        [parts.accounts(pteb=PtebPercentage(pct=OVER))],
        {},
        [("PERCENT_RANGE", f"{BLOCK}/pteb/pct", "error")],
    ),
    (
        "no support percentage",
        [parts.accounts(support=SupportPercentage(pct=None))],
        {},
        [("NULL_NUMBER", f"{BLOCK}/support/pct", "incomplete")],
    ),
    (
        "no support amount",
        [parts.accounts(support=SupportFixed(amount=None))],
        {},
        [("NULL_NUMBER", f"{BLOCK}/support/amount", "incomplete")],
    ),
    (
        "no management fee",
        [parts.agreement(fee=FeeFixed(amount=None))],
        {},
        [("NULL_NUMBER", f"{DEAL}/fee/amount", "incomplete")],
    ),
    (
        "a fee above 100 %",
        [parts.agreement(fee=FeePercentage(pct=OVER))],
        {},
        [("PERCENT_RANGE", f"{DEAL}/fee/pct", "error")],
    ),
    (
        "no jobs",
        [parts.agreement(fee=FeeHourly())],
        {},
        [("NO_JOBS", f"{DEAL}/fee/jobCodes", "incomplete")],
    ),
    (
        "a fee job twice",
        [parts.agreement(fee=FeeHourly(job_codes=(FeeJob(code="A", rate=TEN, ot_rate=TEN),) * 2))],
        {},
        [("JOB_CODE_REPEATED", f"{DEAL}/fee/jobCodes/1/code", "error")],
    ),
    (
        "no insurance amount",
        [parts.agreement(insurance=InsuranceFixed(amount=None))],
        {},
        [("NULL_NUMBER", f"{DEAL}/insurance/amount", "incomplete")],
    ),
    (
        "a cap of 0",
        [parts.agreement(claims=ClaimsCapped(kind="AnnualCalendar", cap=money("0"))), parts.accounts()],
        {},
        [("CAP_ZERO", f"{DEAL}/claims/cap", "incomplete")],
    ),
    (
        "insurance, claims and payroll items without accounts",
        [
            parts.agreement(
                insurance=InsuranceOnAccounts(additional_pct=TEN),
                claims=ClaimsCapped(kind="PerClaim", cap=None),
                non_gl_enabled=True,
                non_gl=(NonGlPayroll(**EXPENSE, pct=TEN),),
            ),
            parts.accounts(enabled=False),
        ],
        {},
        [("ACCOUNTS_OFF", f"{DEAL}/{name}", "error") for name in ("insurance", "claims", "nonGl")],
    ),
    (
        "a profit share without tiers",
        [parts.agreement(profit_share=ProfitShareOn(accumulation="Monthly", tiers=()))],
        {},
        [("TIERS_INVALID", f"{DEAL}/profitShare/tiers", "warning")],
    ),
    (
        "an expense without its number, and one above 100 %",
        [
            parts.agreement(
                non_gl_enabled=True,
                non_gl=(NonGlAmount(**EXPENSE, amount=None), NonGlRevenue(**EXPENSE, pct=OVER)),
            )
        ],
        {},
        [("NULL_NUMBER", f"{DEAL}/nonGl/0/amount", "incomplete"), ("PERCENT_RANGE", f"{DEAL}/nonGl/1/pct", "error")],
    ),
    (
        "hours in advance",
        [parts.hours(parts.job())],
        {"billing_type": "Advanced"},
        [("ADVANCED_WITH_FACTS", AT, "error")],
    ),
    (
        "a share of revenue in advance",
        [parts.agreement(fee=FeePercentage(pct=TEN))],
        {"billing_type": "Advanced"},
        [("ADVANCED_WITH_FACTS", DEAL, "error")],
    ),
    (
        "an increment that nothing applies",
        [parts.rooms()],
        {"increment_pct": money("3")},
        [("INCREMENT_UNUSED", "/incrementPct", "warning")],
    ),
]


@pytest.mark.parametrize(
    ("components", "fields", "findings"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN]
)
def test_a_broken_rule_is_found(
    components: list[Component], fields: dict[str, Any], findings: list[tuple[str, str, str]]
) -> None:
    found = check(contract(*components, **fields))

    assert [(finding.code, finding.pointer, finding.severity) for finding in found] == findings
    assert all(finding.message for finding in found)


def two_errors() -> Contract:
    return contract(parts.rooms(group=2, room_rate=None), parts.deposits(2))


def test_a_second_row_of_a_legacy_contract_is_a_warning() -> None:
    severities = {finding.code: finding.severity for finding in check(two_errors(), legacy=True)}

    assert severities == {"GROUP_UNKNOWN": "error", "NULL_NUMBER": "incomplete", "SECOND_ROW": "warning"}


def test_an_import_tells_what_generation_refuses_so_that_every_contract_of_a_portfolio_loads() -> None:
    first = parts.structure(validation=ValidationPercentage(value=TEN))
    other = parts.structure(revenue_codes=("SM1",), validation=ValidationMoney(value=TEN))
    group = InvoiceGroup(id="g", number=1, site_number="12")
    deal = contract(parts.share(first, other), grouping_enabled=True, groups=(group,))

    told = [(finding.code, finding.severity) for finding in check(deal, legacy=True)]

    assert told == [("SITE_NUMBER_INVALID", "warning"), ("VALIDATION_DIFFERS", "warning")]
    assert [finding.severity for finding in check(deal)] == ["error", "error"]


def test_the_site_of_a_contract_itself_must_be_a_site_number_at_import_too() -> None:
    deal = contract(parts.rooms(), site=Site(number="12", customer_name="Larch Street Garage"))

    assert [(f.code, f.severity) for f in check(deal, legacy=True)] == [("SITE_NUMBER_INVALID", "error")]


def test_a_refusal_names_every_error_and_nothing_else() -> None:
    error = refusal(check(two_errors()))

    assert error is not None
    assert (error.code, error.kind.status) == ("CONTRACT_GROUP_UNKNOWN", 422)
    assert [detail.field for detail in error.details] == ["/components/0/group", "/components/1/items/1"]


def test_what_is_only_incomplete_is_saved_and_not_generated() -> None:
    findings = check(contract(parts.rooms(room_rate=None)))

    assert refusal(findings) is None
    assert [finding.blocks_generation for finding in findings] == [True]
