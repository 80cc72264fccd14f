"""What one escalator does to a rate over the years (rules R10, R12, R13, R14, R32, R43), and what cannot be followed.

Unless a test says otherwise, rates are stated as of June 2026.
"""

from datetime import date
from typing import Any

import pytest

from shared_code.contracts.rates.bases import bases_json, read_bases
from shared_code.contracts.schema import (
    Component,
    Escalator,
    FixedPct,
    GreaterOf,
    IndexRule,
    InsuranceOnAccounts,
    LesserOf,
    Negotiated,
)
from tests.unit.contracts import parts
from tests.unit.contracts.documents import contract, money
from tests.unit.contracts.rated import (
    FEE,
    amount,
    bills,
    eci,
    fee,
    first_version,
    hours,
    next_version,
    pct,
    points,
    profit,
    pteb,
    rule,
    schedule,
    terms,
    values,
)

CAPS = [
    (pteb("99"), pct("billableAccounts.pteb", "5"), "100.00", ["PERCENT_CAPPED"]),
    (pteb("95"), amount("billableAccounts.pteb", "5"), "100.00", []),
    (pteb("95"), schedule("billableAccounts.pteb", d2027_01_01="101"), "100.00", ["PERCENT_CAPPED"]),
]


@pytest.mark.parametrize(("part", "raised", "expected", "warned"), CAPS)
def test_a_percentage_ends_at_100_with_a_warning(
    part: Component, raised: Escalator, expected: str, warned: list[str]
) -> None:
    """Rules R10."""
    found = terms(contract(part, escalators=(raised,)), "2027-01")

    assert [str(value) for value in values(found).values()] == [expected]
    assert [note.code for note in found.rate_warnings] == warned


def test_a_surcharge_may_pass_100() -> None:
    part = parts.agreement(insurance=InsuranceOnAccounts(additional_pct=money("300")))

    found = terms(contract(part, escalators=(pct("managementAgreement.insurance", "5"),)), "2027-01")

    assert values(found)["managementAgreement/m/insurance/additionalPct"] == money("315")
    assert not found.rate_warnings


INDEXED = [
    # rule, value of the index, fee in January 2027, warnings
    (rule(IndexRule, FEE, index="ECI"), "2.5", "102.50", []),
    (rule(IndexRule, FEE, index="ECI"), "-1", "100.00", []),  # reductions are agreed as schedules only (R43)
    (rule(GreaterOf, FEE, pct="3", index=" eci "), "2.5", "103.00", []),
    (rule(GreaterOf, FEE, pct="3", index="ECI"), "3.1234", "103.12", []),
    (rule(LesserOf, FEE, pct="3", index="ECI"), "2.5", "102.50", []),
    (rule(LesserOf, FEE, pct="3", index="ECI"), "4", "103.00", []),
    (rule(LesserOf, FEE, pct="3", index="ECI"), "-4", "100.00", []),
    (rule(GreaterOf, FEE, pct="3", index="ECI"), None, "100", ["INDEX_MISSING"]),
    (rule(IndexRule, FEE, index="CPI"), "2.5", "100", ["INDEX_MISSING"]),
]


@pytest.mark.parametrize(("raised", "index", "expected", "warned"), INDEXED)
def test_an_index_of_the_year_decides_and_without_one_nothing_is_raised(
    raised: Escalator, index: str | None, expected: str, warned: list[str]
) -> None:
    """Rules R13."""
    indexes = eci(y2027=index) if index else {}

    found = terms(contract(fee("100"), escalators=(raised,)), "2027-01", indexes=indexes)

    assert [str(value) for value in values(found).values()] == [expected]
    assert [note.code for note in found.rate_warnings] == warned


def test_a_step_whose_index_is_missing_is_missing_in_later_years_as_well_and_said_so() -> None:
    deal = contract(fee("100"), escalators=(rule(IndexRule, FEE, index="ECI"),))

    found = terms(deal, "2028-05", indexes=eci(y2028="4"))

    assert values(found) == {"fixedFee/f/fee": money("104")}
    assert [note.message for note in found.rate_warnings] == [
        "ECI has no value for 2027; what it raises stays as it was"
    ]


