"""The life of a statement as data: which status follows which, by whose doing (rules R26). Pure.

Generating and Failed are outcomes of run items, so no stored statement is in them. Sent and Superseded are final.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from shared_code.foundation.answers import Described, PeriodText
from shared_code.statements.reading.model import StatementStatus
from shared_code.statements.review import after_review, route

Cause = Literal["person", "delivery", "line", "regeneration"]
"""Who moves a statement: a person who approves, its delivery, a line that makes it deviate, or its successor."""
CommentSource = Literal["ReadyRow", "Statement"]

HELD: StatementStatus = "Held"
SENT: StatementStatus = "Sent"
UNSENT: tuple[StatementStatus, ...] = ("ARReview", "ApprovalTeam", "ReadyToSend", HELD)
REVIEW_ASKED = "REVIEW_ASKED"
"""Reason of a statement that a person has sent to review, though nothing about it asks for one."""


class Passage(NamedTuple):
    """A way from a status to the one that is asked for. `approves`: lets the statement go on, so another person does it
    than the one who has started its run."""

    before: StatementStatus
    asked: StatementStatus
    cause: Cause
    needs_reason: bool = False
    approves: bool = False


PASSAGES: tuple[Passage, ...] = (
    Passage("ARReview", "ReadyToSend", "person", approves=True),
    Passage("ARReview", "ApprovalTeam", "person"),
    Passage("ApprovalTeam", "ReadyToSend", "person", approves=True),
    Passage("ApprovalTeam", "ARReview", "person", needs_reason=True),
    Passage(HELD, "ReadyToSend", "person", needs_reason=True, approves=True),
    Passage("ReadyToSend", SENT, "person", needs_reason=True),  # mailed outside, for example during the cut-over
    Passage("ReadyToSend", SENT, "delivery"),
    Passage("ReadyToSend", "ApprovalTeam", "line"),
    *(Passage(status, "Superseded", "regeneration") for status in UNSENT),
)


class Landing(NamedTuple):
    """The status that a statement comes to, and the code of the reason for it; None where nobody has to look."""

    status: StatementStatus
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no such way; `allowed` are the statuses that a person may ask for from here."""

    allowed: tuple[StatementStatus, ...]


def passage(status: str, asked: str, cause: Cause = "person") -> Passage | None:
    """The way from `status` to what is asked for, if there is one by this cause."""
    return next((way for way in PASSAGES if (way.before, way.asked, way.cause) == (status, asked, cause)), None)


def step(
    status: str, asked: str, deviations: Sequence[str] = (), *, commented: bool = False, advanced: bool = False
) -> Landing | Refused:
    """Where a statement comes to when a person asks for a status. The server decides, not the one who asks.

    An approval from AR Review tests the deviations again (requirements LIF-03, TV-LIF-4). A release from Held is routed
    as a statement that was just made, so that no review is passed by.
    """
    way = passage(status, asked)
    if way is None:
        return Refused(tuple(one.asked for one in PASSAGES if (one.before, one.cause) == (status, "person")))
    if (status, asked) == ("ARReview", "ReadyToSend"):
        return Landing(*after_review(deviations))
    if status == HELD:
        return Landing(*route(deviations, commented=commented, advanced=advanced))
    if asked == "ARReview":
        return Landing(way.asked, REVIEW_ASKED)
    if asked == "ApprovalTeam":
        return Landing(way.asked, deviations[0] if deviations else REVIEW_ASKED)
    return Landing(way.asked)


@dataclass(frozen=True, slots=True)
class Comment(Described):
    """What somebody said about a site and month."""

    id: str
    site_number: str
    period: PeriodText
    source: CommentSource
    """ReadyRow: said of the month. Statement: said of a statement that was there."""
    text: str
    author: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Commented:
    """A comment, and whether it is new; the same words of the same person about the same month are one comment."""

    comment: Comment
    created: bool
