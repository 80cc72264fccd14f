"""Readiness: complete, needs terms, incomplete, each with its reasons (rules R48)."""

from datetime import date
from typing import Any

import pytest

from shared_code.contracts.checking.readiness import readiness
from shared_code.contracts.legacy import read_legacy
from shared_code.contracts.schema import Component, FeeFixed, FeeHourly, FixedPct, SigningBonus
from tests.unit.contracts import parts
from tests.unit.contracts.documents import ARCHETYPES, contract, legacy_file, money

STEP = {"target": "fixedFee.fee", "month": "July", "pct": money("3")}
NOTE = {"notes": "Rate increases 3% each July."}
FEES = parts.fees(parts.fee())
YEARLY = parts.share(parts.structure(accumulation="AnnualAnniversary"))

CASES: list[tuple[str, list[Component], dict[str, Any], str, list[tuple[str, str]]]] = [
    ("a fee", [FEES], {}, "complete", []),
    ("a note without terms", [FEES], {"notes": "Send by mail."}, "complete", []),
    ("a note with terms", [FEES], NOTE, "needs terms", [("DQ30", "/notes")]),
    (
        "a note whose step is proposed",
        [FEES],
        {**NOTE, "escalators": (FixedPct(**STEP, source="note", status="proposed"),)},
        "needs terms",
        [("PROPOSED", "/escalators/0"), ("DQ30", "/notes")],
    ),
    (
        "a note whose step is approved",
        [FEES],
        {**NOTE, "escalators": (FixedPct(**STEP, source="note", status="approved"),)},
        "complete",
        [],
    ),
    (
        "a note whose step comes from a field",
        [FEES],
        {**NOTE, "escalators": (FixedPct(**STEP, source="field"),)},
        "needs terms",
        [("DQ30", "/notes")],
    ),
    (
        "a note whose only term is rejected",
        [FEES],
        {"notes": "A bonus of $500.", "terms": (SigningBonus(amount=money("500"), status="rejected"),)},
        "complete",
        [],
    ),
    (
        "a price in a title",
        [parts.fees(parts.fee(display_name="3 Gates @ $12"))],
        {},
        "needs terms",
        [("DQ38", "/components")],
    ),
    ("an anniversary without a date", [YEARLY], {}, "needs terms", [("DQ33", "/anchorDate")]),
    ("an anniversary with its date", [YEARLY], {"anchor_date": date(2025, 3, 1)}, "complete", []),
    (
        "a missing number",
        [parts.rooms(room_rate=None)],
        NOTE,
        "incomplete",
        [("NULL_NUMBER", "/components/0/roomRate"), ("DQ30", "/notes")],
    ),
    (
        "an hourly fee without jobs",
        [parts.agreement(fee=FeeHourly())],
        {},
        "incomplete",
        [("NO_JOBS", "/components/0/agreements/0/fee/jobCodes"), ("DQ19", "/components/0/agreements/0")],
    ),
    (
        "an agreement that bills nothing",
        [parts.agreement(fee=FeeFixed(amount=money("0")))],
        {},
        "incomplete",
        [("DQ19", "/components/0/agreements/0")],
    ),
    ("a rule that is broken", [parts.deposits(2)], {}, "incomplete", [("SECOND_ROW", "/components/0/items/1")]),
    (
        "a step that raises nothing",
        [FEES],
        {"escalators": (FixedPct(**{**STEP, "target": "rent"}),)},
        "incomplete",
        [("ESCALATOR_INVALID", "/escalators/0/target")],
    ),
]


@pytest.mark.parametrize(
    ("components", "fields", "state", "reasons"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_the_state_of_a_contract_has_its_reasons(
    components: list[Component], fields: dict[str, Any], state: str, reasons: list[tuple[str, str]]
) -> None:
    found = readiness(contract(*components, **fields))

    assert (found.state, [(reason.code, reason.pointer) for reason in found.reasons]) == (state, reasons)
    assert all(reason.message for reason in found.reasons)


def test_of_the_archetypes_those_with_notes_need_terms_and_two_are_incomplete() -> None:
    states: dict[str, set[str]] = {}
    for name in ARCHETYPES:
        states.setdefault(readiness(read_legacy(*legacy_file(name)).contract).state, set()).add(name)

    assert states["incomplete"] == {"A13", "A14"}
    in_need = {name for name, row in ARCHETYPES.items() if {"DQ30", "DQ33", "DQ38"} & set(row["dqCodes"])}
    assert states["needs terms"] == in_need - {"A13", "A14"}
