"""The bodies of requests about the life of a statement, checked before anything happens."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from shared_code.foundation.shapes import Reason, RequestModel

MOST_CHARACTERS = 4_000


def _readable(text: str) -> str:
    if not text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
        raise ValueError("holds characters that do not print; lines and tabs are fine")
    return text


CommentText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MOST_CHARACTERS),
    AfterValidator(_readable),
    Field(description=f"what is to be known about the month, in at most {MOST_CHARACTERS:,} characters, lines allowed"),
]


class TransitionRequest(RequestModel):
    """`{"to": "ReadyToSend", "reason": "…"}`: the status that a statement is to come to."""

    to: Literal["ARReview", "ApprovalTeam", "ReadyToSend", "Sent"] = Field(
        description="ReadyToSend approves: the server decides whether the approval team looks next. Sent: it was sent"
        " by other means."
    )
    reason: Reason | None = Field(
        None, description="why, in 3 to 500 characters; needed from Held, back to ARReview, and for Sent"
    )
    from_status: Literal["ARReview", "ApprovalTeam", "ReadyToSend", "Held"] | None = Field(
        None, description="the status that you have seen; refused when it is another by now"
    )


class CommentRequest(RequestModel):
    """What somebody says about the month of a statement."""

    text: CommentText


class SiteCommentRequest(RequestModel):
    """What somebody says about a month of a site, before there is a statement."""

    period: str = Field(description="the month, written YYYY-MM", examples=["2026-10"])
    text: CommentText
