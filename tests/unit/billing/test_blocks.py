"""A whole contract: what is supported, in which order reasons and lines come, and that nothing is billed in part."""

from dataclasses import replace
from datetime import date
from typing import Any, get_args

import pytest

from shared_code.billing.block import Block
from shared_code.billing.blocks import BLOCKS, SUPPORTED, in_order
from shared_code.billing.calculation import compute, needs_of, printed
from shared_code.billing.given import Billed, Given, Value
from shared_code.billing.model import Line, Trace, required
from shared_code.contracts.schema import Component, Contract
from shared_code.contracts.terms import terms_for
from shared_code.facts.completeness import Need
from shared_code.facts.model import REVENUE, STATISTICS, TIMESHEET
from shared_code.foundation.money import ZERO
from tests.unit.billing.builders import (
    CONTEXT,
    PERIOD,
    amounts,
    bell,
    bill,
    codes,
    contract,
    facts,
    fees,
    grouped,
    job,
    labor,
    monthly,
    present,
    rooms,
    service,
    share,
    structure,
)

FEE = fees(service("100"))
HOURS = labor(job("VALET", "20", "30"))
ROOMS = rooms("2")
SHARE = share(structure(("10", None)))
EVERYTHING = facts(revenue=monthly("1000"), hours={"VALET": ("10", "1")}, rooms="7")


def test_lines_stand_in_the_order_in_which_statements_print_them() -> None:
    """Billing-flows 5.5, step 5, however the document orders its components."""
    outcome = bill(contract(SHARE, HOURS, ROOMS, FEE), EVERYTHING)

    assert [(line.block, str(line.amount)) for line in outcome.lines] == [
        ("fixedFee", "100.00"),
        ("perOccupiedRoom", "14.00"),
        ("perLaborHour", "200.00"),
        ("perLaborHour", "30.00"),
        ("revenueShare", "100.00"),
    ]


PRINTED = [
    "fixedFee",
    "perOccupiedRoom",
    "bellServiceFee",
    "depositedRevenue",
    "billableExpenses",
    "billablePayroll",
    "pteb",
    "supportServices",
    "insurance",
    "claims",
    "managementFee",
    "nonGlExpense",
    "midMonthAdvance",
    "perLaborHour",
    "adHoc",
    "revenueShare",
    "validations",
    "profitShare",
]


def test_lines_of_one_place_are_printed_as_they_were_made() -> None:
    """Two blocks may be printed behind the same third one."""
    a, b, c = (Line("fixedFee", 1, title, "4000", "", ZERO, Trace()) for title in "abc")

    assert [line.title for line in printed([(3, [b]), (1, [a]), (3, [c])])] == ["a", "b", "c"]


def test_the_order_of_print_is_that_of_the_flows() -> None:
    """Billing-flows 5.5, step 5."""
    assert [block.name for block in BLOCKS] == PRINTED


def test_every_component_of_a_document_has_a_calculator() -> None:
    """A component without one would be refused by name: nothing is ever billed in part."""
    kinds = {model.model_fields["kind"].default for model in get_args(get_args(Component)[0])}

    assert kinds == SUPPORTED
    assert terms_for(contract(FEE, HOURS), PERIOD).unsupported(frozenset({"fixedFee"})) == ("perLaborHour",)


A, B = Value("a", 0), Value("b", 0)


def block(name: str, **fields: Any) -> Block:
    return Block(name, None, lambda _given: Billed(), **fields)


def test_what_a_block_reads_is_computed_before_it_wherever_it_is_printed() -> None:
    reader, last, giver = block("reader", reads=(A,)), block("last", last=True), block("giver", gives=(A,))

    assert [one.name for one in in_order((reader, last, giver))] == ["giver", "reader", "last"]


def test_blocks_that_do_not_wait_are_computed_as_printed_and_a_reader_as_soon_as_it_can() -> None:
    """Whatever the process: reasons are told in this order."""
    blocks = (block("reader", reads=(A,)), block("one"), block("giver", gives=(A,)), block("two"))

    assert [one.name for one in in_order(blocks)] == ["one", "giver", "reader", "two"]


def test_of_two_blocks_that_come_last_the_giver_comes_first() -> None:
    reader, giver, first = block("reader", reads=(A,), last=True), block("giver", gives=(A,), last=True), block("first")

    assert [one.name for one in in_order((reader, giver, first))] == ["first", "giver", "reader"]


WRONG = [
    ("nobody gives it", (block("reader", reads=(A,)),), "no block gives a"),
    ("nobody gives two of them", (block("reader", reads=(B, A)),), "no block gives a, b"),
    ("two give it", (block("one", gives=(A,)), block("two", gives=(A,))), "given by one and by two"),
    ("a circle", (block("one", gives=(A,), reads=(B,)), block("two", gives=(B,), reads=(A,))), "a cycle of one, two"),
]


