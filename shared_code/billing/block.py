"""What a calculator declares of itself. The order of calculation follows from what blocks read and give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared_code.billing.given import Billed, Given, Value
from shared_code.billing.model import Reason
from shared_code.facts.completeness import Need


def nothing_needed(_given: Given) -> Iterable[Need]:
    return ()


def no_problem(_given: Given) -> Iterable[Reason]:
    return ()


@dataclass(frozen=True, slots=True)
class Block:
    """A calculator: the component that switches it on (None: always on), the facts it needs, the lines it bills.

    `month` names the datasets of the service month that it may read, each with whether it reads it for a contract;
    `earlier` are the months before that it reads.
    `problems` are contract errors that only show with the facts (rules R48). `reads` and `gives` are exact values
    that pass from block to block. `last`: it is computed after every other line, ad-hoc ones included. `part` names the
    part of a contract's row that it bills, where several blocks share a component: it is in the keys of its rates.
    """

    name: str
    component: str | None
    bill: Callable[[Given], Billed]
    month: Mapping[str, Callable[[Given], bool]] = field(default_factory=dict)
    earlier: Callable[[Given], Iterable[Need]] = nothing_needed
    problems: Callable[[Given], Iterable[Reason]] = no_problem
    reads: tuple[Value[Any], ...] = ()
    gives: tuple[Value[Any], ...] = ()
    last: bool = False
    part: str = ""

    def needs(self, given: Given) -> list[Need]:
        """Every dataset and month that its active rows read (rules R60)."""
        month = [Need(dataset, given.facts.period) for dataset, reads in self.month.items() if reads(given)]
        return [*month, *self.earlier(given)]

    @property
    def place(self) -> str:
        """Where its rates stand: the component, and the part of the row."""
        return f"{self.component}/{self.part}" if self.part else self.component or ""
