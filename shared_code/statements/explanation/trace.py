"""The trace of a line as it was stored, read back. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from shared_code.statements.explanation.model import ExplainedFacts, ExplainedStep

type Pointer = tuple[str, str, str]
"""Dataset, month and batch: the batch serves the site's rows of that month."""


@dataclass(frozen=True, slots=True)
class StoredTrace:
    """Inputs, steps and sums of a line, as `drafts.trace_json` has written them."""

    inputs: Mapping[str, object]
    steps: tuple[ExplainedStep, ...]
    facts: tuple[ExplainedFacts, ...]

    def fact(self, number: str) -> ExplainedFacts | None:
        """The fact of a number that a caller has written."""
        return next((fact for fact in self.facts if str(fact.number) == number), None)


def read_trace(text: str) -> StoredTrace:
    """The trace in a stored text; its facts count as current."""
    trace = json.loads(text)
    return StoredTrace(
        inputs=trace["inputs"],
        steps=tuple(ExplainedStep(step["text"], Decimal(step["value"])) for step in trace["steps"]),
        facts=tuple(_fact(number, fact) for number, fact in enumerate(trace["facts"], start=1)),
    )


def marked(fact: ExplainedFacts, current: Set[Pointer]) -> ExplainedFacts:
    """The fact, marked as replaced unless its batches are among those that serve its month now."""
    pointers = {(fact.dataset, fact.period, batch) for batch in fact.batches}
    return fact if pointers <= current else replace(fact, replaced=True)


def _fact(number: int, found: Mapping[str, Any]) -> ExplainedFacts:
    return ExplainedFacts(
        number=number,
        dataset=found["dataset"],
        period=found["period"],
        predicate=found["predicate"],
        selection=found["selection"],
        rows=found["rows"],
        amount=Decimal(found["amount"]),
        batches=tuple(found["batches"]),
        replaced=False,
    )
