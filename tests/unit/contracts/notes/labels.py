"""The labelled notes, and how well the miner's proposals agree with their labels.

A label is a kind, words that the span must share, and every field of the value that is not at its default. A
proposal is right when all of it agrees; a value that differs in one field counts as wrong and as missing.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

from shared_code.contracts.notes import Proposal, mine

Half = Literal["development", "held_out"]
HALVES: tuple[Half, ...] = ("development", "held_out")
FOLDER = Path(__file__).parents[3] / "fixtures/notes"
_ABOUT_THE_PROPOSAL = {"rule", "type", "source", "status", "text", "noteStart", "noteEnd"}


@dataclass(frozen=True)
class Label:
    """One term that a person reads in a note."""

    kind: str
    quote: str
    value: dict[str, Any]


@dataclass(frozen=True)
class LabelledNote:
    """An invented note with everything that it says."""

    id: str
    note: str
    expected: tuple[Label, ...]


@dataclass(frozen=True)
class Score:
    """Counts of one kind: proposals that agree, proposals that do not, labels that nobody proposed."""

    right: int = 0
    wrong: int = 0
    missing: int = 0

    @property
    def precision(self) -> float | None:
        """Of what was proposed, the part that is right; None when nothing was proposed."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def recall(self) -> float | None:
        """Of what the notes say, the part that was proposed; None when they say nothing of the kind."""
        return self.right / (self.right + self.missing) if self.right + self.missing else None


def labelled(half: Half) -> list[LabelledNote]:
    """One half of the labelled set."""
    lines = (FOLDER / f"{half}.jsonl").read_text(encoding="utf-8").splitlines()
    return [_note(json.loads(line)) for line in lines]


def _note(row: dict[str, Any]) -> LabelledNote:
    return LabelledNote(row["id"], row["note"], tuple(Label(**label) for label in row["expected"]))


def differences(one: LabelledNote) -> tuple[list[Label], list[Label], list[Proposal]]:
    """What was proposed rightly, what is missing, and what was proposed wrongly."""
    left = list(mine(one.note))
    right, missing = [], []
    for label in one.expected:
        found = next((proposal for proposal in left if agrees(label, proposal, one.note)), None)
        if found is None:
            missing.append(label)
        else:
            left.remove(found)
            right.append(label)
    return right, missing, left


def agrees(label: Label, proposal: Proposal, note: str) -> bool:
    """Whether a proposal is what the label says, from words that the label names."""
    at = note.index(label.quote)
    shares = proposal.span.start < at + len(label.quote) and at < proposal.span.end
    return shares and proposal.kind == label.kind and _exact(stated(proposal)) == _exact(label.value)


def stated(proposal: Proposal) -> dict[str, Any]:
    """The fields of a proposal's value that say something, as they look on the wire."""
    value = proposal.value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    fields = {name: field for name, field in value.items() if name not in _ABOUT_THE_PROPOSAL and field is not None}
    kind = getattr(proposal.value, "kind", None)
    return fields if kind is None else fields | {"kind": kind}


def _exact(value: Any) -> Any:
    """Numbers by their value and not by their spelling; empty lists say nothing."""
    if isinstance(value, dict):
        return {name: _exact(field) for name, field in value.items() if field not in ([], None)}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    try:
        return Decimal(value) if isinstance(value, str) else value
    except InvalidOperation:
        return value


def scores(notes: Iterable[LabelledNote]) -> dict[str, Score]:
    """The score of every kind that is labelled or proposed."""
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    for one in notes:
        agreed, lacking, false = differences(one)
        right.update(label.kind for label in agreed)
        missing.update(label.kind for label in lacking)
        wrong.update(proposal.kind for proposal in false)
    kinds = sorted({*right, *wrong, *missing})
    return {kind: Score(right[kind], wrong[kind], missing[kind]) for kind in kinds}


def total(found: dict[str, Score]) -> Score:
    """All kinds together."""
    values = found.values()
    return Score(sum(s.right for s in values), sum(s.wrong for s in values), sum(s.missing for s in values))
