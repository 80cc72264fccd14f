"""Show what a contract's note proposes, and decide on it (rules R32)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.engine import Connection

from shared_code.contracts.errors import CONTRACT_CHANGED
from shared_code.contracts.notes import approving, repository, stored
from shared_code.contracts.notes.answers import NoteDecision, NoteProposal
from shared_code.contracts.notes.errors import (
    NOTE_CORRECTION_INVALID,
    NOTE_PROPOSAL_IN_CONTRACT,
    NOTE_PROPOSAL_NOT_FOUND,
)
from shared_code.contracts.notes.lifecycle import (
    ContractPart,
    Decision,
    Reviewed,
    State,
    approve,
    keys_of,
    merge,
    reject,
)
from shared_code.contracts.notes.model import Value
from shared_code.contracts.repository import lock
from shared_code.contracts.saving import Saving, read_document, save_in
from shared_code.contracts.schema import Contract
from shared_code.contracts.versions.choosing import one_contract
from shared_code.foundation import audit, clock, context
from shared_code.foundation.bus import unit_of_work
from shared_code.foundation.database import AnyRow, UnitOfWork, reading
from shared_code.foundation.errors import IF_MATCH_REQUIRED, BillingError, Detail
from shared_code.foundation.listing import PageRequest
from shared_code.foundation.paging import Page, page, read_cursor
from shared_code.foundation.visibility import Visibility


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person decides, why, and what they correct."""

    approves: bool
    reason: str
    target: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class _Review:
    """The proposals of one contract's note, with the latest decision on each."""

    row: AnyRow
    contract: Contract
    proposals: tuple[Reviewed, ...]
    decisions: Mapping[str, AnyRow]

    def one(self, key: str) -> Reviewed:
        found = next((one for one in self.proposals if one.key == key), None)
        if found is None:
            raise BillingError(NOTE_PROPOSAL_NOT_FOUND, f"the contract's note has no proposal {key!r}")
        return found

    def approved(self, key: str) -> Value | ContractPart | None:
        """What the latest decision has approved of a proposal."""
        row = self.decisions.get(key)
        return None if row is None else stored.approved_value(row)

    def is_in_contract(self, key: str) -> bool:
        part = self.approved(key)
        return part is not None and approving.holds(self.contract, part)


def proposals_of(
    site_number: str, contract_id: str | None, state: State | None, asked: PageRequest, visible: Visibility
) -> Page[NoteProposal]:
    """The proposals in the order of the note; what it does not say any more stands at the end.

    Raises CONTRACT_NOT_FOUND, CONTRACT_AMBIGUOUS, CURSOR_INVALID.
    """
    after = read_cursor(asked.cursor, int)
    with reading() as connection:
        review = _review(connection, one_contract(connection, site_number, contract_id, visible))
    chosen = [_view(review, one) for one in review.proposals if state in (None, one.state)]
    places = [place for place in range(len(chosen)) if after is None or place > int(after[0])]
    found = page(places, asked.limit, len(chosen), lambda place: (place,))
    return Page(tuple(chosen[place] for place in found.items), found.next_cursor, found.total)


def proposal_of(site_number: str, contract_id: str | None, key: str, visible: Visibility) -> NoteProposal:
    """One proposal. Raises CONTRACT_NOT_FOUND, CONTRACT_AMBIGUOUS, NOTE_PROPOSAL_NOT_FOUND."""
    with reading() as connection:
        review = _review(connection, one_contract(connection, site_number, contract_id, visible))
    return _view(review, review.one(key))


def decide(
    site_number: str, contract_id: str | None, key: str, wish: Wish, saving: Saving, visible: Visibility
) -> NoteProposal:
    """Approve or reject a proposal: the decision, the version that an approval writes, and their audit at once.

    The same decision again changes nothing. `saving` says what is known of the contract, which an approval that writes
    needs, and from when its version serves.
    Raises CONTRACT_NOT_FOUND, CONTRACT_AMBIGUOUS, IF_MATCH_REQUIRED, CONTRACT_CHANGED, NOTE_*, what saving raises.
    """
    with unit_of_work() as work:
        named = one_contract(work.connection, site_number, contract_id, visible)
        lock(work.connection, named.contract_id)  # what is read from here on stays so until the commit
        review = _review(work.connection, one_contract(work.connection, site_number, named.contract_id, visible))
        decided = _decided(review, key, wish)
        approved = approving.approved_value(decided) if wish.approves else None
        if not _is_done(review, decided, approved):
            version = _write(work, review, decided, approved, wish, saving)
            _store(work, review, decided, approved, wish, version)
            review = _review(work.connection, one_contract(work.connection, site_number, named.contract_id, visible))
        return _view(review, review.one(key))


def _review(connection: Connection, row: AnyRow) -> _Review:
    contract = Contract.model_validate_json(row.document)
    decisions = {one.proposal_key: one for one in repository.latest_decisions(connection, row.contract_id)}
    known = _standing(connection, row.contract_id, list(decisions.values()))
    return _Review(row, contract, merge(known, contract.notes or ""), decisions)


