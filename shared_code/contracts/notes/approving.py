"""What an approval puts into a contract, after a person's corrections. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from pydantic import ValidationError

from shared_code.contracts.notes.answers import Slot
from shared_code.contracts.notes.errors import NOTE_CORRECTION_INVALID, NOTE_ESCALATOR_RIVAL
from shared_code.contracts.notes.lifecycle import ContractPart, Reviewed, contract_part
from shared_code.contracts.notes.model import Value
from shared_code.contracts.notes.note_terms import NoteOnly
from shared_code.contracts.notes.stored import plain
from shared_code.contracts.pointers import parts_of
from shared_code.contracts.rates.fields import rates_of
from shared_code.contracts.rates.rules import closeness, escalator_findings, rules_in_force
from shared_code.contracts.schema import Contract, DayOfMonth, Escalator, Negotiated, NetDays, OnReceipt, Schedule
from shared_code.contracts.schema.escalation import TARGETS
from shared_code.contracts.shape_errors import shape_details
from shared_code.contracts.versions.merge_patch import merge, to_json
from shared_code.foundation.errors import BillingError, Detail

_FROM_THE_NOTE = ("status", "source", "text", "noteStart", "noteEnd")


def slot_of(value: Value) -> Slot | None:
    """The part of a contract that a value belongs to; None where the document has no slot of its own for it."""
    if isinstance(value, NoteOnly):
        return None
    if isinstance(value, NetDays | DayOfMonth | OnReceipt):
        return "paymentTerms"
    return "escalators" if hasattr(value, "rule") else "terms"


def corrected(one: Reviewed, target: str | None, values: Mapping[str, object]) -> Reviewed:
    """The proposal with the target and the fields that a person has corrected. Raises NOTE_CORRECTION_INVALID.

    What it is, where it came from and whether it is approved are no fields to be corrected.
    """
    value = one.proposal.value
    faults = [
        Detail(f"values.{name}", "this says where the term came from") for name in _FROM_THE_NOTE if name in values
    ]
    if target is not None and "target" not in type(value).model_fields:
        faults.append(Detail("target", f"a term of the kind {one.proposal.kind} is about no rate"))
    elif target is not None and target not in TARGETS:
        faults.append(Detail("target", f"{target!r} is no rate; there are {', '.join(TARGETS)}"))
    _refuse(faults)
    patch = {**values, **({} if target is None else {"target": target})}
    if not patch:
        return one
    document = merge(plain(value), patch)
    try:
        found = type(value).model_validate_json(to_json(document))
    except ValidationError as error:
        found_at = {_field(detail.field): detail.message for detail in shape_details(error, document)}
        details = [Detail(field, message) for field, message in found_at.items()]
        raise BillingError(NOTE_CORRECTION_INVALID, details[0].message, details) from error
    return replace(one, proposal=replace(one.proposal, value=found))


def approved_value(one: Reviewed) -> Value | ContractPart:
    """What an approved proposal comes to: the part for the contract, or the value where there is no slot for it."""
    return contract_part(one) or one.proposal.value


def holds(contract: Contract, part: object) -> bool:
    """Whether a contract states a part that was approved."""
    return part in (*contract.escalators, *contract.terms, contract.payment_terms)


def with_part(contract: Contract, slot: Slot, part: Value | ContractPart, *, replaces: bool = False) -> Contract:
    """The contract with an approved part in its slot; terms of payment take the place of those that were agreed.

    `replaces` takes out the escalators that raise the same rate in the same years.
    Raises NOTE_CORRECTION_INVALID for an escalator that nobody could follow, and NOTE_ESCALATOR_RIVAL for one beside
    such another: generation fails where two raise one rate, since one is meant.
    """
    if slot == "paymentTerms":
        return contract.model_copy(update={"payment_terms": part})
    if slot == "terms":
        return contract.model_copy(update={"terms": (*contract.terms, part)})
    changed = contract.model_copy(update={"escalators": (*contract.escalators, part)})
    place = f"/escalators/{len(contract.escalators)}"
    found = [finding for finding in escalator_findings(changed) if finding.pointer.startswith(f"{place}/")]
    _refuse([Detail(_field(finding.pointer.removeprefix(place)), finding.message) for finding in found])
    rivals = _rivals_of_last(changed)
    if rivals and not replaces:
        message = "; ".join(rival.message for rival in rivals.values())
        raise BillingError(NOTE_ESCALATOR_RIVAL, message, list(rivals.values()))
    kept = (rule for place, rule in enumerate(changed.escalators) if place not in rivals)
    return changed.model_copy(update={"escalators": tuple(kept)})


def _rivals_of_last(contract: Contract) -> dict[int, Detail]:
    """The escalators by place that raise a rate as closely as the last one does, in the same years, and otherwise."""
    places = [
        place
        for place, rule in enumerate(contract.escalators)
        if rule.status == "approved" and not isinstance(rule, Negotiated)
    ]
    if not places or places[-1] != len(contract.escalators) - 1:
        return {}  # a reminder raises nothing
    rules = rules_in_force(contract)
    last = rules[-1]
    rates = [rate for rate in rates_of(contract) if closeness(rate, last) is not None]
    return {
        place: Detail(f"/escalators/{place}", f"{rule.rule} raises {rule.target} each {rule.month} too")
        for place, rule in zip(places, rules, strict=True)
        if rule != last and _same_years(rule, last)
        if any(closeness(rate, rule) == closeness(rate, last) for rate in rates)
    }


def _same_years(one: Escalator, other: Escalator) -> bool:
    """Whether two yearly rules can fall into one year. A schedule stands beside them: its dates are its own."""
    if isinstance(one, Schedule) or isinstance(other, Schedule):
        return False
    (first, last), (start, end) = (
        (rule.first_year or date.min.year, (rule.until or date.max).year) for rule in (one, other)
    )
    return first <= end and start <= last


def _field(pointer: str) -> str:
    """A place in a value as the request names it, without the alternatives of a choice that was tried."""
    return ".".join(["values", *(part for part in parts_of(pointer) if "[" not in part)])


def _refuse(faults: list[Detail]) -> None:
    if faults:
        message = "; ".join(fault.message for fault in faults)
        raise BillingError(NOTE_CORRECTION_INVALID, message, faults)
