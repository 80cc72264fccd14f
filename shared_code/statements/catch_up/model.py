"""Missed months as routes answer with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared_code.foundation.answers import Described, PeriodText
from shared_code.statements.reading.model import ItemOutcome


@dataclass(frozen=True, slots=True)
class MissedPeriod(Described):
    """A month that a contract should have a statement for, and what became of the last try."""

    contract_id: str
    period: PeriodText
    outcome: ItemOutcome | None
    """Of the run that tried last; None when none has tried."""
    reason: str | None
    message: str | None
    suggestion: str | None
    """What helps against the reason."""
    owner: str | None
    """The role that can help."""
    run_id: str | None
    tried_at: datetime | None


@dataclass(frozen=True, slots=True)
class MissedPeriods(Described):
    """The missed months of a site's contracts, the oldest first. One that is billed is not among them any more."""

    site_number: str
    items: tuple[MissedPeriod, ...]


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """A run for a missed month, and whether this call started it."""

    contract_id: str
    period: str
    run_id: str
    created: bool


@dataclass(frozen=True, slots=True)
class CatchUpRun(Described):
    """The run that bills a missed month."""

    id: str
    contract_id: str
    period: PeriodText
    created: bool
    """False when the month had its run already: what of it has failed is tried again."""
    status: str
    """The absolute address that answers 202 while the run runs, then 200 with its result."""


@dataclass(frozen=True, slots=True)
class CatchUpAccepted(Described):
    """The runs that bill missed months, in order of month."""

    runs: tuple[CatchUpRun, ...]
