"""Values with dates in a sentence: a rate from a day on, a list of them, values by year of the agreement."""

from collections.abc import Iterator
from datetime import date

from shared_code.contracts.notes import numbers
from shared_code.contracts.notes.grammar import Built, Found, Reading, build, is_denied, overlaps, pattern
from shared_code.contracts.notes.model import UNNAMED, Grade, Value
from shared_code.contracts.notes.note_terms import YearlyStep, YearlySteps
from shared_code.contracts.notes.targets import names_in, targets_at
from shared_code.contracts.notes.text import Sentence
from shared_code.contracts.schema.clauses import ScheduledChange, Unstructured
from shared_code.contracts.schema.escalation import Schedule, ScheduleStep

_VALUE = "(?:<percent:pct>|<money:amount>)"
_FROM = r"(?:eff\.?|effective|in|for|from|as of|starting|on|beginning)(?: in| on| from)?"
_PER = r"(?:\s?(?:/|per|a|each)\s?(?:month|mo|year|yr|room|hour|hr)\b\.?)?"
_BECOMES = (
    r"(?:(?:goes|going|increases?|decreases?|drops?|changes?|rises?|moves?|steps?)(?: up| down)? to"
    r"|will be|becomes?|is|to be"
    r"|shall be|=|:)"
)
_DATED = pattern(rf"{_VALUE}{_PER},?\s?\(?(?:{_FROM})\s?(?P<date><date>|<year>)")
_DATE_FIRST = pattern(rf"\b(?:{_FROM}) (?P<date><date>),?:? (?P<words>[^;\n%$0-9]{{1,50}}?)(?:{_BECOMES})\s?{_VALUE}")
_DATE_LAST = pattern(rf"\b{_BECOMES}\s?{_VALUE}{_PER},? {_FROM}\s?<date:date>")
# What these rates are is an amount, so a percentage beside them is the size of a step, never their new value.
_AMOUNTS = frozenset(
    {
        "fixedFee.fee",
        "perLaborHour.rate",
        "perOccupiedRoom.roomRate",
        "revenueShare.tiers.upTo",
        "midMonthAdvance.amount",
        "managementAgreement.claims.cap",
    }
)
_GROWS = pattern(r"\b(?:increas\w*|escalat\w*|rais\w+|incr)\b(?! to)[^%$]*$")
_BY_YEAR = pattern(rf"\b(?:yr|year)\.? <count:count>\s?[:=-]?\s?{_VALUE}")


def changes(sentence: Sentence, taken: list[tuple[int, int]]) -> Iterator[Reading]:
    """Schedules, single changes and values by year, in this order: a list is not several single changes."""
    for reading in (*_listed(sentence, taken), *_by_year(sentence, taken), *_single(sentence, taken)):
        taken.append((reading.start, reading.end))
        yield reading


def _value(found: Found) -> object:
    pct = found.percent()
    return found.money() if pct is None else pct


def _matches(one: str, sentence: Sentence, taken: list[tuple[int, int]]) -> list[Found]:
    known = {"dated": _DATED, "by year": _BY_YEAR}[one]
    return [Found(sentence, m) for m in known.finditer(sentence.plain) if not overlaps(taken, *m.span())]


def _listed(sentence: Sentence, taken: list[tuple[int, int]]) -> Iterator[Reading]:
    """Two or more values with their dates make a schedule; a year without a day is its first of January."""
    found = _matches("dated", sentence, taken)
    if len(found) < 2 or is_denied(sentence, found[0].start) or _are_several_rates(sentence, found):
        return
    steps = [{"date": day, "value": _value(one)} for one in found if (day := one.day()) is not None]
    target = targets_at(sentence, found[0].start, found[0].start)[0]

    def schedule(_: Found) -> Built:
        dated = tuple(ScheduleStep.model_validate(step) for step in steps)
        return Schedule(target=target, steps=dated, source="note", status="proposed") if len(dated) > 1 else None

    if _are_steps(sentence, target, found):
        yield Reading(found[0].start, found[-1].end, (Unstructured(),), "low")
        return
    whole_days = all(len(one.text("date") or "") > len("2026") for one in found)
    for value in build(schedule, found[0]):
        grade: Grade = "high" if whole_days and target != UNNAMED else "medium"
        yield Reading(found[0].start, found[-1].end, (value,), grade)


def _are_steps(sentence: Sentence, target: str, found: list[Found]) -> bool:
    """Whether percentages say how much a rate grows, year by year: a value of 3 would bill 3 dollars."""
    if all(one.percent() is None for one in found):
        return False
    return target in _AMOUNTS or _GROWS.search(sentence.plain[: found[0].start]) is not None


def _are_several_rates(sentence: Sentence, found: list[Found]) -> bool:
    """Whether another rate is named between the values: they are then not one rate over time."""
    return bool(names_in(sentence, found[0].end, found[-1].start))


def _by_year(sentence: Sentence, taken: list[tuple[int, int]]) -> Iterator[Reading]:
    found = _matches("by year", sentence, taken)
    if len(found) < 2 or is_denied(sentence, found[0].start):
        return
    target = targets_at(sentence, found[0].start, found[0].start)[0]

    if _are_steps(sentence, target, found):
        yield Reading(found[0].start, found[-1].end, (Unstructured(),), "low")
        return

    def steps(_: Found) -> Built:
        values = [{"year": one.count(), "value": _value(one)} for one in found]
        return YearlySteps(target=target, steps=tuple(YearlyStep.model_validate(value) for value in values))

    for value in build(steps, found[0]):
        yield Reading(found[0].start, found[-1].end, (value,), "medium")


def _single(sentence: Sentence, taken: list[tuple[int, int]]) -> Iterator[Reading]:
    """One rate that has another value from a day on; only where the sentence names the rate."""
    for one in (_DATE_FIRST, _DATE_LAST):
        for match in one.finditer(sentence.plain):
            found, day = Found(sentence, match), numbers.read_date(match["date"])
            if overlaps(taken, *match.span()) or day is None:
                continue
            target = targets_at(sentence, *match.span())[0]
            if target == UNNAMED or (target in _AMOUNTS and found.percent() is not None):
                continue
            if is_denied(sentence, match.start()):
                continue
            for value in _change(found, target, day):
                yield Reading(match.start(), match.end(), (value,), "high")


def _change(found: Found, target: str, day: date) -> tuple[Value, ...]:
    return build(
        lambda it: ScheduledChange.model_validate({"target": target, "effective": day, "value": _value(it)}), found
    )
