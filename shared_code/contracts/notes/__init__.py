"""Terms from the notes of a contract: what a note seems to say, for a person to approve or reject (rules R32).

`mine(note)` proposes; `merge(previous, note)` keeps decisions when a note changes. Pure: nothing is stored here.
"""

from shared_code.contracts.notes.lifecycle import (
    ContractPart,
    Decision,
    Reviewed,
    State,
    approve,
    contract_part,
    merge,
    reject,
)
from shared_code.contracts.notes.mining import mine
from shared_code.contracts.notes.model import UNNAMED, Grade, Proposal, Span, Value

__all__ = [
    "UNNAMED",
    "ContractPart",
    "Decision",
    "Grade",
    "Proposal",
    "Reviewed",
    "Span",
    "State",
    "Value",
    "approve",
    "contract_part",
    "merge",
    "mine",
    "reject",
]
