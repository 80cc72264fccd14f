"""The life of statements on a real database: who moves them, where they come to, and what is kept of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa

from shared_code.facts.tables import site
from shared_code.foundation import clock, context, database
from shared_code.foundation.audit.tables import audit_event
from shared_code.foundation.calendar import Period
from shared_code.foundation.context import ActorKind, Context
from shared_code.foundation.errors import BillingError
from shared_code.foundation.visibility import EVERYTHING, Visibility
from shared_code.periods import closing
from shared_code.statements import generation, runs
from shared_code.statements.lifecycle import repository
from shared_code.statements.lifecycle.sending import require_sendable
from shared_code.statements.lifecycle.service import change_status, release
from shared_code.statements.reading.model import StatementDetail
from shared_code.statements.reading.queries import statement_detail
from shared_code.statements.scope import RunCommand
from shared_code.statements.tables import statement
from tests.unit.statements.stage import decide, open_sites, save

NOVEMBER = datetime(2026, 11, 24, 15, tzinfo=UTC)
STARTS, APPROVES = "billing-admin", "billing-manager"
WHY = "as agreed with the site"


@pytest.fixture(autouse=True)
def billing(stored: sa.Engine) -> None:
    """A database of its own, on 24 November 2026, with the site 0901."""
    clock.set_clock(lambda: NOVEMBER)
    open_sites("0901")


@contextmanager
def by(actor: str, kind: ActorKind = "person") -> Iterator[None]:
    with context.acting(Context(actor_id=actor, actor_name=actor.title(), actor_kind=kind)):
        yield


def billed(period: str = "2026-10", **changes: Any) -> str:
    """A statement that somebody has billed: in ApprovalTeam, since in October there is nothing to compare it with."""
    save("0901", **changes)
    with by(STARTS):
        run = runs.start_run(RunCommand(period, STARTS, "c")).run_id
    generation.generate_chunk(run, 0, "first")
    with database.reading() as connection:
        return str(connection.scalar(sa.select(statement.c.statement_id)))


def put(statement_id: str, **values: object) -> None:
    """Bring a statement into a state, past the use cases."""
    with database.transaction() as work:
        work.connection.execute(statement.update().where(statement.c.statement_id == statement_id).values(**values))


def compared(*why: str) -> str:
    """A comparison to forecast that finds this."""
    figures = (
        "forecastedRevenue",
        "postedRevenue",
        "invoicedRevenue",
        "totalActualRevenue",
        "forecastDeviationPercentage",
        "forecastDeviationAmount",
    )
    return json.dumps(dict.fromkeys(figures, "1") | {"forecastLastUpdated": None, "why": list(why)})


def move(statement_id: str, to: str, reason: str | None = WHY, actor: str = APPROVES, **seen: str) -> StatementDetail:
    with by(actor):
        return change_status(statement_id, to, reason, EVERYTHING, **seen)


def told(ask: Callable[[], object]) -> tuple[str, int, str]:
    """Code, status and message of a refusal."""
    with pytest.raises(BillingError) as refused:
        ask()
    return refused.value.code, refused.value.kind.status, refused.value.message


def events(action: str) -> list[dict[str, Any]]:
    with database.reading() as connection:
        chosen = sa.select(audit_event.c.body).where(audit_event.c.action == action).order_by(audit_event.c.sequence)
        return [json.loads(body) for body in connection.scalars(chosen)]


def stored_status(statement_id: str) -> str:
    return statement_detail(statement_id, EVERYTHING).status


# -- every pair --------------------------------------------------------------------------------------------------------

STATUSES = ("ARReview", "ApprovalTeam", "ReadyToSend", "Held", "Sent", "Superseded")
LEGAL = {
    ("ARReview", "ReadyToSend"),
    ("ARReview", "ApprovalTeam"),
    ("ApprovalTeam", "ReadyToSend"),
    ("ApprovalTeam", "ARReview"),
    ("Held", "ReadyToSend"),
    ("ReadyToSend", "Sent"),
}
PAIRS = [(before, asked) for before in STATUSES for asked in STATUSES]


@pytest.mark.parametrize("before", STATUSES)
def test_every_pair_is_done_or_refused_and_a_refusal_changes_nothing(before: str) -> None:
    one = billed()
    for asked in STATUSES:
        put(one, status=before, comparison=compared())
        if (before, asked) in LEGAL:
            assert move(one, asked).status == asked
            continue
        code, status, message = told(lambda asked=asked: move(one, asked))  # type: ignore[misc]
        assert (code, status) == ("STATEMENT_TRANSITION_ILLEGAL", 409)
        allowed = [to for start, to in LEGAL if start == before]
        assert all(word in message for word in (before, asked, *allowed))
        assert stored_status(one) == before


def test_an_approval_from_ar_review_is_decided_again_by_the_server() -> None:
    """TV-LIF-4, from the statement of a month with a deviation and a note to the one that is ready."""
    one = billed()
    put(one, status="ARReview", status_reason="SITE_COMMENT", comparison=compared("DEVIATION"))

    first = move(one, "ReadyToSend", None)
    second = move(one, "ReadyToSend", None)

    assert [(s.status, s.status_reason) for s in (first, second)] == [
        ("ApprovalTeam", "DEVIATION"),
        ("ReadyToSend", None),
    ]
    assert second.invoices[0].amount == second.total


NOT_COMPARED = [("Arrears", "ApprovalTeam"), ("Advanced", "ReadyToSend")]


@pytest.mark.parametrize(("billing_type", "expected"), NOT_COMPARED)
def test_a_statement_that_was_never_compared(billing_type: str, expected: str) -> None:
    """In arrears there should have been something to compare with; in advance there never is (rules R50)."""
    one = billed("2026-10" if billing_type == "Arrears" else "2026-12", billingType=billing_type)
    put(one, status="ARReview", comparison=None)

    assert move(one, "ReadyToSend").status == expected


REASONS = [
    ("ApprovalTeam", "ARReview", True),
    ("Held", "ReadyToSend", True),
    ("ReadyToSend", "Sent", True),
    ("ARReview", "ReadyToSend", False),
    ("ARReview", "ApprovalTeam", False),
    ("ApprovalTeam", "ReadyToSend", False),
]


@pytest.mark.parametrize(("before", "asked", "needed"), REASONS)
def test_what_needs_a_reason(before: str, asked: str, needed: bool) -> None:
    one = billed()
    put(one, status=before, comparison=compared())
    if needed:
        assert told(lambda: move(one, asked, None))[:2] == ("STATEMENT_REASON_REQUIRED", 422)
        assert stored_status(one) == before
    else:
        assert move(one, asked, None).status == asked


def test_a_statement_beyond_a_limit_is_routed_once_it_is_let_go() -> None:
    decide(largestInvoice=99)
    one = billed()
    assert statement_detail(one, EVERYTHING).status_reason == "INVOICE_TOO_LARGE"

    moved = move(one, "ReadyToSend", "the fee was agreed for a year")

    assert (moved.status, moved.status_reason) == ("ApprovalTeam", "NO_FORECAST")


def test_a_closed_month_lets_its_statements_be_approved_and_sent() -> None:
    one = billed()
    with by(APPROVES):
        closing.decide(Period.parse("2026-10"), "close")

    assert [move(one, asked).status for asked in ("ReadyToSend", "Sent")] == ["ReadyToSend", "Sent"]


# -- who --------------------------------------------------------------------------------------------------------------

KINDS: list[ActorKind] = ["service", "system"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_service_and_no_schedule_decides(kind: ActorKind) -> None:
    one = billed()
    put(one, stale_since=NOVEMBER, stale_reason="FACTS_CHANGED")
    for ask in (
        lambda: change_status(one, "ReadyToSend", WHY, EVERYTHING),
        lambda: release(one, WHY, EVERYTHING),
    ):
        with by("robot", kind):
            assert told(ask)[:2] == ("PERSON_REQUIRED", 403)


def test_who_has_started_the_run_approves_nothing_of_it() -> None:
    one = billed()
    for before in ("ARReview", "ApprovalTeam", "Held"):
        put(one, status=before)
        code, status, message = told(lambda: move(one, "ReadyToSend", actor=STARTS))
        assert (code, status) == ("SAME_PERSON", 403)
        assert "you have started run" in message
    assert move(one, "ReadyToSend").status == "ApprovalTeam"  # somebody else may


def test_who_has_started_the_run_may_send_back_and_send_by_hand_what_another_has_approved() -> None:
    one = billed()

    assert move(one, "ARReview", actor=STARTS).status == "ARReview"
    assert move(one, "ApprovalTeam", actor=STARTS).status == "ApprovalTeam"
    assert move(one, "ReadyToSend", actor=APPROVES).status == "ReadyToSend"
    assert move(one, "Sent", actor=STARTS).status == "Sent"


def test_separate_duties_are_a_setting() -> None:
    one = billed()
    with by("system-admin"):
        decide(separateDuties=False)

    assert move(one, "ReadyToSend", actor=STARTS).status == "ReadyToSend"


def test_the_run_that_made_this_generation_counts() -> None:
    """Who billed the month first may approve what somebody else has made anew."""
    one = billed()
    with by(APPROVES):
        again = runs.start_run(
            RunCommand("2026-10", APPROVES, "c", source="regenerate", regenerate=True, occasion="generation-2")
        )
    generation.generate_chunk(again.run_id, 0, "second")
    with database.reading() as connection:
        two = connection.scalar(sa.select(statement.c.statement_id).where(statement.c.run_id == again.run_id))

    assert told(lambda: move(one, "ReadyToSend"))[0] == "STATEMENT_TRANSITION_ILLEGAL"
    assert told(lambda: move(str(two), "ReadyToSend", actor=APPROVES))[0] == "SAME_PERSON"
    assert move(str(two), "ReadyToSend", actor=STARTS).status == "ReadyToSend"


def test_what_the_caller_may_not_see_is_not_there() -> None:
    one = billed()
    nothing = Visibility(sa.select(site.c.site_number).where(site.c.name == "nowhere"))
    with by(APPROVES):
        for ask in (lambda: change_status(one, "ReadyToSend", WHY, nothing), lambda: release(one, WHY, nothing)):
            assert told(ask)[:2] == ("STATEMENT_NOT_FOUND", 404)
    assert told(lambda: move("0" * 32, "ReadyToSend"))[0] == "STATEMENT_NOT_FOUND"


# -- two at once ------------------------------------------------------------------------------------------------------

TWICE = [
    # from, whether both say what they have seen, where it ends, what the second is told
    ("ApprovalTeam", False, "ReadyToSend", "STATEMENT_TRANSITION_ILLEGAL"),
    ("ApprovalTeam", True, "ReadyToSend", "CONCURRENT_CHANGE"),
    ("ARReview", True, "ApprovalTeam", "CONCURRENT_CHANGE"),
]


@pytest.mark.parametrize(("before", "says", "ends", "code"), TWICE)
def test_of_two_approvals_at_once_one_wins(before: str, says: bool, ends: str, code: str) -> None:
    """Who says what they have seen never approves a second time by accident."""
    one = billed()
    put(one, status=before, comparison=compared("DEVIATION"))
    start = Barrier(2)

    def approve(actor: str) -> str:
        start.wait(timeout=10)
        try:
            return move(one, "ReadyToSend", actor=actor, **({"from_status": before} if says else {})).status
        except BillingError as refused:
            assert refused.kind.status == 409
            return refused.code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(approve, ("manager-1", "manager-2"))) == sorted((ends, code))
    assert stored_status(one) == ends
    assert len(events("statement.moved")) == 1


@pytest.mark.parametrize("changed", [{"status": "ReadyToSend"}, {"stale_since": NOVEMBER}])
def test_a_change_holds_for_the_state_that_was_read(changed: dict[str, object]) -> None:
    """On SQL Server a lock keeps others out; the condition of the update does not rely on it."""
    one = billed()
    with database.reading() as connection:
        seen = repository.statement_for_change(connection, one, EVERYTHING)
    assert seen is not None
    put(one, **changed)

    with database.transaction() as work:
        assert not repository.change(work.connection, seen, {"status": "Sent"})
    put(one, status="ApprovalTeam", stale_since=None)
    with database.transaction() as work:
        assert repository.change(work.connection, seen, {"status": "ReadyToSend"})


# -- stale ------------------------------------------------------------------------------------------------------------

DIFFERENCE = {"before": "100.00", "after": "120.00", "lines": []}


def stale(reason: str = "FACTS_CHANGED", status: str = "ReadyToSend") -> str:
    one = billed()
    put(one, status=status, stale_since=NOVEMBER, stale_reason=reason, stale_difference=json.dumps(DIFFERENCE))
    return one


def test_a_stale_statement_is_not_sent_until_it_is_released() -> None:
    one = stale()
    code, status, message = told(lambda: move(one, "Sent"))
    assert (code, status) == ("STATEMENT_STALE", 409)
    assert "FACTS_CHANGED" in message
    clock.set_clock(lambda: NOVEMBER + timedelta(hours=1))

    with by(APPROVES):
        released = release(one, "the difference is billed next month", EVERYTHING)

    assert (released.stale_since, released.stale_reason, released.stale_difference) == (None, None, None)
    with database.reading() as connection:
        assert connection.scalar(sa.select(statement.c.checked_at)) == NOVEMBER + timedelta(hours=1)
    assert move(one, "Sent").status == "Sent"
    (event,) = events("statement.released")
    assert (event["reason"], event["data"]["code"]) == ("the difference is billed next month", "FACTS_CHANGED")
    assert event["data"]["difference"] == DIFFERENCE


def test_a_stale_statement_may_be_approved() -> None:
    """It is sending that lets it out of the house."""
    assert move(stale(status="ApprovalTeam"), "ReadyToSend").status == "ReadyToSend"


UNRELEASABLE = [
    ("ReadyToSend", None, "the statement is not stale"),
    ("ReadyToSend", "PROFIT_CHANGED", "made anew"),
    ("Sent", "FACTS_CHANGED", "Sent"),
    ("Superseded", "FACTS_CHANGED", "Superseded"),
]


@pytest.mark.parametrize(("status", "reason", "words"), UNRELEASABLE)
def test_what_is_not_released(status: str, reason: str | None, words: str) -> None:
    one = billed()
    put(one, status=status, stale_since=NOVEMBER if reason else None, stale_reason=reason)

    with by(APPROVES):
        code, number, message = told(lambda: release(one, WHY, EVERYTHING))

    assert (code, number) == ("STATEMENT_NOT_RELEASABLE", 409)
    assert words in message


def test_who_has_started_the_run_does_not_release_its_statements() -> None:
    one = stale()
    with by(STARTS):
        assert told(lambda: release(one, WHY, EVERYTHING))[0] == "SAME_PERSON"


@pytest.mark.parametrize("status", [status for status in STATUSES if status != "ReadyToSend"])
def test_the_guard_of_sending_lets_only_what_is_ready_pass(status: str) -> None:
    one = billed()
    put(one, status=status)
    with database.reading() as connection:
        row = repository.statement_for_change(connection, one, EVERYTHING)
        assert row is not None
        assert told(lambda: require_sendable(connection, row))[0] == "STATEMENT_TRANSITION_ILLEGAL"


# -- audit ------------------------------------------------------------------------------------------------------------


def test_each_move_stands_in_the_contracts_history_with_who_and_why() -> None:
    one = billed()
    move(one, "ARReview", "the hours of the 14th are disputed")
    move(one, "ReadyToSend", None)

    back, on = events("statement.moved")

    assert [event["stream"].partition("/")[0] for event in (back, on)] == ["contract", "contract"]
    assert (back["subject"], back["site"], back["actor"]["id"]) == (one, "0901", APPROVES)
    assert back["reason"] == "the hours of the 14th are disputed"
    assert {name: back["data"][name] for name in ("from", "to", "asked", "code")} == {
        "from": "ApprovalTeam",
        "to": "ARReview",
        "asked": "ARReview",
        "code": "REVIEW_ASKED",
    }
    assert [on["data"][name] for name in ("from", "asked", "to", "code")] == [
        "ARReview",
        "ReadyToSend",
        "ApprovalTeam",
        "NO_FORECAST",
    ]
    assert (on["reason"], on["data"]["total"], on["data"]["period"]) == (None, "100.0000", "2026-10")


def test_what_is_refused_leaves_no_trace() -> None:
    one = billed()
    told(lambda: move(one, "Sent"))

    assert events("statement.moved") == []
