"""Proposals as JSON beside their decisions, and back again."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from shared_code.contracts.notes.lifecycle import ContractPart, Decision, Reviewed
from shared_code.contracts.notes.model import Proposal, Span, Value
from shared_code.contracts.notes.note_terms import NoteTerm
from shared_code.contracts.schema.clauses import Term
from shared_code.contracts.schema.escalation import Escalator
from shared_code.contracts.schema.header import PaymentTerms
from shared_code.foundation.database import AnyRow


def to_json(proposal: Proposal, approved: Value | ContractPart | None, version: int) -> str:
    """A proposal as it was read when it was decided, the value that was approved, and the version of that moment."""
    span = proposal.span
    return json.dumps(
        {
            "kind": proposal.kind,
            "value": plain(proposal.value),
            "span": [span.start, span.end, span.text],
            "grade": proposal.grade,
            "reading": proposal.reading,
            "exclusive": proposal.exclusive,
            "approved": None if approved is None else plain(approved),
            "version": version,
        }
    )


def plain(value: Value | ContractPart) -> dict[str, Any]:
    """A value as JSON holds it, exact numbers as text."""
    found: dict[str, Any] = value.model_dump(mode="json", by_alias=True)
    return found


def reviewed(row: AnyRow) -> Reviewed:
    """A stored decision with its proposal, as `merge` takes it."""
    found = json.loads(row.proposal)
    start, end, text = found["span"]
    span = Span(start, end, text)
    value = read_value(found["value"])
    proposal = Proposal(found["kind"], value, span, found["grade"], found["reading"], found["exclusive"])
    return Reviewed(row.proposal_key, proposal, row.state, Decision(row.changed_by, row.reason, row.changed_at))


def version_of(row: AnyRow) -> int:
    """The version of the contract whose note a decision is about."""
    return int(json.loads(row.proposal)["version"])


def approved_value(row: AnyRow) -> Value | ContractPart | None:
    """What a decision has approved; None for a rejection."""
    found = json.loads(row.proposal)["approved"]
    return None if found is None else read_value(found)


def read_value(found: dict[str, Any]) -> Any:
    """The value of a proposal from JSON: an escalator by its rule, terms of payment by their kind, else a term."""
    return _adapter(next((tag for tag in ("rule", "kind") if tag in found), "type")).validate_python(found)


@lru_cache(maxsize=3)
def _adapter(tag: str) -> TypeAdapter[Any]:
    models: dict[str, Any] = {"rule": Escalator, "kind": PaymentTerms, "type": Term | NoteTerm}
    return TypeAdapter(models[tag])
