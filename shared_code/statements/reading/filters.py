"""What lists may be narrowed by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StatementFilter:
    """Which statements to list, as the caller writes it; None narrows nothing. The use case checks the values."""

    period: str | None = None
    site_number: str | None = None
    status: str | None = None
    run_id: str | None = None
    stale: bool = False
    """Only those that would be billed otherwise by now."""


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs to list, as the caller writes it; None narrows nothing. The use case checks the values."""

    period: str | None = None
    source: str | None = None
    state: str | None = None
