"""Which status follows which, as a table: every pair, the routes of the server, and the vectors of the requirements."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.billing.comparison import DeviationLimits, compare
from shared_code.billing.model import Line, Trace
from shared_code.facts.model import FactSum
from shared_code.operations.error_catalog import catalog
from shared_code.statements.lifecycle.model import PASSAGES, UNSENT, Landing, Refused, passage, step
from shared_code.statements.reading.model import STATUSES, StatementStatus
from shared_code.statements.review import Review, route
from tests.unit.billing.builders import money, october

NONE: tuple[str, ...] = ()
DEVIATES = ("DEVIATION",)

# rules R26: from, and what a person may ask for from there
ALLOWED: dict[StatementStatus, tuple[StatementStatus, ...]] = {
    "ARReview": ("ReadyToSend", "ApprovalTeam"),
    "ApprovalTeam": ("ReadyToSend", "ARReview"),
    "Held": ("ReadyToSend",),
    "ReadyToSend": ("Sent",),
    "Sent": (),
    "Superseded": (),
    "Generating": (),  # no stored statement is in this one
    "Failed": (),  # nor in this one
}
PAIRS = [(before, asked) for before in STATUSES for asked in STATUSES]


@pytest.mark.parametrize(("before", "asked"), PAIRS, ids=[f"{before}-{asked}" for before, asked in PAIRS])
def test_every_pair_is_a_way_or_is_refused_with_what_is_allowed(
    before: StatementStatus, asked: StatementStatus
) -> None:
    landed = step(before, asked)

    if asked in ALLOWED[before]:
        assert isinstance(landed, Landing)
        assert landed.status == asked  # without deviations and comments, one comes to what one asks for
    else:
        assert landed == Refused(ALLOWED[before])


ROUTES = [
    # from, asked, deviations, commented, advanced, where it lands and why
    ("ARReview", "ReadyToSend", NONE, True, False, ("ReadyToSend", None)),
    ("ARReview", "ReadyToSend", DEVIATES, True, False, ("ApprovalTeam", "DEVIATION")),
    ("ARReview", "ReadyToSend", ("NO_FORECAST", "NO_LEDGER"), True, False, ("ApprovalTeam", "NO_FORECAST")),
    ("ARReview", "ApprovalTeam", DEVIATES, True, False, ("ApprovalTeam", "DEVIATION")),
    ("ARReview", "ApprovalTeam", NONE, True, False, ("ApprovalTeam", "REVIEW_ASKED")),
    ("ApprovalTeam", "ReadyToSend", DEVIATES, True, False, ("ReadyToSend", None)),  # a person has looked
    ("ApprovalTeam", "ARReview", DEVIATES, False, False, ("ARReview", "REVIEW_ASKED")),
    ("Held", "ReadyToSend", NONE, False, False, ("ReadyToSend", None)),
    ("Held", "ReadyToSend", DEVIATES, False, False, ("ApprovalTeam", "DEVIATION")),
    ("Held", "ReadyToSend", DEVIATES, True, False, ("ARReview", "SITE_COMMENT")),
    ("Held", "ReadyToSend", NONE, True, True, ("ReadyToSend", None)),  # comments are read for arrears alone
    ("ReadyToSend", "Sent", DEVIATES, True, False, ("Sent", None)),
]


@pytest.mark.parametrize(("before", "asked", "deviations", "commented", "advanced", "landing"), ROUTES)
def test_the_server_decides_where_a_statement_goes(
    before: str, asked: str, deviations: tuple[str, ...], commented: bool, advanced: bool, landing: tuple[str, str]
) -> None:
    assert step(before, asked, deviations, commented=commented, advanced=advanced) == landing


@given(st.sampled_from(STATUSES), st.sampled_from(STATUSES), st.sampled_from([NONE, DEVIATES]), st.booleans())
def test_nothing_leaves_what_is_final_and_nothing_passes_the_approval_team_by(
    before: str, asked: str, deviations: tuple[str, ...], commented: bool
) -> None:
    landed = step(before, asked, deviations, commented=commented)

    if before in ("Sent", "Superseded"):
        assert landed == Refused(())
    if isinstance(landed, Landing):
        assert landed.status in {"ARReview", "ApprovalTeam", "ReadyToSend", "Sent"}
        if landed.status == "ReadyToSend" and deviations:
            assert before == "ApprovalTeam"
        assert (landed.reason is None) == (landed.status in ("ReadyToSend", "Sent"))


def test_every_reason_of_a_landing_is_explained() -> None:
    reasons = {
        landed.reason
        for before, asked in PAIRS
        for commented in (True, False)
        if isinstance(landed := step(before, asked, commented=commented), Landing) and landed.reason
    }

    assert reasons == {"REVIEW_ASKED", "SITE_COMMENT"} and reasons <= catalog().keys()


CAUSES = [
    # from, to, by a person, by its delivery, by a line that was added, by its successor
    ("ARReview", "ReadyToSend", True, False, False, False),
    ("ReadyToSend", "Sent", True, True, False, False),
    ("ReadyToSend", "ApprovalTeam", False, False, True, False),
    *((status, "Superseded", False, False, False, True) for status in UNSENT),
    ("Sent", "Superseded", False, False, False, False),
]


@pytest.mark.parametrize(("before", "after", "person", "delivery", "line", "regeneration"), CAUSES)
def test_each_way_has_its_own_causes(
    before: str, after: str, person: bool, delivery: bool, line: bool, regeneration: bool
) -> None:
    found = {way.cause for way in PASSAGES if (way.before, way.asked) == (before, after)}

    expected = {"person": person, "delivery": delivery, "line": line, "regeneration": regeneration}
    assert found == {cause for cause, may in expected.items() if may}


def test_what_lets_a_statement_go_on_is_done_by_another_person_and_what_is_unusual_needs_a_reason() -> None:
    ways = [way for way in PASSAGES if way.cause == "person"]

    assert {way.before for way in ways if way.approves} == {"ARReview", "ApprovalTeam", "Held"}
    assert all(way.asked == "ReadyToSend" for way in ways if way.approves)
    assert {(way.before, way.asked) for way in ways if way.needs_reason} == {
        ("ApprovalTeam", "ARReview"),
        ("Held", "ReadyToSend"),
        ("ReadyToSend", "Sent"),
    }
    assert passage("ReadyToSend", "Sent", "delivery") is not None


# -- vectors of the requirements -------------------------------------------------------------------------------------

LIMITS = DeviationLimits(amount=money("2500"), percent=money("10"))
VECTORS = [
    ("TV-LIF-1", "2400", "12", ("ReadyToSend", None)),
    ("TV-LIF-2", "2600", "12", ("ApprovalTeam", "DEVIATION")),
    ("TV-LIF-3", "2500", "10", ("ReadyToSend", None)),
]


@pytest.mark.parametrize(("_vector", "amount", "percent", "expected"), VECTORS, ids=[row[0] for row in VECTORS])
def test_limits_route_a_statement(_vector: str, amount: str, percent: str, expected: tuple[str, str]) -> None:
    """The same test decides after the generation and after AR Review."""
    why = DEVIATES if LIMITS.exceeded(money(amount), money(percent)) else NONE

    assert tuple(route(why, commented=False, advanced=False)) == expected
    assert step("ARReview", "ReadyToSend", why) == expected


def test_tv_lif_4_with_a_note_there_are_two_approvals() -> None:
    why = DEVIATES if LIMITS.exceeded(money("2600"), money("12")) else NONE

    assert route(why, commented=True, advanced=False) == Review("ARReview", "SITE_COMMENT")
    assert step("ARReview", "ReadyToSend", why, commented=True) == Landing("ApprovalTeam", "DEVIATION")
    assert step("ApprovalTeam", "ReadyToSend", why, commented=True) == Landing("ReadyToSend")


def test_tv_lif_6_the_figures_of_a_comparison() -> None:
    """There is no vector 5."""
    month = replace(october(a4000="-12000"), forecast=FactSum(money("-15000"), 1, "batch-f"))
    fee = Line("fixedFee", 1, "Fee", "4700", "", money("13000"), Trace())

    found = compare([fee], month, LIMITS)

    assert (found.actual, found.deviation_amount) == (money("25000"), money("10000"))
    assert round(found.deviation_percent, 2) == money("66.67")
    assert step("ARReview", "ReadyToSend", found.why) == Landing("ApprovalTeam", "DEVIATION")
