"""Amounts in the sentences of a trace: nothing is rounded, so that whoever works a step out again gets its value."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.billing.model import Step
from shared_code.billing.wording import exact_dollars
from shared_code.foundation.money import dollars
from tests.unit.billing.builders import bill, contract, facts, job, labor, rooms

CASES = [
    ("0", "$0.00"),
    ("0.1", "$0.10"),
    ("1234.5", "$1,234.50"),
    ("1234.5600", "$1,234.56"),
    ("1234567.8901", "$1,234,567.8901"),
    ("-0.3125", "-$0.3125"),
    ("-3", "-$3.00"),
    ("1E+3", "$1,000.00"),
    ("100.000", "$100.00"),
]


@pytest.mark.parametrize(("amount", "text"), CASES)
def test_amounts_keep_all_their_digits(amount: str, text: str) -> None:
    assert exact_dollars(Decimal(amount)) == text


@given(st.decimals(-(10**9), 10**9, places=6))
def test_law_what_is_written_is_the_amount(amount: Decimal) -> None:
    assert Decimal(exact_dollars(amount).replace("$", "").replace(",", "")) == amount


@given(st.integers(-(10**11), 10**11).map(lambda whole: Decimal(whole).scaleb(-2)))
def test_law_whole_cents_are_written_as_on_invoices(amount: Decimal) -> None:
    assert exact_dollars(amount) == dollars(amount)


def test_a_rate_of_three_decimals_is_exact_in_the_step_and_has_two_on_the_invoice() -> None:
    """Rules R55 round what is printed; the step says what was calculated with."""
    outcome = bill(contract(labor(job("VALET", "28.755", "43.1275"))), facts(hours={"VALET": ("20", "2")}))
    (room,) = bill(contract(rooms("1.395")), facts(rooms="100")).lines

    assert [step.text for line in outcome.lines for step in line.trace.steps] == [
        "20 regular hours at $28.755",
        "2 overtime and holiday hours at $43.1275",
    ]
    assert ["$28.76" in outcome.lines[0].description, "$43.13" in outcome.lines[1].description] == [True, True]
    assert (room.trace.steps[0].text, "$1.40" in room.description) == ("100 occupied rooms at $1.395", True)


def test_hours_at_one_rate_come_to_the_line_in_their_last_step() -> None:
    (line,) = bill(contract(labor(job("VALET", "20", "20"))), facts(hours={"VALET": ("10", "2")})).lines

    assert [(step.text, str(step.value)) for step in line.trace.steps] == [
        ("10 regular hours at $20.00", "200.00"),
        ("2 overtime and holiday hours at $20.00", "40.00"),
        ("Both together, since their rates are the same", "240.00"),
    ]
    assert line.trace.inputs["billed"] == "all"


OTHERS: list[tuple[object, bool]] = [
    (Step("Fee of $7.50", Decimal(5)), True),
    (Step("Fee of {fee:dollars}", Decimal(5), (Decimal("7.50"),)), True),
    (Step("Fee of $7.51", Decimal(5)), False),
    (Step("Fee of $7.50", Decimal(6)), False),
    (("Fee of $7.50", Decimal(5)), False),
]


@pytest.mark.parametrize(("other", "same"), OTHERS)
def test_steps_are_equal_when_they_say_the_same_and_only_then(other: object, same: bool) -> None:
    """Whoever compares two explanations must see the difference of a word or of a value."""
    step = Step("Fee of {fee:dollars}", Decimal(5), (Decimal("7.5"),))

    assert (step == other) is same is not (step != other)
    assert len({step, other}) == (1 if same else 2)
