"""Rates that have moved on since they were stated. This version computes no increment, so it must see every one.

The vectors of requirements 2.9 and TV-FF-8 bill the new rate; here they are refused by name instead of the old rate.
"""

from datetime import date

import pytest

from shared_code.contracts.increments import due_increments
from shared_code.contracts.schema import Escalator, FixedPct, Negotiated, Schedule
from shared_code.contracts.schema.escalation import ScheduleStep
from shared_code.foundation.calendar import Period
from tests.unit.billing.builders import contract, fees, money, service


def yearly(month: str | None, status: str = "approved") -> FixedPct:
    return FixedPct.model_validate({"target": "fixedFee.fee", "pct": money("3"), "month": month, "status": status})


def schedule(*days: date) -> Schedule:
    return Schedule(target="fixedFee.fee", steps=tuple(ScheduleStep(date=day, value=money("5")) for day in days))


def due(rule: Escalator, as_of: str, period: str, proration: str = "none") -> bool:
    deal = contract(fees(service("7096.27")), escalators=(rule,), proration=proration)
    return bool(due_increments(deal, Period.parse(as_of), Period.parse(period)))


YEARLY = [
    # month of the increment, rates as of, service period, due
    ("July", "2026-06", "2026-06", False),  # TV-FF-8: June still bills 7,096.27
    ("July", "2026-06", "2026-07", True),  # TV-FF-8: July would bill 7,309.16
    ("July", "2026-07", "2026-07", False),  # rates stated for July have it already
    ("July", "2026-07", "2027-06", False),
    ("July", "2026-07", "2027-07", True),
    ("July", "2026-06", "2026-03", False),  # an earlier period bills the stated rate, with a warning
    ("January", "2026-11", "2027-01", True),
    ("anniversary", "2026-06", "2026-07", True),  # the month is not known here, so the next one may be it
    (None, "2026-06", "2026-07", True),
]


@pytest.mark.parametrize(("month", "as_of", "period", "expected"), YEARLY)
def test_a_yearly_increment(month: str | None, as_of: str, period: str, expected: bool) -> None:
    """Rules R12: the first month M strictly after the one that the rates are stated for, arrears and advanced alike."""
    assert due(yearly(month), as_of, period) is expected


@pytest.mark.parametrize("status", ["proposed", "rejected"])
def test_nothing_from_a_note_counts_before_a_person_approves_it(status: str) -> None:
    """Rules R32."""
    assert not due(yearly("July", status), "2026-06", "2026-07")


def test_a_negotiated_rate_is_a_reminder() -> None:
    assert not due(Negotiated(target="fixedFee.fee", month="July"), "2026-06", "2026-07")


DATED = [
    # date of the step, rates as of, service period, due
    (date(2026, 10, 1), "2026-09", "2026-09", False),
    (date(2026, 10, 1), "2026-09", "2026-10", True),
    (date(2026, 10, 1), "2026-10", "2026-11", False),  # stated for October, so they have it
    (date(2026, 10, 2), "2026-09", "2026-10", False),  # inside a month: serves from the next first (R12)
    (date(2026, 10, 2), "2026-09", "2026-11", True),
    (date(2026, 10, 2), "2026-10", "2026-11", True),  # and rates of October do not have it yet
    (date(2026, 10, 2), "2026-11", "2026-12", False),
    (date(1999, 10, 2), "2026-09", "2026-10", False),
    (date(2250, 1, 1), "2026-09", "2026-10", False),
]


@pytest.mark.parametrize(("day", "as_of", "period", "expected"), DATED)
def test_a_step_of_a_schedule(day: date, as_of: str, period: str, expected: bool) -> None:
    assert due(schedule(day), as_of, period) is expected


def test_with_daily_proration_a_step_inside_the_month_is_due_at_once() -> None:
    assert due(schedule(date(2026, 10, 2)), "2026-09", "2026-10", "daily")


def test_every_change_is_named() -> None:
    deal = contract(escalators=(yearly("July"), schedule(date(2026, 7, 1), date(2026, 8, 1))))

    assert due_increments(deal, Period(2026, 6), Period(2026, 8)) == [
        "fixedFee.fee escalates in 2026-07",
        "fixedFee.fee changes on 2026-07-01",
        "fixedFee.fee changes on 2026-08-01",
    ]