@pytest.mark.parametrize(("blocks", "message"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_an_order_that_cannot_be_is_refused_at_the_start(blocks: tuple[Block, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        in_order(blocks)


def test_a_block_that_is_off_is_neither_billed_nor_checked() -> None:
    off = fees(service(None, group=9), enabled=False)

    assert amounts(bill(contract(off, ROOMS), EVERYTHING)) == ["14.00"]


OCTOBER_WITH_A_GAP = present(PERIOD, longest_gap=8)
OCTOBER_WITH_REJECTIONS = present(PERIOD, rejected=1)
ORDERED: list[tuple[str, Contract, dict[str, object], list[str]]] = [
    # case, contract, facts, every reason in the order of R61; the first one is reported
    (
        "a number that was never entered, then missing facts",
        contract(bell(), fees(service(None))),
        {},
        ["NULL_NUMBER", "MISSING_FACTS"],
    ),
    (
        "contract error, then missing facts",
        grouped(fees(service("1", group=7)), ROOMS),
        {},
        ["GROUP_UNKNOWN", "MISSING_FACTS"],
    ),
    (
        "an anchor, then missing facts",
        contract(share(structure(("10", None), window="AnnualAnniversary"))),
        {},
        ["ANCHOR_MISSING", "MISSING_FACTS"],
    ),
    (
        "missing, incomplete, rejected",
        contract(HOURS, ROOMS, SHARE),
        {
            "hours": {"VALET": ("1", "0")},
            "presence": {
                (TIMESHEET, PERIOD): OCTOBER_WITH_REJECTIONS,
                (STATISTICS, PERIOD): OCTOBER_WITH_A_GAP,
            },
        },
        ["MISSING_FACTS", "INCOMPLETE_FACTS", "REJECTED_ROWS"],
    ),
    (
        "rejected, then history",
        contract(share(structure(("10", None), window="AnnualCalendar"))),
        {
            "revenue": monthly(*["5"] * 9),
            "presence": {(REVENUE, PERIOD): OCTOBER_WITH_REJECTIONS},
        },
        ["REJECTED_ROWS", "MISSING_HISTORY"],
    ),
    (
        "no overtime rate, then missing facts",
        contract(labor(job("VALET", "20", None)), ROOMS),
        {"hours": {"VALET": ("1", "1")}},
        ["NULL_NUMBER", "MISSING_FACTS"],
    ),
]


@pytest.mark.parametrize(("_case", "deal", "given", "expected"), ORDERED, ids=[row[0] for row in ORDERED])
def test_every_reason_is_given_in_the_order_of_r61(
    _case: str, deal: Contract, given: dict[str, object], expected: list[str]
) -> None:
    assert codes(bill(deal, facts(**given))) == expected  # type: ignore[arg-type]  # a table of keywords


def test_a_contract_that_is_not_in_force_bills_nothing() -> None:
    assert amounts(bill(contract(FEE, end_date=date(2026, 9, 30)), EVERYTHING)) == []


def test_advanced_contracts_carry_no_block_that_needs_facts() -> None:
    """Rules R50."""
    assert codes(bill(contract(ROOMS, billing_type="Advanced"), EVERYTHING)) == ["ADVANCED_WITH_FACTS"]


def test_the_datasets_that_a_contract_needs() -> None:
    """Rules R60: those that a predicate of an active row reads, and no others."""
    deal = contract(FEE, HOURS, ROOMS, share(structure(("10", None), window="AnnualCalendar")))

    needed = set(needs_of(Given(terms_for(deal, PERIOD), facts(), CONTEXT)))

    assert needed == {
        Need(TIMESHEET, PERIOD),
        Need(STATISTICS, PERIOD),
        *(Need(REVENUE, PERIOD.plus(-back)) for back in range(10)),
    }
    assert needs_of(Given(terms_for(contract(FEE), PERIOD), facts(), CONTEXT)) == []


@pytest.mark.parametrize("gap_days", [7, 8])
def test_the_tolerated_gap_is_a_setting(gap_days: int) -> None:
    found = facts(rooms="7", presence={(STATISTICS, PERIOD): OCTOBER_WITH_A_GAP})

    assert bill(contract(ROOMS), found, replace(CONTEXT, gap_days=gap_days)).failed == (gap_days < 8)


def test_a_component_that_cannot_be_computed_is_refused_by_name_and_nothing_is_billed_in_part() -> None:
    """A document of a later version of the app must not lose a block without a word."""
    terms = terms_for(contract(FEE), PERIOD)
    later = replace(terms, blocks=(*terms.blocks, "valetRobots"))

    outcome = compute(later, EVERYTHING, CONTEXT)

    assert codes(outcome) == ["COMPONENT_NOT_SUPPORTED"]
    assert outcome.reasons[0].message == (
        "the contract bills 'valetRobots', which this version cannot compute; nothing is billed in part"
    )


def test_each_reason_says_where_the_fault_is_and_what_is_missing() -> None:
    """A code alone would leave a person to search the contract and the drops."""
    outcome = bill(contract(fees(service(None)), ROOMS), facts())

    number, missing = outcome.reasons
    assert number.message.startswith("/components/0/lines/0/fee: ")
    assert missing.message.startswith("site_statistics of 2026-10 for site 0042: no rows; ")


def test_a_number_that_slipped_through_the_checks_is_named_and_never_taken_for_zero() -> None:
    with pytest.raises(ValueError, match=r"^rate of job VALET is missing, and the contract was not refused for it$"):
        required(None, "rate of job", "VALET")
