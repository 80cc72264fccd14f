"""Revenue share (billing-flows 6.4, requirements 2.4): tiers on the month's revenue, alone or over a window."""

from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.billing import revenue_share
from shared_code.billing.calculation import compute
from shared_code.billing.context import BillingContext
from shared_code.billing.given import History, Opening
from shared_code.billing.model import Line, Outcome
from shared_code.billing.tiers import TierTerm, charge
from shared_code.contracts.schema import Contract
from shared_code.contracts.terms import terms_for
from shared_code.facts.model import REVENUE, SiteFacts
from shared_code.foundation.calendar import Period
from tests.unit.billing.builders import (
    CONTEXT,
    PERIOD,
    TierText,
    amounts,
    bell,
    bill,
    codes,
    contract,
    facts,
    grouped,
    maybe,
    money,
    monthly,
    present,
    share,
    structure,
)

MONTHLY_VECTORS: list[tuple[str, str, tuple[TierText, ...], list[str]]] = [
    # vector, month's revenue, tiers, amounts
    ("18.1", "130000", (("70", "100000"), ("80", None)), ["94000.00"]),
    ("18.3", "-500", (("50", "1000"), ("60", None)), []),
    ("TV-RS-1", "50000", (("25", None),), ["12500.00"]),
    ("TV-RS-2, the month", "63000", (("25", None),), ["15750.00"]),
    ("TV-RS-2, day one", "2100", (("25", None),), ["525.00"]),
    ("TV-RS-3", "75000", (("20", "50000"), ("30", None)), ["17500.00"]),
    ("TV-RS-4", "120000", (("15", "50000"), ("17", "100000"), ("20", None)), ["20000.00"]),
    ("TV-RS-5", "2000", (("50", None),), ["1000.00"]),
    ("TV-RS-6", "0", (("50", None),), []),
    ("TV-RS-7 as invoices store it", "1500", (("30", "1000"), ("50", None)), ["550.00"]),
    ("TV-RS-8", "133509635.10", (("30", None),), ["40052890.53"]),
    ("TV-RS-9, 18 %", "100000", (("18", None),), ["18000.00"]),
    ("TV-RS-9, 37 %", "100000", (("37", None),), ["37000.00"]),
    ("TV-RS-9, 48 %", "100000", (("48", None),), ["48000.00"]),
    ("TV-RS-9, 21 %", "100000", (("21", None),), ["21000.00"]),
    ("TV-RS-9, 24 %", "100000", (("24", None),), ["24000.00"]),
    ("TV-RS-10", "137042.69", (("49", None),), ["67150.92"]),
    ("TV-RS-15, above the bound", "40000", (("0", "15000"), ("30", None)), ["7500.00"]),
    ("TV-RS-15, below: the line is dropped", "12000", (("0", "15000"), ("30", None)), []),
    ("R10: nothing is charged above the last bound", "5000", (("10", "1000"),), ["100.00"]),
    ("R10: a bound of 0 is unbounded, like null", "5000", (("10", "0"),), ["500.00"]),
    ("R45: facts carry four decimals", "0.0333", (("100", None),), ["0.03"]),
]


@pytest.mark.parametrize(
    ("_vector", "month", "rows", "expected"), MONTHLY_VECTORS, ids=[row[0] for row in MONTHLY_VECTORS]
)
def test_a_month_alone(_vector: str, month: str, rows: tuple[TierText, ...], expected: list[str]) -> None:
    assert amounts(bill(contract(share(structure(*rows))), facts(revenue=monthly(month)))) == expected


CALENDAR_VECTORS: list[tuple[str, tuple[TierText, ...], tuple[str, ...], list[str]]] = [
    # vector, tiers, months from January on, amounts of the last month
    ("18.2", (("50", "100000"), ("60", "300000"), ("75", None)), ("250000", "60000"), ["37500.00"]),
    ("TV-RS-11", (("25", "750000"), ("32.5", None)), ("400000", "300000", "90000"), ["25500.00"]),
    ("TV-RS-13", (("26", "1400000"), ("20", None)), ("1450000", "20000"), ["4000.00"]),
    ("18.5, the month of the dip", (("20", "80"), ("30", None)), ("100", "-40"), []),
    ("a loss before the first profit", (("20", "5000"), ("30", None)), ("-4000", "10000"), ["1300.00"]),
    ("a recovery below the mark is free", (("50", None),), ("100", "-60", "30", "20"), []),
    ("a recovery to the mark and ten above", (("50", None),), ("100", "-60", "30", "40"), ["5.00"]),
    ("a window of losses", (("50", None),), ("-100", "-60", "-30"), []),
]


