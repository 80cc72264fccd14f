"""Proposals of a note as a person decides on them: nothing bills before an approval, and an approval is whole."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa

from shared_code.contracts import repository as contracts
from shared_code.contracts.model import SavedContract
from shared_code.contracts.notes import mine
from shared_code.contracts.notes.answers import NoteProposal
from shared_code.contracts.notes.service import Wish, decide, proposal_of, proposals_of
from shared_code.contracts.notes.stored import plain, read_value
from shared_code.contracts.notes.tables import proposal_decision
from shared_code.contracts.saving import Saving, contract_of_site, read_document, save_document
from shared_code.contracts.schema import FixedPct, Negotiated, Schedule, ScheduleStep
from shared_code.contracts.tables import contract, contract_version
from shared_code.contracts.versions.rates_by_month import timeline_of
from shared_code.foundation import clock
from shared_code.foundation.audit.tables import audit_event
from shared_code.foundation.calendar import Period
from shared_code.foundation.context import Context, acting
from shared_code.foundation.database import reading, transaction
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import PageRequest
from shared_code.foundation.visibility import EVERYTHING, Visibility
from tests.unit.contracts import documents, parts
from tests.unit.contracts.notes.labels import labelled

pytestmark = pytest.mark.usefixtures("stored")
SITE = "8899"
NOVEMBER = datetime(2026, 11, 3, 9, tzinfo=UTC)
NOTHING = Visibility(sa.select(contract.c.site_number).where(contract.c.site_number == "none"))
RISE = "Fixed fee: 3% increase each January."
ENDS = "Contract ends 12/31/2028."


@pytest.fixture(autouse=True)
def november(stored: sa.Engine) -> Iterator[None]:
    """Each look at the clock is a second later than the one before."""
    ticks = count()
    clock.set_clock(lambda: NOVEMBER + timedelta(seconds=next(ticks)))
    with acting(Context(actor_id="bea", actor_name="Bea", actor_kind="person")):
        yield


def noted(note: str | None, **fields: Any) -> SavedContract:
    """Save a contract with a fee of 100 and a note."""
    if_match, additional = fields.pop("if_match", "*"), fields.pop("additional", False)
    deal = documents.contract(parts.fees(parts.fee(fee=Decimal(100))), notes=note, **fields)
    data = deal.model_dump_json(by_alias=True).encode()
    return save_document(read_document(data, legacy=False), Saving("ann", "agreed", if_match, additional))


def listed(state: Any = None, contract_id: str | None = None) -> list[NoteProposal]:
    return list(proposals_of(SITE, contract_id, state, PageRequest(), EVERYTHING).items)


def the_only(kind: str) -> NoteProposal:
    [found] = [one for one in listed() if one.kind == kind]
    return found


def say(
    approves: bool,
    kind: str,
    target: str | None = None,
    values: Mapping[str, object] | None = None,
    if_match: str | None = "*",
    *,
    replaces: bool = False,
    **saving: Any,
) -> NoteProposal:
    wish = Wish(approves, "as in the addendum", target, values or {}, replaces)
    return decide(SITE, None, the_only(kind).id, wish, Saving("Bea", wish.reason, if_match, **saving), EVERYTHING)


def fee_of(*months: str) -> list[str]:
    """What the timeline shows for the fee in each month."""
    found = []
    for text in months:
        month = Period.parse(text)
        [shown] = timeline_of(SITE, None, month, month, EVERYTHING).months
        found.append(str(shown.rates[0].value))
    return found


def notes_of(*months: str) -> set[str]:
    """The codes of what the timeline remarks on the rates of these months."""
    shown = [timeline_of(SITE, None, month, month, EVERYTHING).months[0] for month in map(Period.parse, months)]
    return {note.code for month in shown for rate in month.rates for note in rate.notes}


def document() -> dict[str, Any]:
    return dict(contract_of_site(SITE, EVERYTHING).document)


def stored_rows() -> tuple[int, int]:
    """How many versions of contracts there are, and how many decisions."""
    with reading() as connection:
        tables = contract_version, proposal_decision
        versions, decisions = (connection.scalar(sa.select(sa.func.count()).select_from(one)) or 0 for one in tables)
    return versions, decisions


def audited() -> list[dict[str, Any]]:
    with reading() as connection:
        texts = connection.scalars(sa.select(audit_event.c.body).order_by(audit_event.c.sequence)).all()
    return [event for event in map(json.loads, texts) if event["stream"].startswith("contract/")]


def code_of(call: Any) -> str:
    with pytest.raises(BillingError) as caught:
        call()
    return caught.value.code


# -- what is proposed -------------------------------------------------------------------------------------------------


def test_a_proposal_shows_its_words_its_meaning_and_where_it_would_go() -> None:
    noted(f"{RISE} {ENDS}")

    rise, end = listed()

    assert (rise.kind, rise.state, rise.slot, rise.text) == ("fixed_pct", "proposed", "escalators", "3% increase")
    assert rise.reading == "The fixed fee rises by 3 % each January."
    assert (rise.value["target"], rise.value["pct"]) == ("fixedFee.fee", Decimal(3))
    assert (end.kind, end.slot, end.in_contract) == ("contract_end", None, False)


@pytest.mark.parametrize("note", [None, "", "Call Ann before noon."])
def test_a_note_without_terms_proposes_nothing(note: str | None) -> None:
    noted(note)

    assert listed() == []


def test_proposals_come_page_by_page_and_by_state() -> None:
    noted(f"{RISE} {ENDS} Client remits parking tax.")
    say(False, "parking_tax")

    first = proposals_of(SITE, None, None, PageRequest(2), EVERYTHING)
    rest = proposals_of(SITE, None, None, PageRequest(2, first.next_cursor), EVERYTHING)

    assert [one.kind for one in (*first.items, *rest.items)] == ["fixed_pct", "contract_end", "parking_tax"]
    assert (first.total, rest.next_cursor) == (3, None)
    assert [one.kind for one in listed("proposed")] == ["fixed_pct", "contract_end"]
    assert [one.kind for one in listed("rejected")] == ["parking_tax"]


def test_every_value_that_a_note_can_propose_is_read_back_as_it_was_stored() -> None:
    values = [proposal.value for one in labelled("development") for proposal in mine(one.note)]

    assert len(values) > 50
    for value in values:
        assert read_value(json.loads(json.dumps(plain(value)))) == value


# -- approval ---------------------------------------------------------------------------------------------------------


def test_nothing_bills_before_a_person_approves_it() -> None:
    """Rules R32; the fee is stated in November, so that the first January after it raises it (rules R12)."""
    noted(RISE)
    before = fee_of("2026-12", "2027-01", "2028-01")
    say(False, "fixed_pct")
    rejected = fee_of("2026-12", "2027-01", "2028-01")
    say(True, "fixed_pct")

    assert before == rejected == ["100", "100", "100"]
    assert fee_of("2026-12", "2027-01", "2028-01") == ["100", "103.00", "106.09"]


def test_an_approval_writes_one_version_that_says_where_the_term_came_from() -> None:
    noted(RISE)

    approved = say(True, "fixed_pct", if_match=f'"{the_only("fixed_pct").contract_hash}"')

    [written] = document()["escalators"]
    assert written | {"pct": "3"} == written
    assert (written["source"], written["status"], written["text"]) == ("note", "approved", "3% increase")
    assert (approved.state, approved.in_contract) == ("approved", True)
    assert approved.decision is not None
    assert (approved.decision.contract_version, approved.decision.decided_by) == (2, "bea")
    assert stored_rows() == (2, 1)


def test_the_audit_tells_of_the_version_and_of_the_decision() -> None:
    noted(RISE)
    say(True, "fixed_pct")

    *_, saved, decided = audited()
    assert [saved["action"], decided["action"]] == ["contract.saved", "proposal.approved"]
    assert (decided["actor"]["id"], decided["reason"], decided["site"]) == ("bea", "as in the addendum", SITE)
    assert (decided["data"]["before"], decided["data"]["version"]) == ("proposed", 2)
    assert decided["data"]["value"]["pct"] == "3"


def test_an_approval_serves_from_the_day_that_is_asked_for() -> None:
    noted(RISE)
    say(True, "fixed_pct", effective_from=date(2027, 6, 1))

    assert fee_of("2027-01", "2027-06", "2028-01") == ["100", "100", "103.00"]


def test_an_approval_that_the_contract_cannot_take_leaves_nothing_behind() -> None:
    noted(RISE)
    with transaction() as work:
        contracts.set_billed_through(
            work.connection, contracts.contract_ids_of(work.connection, SITE), Period(2026, 10)
        )

    assert code_of(lambda: say(True, "fixed_pct", effective_from=date(2026, 10, 1))) == "CONTRACT_PERIOD_BILLED"
    assert stored_rows() == (1, 0)
    assert the_only("fixed_pct").state == "proposed"


def test_terms_of_payment_take_the_place_of_those_that_were_agreed() -> None:
    noted("Payment due net 45 days.")

    assert say(True, "payment_terms").slot == "paymentTerms"
    assert document()["paymentTerms"] == {"kind": "net_days", "days": 45}


def test_a_clause_becomes_a_term_of_the_contract() -> None:
    noted("Client remits parking tax.")
    say(True, "parking_tax")

    [term] = document()["terms"]
    assert (term["type"], term["status"], term["responsible"]) == ("parking_tax", "approved", "client")


def test_what_has_no_slot_is_stored_as_approved_and_writes_no_version() -> None:
    noted(ENDS)

    approved = say(True, "contract_end", if_match=None)

    assert (approved.state, approved.slot, approved.in_contract) == ("approved", None, False)
    assert approved.decision is not None and approved.decision.contract_version is None
    assert stored_rows() == (1, 1)


def test_a_rejection_needs_no_knowledge_of_the_contract_and_writes_no_version() -> None:
    noted(RISE)

    assert say(False, "fixed_pct", if_match=None).state == "rejected"
    assert stored_rows() == (1, 1)


PRECONDITIONS = [(None, "IF_MATCH_REQUIRED"), ('"an older one"', "CONTRACT_CHANGED")]


@pytest.mark.parametrize(("if_match", "code"), PRECONDITIONS)
def test_an_approval_that_writes_must_know_the_contract(if_match: str | None, code: str) -> None:
    noted(RISE)

    assert code_of(lambda: say(True, "fixed_pct", if_match=if_match)) == code
    assert stored_rows() == (1, 0)


# -- corrections ------------------------------------------------------------------------------------------------------

UNCLEAR = "Rates go up 3% annually."  # neither a rate nor a month


def test_a_person_names_the_rate_and_the_month_that_the_note_leaves_open() -> None:
    noted(UNCLEAR)

    approved = say(True, "fixed_pct", "fixedFee.fee", {"month": "March", "pct": Decimal("3.123456")})

    assert approved.decision is not None and approved.decision.value is not None
    assert (approved.decision.target, approved.decision.value["pct"]) == ("fixedFee.fee", Decimal("3.123456"))
    assert approved.value["month"] is None, "the proposal stays what the note says"
    assert fee_of("2027-02", "2027-03") == ["100", "103.12"]


REFUSED: list[tuple[str | None, dict[str, object], str, str]] = [
    # target, values, code, place
    (None, {"month": "March"}, "NOTE_TARGET_MISSING", ""),
    ("fixedFee.fee", {}, "NOTE_CORRECTION_INVALID", "values.month"),
    ("fixedFee.fees", {"month": "March"}, "NOTE_CORRECTION_INVALID", "target"),
    ("fixedFee.fee", {"month": "Marz"}, "NOTE_CORRECTION_INVALID", "values.month"),
    ("fixedFee.fee", {"month": "March", "pct": None}, "NOTE_CORRECTION_INVALID", "values.pct"),
    ("fixedFee.fee", {"month": "March", "percent": 3}, "NOTE_CORRECTION_INVALID", "values.percent"),
    ("fixedFee.fee", {"month": "March", "rule": "index"}, "NOTE_CORRECTION_INVALID", "values.rule"),
    ("fixedFee.fee", {"month": "March", "status": "rejected"}, "NOTE_CORRECTION_INVALID", "values.status"),
    ("fixedFee.fee", {"month": "March", "text": "5%"}, "NOTE_CORRECTION_INVALID", "values.text"),
    ("fixedFee.fee", {"month": "March", "targetId": "x"}, "NOTE_CORRECTION_INVALID", "values.targetId"),
    ("perLaborHour.rate", {"month": "March", "targetId": "1"}, "NOTE_CORRECTION_INVALID", "values.targetId"),
]


@pytest.mark.parametrize(("target", "values", "code", "place"), REFUSED)
def test_a_correction_that_leaves_the_term_open_or_wrong_is_refused(
    target: str | None, values: dict[str, object], code: str, place: str
) -> None:
    noted(UNCLEAR)

    with pytest.raises(BillingError) as caught:
        say(True, "fixed_pct", target, values)

    assert caught.value.code == code
    assert [detail.field for detail in caught.value.details][:1] == ([place] if place else [])
    assert stored_rows() == (1, 0)


def test_a_term_that_is_about_no_rate_takes_no_target_and_a_rejection_no_correction() -> None:
    noted(f"Client remits parking tax. {RISE}")

    assert code_of(lambda: say(True, "parking_tax", "fixedFee.fee")) == "NOTE_CORRECTION_INVALID"
    assert code_of(lambda: say(False, "fixed_pct", values={"pct": 4})) == "NOTE_CORRECTION_INVALID"


RIVALS: list[tuple[dict[str, Any], bool]] = [
    # an escalator that the contract has, and whether the one of the note can stand beside it
    ({}, False),
    ({"month": "July"}, False),
    ({"pct": Decimal(3), "first_year": 2027, "text": "3% a year"}, True),  # the same rule counts once
    ({"until": date(2027, 12, 31)}, False),
    ({"until": date(2026, 12, 31)}, True),
    ({"target_id": "f"}, True),  # closer to the fee: it stands in for the broader one
    ({"status": "rejected"}, True),
    ({"target": "perOccupiedRoom.roomRate"}, True),
]


@pytest.mark.parametrize(("fields", "stands"), RIVALS)
def test_no_approval_puts_two_escalators_on_one_rate_and_year(fields: dict[str, Any], stands: bool) -> None:
    known = FixedPct.model_validate({"target": "fixedFee.fee", "month": "January", "pct": Decimal(4), **fields})
    noted("Fixed fee: 3% increase each January from 2027.", escalators=(known,))

    if stands:
        assert say(True, "fixed_pct", values={"firstYear": 2027}).in_contract
        assert "ESCALATOR_INVALID" not in notes_of("2027-01", "2027-07", "2028-01")
    else:
        assert code_of(lambda: say(True, "fixed_pct", values={"firstYear": 2027})) == "NOTE_ESCALATOR_RIVAL"
        assert stored_rows() == (1, 0)
        say(True, "fixed_pct", values={"firstYear": 2027}, replaces=True)
        assert [rule["pct"] for rule in document()["escalators"]] == ["3"]
        assert "ESCALATOR_INVALID" not in notes_of("2027-01", "2027-07", "2028-01")


def test_a_schedule_and_a_reminder_stand_beside_a_yearly_rise() -> None:
    step = ScheduleStep(date=date(2028, 7, 1), value=Decimal(120))
    rules = (Schedule(target="fixedFee.fee", steps=(step,)), Negotiated(target="fixedFee.fee", month="January"))
    noted(RISE, escalators=rules)

    assert say(True, "fixed_pct").in_contract
    assert fee_of("2027-01", "2028-07") == ["103.00", "120"]


# -- decisions that follow one another --------------------------------------------------------------------------------


@pytest.mark.parametrize(("approves", "rows"), [(True, (2, 1)), (False, (1, 1))])
def test_the_same_decision_again_changes_nothing(approves: bool, rows: tuple[int, int]) -> None:
    noted(RISE)
    first = say(approves, "fixed_pct")

    assert say(approves, "fixed_pct", if_match=None) == first
    assert stored_rows() == rows


def test_what_stands_in_the_contract_is_taken_out_there_before_it_is_decided_otherwise() -> None:
    noted(RISE)
    say(True, "fixed_pct")
    for call in (lambda: say(False, "fixed_pct"), lambda: say(True, "fixed_pct", values={"pct": 4})):
        assert code_of(call) == "NOTE_PROPOSAL_IN_CONTRACT"

    noted(RISE)  # the contract without the escalator
    assert (the_only("fixed_pct").state, the_only("fixed_pct").in_contract) == ("approved", False)
    assert say(False, "fixed_pct").state == "rejected"
    assert stored_rows() == (3, 2)


def test_an_approval_whose_term_was_lost_can_be_given_again() -> None:
    noted(RISE)
    say(True, "fixed_pct")
    noted(RISE, purchase_order="PO 7")

    again = say(True, "fixed_pct")

    assert again.in_contract and again.decision is not None
    assert (again.decision.number, again.decision.contract_version) == (2, 4)
    assert fee_of("2027-01") == ["103.00"]


def test_what_the_note_says_no_more_can_be_seen_and_not_decided() -> None:
    noted(RISE)
    say(False, "fixed_pct")
    noted("Fixed fee: 4% increase each January.")

    assert [(one.state, one.value["pct"]) for one in listed()] == [
        ("proposed", Decimal(4)),
        ("superseded", Decimal(3)),
    ]
    gone = listed("superseded")[0].id
    wish = Wish(True, "still agreed")
    saving = Saving("Bea", wish.reason, "*")
    assert code_of(lambda: decide(SITE, None, gone, wish, saving, EVERYTHING)) == "NOTE_PROPOSAL_GONE"


@pytest.mark.parametrize("approves", [True, False])
def test_what_the_note_says_again_after_a_while_is_proposed_anew(approves: bool) -> None:
    """A decision is about a note as it stood."""
    noted(RISE)
    say(approves, "fixed_pct")
    noted(f"Call before noon. {RISE}")
    assert the_only("fixed_pct").state == ("approved" if approves else "rejected")
    noted("Call before noon.")
    noted(RISE)

    back = the_only("fixed_pct")

    assert (back.state, back.decision, back.in_contract) == ("proposed", None, False)
    assert fee_of("2027-01") == ["100"]
    again = say(True, "fixed_pct")
    assert again.decision is not None and again.decision.number == 2


def test_what_came_back_while_its_term_stayed_in_the_contract_is_approved_without_a_second_one() -> None:
    noted(RISE)
    say(True, "fixed_pct")
    [rule] = document()["escalators"]
    known = FixedPct.model_validate(rule)
    noted(None, escalators=(known,))
    noted(RISE, escalators=(known,))

    assert (the_only("fixed_pct").state, the_only("fixed_pct").in_contract) == ("proposed", True)
    assert say(True, "fixed_pct").state == "approved"
    assert len(document()["escalators"]) == 1


def test_of_two_readings_of_the_same_words_one_is_approved() -> None:
    noted("Fixed fee increases 3% or CPI each January.")
    rivals = [one for one in listed() if one.exclusive]
    assert len(rivals) >= 2
    wish, saving = Wish(True, "as in the addendum"), Saving("Bea", "as in the addendum", "*")
    decide(SITE, None, rivals[0].id, wish, saving, EVERYTHING)

    assert code_of(lambda: decide(SITE, None, rivals[1].id, wish, saving, EVERYTHING)) == "NOTE_PROPOSAL_RIVAL"


# -- which contract, and who sees it ----------------------------------------------------------------------------------


def test_of_several_contracts_one_is_named() -> None:
    one = noted(RISE)
    other = noted(ENDS, id="c-2", additional=True)

    assert code_of(listed) == "CONTRACT_AMBIGUOUS"
    assert [found.kind for found in listed(contract_id=one.contract_id)] == ["fixed_pct"]
    assert [found.kind for found in listed(contract_id=other.contract_id)] == ["contract_end"]


def test_the_note_of_a_site_that_the_caller_may_not_see_is_not_there() -> None:
    noted(RISE)
    key = the_only("fixed_pct").id
    wish, saving = Wish(True, "as in the addendum"), Saving("Bea", "as in the addendum", "*")

    calls: list[Any] = [
        lambda: proposals_of(SITE, None, None, PageRequest(), NOTHING),
        lambda: proposal_of(SITE, None, key, NOTHING),
        lambda: decide(SITE, None, key, wish, saving, NOTHING),
        lambda: timeline_of(SITE, None, None, None, NOTHING),
    ]
    assert [code_of(call) for call in calls] == ["CONTRACT_NOT_FOUND"] * 4
    assert code_of(lambda: proposal_of(SITE, None, "0" * 16, EVERYTHING)) == "NOTE_PROPOSAL_NOT_FOUND"
