"""What billing gives: lines with a trace, or reasons why not. Values only; nothing here reads or writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a calculation in one sentence, with its value."""

    text: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class FactReference:
    """The source rows behind an input: which dataset, which rows of it, how many, their sum and their batches."""

    dataset: str
    predicate: str
    rows: int
    amount: Decimal
    batches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """Why an amount is what it is: inputs by name, steps in order, fact references."""

    inputs: Mapping[str, object] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    facts: tuple[FactReference, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One invoice line, rounded to cents when it was made (rules R1).

    `block` names the calculator, `group` the invoice group, `code` the GL main account (never printed).
    """

    block: str
    group: int
    title: str
    code: str
    description: str
    amount: Decimal
    trace: Trace
    meta: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a contract was not billed: a stable code, and what a person should know and do (field report 24)."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result for one contract and period: lines by group, or reasons. The first reason is the one reported."""

    lines: tuple[Line, ...] = ()
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()

    @property
    def failed(self) -> bool:
        return bool(self.reasons)


def required(number: Decimal | None, name: str) -> Decimal:
    """A number that the checks of the contract have found to be there (rules R48). Raises ValueError if it is not."""
    if number is None:
        raise ValueError(f"{name} is missing, and the contract was not refused for it")
    return number
