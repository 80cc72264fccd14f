"""What a rate is in a service period: the vectors of requirements 2.9, and rules R10, R12, R13, R14, R32 and R43.

Unless a test says otherwise, rates are stated as of June 2026.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from shared_code.contracts.legacy import read_legacy
from shared_code.contracts.rates.fields import rates_of, with_rates
from shared_code.contracts.rates.rules import MONTHS
from shared_code.contracts.schema import (
    ClaimsCapped,
    Component,
    Escalator,
    FeeFixed,
    GreaterOf,
    IndexRule,
    InsuranceOnAccounts,
    NonGlAmount,
    ProfitShareOn,
    PtebPercentage,
    SupportFixed,
)
from shared_code.contracts.schema.base import Month
from shared_code.contracts.schema.escalation import TARGETS
from shared_code.foundation.calendar import Period
from shared_code.foundation.money import to_cents
from tests.unit.contracts import parts
from tests.unit.contracts.documents import ARCHETYPES, contract, edited, legacy_file, money
from tests.unit.contracts.rated import (
    FEE,
    amount,
    bills,
    eci,
    fee,
    fee_jobs,
    fee_pct,
    hours,
    pct,
    points,
    profit,
    pteb,
    rule,
    terms,
    values,
)

# each with its name, a component, the escalators of it, and the rates by period
VECTORS: list[tuple[str, Component, list[Escalator], dict[str, list[str]]]] = [
    (
        "TV-ESC-1",  # the old job ran on the last Friday of December; by R12 the service month counts: the same amounts
        parts.agreement(fee=FeeFixed(amount=money("1000"))),
        [pct("managementAgreement.fee", "5")],
        {"2026-12": ["1000"], "2027-01": ["1050.00"], "2027-12": ["1050.00"], "2028-01": ["1102.50"]},
    ),
    (
        "TV-ESC-2",
        parts.agreement(fee=FeeFixed(amount=money("1000"))),
        [amount("managementAgreement.fee", "100")],
        {"2026-12": ["1000"], "2027-01": ["1100.00"]},
    ),
    (
        "TV-ESC-3",  # from the last Friday of February: it billed February late; R12: February 25.00, March 25.75
        hours("25.00", None),
        [pct("perLaborHour.rate", "3", "March")],
        {"2027-02": ["25.00", "None"], "2027-03": ["25.75", "None"]},
    ),
    (
        "TV-ESC-4",
        hours("25.00", "35.00"),
        [amount("perLaborHour.otRate", "2.00")],
        {"2027-01": ["25.00", "37.00"]},
    ),
    (
        "TV-ESC-5",
        fee_jobs(("25", "35"), ("20", "30")),
        [
            amount("managementAgreement.fee.rate", "2.00", "March"),
            amount("managementAgreement.fee.otRate", "3.00", "March"),
        ],
        {"2027-02": ["25", "35", "20", "30"], "2027-03": ["27.00", "38.00", "22.00", "33.00"]},
    ),
    (
        "TV-ESC-7",
        fee_pct("10.00"),
        [pct("managementAgreement.fee", "10", "July")],
        {"2026-06": ["10.00"], "2026-07": ["11.00"]},
    ),
    (
        "TV-ESC-8",
        fee_pct("25"),
        [points("managementAgreement.fee", "2")],
        {"2027-01": ["27.00"]},
    ),
    ("TV-ESC-8 in the rules' text", fee_pct("10"), [points("managementAgreement.fee", "2")], {"2027-01": ["12.00"]}),
    (
        "TV-ESC-9",
        pteb("25"),
        [pct("billableAccounts.pteb", "5", "March")],
        {"2027-03": ["26.25"], "2028-03": ["27.56"], "2029-03": ["28.94"]},
    ),
    (
        "TV-ESC-10",
        pteb("25"),
        [amount("billableAccounts.pteb", "2", "July")],
        {"2026-07": ["27.00"], "2027-07": ["29.00"], "2028-07": ["31.00"]},
    ),
    (
        "TV-ESC-12",
        parts.fees(*(parts.fee(id=row, fee=money(value)) for row, value in (("a", "25"), ("b", "30"), ("c", "35")))),
        [pct(FEE, size, target_id=row) for row, size in (("a", "3"), ("b", "4"), ("c", "5"))],
        {"2027-01": ["25.75", "31.20", "36.75"]},
    ),
    (
        "TV-PLH-4 by R13: 25.83, where the document adds 3 dollars to 28.08",
        hours("25.08", "25.08"),
        [pct("perLaborHour.rate", "3")],
        {"2026-12": ["25.08", "25.08"], "2027-01": ["25.83", "25.83"]},
    ),
    (
        "TV-PLH-5",
        hours("10.00", "20.00"),
        [pct("perLaborHour.rate", "10")],
        {"2026-12": ["10.00", "20.00"], "2027-01": ["11.00", "22.00"]},
    ),
    (
        "TV-PLH-10",
        hours("20.00", "30.00"),
        [pct("perLaborHour.rate", "5")],
        {"2026-12": ["20.00", "30.00"], "2027-01": ["21.00", "31.50"]},
    ),
    (
        "TV-FF-8",
        fee("7096.27"),
        [pct(FEE, "3", "July")],
        {"2026-06": ["7096.27"], "2026-07": ["7309.16"]},
    ),
]


@pytest.mark.parametrize(("name", "part", "rules", "expected"), VECTORS, ids=[case[0] for case in VECTORS])
def test_the_vectors_of_escalation(
    name: str, part: Component, rules: list[Escalator], expected: dict[str, list[str]]
) -> None:
    found = {period: bills(part, *rules, period=period) for period in expected}

    assert found == expected, name


def test_tv_ff_8b_advanced_contracts_escalate_with_the_service_month_too() -> None:
    """The old job raised it on the last weekday of May; the July statement bills the new fee either way."""
    deal = {"billing_type": "Advanced"}

    assert bills(fee("7096.27"), pct(FEE, "3", "July"), period="2026-06", **deal) == ["7096.27"]
    assert bills(fee("7096.27"), pct(FEE, "3", "July"), period="2026-07", **deal) == ["7309.16"]


@pytest.mark.parametrize("billing_type", ["Arrears", "Advanced"])
@pytest.mark.parametrize("month", MONTHS)
def test_every_month_of_an_increment_works_in_advance_and_in_arrears(billing_type: str, month: Month) -> None:
    """The old job never raised advanced contracts in January and February (billing-flows 13.2, 4)."""
    since = Period(2027, MONTHS.index(month) + 1)
    deal = contract(
        fee("100"),
        hours("20", "30"),
        billing_type=billing_type,
        escalators=(
            pct(FEE, "3", month),
            pct("perLaborHour.rate", "3", month),
        ),
    )
    stated = date(2026, 12, 1)

    assert [str(rate.value) for rate in terms(deal, str(since.previous), stated).rates] == ["100", "20", "30"]
    assert [str(rate.value) for rate in terms(deal, str(since), stated).rates] == ["103.00", "20.60", "30.90"]


INCREMENTS = [
    # archetype with its increment, each block that is on
    ("A16", "April", "3", {"perLaborHour"}),
    ("A17", "July", "2", {"perLaborHour"}),
    ("A20", "February", "3", {"fixedFee"}),
    ("A22", "December", "6", {"fixedFee", "perLaborHour"}),
]


@pytest.mark.parametrize(("name", "month", "size", "raised"), INCREMENTS)
def test_the_increment_of_a_legacy_file_raises_fees_and_hours_and_nothing_else(
    name: str, month: Month, size: str, raised: set[str]
) -> None:
    """Contract-corpus 5.2, Escalator; billing-flows 13.2. The old job left rates unrounded, R13 rounds each step."""
    deal = read_legacy(*legacy_file(name)).contract
    since = Period(2027, MONTHS.index(month) + 1)

    before, after = (terms(deal, str(period), date(2026, 12, 31)).rates for period in (since.previous, since))

    assert {new.key.split("/")[0] for old, new in zip(before, after, strict=True) if old.value != new.value} == raised
    assert [new.value for new in after] == [
        to_cents(old.value * (100 + money(size)) / 100) if old.value and old.key.split("/")[0] in raised else old.value
        for old in before
    ]


STEPS = [
    # fields of the agreement in today's application, what its fee becomes in March 2027 and March 2028
    ({"managementFeeEscalatorType": "Percentage", "managementFeeEscalatorValue": 5}, "1050.00", "1102.50"),
    ({"managementFeeEscalatorType": "FixedAmount", "managementFeeEscalatorValue": 100}, "1100.00", "1200.00"),
    ({"managementFeeEscalatorType": None, "managementFeeEscalatorValue": 100}, "1000.0", "1000.0"),
    ({"managementFeeEscalatorEnabled": False}, "1000.0", "1000.0"),
]


@pytest.mark.parametrize(("fields", "first", "second"), STEPS)
def test_the_escalator_of_a_fee_in_a_legacy_file_is_followed(
    fields: dict[str, object], first: str, second: str
) -> None:
    """Billing-flows 13.1. A kind that the old job did not know emptied its list; here it raises nothing."""
    step = {
        "managementFeeEscalatorEnabled": True,
        "managementFeeEscalatorMonth": 3,
        "managementFeeEscalatorType": "Percentage",
        "managementFeeEscalatorValue": 5,
    }

    def edit(original: dict[str, Any]) -> None:
        [row] = original["managementAgreement"]["ManagementFees"]
        row.update({"managementAgreementType": "FixedFee", "fixedFeeAmount": 1000.0, **step, **fields})

    deal = read_legacy(edited("A10", edit), legacy_file("A10")[1]).contract
    fees = [terms(deal, period).agreements[0].fee for period in ("2027-03", "2028-03")]

    assert fees == [FeeFixed(amount=money(first)), FeeFixed(amount=money(second))]


def test_tv_esc_11_a_percentage_is_shown_as_it_was_entered() -> None:
    [rate] = terms(contract(pteb("3.5"), escalators=(pct("billableAccounts.pteb", "3.50"),)), "2027-01").rates

    assert rate.explanation == ("3.5 % stated as of 2026-06-01 by version 1", "2027-01-01: 3.5 % to 3.62 %, 3.5 % more")


def test_tv_esc_13_the_greater_of_a_percentage_and_an_index() -> None:
    deal = contract(hours("20.00", "30.00"), escalators=(rule(GreaterOf, "perLaborHour.rate", pct="3", index="eci"),))

    assert [str(rate.value) for rate in terms(deal, "2027-01", indexes=eci(y2027="4.2")).rates] == ["20.84", "31.26"]


RUN_DAYS = [
    # vector, month, the day on which the old job ran, last old period and first new one by R12
    ("TV-ESC-15, March", "March", date(2025, 2, 28), "2025-02", "2025-03"),
    ("TV-ESC-15, July", "July", date(2025, 6, 27), "2025-06", "2025-07"),
    ("TV-ESC-15, January", "January", date(2025, 12, 26), "2025-12", "2026-01"),
    ("TV-ESC-16, last weekday of August", "September", date(2025, 8, 29), "2025-08", "2025-09"),
]


@pytest.mark.parametrize(
    ("_vector", "month", "run_day", "before", "since"), RUN_DAYS, ids=[case[0] for case in RUN_DAYS]
)
def test_no_day_of_a_job_decides_only_the_service_month(
    _vector: str, month: str, run_day: date, before: str, since: str
) -> None:
    """What the old job changed on its day served whatever was billed after it; R12 asks for the service month alone."""
    deal = contract(fee("100"), escalators=(pct(FEE, "5", month),))
    stated = date(2025, 1, 1)

    assert f"{run_day:%Y-%m}" == before
    assert values(terms(deal, before, stated)) == {"fixedFee/f/fee": money("100")}
    assert values(terms(deal, since, stated)) == {"fixedFee/f/fee": money("105")}


BASES = [
    # month of the rule, rates as of, period, fee, warnings
    ("July", "2026-06-01", "2026-06", "100", []),
    ("July", "2026-06-01", "2026-07", "103", []),
    ("July", "2026-07-01", "2026-07", "100", []),  # rates of July have it already
    ("July", "2026-07-01", "2027-06", "100", []),
    ("July", "2026-07-01", "2027-07", "103", []),
    ("July", "2026-07-15", "2026-08", "100", []),  # so has a version of 15 July: the first July after it is next year's
    ("August", "2026-07-15", "2026-08", "103", []),
    ("July", "2026-06-01", "2026-03", "100", ["RATE_BEFORE_BASE"]),
    ("January", "2026-11-01", "2027-01", "103", []),
]


@pytest.mark.parametrize("exceptions", [[], [{"year": 2050, "action": "skip"}]], ids=["alone", "with an exception"])
@pytest.mark.parametrize(("month", "stated", "period", "expected", "warned"), BASES)
def test_the_first_step_is_in_the_first_such_month_strictly_after_the_base(
    month: str, stated: str, period: str, expected: str, warned: list[str], exceptions: list[dict[str, object]]
) -> None:
    raised = pct(FEE, "3", month, exceptions=exceptions)
    found = terms(contract(fee("100"), escalators=(raised,)), period, date.fromisoformat(stated))

    assert found.services[0].fee == money(expected)
    assert [note.code for note in found.rate_warnings] == warned


def test_a_contract_without_escalators_is_warned_of_before_its_base_too() -> None:
    found = terms(contract(fee("100"), parts.rooms()), "2026-05")

    assert [(note.code, note.message) for note in found.rate_warnings] == [
        ("RATE_BEFORE_BASE", "billed at the rates of 2026-06, the first that are known (rules R12)")
    ]


def test_the_base_of_a_dated_row_is_its_later_start_and_a_row_with_an_end_escalates_too() -> None:
    """Rules R43."""
    rows = (
        parts.fee(id="old", start=date(2020, 1, 1), end=date(2027, 6, 30)),
        parts.fee(id="new", start=date(2027, 1, 1)),
    )
    deal = contract(parts.fees(*rows), escalators=(pct(FEE, "3"),))

    assert values(terms(deal, "2027-01")) == {"fixedFee/old/fee": money("103"), "fixedFee/new/fee": money("100")}
    assert values(terms(deal, "2028-01")) == {"fixedFee/new/fee": money("103")}


def test_every_row_of_a_component_is_raised_unless_the_rule_names_one() -> None:
    two = parts.fees(parts.fee(id="A"), parts.fee(id="b", fee=money("200")))

    assert bills(two, pct(FEE, "3"), period="2027-01") == ["103.00", "206.00"]
    assert bills(two, pct(FEE, "3", target_id=" a "), period="2027-01") == ["103.00", "200"]
    assert bills(two, pct(FEE, "3"), pct(FEE, "5", target_id="b"), period="2027-01") == ["103.00", "210.00"]


OVERTIME = [
    ([pct("perLaborHour.rate", "3")], ["20.60", "30.90"]),  # as the yearly increment of the contract (ESC-02)
    ([amount("perLaborHour.rate", "1")], ["21.00", "30"]),
    ([pct("perLaborHour.rate", "3"), amount("perLaborHour.otRate", "1")], ["20.60", "31.00"]),
    ([pct("perLaborHour.otRate", "10")], ["20", "33.00"]),
]


@pytest.mark.parametrize(("rules", "expected"), OVERTIME)
def test_overtime_goes_along_with_percentages_unless_it_has_a_rule_of_its_own(
    rules: list[Escalator], expected: list[str]
) -> None:
    assert bills(hours("20", "30"), *rules, period="2027-01") == expected


def test_the_fee_by_hours_of_an_agreement_is_raised_as_a_whole_or_by_job() -> None:
    jobs = fee_jobs(("20", "30"), ("40", "60"))
    fee_rule = pct("managementAgreement.fee", "5")

    assert bills(jobs, fee_rule, period="2027-01") == ["21.00", "31.50", "42.00", "63.00"]
    one = amount("managementAgreement.fee.rate", "3", target_id="J0")
    assert bills(jobs, fee_rule, one, period="2027-01") == ["23.00", "31.50", "42.00", "63.00"]


def test_each_tier_of_a_profit_share_has_its_own_step() -> None:
    share = "managementAgreement.profitShare"
    rules = (pct(share, "10", target_id="1"), points(share, "5").model_copy(update={"target_id": "2"}))

    assert bills(profit("20", "40"), *rules, period="2027-01") == ["0", "22.00", "45.00"]


def test_rows_that_the_period_does_not_bill_are_neither_raised_nor_spoken_of() -> None:
    part = parts.fees(parts.fee(end=date(2026, 12, 31)), enabled=True)
    off = parts.accounts(enabled=False, pteb=PtebPercentage(pct=money("99")))
    rules = (rule(IndexRule, FEE, index="ECI"), pct("billableAccounts.pteb", "5"))

    found = terms(contract(part, off, escalators=rules), "2027-01")

    assert (found.rates, found.rate_warnings, found.services) == ((), (), ())


def test_every_target_raises_something() -> None:
    """A target that is documented and not computed would be billed as it stands, without a sign."""
    parts_of_all = (
        fee("100"),
        hours("20", "30"),
        parts.rooms(),
        parts.share(parts.structure(tiers=(parts.tier("20", "1000"), parts.tier("30")))),
        parts.advances(parts.advance()),
        parts.accounts(pteb=PtebPercentage(pct=money("20")), support=SupportFixed(amount=money("10"))),
    )
    management = parts.agreement(
        insurance=InsuranceOnAccounts(additional_pct=money("12")),
        profit_share=ProfitShareOn(accumulation="Monthly", tiers=(parts.tier("10"),)),
        claims=ClaimsCapped(kind="AnnualCalendar", cap=money("1000")),
        non_gl_enabled=True,
        non_gl=(NonGlAmount(id="n", title="Device", amount=money("10")),),
    )
    aims = {
        aim.target for rate in rates_of(contract(*parts_of_all, management, fee_jobs(("1", "2")))) for aim in rate.aims
    }

    assert aims == set(TARGETS)


@pytest.mark.parametrize("name", ARCHETYPES)
def test_a_walk_that_changes_nothing_gives_the_same_component(name: str) -> None:
    deal = read_legacy(*legacy_file(name)).contract

    assert all(with_rates(part, lambda rate: rate.value) is part for part in deal.components)
    keys = [rate.key for rate in rates_of(deal)]
    assert len(keys) == len(set(keys))


def test_rows_of_one_id_are_told_apart() -> None:
    keys = [rate.key for rate in rates_of(contract(parts.fees(parts.fee(), parts.fee(id="F "))))]

    assert keys == ["fixedFee/f/fee", "fixedFee/f#2/fee"]


def test_a_rate_that_nobody_has_entered_stays_unknown() -> None:
    [found] = terms(contract(parts.fees(parts.fee(fee=None)), escalators=(pct(FEE, "3"),)), "2027-01").rates

    assert (found.value, found.explanation[1]) == (None, "2027-01-01: no value to no value, nothing to raise")


def test_rounding_is_half_away_from_zero_after_each_step() -> None:
    """Rules R13: 10.10 × 1.05 = 10.605, and what follows starts from the 10.61."""
    found = [bills(fee("10.10"), pct(FEE, "5"), period=f"{year}-01")[0] for year in (2027, 2028)]

    assert found == ["10.61", str((Decimal("10.61") * Decimal("1.05")).quantize(Decimal("0.01")))]
