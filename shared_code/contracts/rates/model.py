"""Values of rates: what can escalate, since when it is stated, and what it is in a period with every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from shared_code.contracts.schema.escalation import Escalator
from shared_code.foundation.calendar import Period
from shared_code.foundation.money import dollars, plain, to_cents
from shared_code.foundation.values import value_class

type Indexes = Mapping[tuple[str, int], Decimal]
"""Changes of price indexes in percent, by name in capitals and year: ("CPI", 2027) is 3.1 for a rise by 3.1 %."""

NO_INDEXES: Indexes = MappingProxyType({})


class Unit(StrEnum):
    """What a rate is measured in. A percentage ends at 100, a surcharge may pass it (contract-corpus 2.2)."""

    AMOUNT = "amount"
    PERCENT = "percent"
    SURCHARGE = "surcharge"


@value_class
class Aim:
    """What an escalator may name to raise a rate: a target, and the `target_id` that narrows it to this one.

    `percent_only`: the rate goes along with percentages, not with amounts or dates (overtime beside its hourly rate).
    """

    target: str
    row: str
    percent_only: bool = False


@value_class
class Rate:
    """One number of a contract document that can escalate, as it is stated there.

    `key` names it as long as its row lives. `aims` run from the broadest to the closest. `on` is False where a switch
    inside the block leaves the row out.
    """

    key: str
    unit: Unit
    value: Decimal | None
    aims: tuple[Aim, ...]
    start: date | None = None
    end: date | None = None
    on: bool = True

    def serves(self, first: date, last: date) -> bool:
        """Whether the rate's row is billed on any of these days."""
        return self.on and overlaps(self.start, self.end, first, last)


def overlaps(start: date | None, end: date | None, first: date, last: date) -> bool:
    """An unknown start is always, an open end is for ever (rules R14)."""
    return (start is None or start <= last) and (end is None or end >= first)


@value_class
class EarlierRules:
    """The escalators that raised a rate until the day before `before`, when a version with others took over."""

    before: date
    rules: tuple[Escalator, ...]


@value_class
class RateBase:
    """The value that a contract states for a rate, since when it holds, and by which version (rules R43).

    What falls due strictly after the month of `since` raises it. `earlier` are past escalators in the order of time.
    """

    value: Decimal | None
    since: date
    version: int = 0
    earlier: tuple[EarlierRules, ...] = ()


@value_class
class RateBases:
    """The bases of a version's rates by key. A rate without one is stated as of `otherwise`."""

    by_key: Mapping[str, RateBase] = field(default_factory=dict)
    otherwise: date = date.min

    def of(self, rate: Rate) -> RateBase:
        found = self.by_key.get(rate.key)
        return found or RateBase(rate.value, max(self.otherwise, rate.start or date.min))


@value_class
class RateStep:
    """One change of a rate. `day` is when it falls due; it serves from the first period that begins on or after."""

    day: date
    rule: str
    size: Decimal | None
    """What the rule adds: percent, an amount or points, as `rule` says; None where nothing is added."""
    before: Decimal | None
    result: Decimal | None
    text: str


@dataclass(frozen=True, slots=True)
class RateNote:
    """Something a person should know about a rate in a period: a stable reason code and a sentence."""

    code: str
    message: str


@value_class
class RateInPeriod:
    """What a rate is in a service period, with its way from the stated value."""

    key: str
    unit: Unit
    value: Decimal | None
    base: RateBase
    steps: tuple[RateStep, ...]
    notes: tuple[RateNote, ...]

    @property
    def explanation(self) -> tuple[str, ...]:
        """One sentence for the stated value and one for each step."""
        version = f" by version {self.base.version}" if self.base.version else ""
        stated = f"{shown(self.base.value, self.unit)} stated as of {self.base.since}{version}"
        return (stated, *(step.text for step in self.steps))


@dataclass(frozen=True, slots=True)
class RatesOfMonth:
    """The rates that a contract bills in one month; `version` is None, and no rate there, before its first version."""

    period: Period
    version: int | None
    rates: tuple[RateInPeriod, ...]


def shown(value: Decimal | None, unit: Unit) -> str:
    """A rate as people write it: `$1,050.00`, `3.5 %`."""
    if value is None:
        return "no value"
    if unit is not Unit.AMOUNT:
        return f"{plain(value)} %"
    return _amount(value)


@lru_cache(maxsize=4096)
def _amount(value: Decimal) -> str:
    """Each rate that has changed is told three times: as stated, before its step and in its explanation."""
    return dollars(value) if value == to_cents(value) else f"${plain(value)}"