@pytest.mark.parametrize(
    ("_vector", "rows", "months", "expected"), CALENDAR_VECTORS, ids=[row[0] for row in CALENDAR_VECTORS]
)
def test_a_calendar_window(
    _vector: str, rows: tuple[TierText, ...], months: tuple[str, ...], expected: list[str]
) -> None:
    last = Period(2026, len(months))
    deal = contract(share(structure(*rows, window="AnnualCalendar")))

    assert amounts(bill(deal, facts(period=last, revenue=monthly(*months, last=last)))) == expected


DIP = [
    # loss rule, amounts of the third month of 100, -40, 50
    ("highWaterMark", ["3.00"]),  # the ten above the mark of 100, at 30 %
    ("reference", ["13.00"]),  # 18.5: bands 20 at 20 % and 30 at 30 %, although charged before
]


@pytest.mark.parametrize(("rule", "expected"), DIP)
def test_b19_a_dip_is_charged_twice_only_by_the_reference_rule(rule: str, expected: list[str]) -> None:
    """Rules R11 change vector 18.5 from 13.00 to 3.00, unless the contract asks for `reference`."""
    march = Period(2026, 3)
    deal = contract(share(structure(("20", "80"), ("30", None), window="AnnualCalendar")), loss_rule=rule)

    assert amounts(bill(deal, facts(period=march, revenue=monthly("100", "-40", "50", last=march)))) == expected


ANNIVERSARIES = [
    # anchor, site start, months up to October, due at 10 % up to 1,000 and 50 % above
    ("contract's anchor on a first", date(2025, 8, 1), None, ("900", "100", "200"), ["100.00"]),
    ("its anniversary resets the tiers", date(2025, 10, 1), None, ("200",), ["20.00"]),
    ("site start where the contract has none", None, date(2025, 8, 1), ("900", "100", "200"), ["100.00"]),
    ("contract's anchor before site start", date(2025, 10, 1), date(2025, 8, 1), ("200",), ["20.00"]),
    ("inside a month: reset at the next first", date(2025, 9, 15), None, ("200",), ["20.00"]),
    ("inside this month: still the old window", date(2024, 10, 15), None, ("900",) * 11 + ("200",), ["100.00"]),
    ("R58: a first window of thirteen months", date(2025, 10, 15), None, ("900",) * 12 + ("200",), ["100.00"]),
    ("R58: the part month belongs to the first window", date(2026, 8, 20), None, ("900", "100", "200"), ["100.00"]),
    ("29 February", date(2024, 2, 29), None, ("200",) * 5 + ("0", "100", "200"), ["100.00"]),
    ("an old site", None, date(1985, 9, 15), ("200",), ["20.00"]),
]


@pytest.mark.parametrize(
    ("_case", "anchor", "started", "months", "expected"), ANNIVERSARIES, ids=[row[0] for row in ANNIVERSARIES]
)
def test_an_anniversary_window(
    _case: str, anchor: date | None, started: date | None, months: tuple[str, ...], expected: list[str]
) -> None:
    deal = contract(share(structure(("10", "1000"), ("50", None), window="AnnualAnniversary")), anchor_date=anchor)

    assert amounts(bill(deal, facts(revenue=monthly(*months), started=started))) == expected


def test_an_anniversary_without_a_date_is_a_contract_error() -> None:
    deal = contract(share(structure(("10", None), window="AnnualAnniversary")))

    assert codes(bill(deal, facts(revenue=monthly("100")))) == ["ANCHOR_MISSING"]


