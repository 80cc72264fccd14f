"""Bell service (billing-flows 6.6, rules R4, R57)."""

from dataclasses import replace
from typing import Any

import pytest

from shared_code.contracts.schema import BellItem, BellService
from shared_code.facts.model import FactSum, SiteFacts
from tests.unit.billing.builders import (
    CONTEXT,
    amounts,
    bell,
    bill,
    codes,
    contract,
    facts,
    grouped,
    measured,
    money,
    monthly,
)


def collected(amount: str) -> SiteFacts:
    return measured(facts(revenue=monthly("0")), bell=amount)


CASES = [
    # case, collected, billed
    ("TV-BEL-1", "8450.00", ["8450.00"]),
    ("half a cent rounds away from zero", "10.005", ["10.01"]),
    ("a negative month passes as it is", "-12.00", ["-12.00"]),
    ("nothing collected: the line is dropped", "0", []),
]


@pytest.mark.parametrize(("amount", "billed"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_was_collected_is_billed(amount: str, billed: list[str]) -> None:
    assert amounts(bill(contract(bell()), collected(amount))) == billed


def test_the_line_as_it_is_printed_and_explained() -> None:
    line = bill(contract(bell()), collected("8450")).lines[0]

    assert (line.title, line.code, line.description, line.group) == ("Bell Service Fee", "4795", "", 1)
    assert [(step.text, str(step.value)) for step in line.trace.steps] == [
        ("Bell service collected in the month", "8450.00")
    ]
    assert line.trace.inputs == {"row": "b", "collected": money("8450")}
    (reference,) = line.trace.facts
    assert (reference.selection, reference.rows) == ({"measure": "bell"}, 4)


def test_a_month_without_revenue_rows_fails() -> None:
    assert codes(bill(contract(bell()), facts())) == ["MISSING_FACTS"]


def test_a_block_without_rows_bills_nothing_and_needs_no_facts() -> None:
    assert amounts(bill(contract(BellService(enabled=True)), facts())) == []


def test_a_second_row_is_a_contract_error() -> None:
    """Rules R9: the month's collections are one sum, so two rows would bill it twice."""
    two = BellService(enabled=True, items=(BellItem(id="b"), BellItem(id="c")))

    assert codes(bill(contract(two), collected("100"))) == ["SECOND_ROW"]


def test_it_is_billed_on_its_own_group_under_the_configured_account() -> None:
    row = BellService(enabled=True, items=(BellItem(id="b", group=2),))
    context = replace(CONTEXT, gl=replace(CONTEXT.gl, bell_service="4800"))

    (line,) = bill(grouped(row), collected("100"), context).lines

    assert (line.group, line.code) == (2, "4800")


STRAY: list[tuple[str | None, list[str]]] = [(None, []), ("0", []), ("25.00", ["BELL_UNDER_OTHER_CODES"])]


@pytest.mark.parametrize(("stray", "warned"), STRAY)
def test_bell_service_under_codes_that_the_share_keeps_is_told(stray: str | None, warned: list[str]) -> None:
    """Rules R57: it would be billed here, and shared as well."""
    found: Any = None if stray is None else FactSum(money(stray), 1, "batch-m")

    outcome = bill(contract(bell()), replace(collected("100"), stray_bell=found))

    assert [warning.code for warning in outcome.warnings] == warned
    assert amounts(outcome) == ["100.00"]  # a warning stops nothing


def test_the_warning_says_how_much_and_which_codes_are_meant() -> None:
    found = replace(collected("100"), stray_bell=FactSum(money("25"), 1, "batch-m"))

    (warning,) = bill(contract(bell()), found).warnings

    assert warning.message == "$25.00 of bell service was collected under codes other than OR1, OR2"


def test_the_line_belongs_to_bell_service_and_names_the_rows_of_the_month() -> None:
    """Without the month in its reference, the drill-down could not find the rows again."""
    (line,) = bill(contract(bell()), collected("8450")).lines

    assert line.block == "bellServiceFee"
    (reference,) = line.trace.facts
    assert reference.period == "2026-10"
    assert reference.predicate.startswith("site 0042, month 2026-10, ")
