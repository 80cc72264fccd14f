"""The same rates told twice: `timeline` against a plain loop over the days, written from the rules alone.

The loop knows no stored bases, no windows and no keys. It walks from the first version on, a day at a time, with
fractions, and does on each day what rules R10, R12, R13 and R43 say of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from shared_code.contracts.rates.bases import RatedVersion
from shared_code.contracts.rates.timeline import timeline
from shared_code.contracts.schema import (
    Contract,
    Escalator,
    FixedAmount,
    FixedPct,
    GreaterOf,
    IndexRule,
    LesserOf,
    Negotiated,
    PercentagePoints,
    PtebPercentage,
    Schedule,
)
from shared_code.contracts.schema.base import Month
from shared_code.foundation.calendar import Period
from tests.unit.contracts import parts
from tests.unit.contracts.documents import contract, money
from tests.unit.contracts.rated import FEE, JUNE_2026, first_version, next_version, pct, rule

FIRST, LAST = Period(2026, 6), Period(2031, 12)
NUMBER_OF = {"January": 1, "March": 3, "July": 7, "December": 12}
INDEX = {2027: Decimal("4.2"), 2028: Decimal(-1), 2029: Decimal("2.55"), 2031: Decimal(0)}  # none for 2026 and 2030
PTEB = "billableAccounts.pteb"

type Yearly = FixedPct | FixedAmount | PercentagePoints | IndexRule | GreaterOf | LesserOf


@dataclass(frozen=True)
class Stated:
    """What a version says: from when it is effective, the value, its yearly rule and its dated values."""

    effective: date
    value: Decimal
    yearly: Yearly | None
    dated: tuple[tuple[date, Decimal], ...] = ()


# --- the loop ---------------------------------------------------------------------------------------------------------


@dataclass
class Walk:
    """One rate on its way: what it is, since when it is stated, in which years it was raised, where it ends."""

    current: Stated
    value: Fraction
    stated: date
    raised: set[int]
    most: Fraction | None

    def take_over(self, version: Stated) -> None:
        """Another value is a new base; the same value goes on as what it has become (rules R43)."""
        if version.value != self.current.value:
            self.value, self.stated, self.raised = Fraction(version.value), version.effective, set()
        self.current = version

    def begin(self, month: Period) -> None:
        """The step of the year when this is its month; one that was put off falls due when its later month comes."""
        rule = self.current.yearly
        for back in range(12, -1, -1) if rule and month.first_day > self.stated else ():
            usual = month.plus(-back)
            if rule and usual.year not in self.raised and _falls_due(rule, usual, month):
                self.raised.add(usual.year)
                self.become(_raised(rule, usual.year, self.value))

    def reach(self, day: date) -> None:
        """A dated value replaces what the rate was (rules R43)."""
        for at, value in self.current.dated:
            if at == day > self.stated:
                self.become(Fraction(value))

    def become(self, value: Fraction) -> None:
        self.value = value if self.most is None else min(value, self.most)


def rates_by_the_rules(history: Sequence[Stated], most: Fraction | None) -> dict[str, Fraction]:
    """The rate of each month: what it is on the month's first day, after all that has happened up to then."""
    first, later = history[0], {one.effective: one for one in history[1:]}
    walk = Walk(first, Fraction(first.value), first.effective, set(), most)
    found: dict[str, Fraction] = {}
    day = first.effective
    while day <= LAST.first_day:
        if day in later:
            walk.take_over(later[day])
        if day.day == 1:
            walk.begin(Period.of(day))
        walk.reach(day)
        if day.day == 1:
            found[str(Period.of(day))] = walk.value
        day += timedelta(days=1)
    return found


def _falls_due(rule: Yearly, usual: Period, month: Period) -> bool:
    """Whether the step of `usual`, which may be a rule's month in some year, falls due in `month`."""
    if usual.month != NUMBER_OF[str(rule.month)] or usual.year < (rule.first_year or 0):
        return False
    if rule.until is not None and usual.first_day > rule.until:
        return False
    said = next((one for one in rule.exceptions if one.year == usual.year), None)
    if said is None or said.action == "replace":
        return usual == month
    return said.action == "defer" and usual != month and month.month == NUMBER_OF[str(said.to)]


def _raised(rule: Yearly, year: int, value: Fraction) -> Fraction:
    """Rules R13: halves away from zero after each step; an index without a value raises nothing."""
    instead = [one.value for one in rule.exceptions if one.year == year and one.action == "replace"]
    size = instead[0] if instead else _size(rule, year)
    if size is None:
        return value
    added = Fraction(max(size, Decimal(0)))
    raised = value + added if isinstance(rule, FixedAmount | PercentagePoints) else value * (1 + added / 100)
    return Fraction(floor(raised * 100 + Fraction(1, 2)), 100)


def _size(rule: Yearly, year: int) -> Decimal | None:
    index = INDEX.get(year)
    match rule:
        case FixedPct():
            return rule.pct
        case FixedAmount():
            return rule.amount
        case PercentagePoints():
            return rule.points
        case IndexRule():
            return index
        case GreaterOf():
            return None if index is None else max(rule.pct, index)
        case LesserOf():
            return None if index is None else min(rule.pct, index)


