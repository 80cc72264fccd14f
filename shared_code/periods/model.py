"""Months as routes answer with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared_code.foundation.answers import Described, PeriodText

State = Literal["Open", "Closed"]
Action = Literal["open", "close", "reopen"]


@dataclass(frozen=True, slots=True)
class PeriodChange(Described):
    """One decision about a month."""

    version: int
    action: Action
    state: State
    """The state from then on."""
    changed_at: datetime
    changed_by: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class BooksPeriod(Described):
    """A month of the books: open for billing, or closed."""

    period: PeriodText
    state: State
    version: int
    """0 when nothing was ever decided about the month; it is open then."""
    history: tuple[PeriodChange, ...]
    """Every decision, the newest first."""
