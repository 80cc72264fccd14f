"""Explanations of every block: their schema, their last step, the sums behind them, and the amount worked out anew.

The contract-months are generated: every block, combinations of them, negative months, windows, tiers and bounds.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from functions.openapi.explanation import explanation_schema, text
from functions.wire import dumps
from shared_code.billing.blocks import BLOCKS
from shared_code.billing.model import Line
from shared_code.statements.drafts import trace_json
from shared_code.statements.explanation.inputs import KNOWN
from shared_code.statements.explanation.model import Explanation
from shared_code.statements.explanation.trace import read_trace
from tests.oracle import bridge, generator, oracle
from tests.unit.statements.recompute import cents, recomputed

FILE = Path(__file__).parents[3] / "docs/schemas/explanation.json"
MONTHS = 1200
SEED = 20_261_101
VALIDATOR = Draft202012Validator(explanation_schema())

type Json = dict[str, Any]


def explained(line: Line, site: str, month: str) -> Json:
    """A line's explanation as the API writes it."""
    trace = read_trace(trace_json(line))
    found = Explanation(
        line_id="line",
        statement_id="statement",
        invoice_number="0042-202610-01-01",
        site_number=site,
        period=month,
        block=line.block,
        title=line.title,
        code=line.code,
        amount=line.amount,
        contract_id="contract",
        contract_version=1,
        effective_from=None,
        rates_as_of=month,
        inputs=trace.inputs,
        steps=trace.steps,
        facts=trace.facts,
    )
    written: Json = json.loads(dumps(found), parse_float=Decimal)
    return written


@cache
def explanations() -> Mapping[str, list[Json]]:
    """Explanations of generated contract-months by block."""
    found: dict[str, list[Json]] = defaultdict(list)
    for seed in range(SEED, SEED + MONTHS):
        case = generator.case(seed)
        for line in bridge.computed(case, oracle.OPERATOR).lines:
            written = explained(line, case.contract["site"]["number"], f"{case.month[0]}-{case.month[1]:02d}")
            found[line.block].append({**written, "seed": seed})
    return found


def every() -> Iterator[Json]:
    return (one for block in explanations().values() for one in block)


def faults(explanation: Json) -> list[str]:
    as_floats = json.loads(json.dumps(explanation, default=float))
    return [f"{error.json_path}: {error.message[:200]}" for error in VALIDATOR.iter_errors(as_floats)]


def test_the_schema_is_published_as_a_file() -> None:
    """If the change is meant: `python -m functions.openapi.explanation > docs/schemas/explanation.json`."""
    assert FILE.read_text(encoding="utf-8") == text()


def test_every_block_is_among_what_is_explained() -> None:
    few = {block.name: len(explanations()[block.name]) for block in BLOCKS if len(explanations()[block.name]) < 20}

    assert few == {}


@pytest.mark.parametrize("block", [block.name for block in BLOCKS])
def test_explanations_are_what_their_schema_says(block: str) -> None:
    wrong = [(one["seed"], found) for one in explanations()[block] if (found := faults(one))]

    assert wrong == []


@pytest.mark.parametrize("block", [block.name for block in BLOCKS])
def test_an_amount_is_worked_out_anew_from_its_inputs_alone(block: str) -> None:
    wrong = [
        (one["seed"], one["amount"], one["inputs"])
        for one in explanations()[block]
        if recomputed(one) != Fraction(one["amount"])
    ]

    assert wrong == []


@pytest.mark.parametrize("block", [block.name for block in BLOCKS])
def test_the_last_step_is_the_amount(block: str) -> None:
    wrong = [
        one["seed"] for one in explanations()[block] if not one["steps"] or one["steps"][-1]["value"] != one["amount"]
    ]

    assert wrong == []


def test_a_step_is_one_sentence_that_begins_with_a_capital_or_a_figure() -> None:
    texts = Counter(step["text"] for one in every() for step in one["steps"])

    assert [text for text in texts if not re.match(r"[A-Z0-9$-]", text) or text.endswith(".") or "  " in text] == []