def _standing(connection: Connection, contract_id: str, decisions: list[AnyRow]) -> list[Reviewed]:
    """The decisions with their proposals; superseded where a note in between did not say the same."""
    if not decisions:
        return []
    first = min(map(stored.version_of, decisions))
    later = [
        (one.version, keys_of(json.loads(one.document).get("notes") or ""))
        for one in repository.later_versions(connection, contract_id, first)
    ]
    found = []
    for row in decisions:
        known = stored.reviewed(row)
        stayed = all(known.key in keys for version, keys in later if version > stored.version_of(row))
        found.append(known if stayed else replace(known, state="superseded"))
    return found


def _decided(review: _Review, key: str, wish: Wish) -> Reviewed:
    """The proposal as the decision makes it, with what was corrected of it."""
    decision = Decision(context.current().actor_id, wish.reason, clock.now())
    if wish.approves:
        found = next(one for one in approve(review.proposals, key, decision) if one.key == key)
        return approving.corrected(found, wish.target, wish.values)
    if wish.target is not None or wish.values or wish.replaces:
        message = "a rejection corrects nothing; leave target, values and replaces out"
        raise BillingError(NOTE_CORRECTION_INVALID, message, [Detail("decision", message)])
    return next(one for one in reject(review.proposals, key, decision) if one.key == key)


def _is_done(review: _Review, decided: Reviewed, approved: Value | ContractPart | None) -> bool:
    """Whether a decision stands already. Raises NOTE_PROPOSAL_IN_CONTRACT for one against what the contract says."""
    key = decided.key
    slot, stands = approving.slot_of(decided.proposal.value), review.is_in_contract(key)
    if stands and review.approved(key) != approved:
        message = f"{decided.proposal.span.text!r} stands in the contract as it was approved"
        raise BillingError(NOTE_PROPOSAL_IN_CONTRACT, message, [Detail(f"/{slot}", message)])
    same = review.one(key).state == decided.state and review.approved(key) == approved
    return same and (stands or approved is None or slot is None)


def _write(
    work: UnitOfWork,
    review: _Review,
    decided: Reviewed,
    approved: Value | ContractPart | None,
    wish: Wish,
    saving: Saving,
) -> int | None:
    """Save the contract with what was approved; the number of its version. None where nothing is to be written."""
    slot = approving.slot_of(decided.proposal.value)
    if approved is None or slot is None or review.is_in_contract(decided.key):
        return None
    if saving.if_match is None:
        raise BillingError(IF_MATCH_REQUIRED, "an approval writes the contract; say which version you have read")
    if saving.if_match not in ("*", f'"{review.row.document_hash}"'):
        raise BillingError(CONTRACT_CHANGED, "the contract is not the one that you have read")
    changed = approving.with_part(review.contract, slot, approved, replaces=wish.replaces)
    saved = save_in(work, read_document(changed.model_dump_json(by_alias=True).encode(), legacy=False), saving)
    if saved.outdated:
        raise BillingError(CONTRACT_CHANGED, "the contract was stated later than this decision")
    return saved.version


def _store(
    work: UnitOfWork,
    review: _Review,
    decided: Reviewed,
    approved: Value | ContractPart | None,
    wish: Wish,
    version: int | None,
) -> None:
    before = review.decisions.get(decided.key)
    read = review.one(decided.key).proposal
    row: dict[str, Any] = {
        "contract_id": review.row.contract_id,
        "proposal_key": decided.key,
        "decision": before.decision + 1 if before else 1,
        "state": decided.state,
        "proposal": stored.to_json(read, approved, version or review.row.version),
        "target": wish.target,
        "contract_version": version,
        "changed_at": clock.now(),
        "changed_by": context.current().actor_id,
        "reason": wish.reason,
    }
    repository.add(work.connection, row)
    data = {
        "proposal": decided.key,
        "kind": read.kind,
        "text": read.span.text,
        "before": review.one(decided.key).state,
        "value": None if approved is None else stored.plain(approved),
        "version": version,
    }
    stream = f"contract/{review.row.contract_id}"
    site = review.row.site_number.strip()
    event = audit.Event(stream, f"proposal.{decided.state}", review.row.contract_id, data, wish.reason, site)
    audit.record(work, [event])


def _view(review: _Review, one: Reviewed) -> NoteProposal:
    read = one.proposal
    row = review.decisions[one.key] if one.decision is not None else None  # what came back is proposed anew
    return NoteProposal(
        id=one.key,
        contract_id=review.row.contract_id,
        contract_hash=review.row.document_hash,
        kind=read.kind,
        state=one.state,
        grade=read.grade,
        reading=read.reading,
        exclusive=read.exclusive,
        start=read.span.start,
        end=read.span.end,
        text=read.span.text,
        value=read.value.model_dump(by_alias=True),
        slot=approving.slot_of(read.value),
        in_contract=review.is_in_contract(one.key),
        decision=None if row is None else _decision(row),
    )


def _decision(row: AnyRow) -> NoteDecision:
    approved = stored.approved_value(row)
    return NoteDecision(
        number=row.decision,
        decided_by=row.changed_by,
        decided_at=row.changed_at,
        reason=row.reason,
        target=row.target,
        value=None if approved is None else approved.model_dump(by_alias=True),
        contract_version=row.contract_version,
    )