def test_tv_rs_18_structures_of_one_group_make_one_line() -> None:
    twenty = [f"C{number}" for number in range(20)]
    deal = contract(share(structure(("20", None), codes=twenty), structure(("100", None), codes=["X1"])))
    revenue = {str(PERIOD): {**dict.fromkeys(twenty, "2500"), "X1": "3000"}}

    outcome = bill(deal, facts(revenue=revenue))

    assert amounts(outcome) == ["13000.00"]
    assert outcome.lines[0].description == "Total Base for Fee Calculation: $53,000.00"


def test_structures_of_two_groups_make_two_lines() -> None:
    """Rules R7: the source billed all of them on the group of the first (B39)."""
    deal = grouped(share(structure(("20", None), codes=["A"], group=2), structure(("50", None), codes=["B"], group=1)))

    outcome = bill(deal, facts(revenue={str(PERIOD): {"A": "1000", "B": "300"}}))

    assert [(line.group, str(line.amount), line.description) for line in outcome.lines] == [
        (2, "200.00", "Total Base for Fee Calculation: $1,000.00"),
        (1, "150.00", "Total Base for Fee Calculation: $300.00"),
    ]


def test_each_structure_is_rounded_before_the_line_is_summed() -> None:
    """Rules R45: 0.005 and 0.005 are 0.01 each."""
    deal = contract(share(structure(("50", None), codes=["A"]), structure(("50", None), codes=["B"])))

    assert amounts(bill(deal, facts(revenue={str(PERIOD): {"A": "0.01", "B": "0.01"}}))) == ["0.02"]


def test_a_loss_of_one_structure_does_not_reduce_the_other() -> None:
    """To-date and floor are per structure (rules R3, B2)."""
    deal = contract(
        share(
            structure(("50", None), codes=["A"], window="AnnualCalendar"),
            structure(("50", None), codes=["B"]),
        )
    )
    february = Period(2026, 2)
    revenue = {"2026-01": {"A": "100", "B": "900"}, "2026-02": {"A": "-500", "B": "40"}}

    assert amounts(bill(deal, facts(period=february, revenue=revenue))) == ["20.00"]


BELL = [
    # bell block, excluded codes, due at 25 % up to 20,000 and 50 % above; January 15,000 + OR1 9,000, then 10,000 + 800
    (False, {"OR1", "OR2"}, "5400.00"),  # 24,000 to 34,800 of all codes
    (True, {"OR1", "OR2"}, "3750.00"),  # 15,000 to 25,000 without them, in month and to-date alike (B3)
    (True, set[str](), "5400.00"),
    (True, {"OR2"}, "5250.00"),  # 24,000 to 34,500
]


def shared(deal: Contract, found: SiteFacts, context: BillingContext = CONTEXT) -> list[Line]:
    """The lines of revenue share, of a contract that was not refused."""
    outcome = bill(deal, found, context)
    assert not outcome.reasons, outcome.reasons
    return [line for line in outcome.lines if line.block == revenue_share.NAME]


@pytest.mark.parametrize(("bell_on", "excluded", "expected"), BELL)
def test_bell_codes_are_left_out_of_month_and_to_date(bell_on: bool, excluded: set[str], expected: str) -> None:
    """Rules R4."""
    found = structure(("25", "20000"), ("50", None), codes=["SD1", "OR1", "OR2"], window="AnnualCalendar")
    deal = contract(share(found), bell()) if bell_on else contract(share(found))
    february = Period(2026, 2)
    revenue = {"2026-01": {"SD1": "15000", "OR1": "9000"}, "2026-02": {"SD1": "10000", "OR1": "500", "OR2": "300"}}

    lines = shared(deal, facts(period=february, revenue=revenue), BillingContext("Meridian", frozenset(excluded)))

    assert [str(line.amount) for line in lines] == [expected]


def test_tv_rs_19_the_month() -> None:
    deal = contract(share(structure(("25", None), codes=["SD1", "OR1", "OR2"])), bell())

    line = shared(deal, facts(revenue={str(PERIOD): {"SD1": "10000", "OR1": "500", "OR2": "300"}}))[0]

    assert (str(line.amount), line.description) == ("2500.00", "Total Base for Fee Calculation: $10,000.00")
    assert line.trace.facts[0].predicate.endswith("codes SD1")  # the reference counts what was billed


