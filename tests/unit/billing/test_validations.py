"""Validations of revenue shares (billing-flows 6.5, rules R5, R6, R9, R10, R49)."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.billing.given import Given
from shared_code.billing.model import Line, Outcome
from shared_code.billing.validations import BLOCK
from shared_code.contracts.schema import NoValidation, ValidationMoney, ValidationPercentage, ValidationVehicles
from shared_code.contracts.terms import terms_for
from shared_code.facts.completeness import Need
from shared_code.facts.model import REVENUE
from tests.unit.billing.builders import (
    CONTEXT,
    PERIOD,
    TierText,
    bill,
    codes,
    contract,
    facts,
    fees,
    grouped,
    maybe,
    measured,
    monthly,
    service,
    share,
    structure,
)

type Rule = ValidationPercentage | ValidationMoney | ValidationVehicles


def percent(value: str | None) -> Rule:
    return ValidationPercentage(value=maybe(value))


def amount(value: str | None) -> Rule:
    return ValidationMoney(value=maybe(value))


VEHICLES = ValidationVehicles(value=None)


def validated(outcome: Outcome) -> list[str]:
    """The amounts of the validation lines."""
    assert not outcome.reasons, outcome.reasons
    return [str(line.amount) for line in outcome.lines if line.block == "validations"]


def month(rule: Rule, tiers: Sequence[TierText], revenue: Sequence[str], value: str, **fields: Any) -> Outcome:
    """What a contract bills whose validations of the month are worth `value`."""
    deal = contract(fees(service("1")), share(structure(*tiers, validation=rule, **fields)))
    return bill(deal, measured(facts(revenue=monthly(*revenue)), validated=value))


TWENTY = (("20", None),)
CAPPED = (("20", "50000"),)
CASES: list[tuple[str, Rule, Sequence[TierText], str, str, list[str]]] = [
    # case, rule, tiers, revenue, validations, billed
    ("TV-VLD-1", percent("10"), TWENTY, "90000", "50000", ["8200.00"]),
    ("TV-VLD-2", amount("25000"), (("10", None),), "90000", "50000", ["2500.00"]),
    ("TV-VLD-3 weighted, as R6 decides (UAT: 5,000.00)", VEHICLES, TWENTY, "90000", "5000", ["1000.00"]),
    ("TV-VLD-4 at the threshold", amount("5000"), TWENTY, "90000", "5000", []),
    ("TV-VLD-4 a cent above", amount("5000"), (("100", None),), "90000", "5000.01", ["0.01"]),
    ("18.6 weights of 18.1", amount("3500"), (("70", "100000"), ("80", None)), "130000", "10000", ["4700.00"]),
    ("0 percent charges all", percent("0"), TWENTY, "90000", "100", ["20.00"]),
    ("R5, TV-VLD-8: no revenue, the first share", percent("2"), TWENTY, "0", "1000", ["200.00"]),
    ("R49: negative revenue is a base of 0", percent("10"), TWENTY, "-500", "1000", ["200.00"]),
    (
        "R49: revenue above the last bound is in the base (source: 1,000.00)",
        percent("10"),
        CAPPED,
        "90000",
        "10000",
        ["200.00"],
    ),
    ("R10: above the last bound there is no tier", amount("0"), (("50", "100"),), "1000", "10", ["5.00"]),
    ("a first tier of 0 percent has its weight", amount("0"), (("0", "50"), ("10", None)), "100", "10", ["0.50"]),
    ("negative validations charge nothing", amount("0"), TWENTY, "100", "-10", []),
    ("vehicles without validations", VEHICLES, TWENTY, "100", "0", []),
]


@pytest.mark.parametrize(
    ("rule", "tiers", "revenue", "value", "billed"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_is_above_the_threshold_is_charged_at_the_shares(
    rule: Rule, tiers: Sequence[TierText], revenue: str, value: str, billed: list[str]
) -> None:
    assert validated(month(rule, tiers, [revenue], value)) == billed


@pytest.mark.parametrize(("limit", "over"), [("7.5", "925"), ("2", "980"), ("3", "970"), ("5", "950")])
def test_tv_vld_7_the_threshold_is_a_percentage_of_the_months_revenue(limit: str, over: str) -> None:
    assert validated(month(percent(limit), (("100", None),), ["1000"], "1000")) == [f"{over}.00"]


def test_tv_vld_5_the_base_is_the_revenue_of_all_structures() -> None:
    first = structure(("20", None), codes=["SD1"], validation=percent("2"))
    second = structure(("100", None), codes=["SM1"])
    found = measured(facts(revenue={"2026-10": {"SD1": "50000", "SM1": "3000"}}), validated="5060")

    assert validated(bill(contract(share(first, second)), found)) == ["800.00"]


def test_vehicles_are_charged_whole_where_the_contract_says_so() -> None:
    """Rules R6."""
    assert validated(month(VEHICLES, TWENTY, ["90000"], "5000", charge_in_full=True)) == ["5000.00"]
    assert validated(month(amount("0"), TWENTY, ["90000"], "5000", charge_in_full=True)) == ["1000.00"]


WINDOW = [
    # case, revenue by month, weight of which tiers, billed of 100.00
    ("the month crosses a bound", ["800", "400"], "half at 10 %, half at 30 %", ["20.00"]),
    ("the month lies in the upper tier", ["1200", "400"], "30 %", ["30.00"]),
    ("below the high-water mark nothing is charged: the first share", ["1200", "-400", "100"], "10 %", ["10.00"]),
    ("only what is above the mark has weight", ["900", "-400", "700"], "100 at 10 %, 200 at 30 %", ["23.33"]),
]


@pytest.mark.parametrize(("revenue", "billed"), [(case[1], case[3]) for case in WINDOW], ids=[c[0] for c in WINDOW])
def test_weights_are_what_the_window_charges_this_month(revenue: list[str], billed: list[str]) -> None:
    """Rules R49."""
    outcome = month(
        amount("0"),
        (("10", "1000"), ("30", None)),
        ["0"] * (10 - len(revenue)) + revenue,
        "100",
        window="AnnualCalendar",
    )

    assert validated(outcome) == billed


@pytest.mark.parametrize(
    ("rule", "billed"),
    [
        ("highWaterMark", ["10.00"]),  # 1,300 is below the mark of 1,500: nothing is charged, the first share holds
        ("reference", ["17.50"]),  # 500 at 10 % and 300 at 30 %, charged before
    ],
)
def test_weights_follow_the_loss_rule_of_the_contract(rule: str, billed: list[str]) -> None:
    """Rules R11, R49: 1,500, then -1,000, then 800."""
    revenue = ["0"] * 7 + ["1500", "-1000", "800"]
    row = structure(("10", "1000"), ("30", None), validation=amount("0"), window="AnnualCalendar")

    outcome = bill(contract(share(row), loss_rule=rule), measured(facts(revenue=monthly(*revenue)), validated="100"))

    assert validated(outcome) == billed


def line_of(outcome: Outcome) -> Line:
    return next(line for line in outcome.lines if line.block == "validations")


def test_the_line_as_it_is_printed_and_explained() -> None:
    line = line_of(month(amount("3500"), (("70", "100000"), ("80", None)), ["130000"], "10000"))

    assert (line.title, line.code, line.description) == ("Meridian Fees for Validated Parking", "4790", "")
    assert [step.text for step in line.trace.steps] == [
        "Validations of $10,000.00 above the threshold of $3,500.00",
        "Weighted as the month is charged: 70 % on $100,000.00, 80 % on $30,000.00",
        "Validated parking, in cents",
    ]
    assert line.trace.steps[1].value == Decimal("4700")
    assert line.trace.facts[0].selection == {"measure": "validated"}
    assert line.trace.inputs == {
        "row": "SD1",
        "type": "ValidationAmount",
        "validated": Decimal("10000"),
        "stated": Decimal("3500"),
        "threshold": Decimal("3500"),
        "over": Decimal("6500"),
        "firstShare": Decimal("70"),
        "weights": [
            {"percent": Decimal("70"), "amount": Decimal("100000")},
            {"percent": Decimal("80"), "amount": Decimal("30000")},
        ],
    }


def test_vehicles_are_explained_without_a_threshold() -> None:
    line = line_of(month(VEHICLES, TWENTY, ["90000"], "5000"))

    assert [(step.text, str(step.value)) for step in line.trace.steps[:1]] == [
        ("Validations of $5,000.00, by vehicle count all of them", "5000")
    ]


def test_the_steps_come_to_the_amount_of_the_line_and_the_rows_are_those_of_the_month() -> None:
    line = line_of(month(amount("3500"), (("70", "100000"), ("80", None)), ["130000"], "10000"))

    assert [str(step.value) for step in line.trace.steps] == ["6500", "4700", "4700.00"]
    assert [(reference.period, reference.selection["measure"]) for reference in line.trace.facts] == [
        ("2026-10", "validated"),
        ("2026-10", "shareable"),
    ]


def test_a_threshold_in_percent_is_worked_out_before_their_eyes() -> None:
    line = line_of(month(percent("2.5"), TWENTY, ["90000"], "5000"))

    assert [(step.text, step.value) for step in line.trace.steps] == [
        ("Threshold of 2.5 % of the month's revenue of $90,000.00", Decimal("2250")),
        ("Validations of $5,000.00 above the threshold of $2,250.00", Decimal("2750")),
        ("Weighted as the month is charged: 20 % on $90,000.00", Decimal("550")),
        ("Validated parking, in cents", Decimal("550.00")),
    ]
    assert (line.trace.inputs["stated"], line.trace.inputs["monthRevenue"]) == (Decimal("2.5"), Decimal(90000))


def test_r5_a_month_without_revenue_says_that_the_first_share_holds() -> None:
    line = line_of(month(amount("0"), (("20", "100"), ("30", None)), ["0"], "1000"))

    assert [(step.text, str(step.value)) for step in line.trace.steps[1:]] == [
        ("20 %, the first share, since the month charges none", "200"),
        ("Validated parking, in cents", "200.00"),
    ]


def test_vehicles_that_are_charged_in_full_say_so() -> None:
    line = line_of(month(VEHICLES, TWENTY, ["90000"], "5000", charge_in_full=True))

    assert [(step.text, str(step.value)) for step in line.trace.steps[1:]] == [
        ("Charged in full, as agreed", "5000"),
        ("Validated parking, in cents", "5000.00"),
    ]
    assert (line.trace.inputs["threshold"], line.trace.inputs["over"]) == (Decimal(0), Decimal(5000))
    assert line.trace.inputs["chargedInFull"] is True
    assert [reference.selection["measure"] for reference in line.trace.facts] == ["validated"]


def test_a_contract_that_does_not_charge_validations_bills_none_however_many_there_are() -> None:
    found = measured(facts(revenue=monthly("100")), validated="5000")

    assert validated(bill(contract(share(structure(("20", None), validation=NoValidation()))), found)) == []


RESTS_ON = [
    # case, rule, charged in full, codes of the structures whose revenue the charge rests on
    ("a percentage: the threshold is of all structures", percent("2"), False, [("SD1",), ("SM1",), ("VL2",)]),
    ("an amount: the weights are of the first structure", amount("0"), False, [("SD1",)]),
    ("vehicles at the shares", VEHICLES, False, [("SD1",)]),
    ("vehicles in full: on no revenue", VEHICLES, True, []),
    ("in full is said of vehicles alone", amount("0"), True, [("SD1",)]),
]


@pytest.mark.parametrize(("rule", "full", "named"), [case[1:] for case in RESTS_ON], ids=[case[0] for case in RESTS_ON])
def test_the_line_names_the_revenue_that_it_rests_on(rule: Rule, full: bool, named: list[tuple[str, ...]]) -> None:
    """Behind the validated parking itself, which it always names first."""
    first = structure(("20", None), codes=["SD1"], validation=rule, charge_in_full=full)
    others = [structure(("30", None), codes=[code]) for code in ("SM1", "VL2")]
    found = measured(facts(revenue={"2026-10": {"SD1": "100", "SM1": "90", "VL2": "80"}}), validated="5000")

    validations, *revenue = line_of(bill(contract(share(first, *others)), found)).trace.facts

    assert validations.selection == {"measure": "validated"}
    assert [reference.selection["codes"] for reference in revenue] == named


def test_a_share_without_structures_charges_no_validations() -> None:
    found = measured(facts(revenue=monthly("100")), validated="5000")

    assert validated(bill(contract(share()), found)) == []


@pytest.mark.parametrize(("rule", "needed"), [(amount("0"), [Need(REVENUE, PERIOD)]), (NoValidation(), [])])
def test_the_block_asks_for_the_revenue_of_the_month_where_it_charges(rule: Any, needed: list[Need]) -> None:
    """Asked of the block itself, since the share needs the same month for itself."""
    terms = terms_for(contract(share(structure(("20", None), validation=rule))), PERIOD)

    assert list(BLOCK.needs(Given(terms, facts(), CONTEXT))) == needed


def test_it_needs_the_revenue_of_the_month() -> None:
    row = structure(("20", None), validation=amount("0"))

    assert codes(bill(contract(share(row)), facts())) == ["MISSING_FACTS"]


OUT_OF_RANGE = [(percent("100.01"), ["PERCENT_RANGE"]), (percent("100"), [])]


@pytest.mark.parametrize(("rule", "reasons"), OUT_OF_RANGE)
def test_a_percentage_threshold_is_at_most_100(rule: Rule, reasons: list[str]) -> None:
    outcome = bill(contract(share(structure(("10", None), validation=rule))), facts(revenue=monthly("100")))

    assert [reason.code for reason in outcome.reasons] == reasons


def test_it_follows_the_share_on_the_group_of_the_first_structure() -> None:
    deal = grouped(share(structure(("20", None), validation=amount("0"), group=2)))

    outcome = bill(deal, measured(facts(revenue=monthly("100")), validated="10"))

    assert [(line.block, line.group) for line in outcome.lines] == [("revenueShare", 2), ("validations", 2)]


def test_a_second_structure_with_another_rule_is_a_contract_error() -> None:
    """Rules R9."""
    deal = contract(
        share(
            structure(("20", None), codes=["SD1"], validation=amount("0")),
            structure(("20", None), codes=["SM1"], validation=amount("5")),
        )
    )

    assert codes(bill(deal, facts(revenue=monthly("1")))) == ["VALIDATION_DIFFERS"]


def test_a_second_structure_may_repeat_the_rule_or_have_none() -> None:
    """Rules R9: they are charged once all the same."""
    for rule in (amount("0"), NoValidation()):
        deal = contract(
            share(
                structure(("20", None), codes=["SD1"], validation=amount("0")),
                structure(("90", None), codes=["SM1"], validation=rule),
            )
        )

        assert validated(bill(deal, measured(facts(revenue=monthly("1")), validated="10"))) == ["2.00"]


def test_a_threshold_that_was_never_entered_fails_the_contract() -> None:
    """Rules R48."""
    found = facts(revenue=monthly("100"))

    for rule in (percent(None), amount(None)):
        assert codes(bill(contract(share(structure(("10", None), validation=rule))), found)) == ["NULL_NUMBER"]


def test_the_excess_is_charged_to_the_cent_whatever_the_weights() -> None:
    outcome = month(amount("0"), (("33.333333", "100"), ("66.666666", None)), ["300"], "0.03")

    assert validated(outcome) == ["0.02"]


cents = st.integers(0, 30_000_000).map(lambda whole: str(Decimal(whole).scaleb(-2)))


@given(cents, cents, cents, st.integers(0, 10_000))
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_law_under_a_flat_share_the_weights_do_not_matter(revenue: str, value: str, limit: str, share_pct: int) -> None:
    """The excess at the share, in exact fractions, halves away from zero; with revenue or without (rules R5)."""
    percentage = Fraction(share_pct, 100)
    over = max(Fraction(value) - Fraction(limit), Fraction(0))
    due = (over * percentage + Fraction(1, 2)) // 1  # in cents: per cent of dollars

    outcome = month(amount(limit), ((str(Decimal(share_pct).scaleb(-2)), None),), [revenue], value)

    assert validated(outcome) == ([str(Decimal(due).scaleb(-2))] if due else [])
