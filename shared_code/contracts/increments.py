"""Whether a rate would have changed between the month it is stated for and the period that is billed.

Escalation is computed in a later release. Until then a contract whose rates have moved on is refused by name: an old
rate would bill wrongly without a sign (rules R8, R12).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from shared_code.contracts.schema import Contract, FixedFee, PerLaborHour, Schedule
from shared_code.contracts.schema.escalation import Escalator
from shared_code.foundation.calendar import Period

_MONTHS = {date(2000, month, 1).strftime("%B"): month for month in range(1, 13)}


def due_increments(contract: Contract, rates_as_of: Period, period: Period) -> list[str]:
    """What escalates strictly after `rates_as_of` and up to `period`, in words; empty when the stated rates hold."""
    if period <= rates_as_of:
        return []
    months = list(rates_as_of.next.until(period.next))
    # A date inside a month serves from the next first of a month, with daily proration at once (rules R12).
    through = period.last_day if contract.proration == "daily" else period.first_day
    dates = _Span(rates_as_of.first_day, through)
    return [text for rule in contract.escalators if rule.status == "approved" for text in _due(rule, months, dates)]


class _Span(NamedTuple):
    """Days strictly after the first day on which the stated rates serve, through the last that the period knows."""

    after: date
    through: date


def share_rates(old: Contract, new: Contract) -> bool:
    """Whether a rate of `old` stands unchanged in `new`: its base month then stays what it was (rules R43).

    Versions carry one month for all their rates so far, so one unchanged rate keeps it for all: a changed one is then
    refused rather than billed from a base that is not its own.
    """
    return bool(new.escalators) and not _rates(old).isdisjoint(_rates(new))


def _rates(contract: Contract) -> set[tuple[object, ...]]:
    fees, labor = contract.component(FixedFee), contract.component(PerLaborHour)
    return {("fee", line.id, line.fee) for line in (fees.lines if fees else ())} | {
        ("rate", line.id, line.rate, line.ot_rate) for line in (labor.lines if labor else ())
    }


def _due(rule: Escalator, months: list[Period], dates: _Span) -> Iterator[str]:
    if isinstance(rule, Schedule):
        steps = [step.date for step in rule.steps if dates.after < step.date <= dates.through]
        yield from (f"{rule.target} changes on {day}" for day in steps)
    elif rule.rule != "negotiated":
        when = next((m for m in months if rule.month in (None, "anniversary") or m.month == _MONTHS[rule.month]), None)
        if when is not None:
            yield f"{rule.target} escalates in {when}"