LIMITS = [
    # fields of the rule, fee in mid 2027, in mid 2028, in mid 2029
    ({}, "103.00", "106.09", "109.27"),
    ({"first_year": 2028}, "100", "103.00", "106.09"),
    ({"until": "2027-12-31"}, "103.00", "103.00", "103.00"),
    ({"until": "2028-01-01"}, "103.00", "106.09", "106.09"),
    ({"exceptions": [{"year": 2028, "action": "skip"}]}, "103.00", "103.00", "106.09"),
    ({"exceptions": [{"year": 2028, "action": "defer", "to": "July"}]}, "103.00", "103.00", "109.27"),
    ({"exceptions": [{"year": 2028, "action": "replace", "value": "10"}]}, "103.00", "113.30", "116.70"),
    ({"exceptions": [{"year": 2028, "action": "replace", "value": "-10"}]}, "103.00", "103.00", "106.09"),
]


@pytest.mark.parametrize(("fields", "one", "two", "three"), LIMITS)
def test_first_year_end_and_exceptions(fields: dict[str, Any], one: str, two: str, three: str) -> None:
    raised = pct(FEE, "3", **fields)

    found = [bills(fee("100"), raised, period=f"{year}-06") for year in (2027, 2028, 2029)]

    assert found == [[one], [two], [three]]


def test_a_step_deferred_beyond_december_falls_due_in_the_next_year() -> None:
    raised = pct(FEE, "3", "November", exceptions=[{"year": 2026, "action": "defer", "to": "February"}])

    found = [bills(fee("100"), raised, period=period)[0] for period in ("2026-11", "2027-02", "2027-11")]

    assert found == ["100", "103.00", "106.09"]


ANNIVERSARIES = [
    ({"anchor_date": date(2020, 9, 1)}, "2026-08", "2026-09"),
    ({"anchor_date": date(2020, 9, 2)}, "2026-09", "2026-10"),  # inside a month: from the next first (R12)
    ({"anchor_date": date(2020, 12, 15)}, "2026-12", "2027-01"),
    ({"start_date": date(2021, 8, 1)}, "2026-07", "2026-08"),
    ({"anchor_date": date(2020, 9, 1), "start_date": date(2021, 8, 1)}, "2026-08", "2026-09"),
]


YOUNG = [
    # anchor in the year of the base, last month of the stated fee, first raised month
    (date(2026, 9, 1), "2027-08", "2027-09"),
    (date(2026, 9, 15), "2027-09", "2027-10"),
    (date(2026, 12, 15), "2027-12", "2028-01"),
    (date(2027, 3, 1), "2028-02", "2028-03"),
]


@pytest.mark.parametrize(("anchor", "before", "since"), YOUNG)
def test_the_first_anniversary_is_a_year_after_the_anchor_not_the_anchor_itself(
    anchor: date, before: str, since: str
) -> None:
    raised = pct(FEE, "3", "anniversary")

    assert bills(fee("100"), raised, period=before, anchor_date=anchor) == ["100"]
    assert bills(fee("100"), raised, period=since, anchor_date=anchor) == ["103.00"]


def test_an_anniversary_keeps_a_later_first_year_of_its_own() -> None:
    raised = pct(FEE, "3", "anniversary", first_year=2029)

    assert bills(fee("100"), raised, period="2028-09", anchor_date=date(2026, 9, 1)) == ["100"]
    assert bills(fee("100"), raised, period="2029-09", anchor_date=date(2026, 9, 1)) == ["103.00"]


@pytest.mark.parametrize("anchor", [date.min, date.max])
def test_an_anchor_beyond_all_years_makes_a_rule_that_can_be_stored(anchor: date) -> None:
    one = first_version(contract(fee("100"), escalators=(pct(FEE, "3", "anniversary"),), anchor_date=anchor))
    two = next_version(one, contract(fee("100"), escalators=(pct(FEE, "4"),)), date(2028, 6, 1))

    assert read_bases(bases_json(two.bases), two.bases.otherwise) == two.bases


@pytest.mark.parametrize(("dates", "before", "since"), ANNIVERSARIES)
def test_an_anniversary_is_that_of_the_anchor_else_of_the_start(
    dates: dict[str, date], before: str, since: str
) -> None:
    raised = pct(FEE, "3", "anniversary")

    assert bills(fee("100"), raised, period=before, **dates) == ["100"]
    assert bills(fee("100"), raised, period=since, **dates) == ["103.00"]


