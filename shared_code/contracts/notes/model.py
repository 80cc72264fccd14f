"""What the miner proposes: a structured term with the words it came from. Nothing here bills (rules R32)."""

from dataclasses import dataclass
from typing import Literal

from shared_code.contracts.notes.note_terms import NoteTerm
from shared_code.contracts.schema.clauses import Term
from shared_code.contracts.schema.escalation import Escalator
from shared_code.contracts.schema.header import DayOfMonth, NetDays, OnReceipt

# high: the words say it all. medium: something was inferred, such as a day from a year. low: one reading of several,
# or a clause about money that no rule reads.
Grade = Literal["high", "medium", "low"]
Value = Escalator | Term | NoteTerm | NetDays | DayOfMonth | OnReceipt

# The target of an escalator or a limit when the note does not say which rate it means: a person has to choose.
UNNAMED = "contract"


@dataclass(frozen=True, slots=True)
class Span:
    """Where the words stand in the note: `note[start:end] == text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """One term as the miner reads it, for a person to decide.

    `exclusive`: it is one of several readings of the same words, and at most one of them can be right.
    """

    kind: str
    value: Value
    span: Span
    grade: Grade
    reading: str
    exclusive: bool = False


def kind_of(value: Value) -> str:
    """The kind of a value: an escalator's rule, a clause's type, or `payment_terms`."""
    if isinstance(value, NetDays | DayOfMonth | OnReceipt):
        return "payment_terms"
    return value.rule if hasattr(value, "rule") else value.type