def test_no_text_of_a_step_rounds_what_was_calculated_with() -> None:
    """A share of the step's figures is its value: to the last digit, or to the cent where the step is rounded."""
    pattern = re.compile(r"(?:Structure \d+: )?([\d.]+) % of .*?(-?)\$(-?[\d,.]+\d)(?: above .*)?")
    seen = 0
    for one in every():
        for step in one["steps"]:
            if match := pattern.fullmatch(step["text"]):
                seen += 1
                figure = Fraction(match[2] + match[3].replace(",", ""))
                exact = figure * Fraction(match[1]) / 100
                assert step["value"] in (exact, cents(exact)), (one["seed"], step)
    assert seen > 500


def test_every_input_of_our_own_blocks_is_described() -> None:
    names = {name for one in every() for name in one["inputs"] if not name.startswith("structure")}

    assert names - KNOWN.keys() == set()


# -- facts ------------------------------------------------------------------------------------------------------------

# block, the input that the sums of the month come to
SUMS = [
    ("perOccupiedRoom", "rooms"),
    ("bellServiceFee", "collected"),
    ("billablePayroll", "balance"),
    ("billableExpenses", "balance"),
    ("insurance", "balance"),
    ("claims", "month"),
]


def of_month(one: Json) -> list[Json]:
    return [fact for fact in one["facts"] if fact["period"] == one["period"]]


def amount_of(facts: list[Json]) -> Fraction:
    return sum((Fraction(fact["amount"]) for fact in facts), Fraction(0))


@pytest.mark.parametrize(("block", "name"), SUMS)
def test_the_sums_are_the_inputs(block: str, name: str) -> None:
    found = [one for one in explanations()[block] if name in one["inputs"]]

    assert found
    assert [one["seed"] for one in found if amount_of(of_month(one)) != Fraction(one["inputs"][name])] == []


def test_the_months_of_a_window_and_its_opening_are_what_has_accumulated() -> None:
    for one in [*explanations()["revenueShare"], *explanations()["claims"]]:
        windows = [found for name, found in one["inputs"].items() if name.startswith("structure")] or [one["inputs"]]
        if "toDate" not in windows[0]:
            continue
        earlier = [fact for fact in one["facts"] if fact["period"] != one["period"]]
        opened = sum((Fraction(found["opening"] or 0) for found in windows), Fraction(0))
        to_date = sum((Fraction(found["toDate"]) for found in windows), Fraction(0))
        assert amount_of(earlier) + opened == to_date, one["seed"]


def test_validations_name_the_revenue_that_their_threshold_and_their_weights_rest_on() -> None:
    for one in explanations()["validations"]:
        validated, *shared = one["facts"]
        assert Fraction(validated["amount"]) == Fraction(one["inputs"]["validated"])
        if one["inputs"]["type"] == "RevenuePercentage":
            assert amount_of(shared) == Fraction(one["inputs"]["monthRevenue"]), one["seed"]
        assert bool(shared) != one["inputs"].get("chargedInFull", False)


# -- what is wrong ----------------------------------------------------------------------------------------------------

BROKEN: list[tuple[str, str, Any]] = [
    # case, the part that is broken, what stands there
    ("a step without a value", "steps", [{"text": "Monthly fee"}]),
    ("a value that is text", "steps", [{"text": "Monthly fee", "value": "1.00"}]),
    ("steps that are a text", "steps", "Monthly fee"),
    ("a rate that is a floating number", "inputs", {"rate": 1.5}),
    ("an amount that is no number", "inputs", {"toDate": "much"}),
    ("an exponent", "inputs", {"profit": "0E-10"}),
    ("a month that there is not", "inputs", {"windowStart": "2026-13"}),
    ("tiers without a bound", "inputs", {"tiers": [{"percent": "5"}]}),
    ("a structure whose revenue is no number", "inputs", {"structure2": {"month": True}}),
    ("a figure of a new block that is not exact", "inputs", {"permits": 2.5}),
    ("a sum without its rows", "facts", [{"number": 1, "dataset": "timesheet"}]),
    ("facts that are missing", "facts", None),
]


@pytest.mark.parametrize(("part", "value"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_broken_explanation_is_not_what_the_schema_says(part: str, value: Any) -> None:
    good = explanations()["fixedFee"][0]
    assert faults(good) == []

    assert faults({**good, part: value})


def test_a_new_block_may_name_inputs_of_its_own() -> None:
    good = explanations()["fixedFee"][0]

    assert faults({**good, "inputs": {**good["inputs"], "permits": 3, "price": "12.50"}}) == []
