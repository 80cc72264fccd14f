"""Who has to look at a statement before it is sent (rules R25, R50, R51; requirements LIF-02). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

ReviewStatus = Literal["ARReview", "ApprovalTeam", "ReadyToSend", "Held"]


class Review(NamedTuple):
    """The status of a statement, and the code of the reason for it; None where nobody has to look."""

    status: ReviewStatus
    reason: str | None = None


READY = Review("ReadyToSend")
SITE_COMMENT = "SITE_COMMENT"


def route(deviations: Sequence[str], *, commented: bool, advanced: bool) -> Review:
    """Where a statement goes once it is made, or is released from Held.

    `deviations`: why its comparison to forecast wants a person, by code; empty for a contract billed in advance, which
    is not compared. `commented`: whether site people said something about the month; on arrears contracts that is read
    first (rules R25).
    """
    if commented and not advanced:
        return Review("ARReview", SITE_COMMENT)
    return after_review(deviations)


def after_review(deviations: Sequence[str]) -> Review:
    """Where a statement goes from AR Review: the same test of deviations decides (requirements LIF-03)."""
    return Review("ApprovalTeam", deviations[0]) if deviations else READY
