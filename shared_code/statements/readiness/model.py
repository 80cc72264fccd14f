"""A month of the books with how far it is, as routes answer with it."""

from __future__ import annotations

from dataclasses import dataclass

from shared_code.foundation.answers import Described
from shared_code.periods.model import BooksPeriod


@dataclass(frozen=True, slots=True)
class PeriodReadiness(Described):
    """How many contracts of a month are where. contracts = billed + nothingToBill + failed + open."""

    contracts: int
    """Contracts with a version that serves the month."""
    billed: int
    """Contracts with a statement that counts."""
    nothing_to_bill: int
    """Contracts whose last run found nothing to bill, or that they were not in force."""
    failed: int
    """Contracts without a statement whose last run could not bill them."""
    open: int
    """Contracts without a statement that no run has ended with: not begun, under way or cancelled."""
    in_review: int
    """Statements in ARReview or ApprovalTeam, of those that are billed."""
    held: int
    """Statements beyond a sanity limit."""
    ready: int
    """Statements that may be sent."""
    sent: int
    stale: int
    """Statements, sent ones included, that would be billed otherwise by now."""


@dataclass(frozen=True, slots=True)
class PeriodStatus(BooksPeriod):
    """A month of the books, open or closed, with how far its contracts are."""

    readiness: PeriodReadiness