SCHEDULES = [
    # date of the step, rates as of, period, fee
    ("2026-10-01", "2026-09-01", "2026-09", "100"),
    ("2026-10-01", "2026-09-01", "2026-10", "90"),  # the one rule that reduces (R43)
    ("2026-10-01", "2026-10-01", "2026-11", "100"),  # stated for October, so they have it
    ("2026-10-02", "2026-09-01", "2026-10", "100"),  # inside a month: serves from the next first (R12)
    ("2026-10-02", "2026-09-01", "2026-11", "90"),
    ("2026-10-02", "2026-10-01", "2026-11", "90"),
    ("1999-10-02", "2026-09-01", "2026-11", "100"),
    ("2250-01-01", "2026-09-01", "2026-11", "100"),
]


@pytest.mark.parametrize(("day", "stated", "period", "expected"), SCHEDULES)
def test_a_dated_step(day: str, stated: str, period: str, expected: str) -> None:
    deal = contract(fee("100"), escalators=(schedule(FEE, **{f"d{day}": "90"}),))

    assert values(terms(deal, period, date.fromisoformat(stated))) == {"fixedFee/f/fee": money(expected)}


def test_a_dated_value_is_a_new_start_for_what_is_raised_yearly() -> None:
    rules = (pct(FEE, "10"), schedule(FEE, d2028_01_01="200", d2029_03_15="300"))

    found = [bills(fee("100"), *rules, period=f"{month}")[0] for month in ("2027-01", "2028-01", "2029-01", "2029-04")]

    assert found == ["110.00", "200", "220.00", "300"]


def test_paid_by_the_day_a_dated_value_cuts_the_month() -> None:
    rows = parts.fees(parts.fee(id="a", start=date(2026, 10, 5)), parts.fee(id="b", end=date(2026, 10, 10)))
    rules = [schedule(FEE, d2026_10_11="130").model_copy(update={"target_id": row}) for row in ("a", "b")]
    deal = contract(rows, escalators=tuple(rules), proration="daily")

    found = terms(deal, "2026-10")

    assert not found.errors
    assert [(row.id, str(row.fee), found.active_days(row)) for row in found.services] == [
        ("a", "100", 6),
        ("a", "130", 21),
        ("b", "100", 10),
    ]
    assert [str(row.fee) for row in terms(deal, "2026-11").services] == ["130"]


@pytest.mark.parametrize("status", ["proposed", "rejected"])
def test_nothing_from_a_note_counts_before_a_person_approves_it(status: str) -> None:
    """Rules R32."""
    assert bills(fee("100"), pct(FEE, "3", status=status), period="2027-01") == ["100"]


def test_a_negotiated_rate_is_a_reminder() -> None:
    assert bills(fee("100"), rule(Negotiated, FEE, "January", ceiling="5"), period="2027-01") == ["100"]


def test_a_rule_that_is_said_twice_counts_once() -> None:
    again = pct(FEE, "3.0", source="note", text="3% each January")

    assert bills(fee("100"), pct(FEE, "3"), again, period="2027-01") == ["103.00"]


AMBIGUOUS = [
    (pct(FEE, "3"), pct(FEE, "4")),
    (pct(FEE, "3"), rule(GreaterOf, FEE, "July", pct="3", index="ECI")),
    (schedule(FEE, d2027_03_01="110"), schedule(FEE, d2027_03_01="120")),
]


@pytest.mark.parametrize("rules", AMBIGUOUS)
def test_two_rules_for_one_rate_and_year_stop_generation_since_one_is_meant(rules: tuple[Escalator, ...]) -> None:
    deal = contract(fee("100"), escalators=rules)

    assert [(found.code, found.severity) for found in terms(deal, "2027-07", indexes=eci(y2027="3")).errors] == [
        ("ESCALATOR_INVALID", "incomplete")
    ]


@pytest.mark.parametrize("period", ["2026-07", "2027-01", "2027-07", "2030-12"])
def test_two_rules_for_one_year_are_told_from_the_first_one_on(period: str) -> None:
    """Not in July only: the months before it would be billed with a step that July takes back."""
    deal = contract(fee("100"), escalators=(pct(FEE, "3", "January"), pct(FEE, "4", "July")))

    [found] = terms(deal, period).errors

    assert (found.code, found.message) == (
        "ESCALATOR_INVALID",
        "2 escalators would raise fixedFee/f/fee in one year; one is meant",
    )