CODES = [
    # the contract's codes, due at 10 % of SD1 100, SD2 40, SD3 7
    (("SD1", "SD2"), ["14.00"]),
    (("sd1", " SD2 "), ["14.00"]),  # R46: trimmed, whatever the case
    (("SD1", "SD1"), ["10.00"]),  # a set of codes, as the source's predicate: none counts twice
    (("SD1", "sd1 "), ["10.00"]),
    (("SD9",), []),
]


def test_a_structure_without_codes_is_refused() -> None:
    """An empty list matches nothing (billing-flows 6.4): a silent zero, so it fails instead (rules R8)."""
    outcome = bill(contract(share(structure(("10", None), codes=[]))), facts(revenue=monthly("100")))

    assert [reason.code for reason in outcome.reasons] == ["CODE_MISSING"]


@pytest.mark.parametrize(("named", "expected"), CODES)
def test_codes_of_a_structure(named: tuple[str, ...], expected: list[str]) -> None:
    deal = contract(share(structure(("10", None), codes=named)))

    assert amounts(bill(deal, facts(revenue={str(PERIOD): {"SD1": "100", "SD2": "40", "SD3": "7"}}))) == expected


REFUSED: list[tuple[str, tuple[TierText, ...], list[str]]] = [
    ("no tiers", (), ["TIERS_INVALID"]),
    ("a null share", ((None, None),), ["NULL_NUMBER"]),
    ("out of order", (("10", "500"), ("20", "100"), ("30", None)), ["TIERS_INVALID"]),
    ("unbounded before the last", (("10", None), ("20", "100")), ["TIERS_INVALID"]),
    ("a share above 100", (("100.01", None),), ["TIERS_INVALID"]),
]


@pytest.mark.parametrize(("_case", "rows", "expected"), REFUSED, ids=[row[0] for row in REFUSED])
def test_tiers_that_cannot_be_charged_fail_the_contract(
    _case: str, rows: tuple[TierText, ...], expected: list[str]
) -> None:
    assert codes(bill(contract(share(structure(*rows))), facts(revenue=monthly("100")))) == expected


HISTORY = [
    # case, site start, months before October that are loaded, reasons
    ("the whole window", None, 9, []),
    ("a month is missing", None, 8, ["MISSING_HISTORY"]),
    ("two months are missing", None, 7, ["MISSING_HISTORY"] * 2),
    ("the site started in that month", date(2026, 3, 20), 7, []),
    ("the site started on the last day of the month before", date(2026, 2, 28), 7, ["MISSING_HISTORY"]),
    ("the site starts after the period, but revenue is there", date(2026, 12, 1), 0, []),
    ("a site older than the first period", date(1985, 5, 1), 9, []),
    ("a placeholder for a site's start", date(1900, 1, 1), 9, []),
]


@pytest.mark.parametrize(("_case", "started", "before", "expected"), HISTORY, ids=[row[0] for row in HISTORY])
def test_a_window_needs_every_month_since_it_or_the_site_started(
    _case: str, started: date | None, before: int, expected: list[str]
) -> None:
    """Rules R8."""
    deal = contract(share(structure(("10", None), window="AnnualCalendar")))

    outcome = bill(deal, facts(revenue=monthly(*["100"] * (before + 1)), started=started))

    assert [reason.code for reason in outcome.reasons] == expected


def test_the_windows_of_all_structures_are_needed() -> None:
    """The year lacks its first three months; the window that began in August has all of its months."""
    year = structure(("10", None), window="AnnualCalendar")
    since_august = structure(("10", None), codes=("SM1",), window="AnnualAnniversary")
    deal = contract(share(year, since_august), anchor_date=date(2025, 8, 1))

    assert codes(bill(deal, facts(revenue=monthly(*["100"] * 7)))) == ["MISSING_HISTORY"] * 3


EARLIER = [
    # what is wrong with August, the reason of October
    ({"rejected": 2}, ["REJECTED_ROWS"]),
    ({"reaches": date(2026, 8, 30)}, ["INCOMPLETE_FACTS"]),
    ({"longest_gap": 8}, ["INCOMPLETE_FACTS"]),
    ({"rows": 0}, ["MISSING_HISTORY"]),
    ({"longest_gap": 8, "rejected": 2}, ["INCOMPLETE_FACTS", "REJECTED_ROWS"]),
]


