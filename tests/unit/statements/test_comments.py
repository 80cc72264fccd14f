"""What site people say about a month: kept before there is a statement, read with it, and a reason to review it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from shared_code.facts.tables import site
from shared_code.foundation import clock, context, database
from shared_code.foundation.audit.tables import audit_event
from shared_code.foundation.context import Context
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import PageRequest
from shared_code.foundation.visibility import EVERYTHING, Visibility
from shared_code.statements import generation, runs
from shared_code.statements.lifecycle.comments import (
    comment_on_site,
    comment_on_statement,
    comments_of_site,
    comments_of_statement,
)
from shared_code.statements.lifecycle.model import Comment
from shared_code.statements.lifecycle.requests import MOST_CHARACTERS, CommentRequest
from shared_code.statements.reading.queries import statement_detail
from shared_code.statements.scope import RunCommand
from shared_code.statements.tables import statement
from tests.unit.statements.stage import open_sites, save

NOVEMBER = datetime(2026, 11, 24, 15, tzinfo=UTC)
ALL = PageRequest()
WORDS = "The hours of the 14th were booked twice."


@pytest.fixture(autouse=True)
def sites(stored: sa.Engine) -> None:
    """Two sites, on 24 November 2026."""
    clock.set_clock(lambda: NOVEMBER)
    open_sites("0901", "0902")


@contextmanager
def by(actor: str) -> Iterator[None]:
    with context.acting(Context(actor_id=actor, actor_name=actor.title(), actor_kind="person")):
        yield


def only(*numbers: str) -> Visibility:
    return Visibility(sa.select(site.c.site_number).where(site.c.site_number.in_(numbers)))


def billed(period: str = "2026-10", *, regenerate: bool = False, **changes: Any) -> str:
    """A statement of the site 0901 that the next run has made."""
    save("0901", **changes)
    wish = {"source": "again", "regenerate": True} if regenerate else {}
    run = runs.start_run(RunCommand(period, "test", "c", **wish)).run_id  # type: ignore[arg-type]
    generation.generate_chunk(run, 0, f"message of {run}")
    with database.reading() as connection:
        return str(connection.scalar(sa.select(statement.c.statement_id).where(statement.c.run_id == run)))


def said(period: str = "2026-10", text: str = WORDS, actor: str = "ann", number: str = "0901") -> Comment:
    with by(actor):
        return comment_on_site(number, period, text, EVERYTHING).comment


def code_of(ask: Callable[[], object]) -> str:
    with pytest.raises(BillingError) as refused:
        ask()
    assert refused.value.kind.status in (400, 404, 422)
    return refused.value.code


def status(statement_id: str) -> tuple[str, str | None]:
    found = statement_detail(statement_id, EVERYTHING)
    return found.status, found.status_reason


# -- what a comment does ----------------------------------------------------------------------------------------------


def test_what_is_said_before_billing_sends_an_arrears_statement_to_review() -> None:
    said()

    assert status(billed()) == ("ARReview", "SITE_COMMENT")


def test_what_is_said_about_a_contract_in_advance_does_not() -> None:
    said("2026-12")

    assert status(billed("2026-12", billingType="Advanced")) == ("ReadyToSend", None)


@pytest.mark.parametrize(("period", "number"), [("2026-09", "0901"), ("2026-10", "0902")])
def test_another_month_or_site_does_not_count(period: str, number: str) -> None:
    said(period, number=number)

    assert status(billed())[0] == "ApprovalTeam"


def test_a_comment_leaves_a_statement_alone_and_has_its_next_generation_reviewed() -> None:
    one = billed()
    before = statement_detail(one, EVERYTHING)
    with by("ann"):
        comment_on_statement(one, WORDS, EVERYTHING)
    assert statement_detail(one, EVERYTHING) == before

    two = billed(regenerate=True)

    assert (status(one)[0], status(two)) == ("Superseded", ("ARReview", "SITE_COMMENT"))


# -- lists ------------------------------------------------------------------------------------------------------------


def test_comments_are_read_by_statement_and_by_site_the_oldest_first() -> None:
    one = billed()
    for minutes, (period, text) in enumerate(
        [("2026-10", "first"), ("2026-09", "of September"), ("2026-10", "second")]
    ):
        clock.set_clock(lambda minutes=minutes: NOVEMBER + timedelta(minutes=minutes))  # type: ignore[misc]
        said(period, text)
    clock.set_clock(lambda: NOVEMBER + timedelta(minutes=9))
    with by("eve"):
        comment_on_statement(one, "third", EVERYTHING)

    of_statement = comments_of_statement(one, ALL, EVERYTHING).items
    assert [(c.text, c.source, c.author) for c in of_statement] == [
        ("first", "ReadyRow", "Ann"),
        ("second", "ReadyRow", "Ann"),
        ("third", "Statement", "Eve"),
    ]
    assert comments_of_site("0901", "2026-10", ALL, EVERYTHING).items == of_statement
    assert [c.text for c in comments_of_site("0901", None, ALL, EVERYTHING).items] == [
        *("first", "of September", "second", "third")
    ]
    newest = PageRequest(sort="-createdAt")
    assert [c.text for c in comments_of_statement(one, newest, EVERYTHING).items] == ["third", "second", "first"]
    assert comments_of_site("0902", None, ALL, EVERYTHING).items == ()


def test_pages_follow_each_other_though_all_were_said_at_once() -> None:
    for number in range(5):
        said(text=f"comment {number}")
    found: list[str] = []
    asked = PageRequest(2)
    while True:
        page = comments_of_site("0901", None, asked, EVERYTHING)
        found += [one.text for one in page.items]
        assert page.total == 5
        if page.next_cursor is None:
            break
        asked = PageRequest(2, page.next_cursor)

    assert sorted(found) == [f"comment {number}" for number in range(5)]


# -- once, and kept ---------------------------------------------------------------------------------------------------


def test_the_same_words_of_the_same_person_are_one_comment() -> None:
    with by("ann"):
        first, again = (comment_on_site("0901", "2026-10", WORDS, EVERYTHING) for _ in range(2))

    assert (first.created, again.created, again.comment) == (True, False, first.comment)
    others = {said(actor="eve").id, said("2026-09").id, said(number="0902").id, said(text=f"{WORDS} Again.").id}
    assert len(others | {first.comment.id}) == 5


def test_who_said_what_is_audited() -> None:
    made = said()
    with database.reading() as connection:
        chosen = sa.select(audit_event.c.body).where(audit_event.c.action == "comment.added")
        (event,) = (json.loads(body) for body in connection.scalars(chosen))

    assert (event["stream"], event["subject"], event["site"]) == ("site/0901", made.id, "0901")
    assert event["actor"]["id"] == "ann"
    assert event["data"] == {"period": "2026-10", "source": "ReadyRow", "text": WORDS}


# -- what is refused --------------------------------------------------------------------------------------------------

REFUSED: list[tuple[str, Callable[[], object], str]] = [
    ("a site that there is not", lambda: comment_on_site("0999", "2026-10", WORDS, EVERYTHING), "SITE_NOT_FOUND"),
    ("a site of others", lambda: comment_on_site("0901", "2026-10", WORDS, only("0902")), "SITE_NOT_FOUND"),
    ("its comments", lambda: comments_of_site("0901", None, ALL, only("0902")), "SITE_NOT_FOUND"),
    ("a month that is none", lambda: comment_on_site("0901", "October", WORDS, EVERYTHING), "PERIOD_INVALID"),
    ("a month that nobody bills", lambda: comment_on_site("0901", "2099-01", WORDS, EVERYTHING), "PERIOD_UNKNOWN"),
    ("a filter that is no month", lambda: comments_of_site("0901", "October", ALL, EVERYTHING), "PERIOD_INVALID"),
    ("no statement", lambda: comment_on_statement("0" * 32, WORDS, EVERYTHING), "STATEMENT_NOT_FOUND"),
    ("comments of no statement", lambda: comments_of_statement("0" * 32, ALL, EVERYTHING), "STATEMENT_NOT_FOUND"),
]


@pytest.mark.parametrize(("_what", "ask", "code"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_there_is_not_for_the_caller_is_refused(_what: str, ask: Callable[[], object], code: str) -> None:
    assert code_of(ask) == code
    assert comments_of_site("0901", None, ALL, EVERYTHING).total == 0


def test_a_statement_of_another_site_is_not_found() -> None:
    one = billed()

    assert code_of(lambda: comment_on_statement(one, WORDS, only("0902"))) == "STATEMENT_NOT_FOUND"
    assert code_of(lambda: comments_of_statement(one, ALL, only("0902"))) == "STATEMENT_NOT_FOUND"


TEXTS = [
    ("", None),
    (" \n\t ", None),
    ("x" * (MOST_CHARACTERS + 1), None),
    ("a\x00b", None),
    ("a\x1b[31mb", None),
    ("  two lines:\n\tthe second  ", "two lines:\n\tthe second"),
    ("Übergabe am 14. – 2 h", "Übergabe am 14. – 2 h"),
    ("x" * MOST_CHARACTERS, "x" * MOST_CHARACTERS),
]


@pytest.mark.parametrize(("text", "kept"), TEXTS, ids=[ascii(text)[:20] for text, _ in TEXTS])
def test_blanks_are_no_comment(text: str, kept: str | None) -> None:
    """Rules R51: a comment of blanks is none, so it must not send a statement to review."""
    if kept is None:
        with pytest.raises(ValidationError):
            CommentRequest(text=text)
    else:
        assert CommentRequest(text=text).text == kept