CLOSER = [
    # month and size for every fee, month and size for this one, fee in 2026-12, 2027-02, 2027-08, 2028-02
    (("January", "5"), ("July", "3"), ["103.00", "103.00", "106.09", "106.09"]),
    (("July", "5"), ("January", "3"), ["100", "103.00", "103.00", "106.09"]),
]


@pytest.mark.parametrize(("broad", "close", "expected"), CLOSER)
def test_a_closer_rule_stands_in_for_a_broader_one_in_every_month_of_the_year(
    broad: tuple[str, str], close: tuple[str, str], expected: list[str]
) -> None:
    """Were the broader one followed until the closer one's month, that month would take its step back."""
    rules = (pct(FEE, broad[1], broad[0]), pct(FEE, close[1], close[0], target_id="f"))

    assert [bills(fee("100"), *rules, period=at)[0] for at in ("2026-12", "2027-02", "2027-08", "2028-02")] == expected


def test_rules_of_different_years_follow_each_other() -> None:
    rules = (pct(FEE, "3", until="2027-12-31"), pct(FEE, "10", first_year=2028))

    assert bills(fee("100"), *rules, period="2028-01") == ["113.30"]


TIERS = parts.share(parts.structure(tiers=(parts.tier("20", "900"), parts.tier("30"))))

SEVERAL = [
    # rows at a time, a dated value for all of them, does generation stop
    (parts.fees(parts.fee(id="a"), parts.fee(id="b")), FEE, True),
    (parts.fees(parts.fee(id="a", end=date(2026, 12, 31)), parts.fee(id="b", start=date(2027, 1, 1))), FEE, False),
    (parts.fees(parts.fee(id="a", end=date(2027, 1, 1)), parts.fee(id="b", start=date(2027, 1, 1))), FEE, True),
    (hours("20", "30"), "perLaborHour.rate", False),  # overtime goes along with percentages only
    (profit("20", "40"), "managementAgreement.profitShare", True),
    (TIERS, "revenueShare.tiers.upTo", False),
    (TIERS, "revenueShare.tiers.sharePct", True),
]


@pytest.mark.parametrize(("part", "target", "stops"), SEVERAL)
def test_a_dated_value_is_that_of_one_row(part: Component, target: str, stops: bool) -> None:
    """A note that names one fee, approved for a contract with two services, would be billed twice."""
    found = terms(contract(part, escalators=(schedule(target, d2027_03_01="50"),)), "2027-07").errors

    assert [one.pointer for one in found] == (["/escalators/0/targetId"] if stops else [])


def test_a_tier_without_a_bound_gets_none() -> None:
    """Rules R10: its dated value is that of the one bound there is."""
    tiers = parts.share(parts.structure(tiers=(parts.tier("20", "1000"), parts.tier("30"))))

    found = terms(contract(tiers, escalators=(schedule("revenueShare.tiers.upTo", d2027_01_01="1500"),)), "2027-01")

    assert [tier.up_to for tier in found.structures[0].tiers] == [money("1500"), None]


FAULTS = [
    (pct("fixedFee.fees", "3"), "target", "'fixedFee.fees' is nothing that escalates"),
    (pct(FEE, "3", target_id="x"), "targetId", "the contract has no fixedFee.fee of 'x'"),
    (points(FEE, "3"), "rule", "fixedFee.fee is an amount, which cannot grow by percentage points"),
    (rule(FixedPct, FEE, None, pct="3"), "month", "nobody knows when fixedFee.fee escalates: it states no month"),
    (schedule(FEE), "steps", "a schedule needs at least one day with a value"),
    (
        pct(FEE, "3", "anniversary"),
        "month",
        "nobody knows when fixedFee.fee escalates: the contract has no anchor or start date",
    ),
    (
        pct(FEE, "3", exceptions=[{"year": 2027, "action": "defer"}]),
        "exceptions/0",
        "the exception of 2027 does not say to what",
    ),
]


@pytest.mark.parametrize(("raised", "place", "message"), FAULTS)
def test_an_escalator_that_cannot_be_followed_stops_generation(raised: Escalator, place: str, message: str) -> None:
    """Rules R8: left out in silence it would bill too little."""
    [found] = terms(contract(fee("100"), escalators=(raised,)), "2027-07").errors

    assert (found.code, found.pointer, found.message) == ("ESCALATOR_INVALID", f"/escalators/0/{place}", message)
