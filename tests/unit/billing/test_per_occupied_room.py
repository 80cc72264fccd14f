"""Per occupied room (billing-flows 6.3, requirements 2.3)."""

import pytest

from shared_code.billing.model import Step
from shared_code.facts.model import OCCUPIED_ROOMS, STATISTICS
from tests.unit.billing.builders import (
    PERIOD,
    amounts,
    bill,
    codes,
    contract,
    facts,
    grouped,
    money,
    present,
    rooms,
)

VECTORS = [
    # vector, rooms, rate, amounts
    ("TV-POR-1", "1234", "1.39", ["1715.26"]),
    ("TV-POR-2: a month without rooms is nothing to bill", "0", "1.39", []),
    ("a rate of zero is nothing to bill", "1234", "0", []),
    ("rooms and rate are exact until the cent", "1000.5", "1.333333", ["1334.00"]),
    ("a correction can be negative", "-10", "1.50", ["-15.00"]),
]


@pytest.mark.parametrize(("_vector", "count", "rate", "expected"), VECTORS, ids=[row[0] for row in VECTORS])
def test_rooms_at_the_room_rate(_vector: str, count: str, rate: str, expected: list[str]) -> None:
    assert amounts(bill(contract(rooms(rate)), facts(rooms=count))) == expected


def test_tv_por_1_text_and_account() -> None:
    line = bill(contract(rooms("1.39")), facts(rooms="1234")).lines[0]

    assert (line.title, line.code) == ("Occupied Rooms", "4791")
    assert line.description == "Total Occupied Rooms: 1,234.\nMeridian Service Fee at $1.39 Per Occupied Room"
    assert line.trace.steps == (Step("1234 occupied rooms at $1.39", money("1715.26")),)
    assert (line.trace.facts[0].dataset, line.trace.facts[0].amount) == (STATISTICS, money("1234"))


def test_the_account_and_the_group_of_the_contract_count() -> None:
    line = bill(grouped(rooms("1", group=2, code="4720")), facts(rooms="5")).lines[0]

    assert (line.group, line.code) == (2, "4720")


def test_a_group_that_is_not_given_is_one() -> None:
    """The source turned it into 0 and never billed it (B6, rules R7)."""
    assert bill(contract(rooms("1")), facts(rooms="5")).lines[0].group == 1


REFUSED = [
    ("no rate", None, {"rooms": "5"}, ["NULL_NUMBER"]),
    ("no statistics", "1", {}, ["MISSING_FACTS"]),
    ("both, contract errors first", None, {}, ["NULL_NUMBER", "MISSING_FACTS"]),
]


@pytest.mark.parametrize(("_case", "rate", "given", "expected"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_missing_is_a_reason(_case: str, rate: str | None, given: dict[str, str], expected: list[str]) -> None:
    assert codes(bill(contract(rooms(rate)), facts(rooms=given.get("rooms")))) == expected


def test_statistics_without_rooms_are_a_true_zero() -> None:
    """Presence is judged by site and dataset (rules R8): other categories of the month make the site present."""
    there = facts(presence={(STATISTICS, PERIOD): present(PERIOD)})

    assert amounts(bill(contract(rooms("1.39")), there)) == []


def test_the_line_names_its_inputs_and_the_rows_that_were_counted() -> None:
    """Drafts are left out (rules R47), and the reference says so in words and finds the rows again."""
    line = bill(contract(rooms("1.39")), facts(rooms="1234")).lines[0]

    assert line.trace.inputs == {"rooms": money("1234"), "rate": money("1.39")}
    (reference,) = line.trace.facts
    assert reference.predicate == "site 0042, month 2026-10, category Occupied Rooms, not draft"
    assert (reference.rows, reference.batches, reference.period) == (31, ("batch-2026-10",), "2026-10")
    assert reference.selection == {"category": OCCUPIED_ROOMS, "valueTypes": facts().room_value_types}
