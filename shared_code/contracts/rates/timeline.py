"""The rates of a contract month by month, past and future, each with its explanation."""

from collections.abc import Sequence
from datetime import date

from shared_code.contracts.rates.bases import RatedVersion
from shared_code.contracts.rates.model import NO_INDEXES, Indexes, RatesOfMonth
from shared_code.contracts.rates.period import RatesOfPeriod
from shared_code.contracts.terms import in_force
from shared_code.foundation.calendar import Period


def timeline(
    versions: Sequence[RatedVersion], first: Period, last: Period, indexes: Indexes = NO_INDEXES
) -> tuple[RatesOfMonth, ...]:
    """The rates of rows that each month from `first` through `last` bills; none where the contract is not in force."""
    return tuple(_month(serving(versions, period), period, indexes) for period in first.until(last.next))


def serving(versions: Sequence[RatedVersion], period: Period) -> RatedVersion | None:
    """The version that serves a period: the last saved of those effective on its first day (rules R12, decision 4)."""
    effective = [one for one in versions if (one.effective_from or date.min) <= period.first_day]
    return max(effective, key=lambda one: one.version, default=None)


def _month(found: RatedVersion | None, period: Period, indexes: Indexes) -> RatesOfMonth:
    if found is None:
        return RatesOfMonth(period, None, ())
    rates = RatesOfPeriod(found.contract, period, found.bases, indexes)
    if in_force(found.contract, period):
        for part in found.contract.components:
            if part.enabled:
                rates.write(part)
    return RatesOfMonth(period, found.version, tuple(rates.found))
