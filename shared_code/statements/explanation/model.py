"""Explanations as routes answer with them. Their schema in the API's document, and the file of it, come from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import WithJsonSchema

from shared_code.foundation.answers import Described, Money, PeriodText
from shared_code.statements.explanation.inputs import INPUTS, SELECTION

Exact = Annotated[
    Decimal,
    WithJsonSchema({"type": "number", "description": "An exact figure, before any rounding.", "examples": [94.50375]}),
]
"""A figure with all the decimals that it has."""

Inputs = Annotated[Mapping[str, object], WithJsonSchema(INPUTS)]
Selection = Annotated[Mapping[str, object], WithJsonSchema(SELECTION)]


@dataclass(frozen=True, slots=True)
class ExplainedStep(Described):
    """One step of the calculation."""

    text: str
    """The step in one sentence."""
    value: Exact
    """What the step comes to; the last one is the amount of the line."""


@dataclass(frozen=True, slots=True)
class ExplainedFacts(Described):
    """A sum over source rows that went into the amount."""

    number: int
    """1, 2, …: the `fact` by which its rows are asked for."""
    dataset: str
    period: PeriodText
    predicate: str
    """Which rows count, in words."""
    selection: Selection
    rows: int
    amount: Exact
    """Their sum, in dollars, hours, minutes or rooms."""
    batches: tuple[str, ...]
    """The import batches that carry them; empty when there are no rows."""
    replaced: bool
    """Whether a later file has taken the place of these rows. They are kept: what is listed is what was billed."""


@dataclass(frozen=True, slots=True)
class Explanation(Described):
    """A line, and how its amount came about."""

    line_id: str
    statement_id: str
    invoice_number: str
    site_number: str
    period: PeriodText
    block: str
    """The part of the contract that it was computed by."""
    title: str
    code: str
    """The main account of the ledger."""
    amount: Money
    contract_id: str
    contract_version: int
    """GET /sites/{siteNumber}/contract/versions/{version} has its document."""
    effective_from: date | None
    """The first day on which that version serves; None: from the beginning."""
    rates_as_of: PeriodText | None
    """The month that the version states its rates for. `inputs.rateHistory` says how they have changed since."""
    inputs: Inputs
    steps: tuple[ExplainedStep, ...]
    facts: tuple[ExplainedFacts, ...]
