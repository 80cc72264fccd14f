"""What lists may be narrowed by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StatementFilter:
    """Which statements to list; None narrows nothing. `sites` is what the caller may see, None for all."""

    period: str | None = None
    site_number: str | None = None
    status: str | None = None
    run_id: str | None = None
    sites: Collection[str] | None = None
