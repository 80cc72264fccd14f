"""Where a statement stands among those of its contract and period: its version and generation (rules R24, R27). Pure.

A version is printed in invoice numbers and grows when the one before was sent. A generation counts how often the month
was made, whatever was sent. Both follow from what is stored, so numbers have no gaps and no counter to wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

SENT = "Sent"
SUPERSEDED = "Superseded"


class Standing(Protocol):
    """A stored statement of the contract and period."""

    @property
    def statement_id(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def generation(self) -> int: ...
    @property
    def status(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Place:
    """What the next statement is numbered, and the id of the unsent one whose place it takes."""

    version: int = 1
    generation: int = 1
    replaces: str | None = None


FIRST = Place()


def next_place(standing: Sequence[Standing]) -> Place:
    """The place of the next statement of a contract and period.

    | there is              | version         | takes the place of |
    |-----------------------|-----------------|--------------------|
    | nothing               | 1               |                    |
    | one that is not sent  | its own         | that one           |
    | one that was sent     | its own + 1     |                    |
    | sent, and a later one | the later one's | the later one      |
    """
    if not standing:
        return FIRST
    unsent = next((one for one in standing if one.status not in (SENT, SUPERSEDED)), None)
    generation = 1 + max(one.generation for one in standing)
    if unsent is not None:
        return Place(unsent.version, generation, unsent.statement_id)
    sent = max((one.version for one in standing if one.status == SENT), default=0)
    return Place(sent + 1, generation)


def counts[One: Standing](standing: Sequence[One]) -> list[One]:
    """Those that are not superseded: what the contract was billed for the period."""
    return [one for one in standing if one.status != SUPERSEDED]
