"""Proposals from notes as routes answer with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared_code.contracts.notes.lifecycle import State
from shared_code.contracts.notes.model import Grade
from shared_code.foundation.answers import Described

Slot = Literal["escalators", "terms", "paymentTerms"]


@dataclass(frozen=True, slots=True)
class NoteDecision(Described):
    """The latest decision about a proposal."""

    number: int
    """1 for the first decision about it, then 2 and so on."""
    decided_by: str
    decided_at: datetime
    reason: str
    target: str | None
    """The rate that the person named; null where the proposal's own counts."""
    value: Mapping[str, object] | None
    """The value as it was approved, corrections included; null for a rejection."""
    contract_version: int | None
    """The version of the contract that an approval wrote; null where it wrote none."""


@dataclass(frozen=True, slots=True)
class NoteProposal(Described):
    """A term that a contract's note proposes, and what became of it. Nothing of it bills before it is approved."""

    id: str
    contract_id: str
    contract_hash: str
    """The ETag of the contract without its quotes; an approval sends it as If-Match."""
    kind: str
    state: State
    """superseded: the note does not say it any more."""
    grade: Grade
    """high: the words say it all. medium: something was inferred. low: one reading of several, or none."""
    reading: str
    """What it means, as a sentence."""
    exclusive: bool
    """True where it is one of several readings of the same words, and only one of them can be right."""
    start: int
    """Where the words begin in the note, in characters."""
    end: int
    text: str
    """The words that it came from."""
    value: Mapping[str, object]
    """The term as it was read; its fields are those of the contract document."""
    slot: Slot | None
    """The part of the contract that an approval writes to; null where a person enters it where it belongs."""
    in_contract: bool
    """Whether the latest version of the contract holds what was approved."""
    decision: NoteDecision | None