# --- generated histories ----------------------------------------------------------------------------------------------

SIZES = st.decimals(0, 20, places=2)
VALUES = st.decimals(1, 99, places=2)
DAYS = st.dates(date(2026, 7, 1), date(2031, 6, 30))
NAMES: st.SearchStrategy[Month] = st.sampled_from(["January", "March", "July", "December"])
EXCEPTIONS = st.fixed_dictionaries(
    {
        "year": st.integers(2026, 2031),
        "action": st.sampled_from(["skip", "defer", "replace"]),
        "to": NAMES,
        "value": SIZES.map(str),
    }
)


@st.composite
def yearly_rules(draw: st.DrawFn, target: str) -> Yearly:
    size = str(draw(SIZES))
    kinds: list[tuple[type[Escalator], dict[str, object]]] = [
        (FixedPct, {"pct": size}),
        (FixedAmount, {"amount": size}),
        (IndexRule, {"index": "ECI"}),
        (GreaterOf, {"pct": size, "index": "ECI"}),
        (LesserOf, {"pct": size, "index": "ECI"}),
    ]
    if target == PTEB:
        kinds.append((PercentagePoints, {"points": size}))
    kind, fields = draw(st.sampled_from(kinds))
    made = rule(
        kind,
        target,
        draw(NAMES),
        first_year=draw(st.none() | st.integers(2027, 2029)),
        until=draw(st.none() | st.dates(date(2028, 1, 1), date(2030, 12, 31))),
        exceptions=draw(st.lists(EXCEPTIONS, max_size=2, unique_by=lambda one: int(str(one["year"])))),
        **fields,
    )
    assert not isinstance(made, Negotiated | Schedule)
    return made


@st.composite
def histories(draw: st.DrawFn, target: str) -> list[Stated]:
    """Up to four versions; each keeps or changes the value, the rule, the dated values."""
    rules = st.none() | yearly_rules(target)
    steps = st.dictionaries(DAYS, VALUES, max_size=2).map(lambda found: tuple(found.items()))
    last = Stated(JUNE_2026, draw(VALUES), draw(rules), draw(steps))
    history = [last]
    for day in sorted(draw(st.sets(DAYS, max_size=3))):
        value = last.value if draw(st.booleans()) else draw(VALUES)
        yearly = last.yearly if draw(st.booleans()) else draw(rules)
        dated = last.dated if draw(st.booleans()) else draw(steps)
        last = Stated(day, value, yearly, dated)
        history.append(last)
    return history


def document(target: str, stated: Stated) -> Contract:
    fee = parts.fees(parts.fee(fee=stated.value))
    part = fee if target == FEE else parts.accounts(pteb=PtebPercentage(pct=stated.value))
    rules: list[Escalator] = [stated.yearly] if stated.yearly else []
    if stated.dated:
        steps = [{"date": day.isoformat(), "value": str(value)} for day, value in stated.dated]
        rules.append(rule(Schedule, target, None, steps=steps))
    return contract(part, escalators=tuple(rules))


def versions_of(target: str, history: Sequence[Stated]) -> list[RatedVersion]:
    versions = [first_version(document(target, history[0]), history[0].effective)]
    for stated in history[1:]:
        versions.append(next_version(versions[-1], document(target, stated), stated.effective))
    return versions


@given(st.sampled_from([FEE, PTEB]).flatmap(lambda target: st.tuples(st.just(target), histories(target))))
def test_every_month_of_every_history_is_what_the_loop_says(case: tuple[str, list[Stated]]) -> None:
    target, history = case
    indexes = {("ECI", year): value for year, value in INDEX.items()}

    months = timeline(versions_of(target, history), FIRST, LAST, indexes)

    expected = rates_by_the_rules(history, Fraction(100) if target == PTEB else None)
    assert {str(month.period): [Fraction(rate.value or 0) for rate in month.rates] for month in months} == {
        period: [rate] for period, rate in expected.items()
    }


def test_the_loop_agrees_with_a_case_that_was_worked_out_by_hand() -> None:
    """1,000.00, 3 % each January; from June 2028 on 5 % each July; 900.00 from 15 March 2029 on, so from April."""
    three, five = pct(FEE, "3"), pct(FEE, "5", "July")
    assert isinstance(three, FixedPct) and isinstance(five, FixedPct)
    history = [
        Stated(JUNE_2026, money("1000"), three),
        Stated(date(2028, 6, 1), money("1000"), five, ((date(2029, 3, 15), money("900")),)),
    ]
    expected = {
        "2026-12": "1000",
        "2027-01": "1030",
        "2028-05": "1060.90",
        "2028-07": "1060.90",  # January's step was that year's
        "2029-03": "1060.90",
        "2029-04": "900",
        "2029-07": "945",
    }

    found = rates_by_the_rules(history, None)

    assert {period: found[period] for period in expected} == {at: Fraction(value) for at, value in expected.items()}