@pytest.mark.parametrize(("wrong", "expected"), EARLIER)
def test_an_earlier_month_of_a_window_must_be_whole_too(wrong: dict[str, object], expected: list[str]) -> None:
    """Rules R60."""
    august = PERIOD.plus(-2)
    deal = contract(share(structure(("10", None), window="AnnualCalendar")))

    outcome = bill(
        deal,
        facts(revenue=monthly(*["100"] * 10), presence={(REVENUE, august): present(august, **wrong)}),
    )

    assert codes(outcome) == expected


def opened(as_of: str, to_date: str, mark: str = "0", *, row: str = "SD1") -> History:
    """An opening of a structure, whose id is that of its code."""
    return History(openings={("structure", row): Opening(Period.parse(as_of), money(to_date), money(mark))})


def window(history: History, *months: str, rule: str = "highWaterMark", **fields: Any) -> Outcome:
    """October of a calendar window at 10 % up to 1,000 and 50 % above, with facts of these months up to October."""
    deal = contract(share(structure(("10", "1000"), ("50", None), window="AnnualCalendar")), loss_rule=rule)
    return compute(terms_for(deal, PERIOD), facts(revenue=monthly(*months), **fields), CONTEXT, history)


OPENINGS = [
    # case, opening, months up to October, due
    ("its month is included: September comes from facts", opened("2026-08", "900"), ("100", "200"), ["100.00"]),
    ("it ends in the month before", opened("2026-09", "1000"), ("200",), ["100.00"]),
    ("facts of its months are not counted twice", opened("2026-09", "1000"), ("700", "700", "200"), ["100.00"]),
    ("a mark above the to-date was charged before", opened("2026-09", "900", "1100"), ("300",), ["50.00"]),
    ("back at the mark nothing is due", opened("2026-09", "900", "1100"), ("200",), []),
    ("a mark below the to-date: the to-date counts", opened("2026-09", "1000", "400"), ("200",), ["100.00"]),
    ("a loss is carried, and its mark is 0", opened("2026-09", "-400"), ("600",), ["20.00"]),
    ("a month since it raises the mark", opened("2026-07", "1000"), ("100", "-300", "400"), ["50.00"]),
    ("zero by choice", opened("2026-09", "0"), ("200",), ["20.00"]),
    ("January alone", opened("2026-01", "1000"), ("0",) * 8 + ("200",), ["100.00"]),
]


@pytest.mark.parametrize(
    ("_case", "history", "months", "expected"), OPENINGS, ids=[f"R39: {row[0]}" for row in OPENINGS]
)
def test_an_opening_stands_for_the_months_before_it(
    _case: str, history: History, months: tuple[str, ...], expected: list[str]
) -> None:
    """Rules R39."""
    assert amounts(window(history, *months)) == expected


UNKNOWN = [
    # case, opening, months up to October that are loaded, how many months have no history
    ("without an opening", History(), 1, 9),
    ("of the year before: another window", opened("2025-12", "900"), 1, 9),
    ("of the service month itself", opened("2026-10", "900"), 1, 9),
    ("of another structure", opened("2026-09", "900", row="SD2"), 1, 9),
    ("with a month after it that is not loaded", opened("2026-07", "900"), 2, 1),
]


@pytest.mark.parametrize(("_case", "history", "loaded", "missing"), UNKNOWN, ids=[f"R39: {row[0]}" for row in UNKNOWN])
def test_months_that_no_opening_covers_are_missing_and_not_zero(
    _case: str, history: History, loaded: int, missing: int
) -> None:
    assert codes(window(history, *["5"] * loaded)) == ["MISSING_HISTORY"] * missing


def test_the_reference_rule_starts_from_the_to_date_and_not_from_the_mark() -> None:
    assert amounts(window(opened("2026-09", "900", "1100"), "200", rule="reference")) == ["60.00"]


