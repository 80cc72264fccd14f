"""What a rate is on a day: the stated value and every change that has fallen due since (rules R12, R13, R43)."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from shared_code.contracts.index_values.model import index_key
from shared_code.contracts.rates.model import (
    NO_INDEXES,
    Indexes,
    Rate,
    RateBase,
    RateInPeriod,
    RateNote,
    RateStep,
    Unit,
    shown,
)
from shared_code.contracts.rates.rules import ESCALATOR_INVALID, MONTHS, Yearly, closeness, rules_for
from shared_code.contracts.schema import Escalator
from shared_code.contracts.schema.base import Month
from shared_code.contracts.schema.escalation import EscalatorException, ScheduleStep
from shared_code.foundation.calendar import Period
from shared_code.foundation.money import HUNDRED, NOTHING, plain, to_cents
from shared_code.foundation.values import value_class

_DAY = timedelta(days=1)
_ADDING = frozenset({"fixed_amount", "percentage_points"})  # others multiply


def rate_for(
    rate: Rate, base: RateBase, rules: Sequence[Escalator], period: Period, indexes: Indexes = NO_INDEXES
) -> RateInPeriod:
    """What a rate is in a service period, and why.

    `rules` are those in force of the version that serves the period (`rules_in_force`); what does not aim at the rate
    is passed over. A rule of month M first raises the first service month M strictly after the base's month, once a
    year, and each result is rounded to 2 decimals. Notes: RATE_BEFORE_BASE for a period before the base, INDEX_MISSING
    for a step without its index value, PERCENT_CAPPED, ESCALATOR_INVALID where two rules would raise it in one year.
    """
    found = rate_on(rate, base, rules, period.first_day, indexes)
    if base.since <= period.last_day:
        return found
    message = f"billed at the rates of {Period.of(base.since)}, the first that are known (rules R12)"
    early = RateNote("RATE_BEFORE_BASE", message)
    return RateInPeriod(found.key, found.unit, found.value, base, found.steps, (*found.notes, early))


def rate_on(
    rate: Rate, base: RateBase, rules: Sequence[Escalator], day: date, indexes: Indexes = NO_INDEXES
) -> RateInPeriod:
    """What a rate is on a day. What falls due on the day has happened."""
    events = _events(rate, base, rules_for(rate, rules), day)
    if not events:
        return RateInPeriod(rate.key, rate.unit, base.value, base, (), ())
    value = base.value
    steps: list[RateStep] = []
    notes: list[RateNote] = []
    for event in events:
        step, said = event.change(rate, value, indexes)
        steps.append(step)
        notes += said
        value = step.result
    return RateInPeriod(rate.key, rate.unit, value, base, tuple(steps), tuple(notes))


def days_of_change(rate: Rate, rules: Sequence[Escalator], first: date, last: date) -> list[date]:
    """Days strictly after `first` through `last` on which a dated schedule changes a rate."""
    steps = (s for rule in rules_for(rate, rules) if rule.rule == "schedule" for s in rule.steps)
    return sorted({step.date for step in steps if first < step.date <= last})


@value_class
class _YearlyEvent:
    """A yearly rule in one of its years, with what was agreed for that year instead.

    `others` would raise the same rate in that year and point as closely.
    """

    day: date
    rule: Yearly
    year: int
    exception: EscalatorException | None
    others: int

    @property
    def skipped(self) -> bool:
        """Whether it was agreed to leave this year out."""
        return self.exception is not None and self.exception.action == "skip"

    def change(self, rate: Rate, value: Decimal | None, indexes: Indexes) -> tuple[RateStep, list[RateNote]]:
        if self.others:
            message = f"{self.others + 1} escalators would raise {rate.key} in one year; one is meant"
            how = "raised by none of several escalators"
            return self._step(rate, value, None, value, how), [RateNote(ESCALATOR_INVALID, message)]
        if self.skipped:
            return self._step(rate, value, None, value, f"not raised in {self.year}, as agreed"), []
        if value is None:
            return self._step(rate, None, None, None, "nothing to raise"), []
        size = self._size(indexes)
        if size is None:
            index = getattr(self.rule, "index", "")
            message = f"{index} has no value for {self.year}; what it raises stays as it was"
            how = f"no value of {index}, so not raised"
            return self._step(rate, value, None, value, how), [RateNote("INDEX_MISSING", message)]
        return self._raised(rate, value, max(size, NOTHING))

    def _size(self, indexes: Indexes) -> Decimal | None:
        """What was agreed for the year, else what the rule says."""
        agreed = self.exception
        if agreed is not None and agreed.action == "replace" and agreed.value is not None:
            return agreed.value
        return _size(self.rule, self.year, indexes)

    def _raised(self, rate: Rate, value: Decimal, size: Decimal) -> tuple[RateStep, list[RateNote]]:
        if self.rule.rule in _ADDING:
            added = value + size
            how = f"{plain(size)} points more" if rate.unit is not Unit.AMOUNT else f"{shown(size, rate.unit)} more"
        else:
            added = value * (1 + size / HUNDRED)
            how = f"{plain(size)} % more"
        result, notes = _capped(rate, to_cents(added))
        return self._step(rate, value, size, result, how), notes

    def _step(
        self, rate: Rate, before: Decimal | None, size: Decimal | None, result: Decimal | None, how: str
    ) -> RateStep:
        return _step(self.day, self.rule.rule, rate.unit, before, size, result, how)


@value_class
class _DatedEvent:
    """A step of a schedule; `others` are other values that schedules state as closely for the same day."""

    day: date
    step: ScheduleStep
    others: int

    def change(self, rate: Rate, value: Decimal | None, _indexes: Indexes) -> tuple[RateStep, list[RateNote]]:
        if self.others:
            message = f"{self.others + 1} schedules state {rate.key} on {self.day}; one is meant"
            step = _step(self.day, "schedule", rate.unit, value, None, value, "set by none of several schedules")
            return step, [RateNote(ESCALATOR_INVALID, message)]
        result, notes = _capped(rate, self.step.value)
        return _step(self.day, "schedule", rate.unit, value, None, result, "as scheduled"), notes


type _Event = _YearlyEvent | _DatedEvent


def _step(
    day: date, rule: str, unit: Unit, before: Decimal | None, size: Decimal | None, result: Decimal | None, how: str
) -> RateStep:
    text = f"{day.isoformat()}: {shown(before, unit)} to {shown(result, unit)}, {how}"
    return RateStep(day, rule, size, before, result, text)


def _events(rate: Rate, base: RateBase, rules: Sequence[Escalator], day: date) -> list[_Event]:
    """All that changes a rate after its base up to a day, in order; on one day a schedule comes last and wins.

    Each stretch of time has the rules of the version that served it. A rate is raised at most once in a year, whatever
    the versions say (rules R12).
    """
    done: set[int] = set()
    if not base.earlier:
        return _changes(rate, rules, base.since, day, done)
    found: list[_Event] = []
    after = base.since
    stretches = [(earlier.before - _DAY, earlier.rules) for earlier in base.earlier]
    for last, current in [*stretches, (day, rules)]:
        through = min(last, day)
        if after < through:
            found += _changes(rate, current, after, through, done)
            after = through
    return found


def _changes(rate: Rate, rules: Sequence[Escalator], after: date, through: date, done: set[int]) -> list[_Event]:
    """What the rules of one version change in a stretch of time, in order."""
    yearly = [rule for rule in rules if rule.rule != "schedule" and rule.rule != "negotiated"]
    found: list[_Event] = []
    if len(yearly) == 1 and not yearly[0].exceptions:
        found += _usual(yearly[0], after, through, done)
    elif yearly:
        found += _yearly(rate, yearly, after, through, done)
    if len(yearly) < len(rules):
        found += _dated(rate, rules, after, through)
    if len(found) > 1:
        found.sort(key=lambda event: (event.day, isinstance(event, _DatedEvent)))
    return found


def _usual(rule: Yearly, after: date, through: date, done: set[int]) -> list[_YearlyEvent]:
    """The years of a rule that stands alone, and for which nothing else was agreed: so are most."""
    days = _usual_days(rule.month, rule.first_year, rule.until, after, through)
    found = [_YearlyEvent(day, rule, day.year, None, 0) for day in days if day.year not in done]
    if found:
        done.update([event.year for event in found])
    return found


def _yearly(rate: Rate, rules: Sequence[Yearly], after: date, through: date, done: set[int]) -> Iterator[_YearlyEvent]:
    # A step that was deferred belongs to the year before the one in which it falls due.
    for year in range(after.year - 1, through.year + 1):
        due = [(rule, when) for rule in rules if (when := _due(rule, year)) is not None]
        # The closest rule stands in for the others all year long, also in the months before its own.
        closest = _closest(rate, due)
        days = [when for _, when in closest if after < when <= through]
        if days and year not in done:
            rule = closest[0][0]
            event = _YearlyEvent(min(days), rule, year, _exception(rule, year), len(closest) - 1)
            if not event.skipped:
                done.add(year)
            yield event


def _dated(rate: Rate, rules: Sequence[Escalator], after: date, through: date) -> Iterator[_DatedEvent]:
    by_day: dict[date, list[tuple[Escalator, ScheduleStep]]] = {}
    for rule in rules:
        for step in rule.steps if rule.rule == "schedule" else ():
            if after < step.date <= through:
                by_day.setdefault(step.date, []).append((rule, step))
    for day, stated in by_day.items():
        steps = {step.value: step for _, step in _closest(rate, stated)}
        yield _DatedEvent(day, next(iter(steps.values())), len(steps) - 1)


def _closest[E: Escalator, V](rate: Rate, rules: list[tuple[E, V]]) -> list[tuple[E, V]]:
    """The different rules that point most closely at a rate, each with what was given with it last."""
    if len(rules) < 2:
        return rules
    ranks = [closeness(rate, rule) or (-1, False) for rule, _ in rules]
    best = max(ranks)
    return list({rule: given for rank, (rule, given) in zip(ranks, rules, strict=True) if rank == best}.items())


def _exception(rule: Yearly, year: int) -> EscalatorException | None:
    return next((given for given in rule.exceptions if given.year == year), None) if rule.exceptions else None


def _due(rule: Yearly, year: int) -> date | None:
    """The first day of the month in which a rule raises in a year; None when it does not.

    A deferred step waits for the next such month after the usual one, perhaps in the next year.
    """
    usual = _usual_day(rule.month, rule.first_year, rule.until, year)
    exception = _exception(rule, year)
    if usual is None or exception is None or exception.action != "defer" or exception.to is None:
        return usual
    later = _first_of(year, exception.to)
    return later if later > usual else later.replace(year=year + 1)


type _RuleMonth = Month | Literal["anniversary"] | None


def _usual_day(month: _RuleMonth, first_year: int | None, until: date | None, year: int) -> date | None:
    """The day on which a rule raises in a year for which nothing else was agreed."""
    if month is None or month == "anniversary" or year < (first_year or year):
        return None
    usual = _first_of(year, month)
    return None if until is not None and usual > until else usual


@lru_cache(maxsize=1024)
def _usual_days(
    month: _RuleMonth, first_year: int | None, until: date | None, after: date, through: date
) -> tuple[date, ...]:
    """Those of a stretch of time. Most rates of a portfolio are stated as of few days and rise in few months."""
    days = (_usual_day(month, first_year, until, year) for year in range(after.year, through.year + 1))
    return tuple(day for day in days if day is not None and after < day <= through)


@lru_cache(maxsize=1024)
def _first_of(year: int, month: Month) -> date:
    return date(year, MONTHS.index(month) + 1, 1)


def _size(rule: Yearly, year: int, indexes: Indexes) -> Decimal | None:
    """What a rule adds in a year, in its own measure; None without the index value (rules R13).

    A falling index reduces nothing: reductions are agreed as dated schedules only (rules R43).
    """
    match rule.rule:
        case "fixed_pct":
            return rule.pct
        case "fixed_amount":
            return rule.amount
        case "percentage_points":
            return rule.points
    index = indexes.get((index_key(rule.index), year))
    if index is None or rule.rule == "index":
        return index
    return max(rule.pct, index) if rule.rule == "greater_of" else min(rule.pct, index)


def _capped(rate: Rate, value: Decimal) -> tuple[Decimal, list[RateNote]]:
    """A percentage ends at 100 (rules R10)."""
    if rate.unit is not Unit.PERCENT or value <= HUNDRED:
        return value, []
    message = f"{rate.key} would be {plain(value)} %; it ends at 100 (rules R10)"
    return to_cents(HUNDRED), [RateNote("PERCENT_CAPPED", message)]
