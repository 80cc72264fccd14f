"""Decisions on proposals, and what becomes of them when the note changes (rules R32)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.contracts.notes import Decision, Reviewed, approve, contract_part, merge, mine, reject
from shared_code.contracts.schema import FixedPct, NetDays, ParkingTax
from shared_code.foundation.errors import BillingError
from tests.unit.contracts.notes.labels import labelled

DECISION = Decision("billing.manager", "as in the signed addendum", datetime(2026, 10, 1, tzinfo=UTC))
NOTE = "Insurance: 3% increase each September. Client remits parking tax."
SENTENCES = sorted({one.note.strip() for one in labelled("development")})
NOTES = st.lists(st.sampled_from(SENTENCES), max_size=4).map("\n".join)


def of(reviewed: tuple[Reviewed, ...], kind: str) -> Reviewed:
    return next(one for one in reviewed if one.proposal.kind == kind)


def approved(note: str, kind: str) -> tuple[Reviewed, ...]:
    first = merge((), note)
    return approve(first, of(first, kind).key, DECISION)


def test_a_new_note_is_all_proposed() -> None:
    assert [one.state for one in merge((), NOTE)] == ["proposed", "proposed"]


def test_a_person_decides_and_may_decide_otherwise() -> None:
    yes = approved(NOTE, "fixed_pct")
    no = reject(yes, of(yes, "fixed_pct").key, DECISION)

    assert of(yes, "fixed_pct").state == "approved"
    assert of(yes, "fixed_pct").decision == DECISION
    assert of(yes, "parking_tax").state == "proposed"
    assert of(no, "fixed_pct").state == "rejected"


@pytest.mark.parametrize(
    "changed",
    [
        "Called in May. " + NOTE,
        NOTE.upper(),
        "Client remits parking tax.\nInsurance:  3%  increase each September.",
    ],
)
def test_a_decision_stays_while_the_note_says_the_same_in_the_same_words(changed: str) -> None:
    after = merge(approved(NOTE, "fixed_pct"), changed)

    kept = of(after, "fixed_pct")
    assert (kept.state, kept.decision) == ("approved", DECISION)
    assert changed[kept.proposal.span.start : kept.proposal.span.end] == kept.proposal.span.text


@pytest.mark.parametrize(
    "changed",
    [
        "Insurance: 4% increase each September. Client remits parking tax.",  # another number
        "Insurance: 3% increase each October. Client remits parking tax.",  # outside of the words, but part of the term
        "PTEB: 3% increase each September. Client remits parking tax.",
        "Previously insurance 3% increase each September. Client remits parking tax.",
        "",
    ],
)
def test_what_the_note_no_longer_says_is_superseded_with_its_decision(changed: str) -> None:
    after = merge(approved(NOTE, "fixed_pct"), changed)

    gone = [one for one in after if one.state == "superseded" and one.proposal.kind == "fixed_pct"]
    assert [one.decision for one in gone] == [DECISION]
    assert not [one for one in after if one.state == "approved"]
    with pytest.raises(BillingError) as refused:
        approve(after, gone[0].key, DECISION)
    assert refused.value.code == "NOTE_PROPOSAL_GONE"


def test_what_comes_back_is_proposed_anew() -> None:
    back = merge(merge(approved(NOTE, "fixed_pct"), ""), NOTE)

    assert [(one.state, one.decision) for one in back] == [("proposed", None), ("proposed", None)]


def test_only_one_of_two_readings_can_be_approved() -> None:
    note = "Annual increase 3% or CPI"
    greater = approved(note, "greater_of")

    with pytest.raises(BillingError) as refused:
        approve(greater, of(greater, "lesser_of").key, DECISION)
    other = approve(reject(greater, of(greater, "greater_of").key, DECISION), of(greater, "lesser_of").key, DECISION)

    assert refused.value.code == "NOTE_PROPOSAL_RIVAL"
    assert of(other, "lesser_of").state == "approved"


def test_an_unknown_proposal_is_refused() -> None:
    with pytest.raises(BillingError) as refused:
        reject(merge((), NOTE), "0000", DECISION)

    assert refused.value.code == "NOTE_PROPOSAL_NOT_FOUND"


def test_nothing_goes_into_the_contract_before_it_is_approved() -> None:
    first = merge((), NOTE)
    rejected = reject(first, first[0].key, DECISION)

    assert [contract_part(one) for one in (*first, *rejected)] == [None] * 4


def test_an_approved_proposal_is_a_part_of_the_contract_with_the_words_it_came_from() -> None:
    step = contract_part(of(approved(NOTE, "fixed_pct"), "fixed_pct"))
    tax = contract_part(of(approved(NOTE, "parking_tax"), "parking_tax"))
    terms = contract_part(of(approved("Net 45", "payment_terms"), "payment_terms"))

    assert isinstance(step, FixedPct)
    assert (step.status, step.source, step.text) == ("approved", "note", "3% increase")
    assert step.target == "managementAgreement.insurance"
    assert isinstance(tax, ParkingTax)
    assert (tax.status, NOTE[tax.note_start : tax.note_end]) == ("approved", "Client remits parking tax")
    assert terms == NetDays(days=45)


def test_a_rate_that_the_note_does_not_name_is_named_by_a_person() -> None:
    one = of(approved("Annual increase 3% each May", "fixed_pct"), "fixed_pct")

    with pytest.raises(BillingError) as refused:
        contract_part(one)
    named = contract_part(one, target="perLaborHour.rate")

    assert refused.value.code == "NOTE_TARGET_MISSING"
    assert isinstance(named, FixedPct)
    assert named.target == "perLaborHour.rate"


def test_a_clause_without_a_slot_in_the_document_is_for_a_person_to_enter() -> None:
    assert contract_part(of(approved("Expires 12/31/26.", "contract_end"), "contract_end")) is None


@given(NOTES, NOTES)
def test_laws_of_merging(before: str, after: str) -> None:
    first = tuple(
        Reviewed(one.key, one.proposal, "approved", DECISION) if index % 2 else one
        for index, one in enumerate(merge((), before))
    )
    merged = merge(first, after)
    living = [one for one in merged if one.state != "superseded"]

    assert [one.proposal for one in living] == list(mine(after))
    assert len({one.key for one in merged}) == len(merged)
    assert {one.key for one in first} <= {one.key for one in merged}
    assert merge(merged, after) == merged
    assert merge(first, before) == first
    for one in living:
        if one.state == "approved":
            assert one.key in {old.key for old in first if old.state == "approved"}
