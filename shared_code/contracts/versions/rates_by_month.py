"""What a contract bills by, month by month: every version, every escalator that is in force, every index value."""

from __future__ import annotations

from shared_code.contracts.index_values.repository import current
from shared_code.contracts.rates.model import RateInPeriod, RatesOfMonth
from shared_code.contracts.rates.timeline import timeline
from shared_code.contracts.saving import rated_version
from shared_code.contracts.versions import repository
from shared_code.contracts.versions.choosing import one_contract
from shared_code.contracts.versions.errors import TIMELINE_RANGE_INVALID
from shared_code.contracts.versions.rate_model import (
    ContractTimeline,
    MonthlyRate,
    MonthOfRates,
    RateChange,
    RateRemark,
)
from shared_code.foundation import clock
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import reading
from shared_code.foundation.errors import BillingError, Detail
from shared_code.foundation.settings import settings
from shared_code.foundation.visibility import Visibility

MOST_MONTHS = 120
_LAST = Period(2199, 11)  # a month that has another one after it


def timeline_of(
    site_number: str, contract_id: str | None, first: Period | None, last: Period | None, visible: Visibility
) -> ContractTimeline:
    """The rates of each month from `first` (the present one) through `last` (a year in all).

    Raises CONTRACT_TIMELINE_RANGE_INVALID, CONTRACT_NOT_FOUND, CONTRACT_AMBIGUOUS.
    """
    first = first or Period.of(clock.today(settings().business_time_zone))
    last = last or min(first, _LAST.plus(-11)).plus(11)
    _check(first, last)
    with reading() as connection:
        chosen = one_contract(connection, site_number, contract_id, visible)
        rows = repository.all_versions(connection, chosen.contract_id)
        indexes = current(connection)
    months = timeline([rated_version(row) for row in rows], first, last, indexes)
    return ContractTimeline(chosen.contract_id, chosen.site_number, tuple(map(_month, months)))


def _check(first: Period, last: Period) -> None:
    months = last.index - first.index + 1
    if 1 <= months <= MOST_MONTHS and last <= _LAST:
        return
    message = f"from {first} to {last} are not 1 to {MOST_MONTHS} months that end by {_LAST}"
    raise BillingError(TIMELINE_RANGE_INVALID, message, [Detail("to", message)])


def _month(found: RatesOfMonth) -> MonthOfRates:
    return MonthOfRates(str(found.period), found.version, tuple(map(_rate, found.rates)))


def _rate(found: RateInPeriod) -> MonthlyRate:
    return MonthlyRate(
        key=found.key,
        unit=found.unit.value,
        value=found.value,
        base_value=found.base.value,
        base_date=found.base.since,
        base_version=found.base.version,
        explanation=found.explanation,
        steps=tuple(
            RateChange(step.day, step.rule, step.size, step.before, step.result, step.text) for step in found.steps
        ),
        notes=tuple(RateRemark(note.code, note.message) for note in found.notes),
    )
