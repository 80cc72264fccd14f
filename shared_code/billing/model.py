"""What billing gives: lines with a trace, or reasons why not. Values only; nothing here reads or writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from shared_code.billing.wording import rows_in_words, written
from shared_code.foundation.values import value_class

_NOTHING: Mapping[str, object] = MappingProxyType({})


@value_class
class Step:
    """One step of a calculation in one sentence, with its value.

    The sentence has places for `values`, see billing/wording.py; without any it is the text. Two steps are equal when
    they say the same.
    """

    sentence: str
    value: Decimal
    values: tuple[object, ...] = ()

    @property
    def text(self) -> str:
        """The sentence with its values in it."""
        return written(self.sentence, self.values) if self.values else self.sentence

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Step) and (self.text, self.value) == (other.text, other.value)

    def __hash__(self) -> int:
        return hash((self.text, self.value))


@value_class
class FactReference:
    """The source rows behind an input: which dataset, which rows of it, how many, their sum and their batches.

    `site`, `period` and `selection` say which rows, so that they can be found again: `measure` (of facts/predicates.py)
    and `codes`, `accounts`, `roles`, or `valueTypes`. See billing/references.py.
    """

    dataset: str
    site: str
    period: str
    selection: Mapping[str, object]
    rows: int
    amount: Decimal
    batches: tuple[str, ...]

    @property
    def predicate(self) -> str:
        """Which rows, in words."""
        return f"site {self.site}, month {self.period}, {rows_in_words(self.dataset, self.selection)}"


@value_class
class Trace:
    """Why an amount is what it is: inputs by name, steps in order, fact references."""

    inputs: Mapping[str, object] = _NOTHING
    steps: tuple[Step, ...] = ()
    facts: tuple[FactReference, ...] = ()


@value_class
class Line:
    """One invoice line, rounded to cents when it was made (rules R1).

    `block` names the calculator, `group` the invoice group, `code` the GL main account (never printed).
    `shows_zero`: on an invoice that exists it is printed even when it is 0.00 (rules R54).
    """

    block: str
    group: int
    title: str
    code: str
    description: str
    amount: Decimal
    trace: Trace
    meta: Mapping[str, object] = _NOTHING
    shows_zero: bool = False


AdHocType = Literal["miscellaneous", "clientPaidExpense", "reimbursableExpense", "nonBillableExpense"]


@dataclass(frozen=True, slots=True)
class AdHocLine:
    """A line that a person added to a statement, as it is stored (rules R18, billing-flows 5.10).

    Client-paid and non-billable expenses are negative, as a statement credits them.
    """

    id: str
    group: int
    type: AdHocType
    title: str
    code: str
    description: str
    amount: Decimal
    author: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a contract was not billed: a stable code, and what a person should know and do (field report 24)."""

    code: str
    message: str


@value_class
class Outcome:
    """The result for one contract and period: lines by group, or reasons. The first reason is the one reported.

    `profit` is the monthly profit of a management agreement, exact to the cents of its lines; it is kept even when
    nothing is billed, since later months of a window count it (rules R44).
    """

    lines: tuple[Line, ...] = ()
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()
    profit: Decimal | None = None

    @property
    def failed(self) -> bool:
        return bool(self.reasons)


def required(number: Decimal | None, *name: str) -> Decimal:
    """A number that the checks of the contract have found to be there (rules R48). Raises ValueError if it is not.

    `name` says in words what it is: it is put together only where the number is missing.
    """
    if number is None:
        raise ValueError(f"{' '.join(name)} is missing, and the contract was not refused for it")
    return number
