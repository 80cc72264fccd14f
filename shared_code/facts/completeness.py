"""Whether the facts that a contract needs are there. A fact that is not there is a reason, never a zero (rules R8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared_code.facts.model import REVENUE, STATISTICS, Presence, SiteFacts
from shared_code.foundation.calendar import Period

_DAILY = frozenset({REVENUE, STATISTICS})  # the datasets for which gaps are judged (rules R60)


class FactReason(StrEnum):
    """Why facts do not suffice, in the order of rules R61."""

    MISSING = "MISSING_FACTS"
    INCOMPLETE = "INCOMPLETE_FACTS"
    REJECTED = "REJECTED_ROWS"
    HISTORY = "MISSING_HISTORY"


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """A dataset and month that some active row of the contract reads."""

    dataset: str
    period: Period


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One need that is not met, in words for the person who has to get the file."""

    reason: FactReason
    message: str


def shortfalls(facts: SiteFacts, needs: Iterable[Need], gap_days: int) -> list[Shortfall]:
    """Everything that `facts` lacks, worst reason first (rules R61). Empty when the contract may be billed.

    A month of a window before the service period that was never loaded is MISSING_HISTORY; one that is loaded but
    incomplete or has rejected rows fails as the service month would (rules R8, R60).
    """
    found = [s for need in sorted(set(needs)) for s in _judge(facts, need, gap_days)]
    order = list(FactReason)
    return sorted(found, key=lambda s: order.index(s.reason))


def _judge(facts: SiteFacts, need: Need, gap_days: int) -> Iterator[Shortfall]:
    presence = facts.presence.get((need.dataset, need.period))
    where = f"{need.dataset} of {need.period} for site {facts.site}"
    if presence is None or presence.rows == 0:
        if need.period < facts.period:
            yield Shortfall(FactReason.HISTORY, f"{where}: no rows; the to-date window needs every month")
        else:
            text = "no rows; drop the file, or confirm 'no activity' with a reason"
            yield Shortfall(FactReason.MISSING, f"{where}: {text}")
    elif need.dataset in _DAILY and (gap := _gap(facts, presence, need.period, gap_days)):
        yield Shortfall(FactReason.INCOMPLETE, f"{where}: {gap}")
    if presence is not None and presence.rejected:
        yield Shortfall(FactReason.REJECTED, f"{where}: {presence.rejected} rejected rows; see the import report")


def _gap(facts: SiteFacts, presence: Presence, period: Period, gap_days: int) -> str | None:
    """Daily data must reach the end of the month without a hole of more than `gap_days` days (rules R8, R60)."""
    if presence.reaches is not None and presence.reaches < period.last_day:
        return f"the file ends on {presence.reaches}, the month on {period.last_day}"
    opens = max(period.first_day, facts.started or date.min)
    if presence.first_day is None or presence.last_day is None:
        return None
    holes = (
        ((presence.first_day - opens).days, f"no rows before {presence.first_day}"),
        (presence.longest_gap, f"{presence.longest_gap} days without rows inside the month"),
        ((period.last_day - presence.last_day).days, f"rows stop on {presence.last_day}"),
    )
    for length, text in holes:
        if length > gap_days:
            return text
    return None
