"""Whether the facts that a contract needs are there. A fact that is not there is a reason, never a zero (rules R8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from shared_code.facts.model import REVENUE, STATISTICS, Presence, SiteFacts
from shared_code.foundation.calendar import Period

_DAILY = frozenset({REVENUE, STATISTICS})  # the datasets for which gaps are judged (rules R60)


class FactReason(StrEnum):
    """Why facts do not suffice, in the order of rules R61."""

    MISSING = "MISSING_FACTS"
    INCOMPLETE = "INCOMPLETE_FACTS"
    REJECTED = "REJECTED_ROWS"
    HISTORY = "MISSING_HISTORY"


class Need(NamedTuple):
    """A dataset and month that some active row of the contract reads: a key of `SiteFacts.presence`."""

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
    lacking = {need for need in needs if not _is_whole(facts, *need, gap_days)}
    if not lacking:  # as a rule; order and sentences are for the few that lack something
        return []
    found = [(need, *fault) for need in lacking for fault in _faults(facts, need, gap_days)]
    order = list(FactReason)
    found.sort(key=lambda fault: (order.index(fault[1]), fault[0]))
    return [
        Shortfall(reason, f"{need.dataset} of {need.period} for site {facts.site}: {text}")
        for need, reason, text in found
    ]


def month_is_whole(facts: SiteFacts, datasets: Iterable[str], gap_days: int) -> bool:
    """Whether nothing of the datasets is lacking in the service month."""
    return False not in [_is_whole(facts, dataset, facts.period, gap_days) for dataset in datasets]


def _is_whole(facts: SiteFacts, dataset: str, period: Period, gap_days: int) -> bool:
    """Whether a need is met: asked for every contract of a month, so it makes nothing that is not needed."""
    presence = facts.presence.get((dataset, period))
    if presence is None or not presence.rows or presence.rejected:
        return False
    return dataset not in _DAILY or _gap(facts, presence, period, gap_days) is None


def _faults(facts: SiteFacts, need: Need, gap_days: int) -> Iterator[tuple[FactReason, str]]:
    presence = facts.presence.get(need)
    if presence is None or presence.rows == 0:
        if need.period < facts.period:
            yield FactReason.HISTORY, "no rows; the to-date window needs every month"
        else:
            yield FactReason.MISSING, "no rows; drop the file, or confirm 'no activity' with a reason"
    elif need.dataset in _DAILY and (gap := _gap(facts, presence, need.period, gap_days)):
        yield FactReason.INCOMPLETE, gap
    if presence is not None and presence.rejected:
        yield FactReason.REJECTED, f"{presence.rejected} rejected rows; see the import report"


def _gap(facts: SiteFacts, presence: Presence, period: Period, gap_days: int) -> str | None:
    """Daily data must reach the end of the month without a hole of more than `gap_days` days (rules R8, R60)."""
    if presence.reaches is None and presence.first_day is None:
        return None
    opens, ends = period.first_day, period.last_day
    if presence.reaches is not None and presence.reaches < ends:
        return f"the file ends on {presence.reaches}, the month on {ends}"
    if presence.first_day is None or presence.last_day is None:
        return None
    if facts.started is not None and facts.started > opens:
        opens = facts.started
    if (presence.first_day - opens).days > gap_days:
        return f"no rows before {presence.first_day}"
    if presence.longest_gap > gap_days:
        return f"{presence.longest_gap} days without rows inside the month"
    if (ends - presence.last_day).days > gap_days:
        return f"rows stop on {presence.last_day}"
    return None
