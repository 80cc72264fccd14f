"""What a calculator declares of itself. The order of calculation follows from what blocks read and give."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
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

    `problems` are contract errors that only show with the facts (rules R48). `reads` and `gives` are exact values
    that pass from block to block. `last`: it is computed after every other line, ad-hoc ones included. `part` names the
    part of a contract's row that it bills, where several blocks share a component: it is in the keys of its rates.
    """

    name: str
    component: str | None
    bill: Callable[[Given], Billed]
    needs: Callable[[Given], Iterable[Need]] = nothing_needed
    problems: Callable[[Given], Iterable[Reason]] = no_problem
    reads: tuple[Value[Any], ...] = ()
    gives: tuple[Value[Any], ...] = ()
    last: bool = False
    part: str = ""

    @property
    def place(self) -> str:
        """Where its rates stand: the component, and the part of the row."""
        return f"{self.component}/{self.part}" if self.part else self.component or ""
