"""What becomes of proposals: a person approves or rejects each, and a note that changes keeps what still stands.

Values only: storing them is the caller's. Nothing here changes a contract; `contract_part` gives what an approval puts
into it (rules R32).
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from shared_code.contracts.notes.errors import (
    NOTE_PROPOSAL_GONE,
    NOTE_PROPOSAL_NOT_FOUND,
    NOTE_PROPOSAL_RIVAL,
    NOTE_TARGET_MISSING,
)
from shared_code.contracts.notes.mining import mine
from shared_code.contracts.notes.model import UNNAMED, Proposal, Value
from shared_code.contracts.notes.note_terms import NoteOnly
from shared_code.contracts.notes.text import plain
from shared_code.contracts.schema.clauses import Term
from shared_code.contracts.schema.escalation import Escalator
from shared_code.contracts.schema.header import DayOfMonth, NetDays, OnReceipt
from shared_code.foundation.errors import BillingError

State = Literal["proposed", "approved", "rejected", "superseded"]
ContractPart = Escalator | Term | NetDays | DayOfMonth | OnReceipt


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided, why, and when (UTC)."""

    who: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A proposal and what became of it.

    `key` names it as long as the note says the same in the same words, wherever in the note they stand. A superseded
    proposal keeps its last decision, so that a person sees what an approved term came from.
    """

    key: str
    proposal: Proposal
    state: State = "proposed"
    decision: Decision | None = None


def merge(previous: Sequence[Reviewed], note: str) -> tuple[Reviewed, ...]:
    """The proposals of a note, with the decisions on those that it still makes in the same words.

    What it no longer makes is superseded and stands at the end. A superseded proposal that comes back is proposed anew:
    a decision is about a note as it stood. The first call has no `previous`; repeating a call changes nothing.
    """
    known = {one.key: one for one in previous if one.state != "superseded"}
    present = [_kept(key, proposal, known.get(key)) for key, proposal in _keyed(mine(note))]
    keys = {one.key for one in present}
    gone = (one for one in previous if one.key not in keys)
    return (*present, *(replace(one, state="superseded") for one in gone))


def keys_of(note: str) -> frozenset[str]:
    """The keys of everything that a note proposes."""
    return frozenset(key for key, _ in _keyed(mine(note)))


def approve(all_of_them: Sequence[Reviewed], key: str, decision: Decision) -> tuple[Reviewed, ...]:
    """The proposals with one approved; a rejection before is taken back.

    Errors: NOTE_PROPOSAL_NOT_FOUND, NOTE_PROPOSAL_GONE, and NOTE_PROPOSAL_RIVAL when another reading of the same words
    is approved.
    """
    chosen = _open(all_of_them, key)
    rivals = (one for one in all_of_them if one.key != key and one.state == "approved" and _exclude(one, chosen))
    if rival := next(rivals, None):
        raise BillingError(NOTE_PROPOSAL_RIVAL, f"{rival.proposal.reading} That reading is approved.")
    return _decided(all_of_them, replace(chosen, state="approved", decision=decision))


def reject(all_of_them: Sequence[Reviewed], key: str, decision: Decision) -> tuple[Reviewed, ...]:
    """The proposals with one rejected; an approval before is taken back. Errors as of `approve`, without rivals."""
    return _decided(all_of_them, replace(_open(all_of_them, key), state="rejected", decision=decision))


def contract_part(one: Reviewed, target: str | None = None) -> ContractPart | None:
    """What an approved proposal puts into the contract document, marked as approved and as coming from the note.

    `target` is the rate that a person chose; without it the proposal's own counts. None: it is not approved, or the
    document has no slot of its own for it, and a person enters it where it belongs. Error: NOTE_TARGET_MISSING.
    """
    value = one.proposal.value
    if one.state != "approved" or isinstance(value, NoteOnly):
        return None
    if isinstance(value, NetDays | DayOfMonth | OnReceipt):
        return value
    approved: dict[str, object] = {"status": "approved", "text": one.proposal.span.text}
    if "note_start" in type(value).model_fields:
        approved |= {"note_start": one.proposal.span.start, "note_end": one.proposal.span.end}
    named = target or getattr(value, "target", None)
    if named == UNNAMED:
        raise BillingError(NOTE_TARGET_MISSING, f"{one.proposal.span.text!r} does not say which rate it means.")
    if named is not None and "target" in type(value).model_fields:
        approved["target"] = named
    return value.model_copy(update=approved)


def _keyed(proposals: Iterable[Proposal]) -> Iterable[tuple[str, Proposal]]:
    """Each proposal with its key; the same words and meaning a second time get a number."""
    times: Counter[str] = Counter()
    for proposal in proposals:
        key = _key(proposal)
        times[key] += 1
        yield key if times[key] == 1 else f"{key}-{times[key]}", proposal


def _key(proposal: Proposal) -> str:
    """What a proposal says and in which words; letter case and white space do not count."""
    words = " ".join(plain(proposal.span.text).split())
    stated = [proposal.kind, _stated(proposal.value), words]
    return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()[:16]


def _stated(value: Value) -> object:
    return value.model_dump(mode="json", by_alias=True)


def _kept(key: str, proposal: Proposal, before: Reviewed | None) -> Reviewed:
    return Reviewed(key, proposal) if before is None else replace(before, proposal=proposal)


def _open(all_of_them: Sequence[Reviewed], key: str) -> Reviewed:
    """The proposal of that key, if it can be decided."""
    found = next((one for one in all_of_them if one.key == key), None)
    if found is None:
        raise BillingError(NOTE_PROPOSAL_NOT_FOUND, f"There is no proposal {key!r}.")
    if found.state == "superseded":
        raise BillingError(NOTE_PROPOSAL_GONE, f"The note no longer says {found.proposal.span.text!r}.")
    return found


def _exclude(one: Reviewed, other: Reviewed) -> bool:
    """Whether two proposals are rival readings of the same words."""
    both = one.proposal.exclusive and other.proposal.exclusive
    return both and one.proposal.span == other.proposal.span


def _decided(all_of_them: Sequence[Reviewed], decided: Reviewed) -> tuple[Reviewed, ...]:
    return tuple(decided if one.key == decided.key else one for one in all_of_them)
