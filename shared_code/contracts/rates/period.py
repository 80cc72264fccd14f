"""The rates of one contract in one service period, written into its components."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from shared_code.contracts.rates.evaluation import days_of_change, rate_for, rate_on
from shared_code.contracts.rates.fields import row_keys, service_rate, with_rates
from shared_code.contracts.rates.model import Indexes, Rate, RateBases, RateInPeriod
from shared_code.contracts.rates.rules import rules_in_force
from shared_code.contracts.schema import Component, Contract, FixedFee, ServiceLine
from shared_code.contracts.schema.base import altered
from shared_code.foundation.calendar import Period


class RatesOfPeriod:
    """Writes the rates of a period into components, and keeps why each is what it is in `found`."""

    def __init__(self, contract: Contract, period: Period, bases: RateBases, indexes: Indexes) -> None:
        self._period, self._bases, self._indexes = period, bases, indexes
        self._rules = rules_in_force(contract)
        self._daily = contract.proration == "daily"
        self._first = period.first_day
        self._last = period.last_day if self._daily else self._first
        self.found: list[RateInPeriod] = []

    @staticmethod
    def matter(contract: Contract, period: Period, bases: RateBases) -> bool:
        """Whether any rate may differ from what is stated, or deserves a note. Most contracts of a month have none."""
        last = period.last_day
        return (
            bool(contract.escalators)
            or bases.otherwise > last
            or any(base.earlier or base.since > last for base in bases.by_key.values())
        )

    def write(self, part: Component) -> Component:
        """The component with the period's rates in the rows that are billed; other rows keep what is stated."""
        if self._daily and isinstance(part, FixedFee):
            keys = row_keys(part.kind, part.lines)
            lines = (piece for line, key in zip(part.lines, keys, strict=True) for piece in self._by_day(line, key))
            return altered(part, {"lines": tuple(lines)})
        return with_rates(part, self._written)

    def _written(self, rate: Rate) -> Decimal | None:
        """The stated number itself where the period's is as large, so that its row stays as it is."""
        value = self._rate(rate)
        return rate.value if value == rate.value else value

    def _rate(self, rate: Rate) -> Decimal | None:
        if not rate.serves(self._first, self._last):
            return rate.value
        found = rate_for(rate, self._bases.of(rate), self._rules, self._period, self._indexes)
        self.found.append(found)
        return found.value

    def _by_day(self, line: ServiceLine, key: str) -> Iterator[ServiceLine]:
        """A fee that is paid by the day, cut where a schedule changes it inside the month (rules R12, R14)."""
        rate = service_rate(line, key)
        line = altered(line, {"fee": self._rate(rate)})
        for day in days_of_change(rate, self._rules, self._first, self._last):
            found = rate_on(rate, self._bases.of(rate), self._rules, day, self._indexes)
            if found.value != line.fee and rate.serves(day, self._last):
                self.found.append(found)
                before = min(line.end or date.max, day - timedelta(days=1))
                yield altered(line, {"end": before})
                line = altered(line, {"fee": found.value, "start": day})
        yield line
