"""What starting and retrying a run is answered with."""

from __future__ import annotations

from dataclasses import dataclass

from shared_code.foundation.answers import Described


@dataclass(frozen=True, slots=True)
class StartedRun:
    """The run, and whether this call started it."""

    run_id: str
    created: bool


@dataclass(frozen=True, slots=True)
class RetriedRun:
    """The run, and how many of its failed items are billed again."""

    run_id: str
    retried: int


@dataclass(frozen=True, slots=True)
class RunAccepted(Described):
    """A statement run that is under way or finished."""

    id: str
    created: bool
    """False when the same period, scope and source had its run already: this is that run."""
    status: str
    """The absolute address that answers 202 while the run runs, then 200 with its result."""


@dataclass(frozen=True, slots=True)
class RetryAccepted(Described):
    """A statement run whose failed items are billed again."""

    id: str
    retried: int
    """How many items have failed and are billed again; 0 changes nothing."""
    status: str
    """The absolute address that answers 202 while the run runs, then 200 with its result."""