def test_an_opening_of_an_anniversary_window_that_began_last_year() -> None:
    row = structure(("10", "1000"), ("50", None), window="AnnualAnniversary")
    terms = terms_for(contract(share(row), anchor_date=date(2024, 11, 1)), PERIOD)
    found = facts(revenue=monthly("200"))

    due = {as_of: compute(terms, found, CONTEXT, opened(as_of, "1000")) for as_of in ("2025-10", "2026-09")}

    assert amounts(due["2026-09"]) == ["100.00"]
    assert set(codes(due["2025-10"])) == {"MISSING_HISTORY"}  # the window begins in November 2025


def test_the_trace_names_the_opening() -> None:
    (line,) = window(opened("2026-08", "900", "950"), "100", "200").lines

    inputs = line.trace.inputs["structure1"]
    assert isinstance(inputs, dict)
    assert (inputs["opening"], inputs["toDate"], inputs["month"]) == (money("900"), money("1000"), money("200"))
    assert [found.period for found in line.trace.facts] == ["2026-09", "2026-10"]


def test_the_trace_explains_the_charge() -> None:
    february = Period(2026, 2)
    deal = contract(share(structure(("20", "80"), ("30", None), window="AnnualCalendar")))

    line = bill(deal, facts(period=february, revenue=monthly("100", "50", last=february))).lines[0]

    assert [(step.text, str(step.value)) for step in line.trace.steps] == [
        ("20 % of the $80.00 above $0.00", "16"),
        ("30 % of the $70.00 above $80.00", "21"),
        ("Charge on the running total $150.00", "37.00"),
        ("Less the charge on the high-water mark $100.00", "-22.00"),
        ("Due for the month, not below zero", "15.00"),
    ]
    assert [(found.predicate, str(found.amount)) for found in line.trace.facts] == [
        ("site 0042, month 2026-01, deposit flag not V, category not Per Man Hour, codes SD1", "100"),
        ("site 0042, month 2026-02, deposit flag not V, category not Per Man Hour, codes SD1", "50"),
    ]
    assert (line.title, line.code) == ("Meridian Fees for Services", "4790")


def test_every_structure_names_its_terms_among_the_inputs() -> None:
    row = structure(("20", "80"), ("30", None), codes=["SD1"], window="AnnualAnniversary")
    other = structure(("50", None), codes=["SM1"])
    deal = contract(share(row, other), anchor_date=date(2026, 9, 1))
    revenue = {"2026-09": {"SD1": "100", "SM1": "7"}, "2026-10": {"SD1": "50", "SM1": "6"}}

    (line,) = bill(deal, facts(revenue=revenue)).lines

    assert line.trace.inputs == {
        "structure1": {
            "row": "SD1",
            "accumulation": "AnnualAnniversary",
            "windowStart": "2026-09",
            "month": money("50"),
            "opening": None,
            "openingAsOf": None,
            "toDate": money("100"),
            "highWaterMark": money("100"),
            "lossRule": "highWaterMark",
            "tiers": [{"percent": money("20"), "upTo": money("80")}, {"percent": money("30"), "upTo": None}],
        },
        "structure2": {
            "row": "SM1",
            "accumulation": "Monthly",
            "windowStart": "2026-10",
            "month": money("6"),
            "opening": None,
            "openingAsOf": None,
            "toDate": money("0"),
            "highWaterMark": money("0"),
            "lossRule": "highWaterMark",
            "tiers": [{"percent": money("50"), "upTo": None}],
        },
    }
    assert [(step.text, str(step.value)) for step in line.trace.steps] == [
        ("Structure 1: 20 % of the $80.00 above $0.00", "16"),
        ("Structure 1: 30 % of the $70.00 above $80.00", "21"),
        ("Structure 1: Charge on the running total $150.00", "37.00"),
        ("Structure 1: Less the charge on the high-water mark $100.00", "-22.00"),
        ("Structure 1: Due for the month, not below zero", "15.00"),
        ("Structure 2: 50 % of the $6.00 above $0.00", "3"),
        ("Structure 2: Charge on the running total $6.00", "3.00"),
        ("Structure 2: Due for the month, not below zero", "3.00"),
        ("Due for all structures together", "18.00"),
    ]


