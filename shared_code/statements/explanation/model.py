"""Explanations as routes answer with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from shared_code.foundation.answers import Described, Money, PeriodText, SourceMoney


@dataclass(frozen=True, slots=True)
class ExplainedStep(Described):
    """One step of the calculation."""

    text: str
    """The step in one sentence."""
    value: SourceMoney
    """What the step comes to."""


@dataclass(frozen=True, slots=True)
class ExplainedFacts(Described):
    """A sum over source rows that went into the amount."""

    number: int
    """1, 2, …: the `fact` by which its rows are asked for."""
    dataset: str
    period: PeriodText
    predicate: str
    """Which rows count, in words."""
    selection: Mapping[str, object]
    """The same for programs: measure and codes, accounts, roles, or category."""
    rows: int
    amount: SourceMoney
    """Their sum, in dollars, hours, minutes or rooms."""
    batches: tuple[str, ...]
    """The import batches that carry them; empty when there are no rows."""


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
    effective_from: date | None
    """The first day on which that version serves; None: from the beginning."""
    inputs: Mapping[str, object]
    """Terms and intermediate figures by name; exact numbers as text. `row` is the id of the contract's row."""
    steps: tuple[ExplainedStep, ...]
    facts: tuple[ExplainedFacts, ...]