def test_the_older_rule_says_which_part_of_the_window_it_charged() -> None:
    march = Period(2026, 3)
    deal = contract(share(structure(("20", "80"), ("30", None), window="AnnualCalendar")), loss_rule="reference")

    (line,) = bill(deal, facts(period=march, revenue=monthly("100", "-40", "50", last=march))).lines

    assert [(step.text, str(step.value)) for step in line.trace.steps] == [
        ("20 % of the $20.00 above $60.00", "4"),
        ("30 % of the $30.00 above $80.00", "9"),
        ("Due for the bands between $60.00 and $110.00", "13.00"),
    ]


def test_a_share_without_structures_bills_nothing_and_needs_no_facts() -> None:
    assert amounts(bill(contract(share()), facts())) == []


def test_a_mark_of_less_than_a_dollar_is_told_too() -> None:
    """Else the steps would not come to what is due."""
    february = Period(2026, 2)
    deal = contract(share(structure(("50", None), window="AnnualCalendar")))

    (line,) = bill(deal, facts(period=february, revenue=monthly("0.50", "1.50", last=february))).lines

    assert [(step.text, str(step.value)) for step in line.trace.steps] == [
        ("50 % of the $2.00 above $0.00", "1.00"),
        ("Charge on the running total $2.00", "1.00"),
        ("Less the charge on the high-water mark $0.50", "-0.25"),
        ("Due for the month, not below zero", "0.75"),
    ]


def test_a_refusal_for_a_missing_date_says_where_to_enter_it() -> None:
    deal = contract(share(structure(("10", None), window="AnnualAnniversary")))

    (reason,) = bill(deal, facts(revenue=monthly("100"))).reasons

    assert reason.message == "an anniversary window needs a date: enter the contract's anchor or site start"


cents = st.integers(-5_000_000, 30_000_000).map(lambda whole: str(Decimal(whole).scaleb(-2)))
ROWS: tuple[TierText, ...] = (("12.5", "250000"), ("17.25", "700000"), ("33.333333", None))


@given(st.lists(cents, min_size=1, max_size=12))
@settings(max_examples=25, deadline=None, derandomize=True, database=None)
def test_law_a_year_of_statements_telescopes_to_the_charge_on_the_highest_running_total(year: list[str]) -> None:
    """Rules R11, to the cent, through the same path that bills."""
    deal = contract(share(structure(*ROWS, window="AnnualCalendar")))
    billed = Decimal(0)
    for count in range(1, len(year) + 1):
        last = Period(2026, count)
        outcome = bill(deal, facts(period=last, revenue=monthly(*year[:count], last=last)))
        billed += sum((line.amount for line in outcome.lines), Decimal(0))

    highest = max(accumulate(money(month) for month in year), default=Decimal(0))
    assert billed == charge(highest, [TierTerm(money(percent or "0"), maybe(bound)) for percent, bound in ROWS]).cents


@given(st.lists(cents, min_size=2, max_size=10), st.data())
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_law_an_opening_of_the_first_months_changes_nothing(year: list[str], data: st.DataObject) -> None:
    """Rules R39: known months give the same line as their sum and their highest running total."""
    count = data.draw(st.integers(1, len(year) - 1))
    last = Period(2026, len(year))
    terms = terms_for(contract(share(structure(*ROWS, window="AnnualCalendar"))), last)
    totals = list(accumulate(money(month) for month in year[:count]))
    known = Opening(Period(2026, count), totals[-1], max(*totals, Decimal(0)))

    whole = compute(terms, facts(period=last, revenue=monthly(*year, last=last)), CONTEXT)
    rest = facts(period=last, revenue=monthly(*year[count:], last=last))
    after = compute(terms, rest, CONTEXT, History(openings={("structure", "SD1"): known}))

    assert amounts(after) == amounts(whole)


@given(st.permutations(["A", "B", "C", "D"]), st.lists(cents, min_size=4, max_size=4))
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_law_the_order_of_codes_changes_nothing(order: list[str], values: list[str]) -> None:
    revenue = {str(PERIOD): dict(zip("ABCD", values, strict=True))}
    as_given = bill(contract(share(structure(*ROWS, codes=["A", "B", "C", "D"]))), facts(revenue=revenue))
    permuted = bill(contract(share(structure(*ROWS, codes=order))), facts(revenue=revenue))

    assert amounts(permuted) == amounts(as_given)
