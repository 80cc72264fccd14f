"""Escalators in a sentence: what rises, by how much, when.

Percent, amount, points, index, the greater or lesser of two, or agreed anew each year (contract-corpus 2.7).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from shared_code.contracts.notes.grammar import Found, Reading, build, is_denied, overlaps, pattern
from shared_code.contracts.notes.model import UNNAMED, Grade, Value
from shared_code.contracts.notes.numbers import read_points
from shared_code.contracts.notes.targets import targets_at
from shared_code.contracts.notes.text import Sentence
from shared_code.contracts.notes.timing import Timing, timing_in
from shared_code.contracts.schema.clauses import Unstructured
from shared_code.contracts.schema.escalation import (
    FixedAmount,
    FixedPct,
    GreaterOf,
    IndexRule,
    LesserOf,
    Negotiated,
    PercentagePoints,
)

_NOUN = r"(?:increas\w*|incras\w*|incr?\b\.?|escalat\w*|esc\b\.?|raise\b|bump\b|uplift\b|adjustment\b|step\b)"
_RISES = (
    r"(?:increas\w*|incras\w*|incr?\b\.?|escalat\w*|esc\b\.?|rais\w+|ris(?:es?|ing)\b|bump\w*|uplift\w*"
    r"|adjust\w*|steps?\b"
    r"|(?:go(?:es|ing)?|mov(?:es|ing)) up\b"
    r"|(?<!-)(?<!start\s)(?<!set\s)(?<!back\s)(?<!pick\s)(?<!clean\s)(?<!follow\s)\bup\b"
    r"|\b(?:moves?|linked|tied|indexed) (?:with|to)\b)"
)
_INCREASE = pattern(rf"{_RISES}|\+\s?[$.0-9]")
_EVERY = r"(?:each|every|ea\.?|per year|/ ?ye?a?r|annually|yearly|per annum|p\.?a\.?)(?! (?:month|week|hour))"
_INDEX = (
    r"(?:(?:cpi(?:-[uw])?|eci|consumer price index|(?:employment|labor|labour) cost index)\b"
    r"(?: ?\((?:[a-z]+ ){0,3}(?:cpi(?:-[uw])?|eci|index)\))?)"
)
_WHICH = r"(?P<which>greater|higher|larger|lesser|lower|smaller|less) of:?"
_OR = r"\s?(?:\bor\b|\band\b|\bvs?\b\.?|[/,])\s?"
_CAP = (
    r"(?:capped at|cap(?: of)?|not to exc[e]{1,2}de?|not to exceed|max(?:imum)?\.?(?: of)?|up to"
    r"|limited to|(?:no|nor|not) (?:more|greater|higher) than)"
)
_FLOOR = r"(?:min(?:imum)?\.?(?: of)?|floor(?: of)?|at least|not less than|no less than|not below)"
_SOME = r"[^;\n%$]{0,30}?"

_AGREED = pattern(
    r"\b(?:(?:re)?negotiat\w*|mutual(?:ly)?|(?:be|as) agreed|confirm\b|be confirmed|confirmed (?:with"
    r"|by) [a-z ]{1,20} each year|subject to (?:\w+ )?(?:approval|agreement"
    r"|consent)|(?:upon|with|needs?|requires?) (?:\w+ )?approval|must be approved|on request|upon request)"
)
# Said of rates, this is a rise although no word of rising stands there.
_REOPENED = pattern(r"\b(?:rates?|fees?)\b[^;\n]{0,20}?\b(?:re)?negotiat\w* (?:annually|yearly|(?:each|every) year)")
_NOT_AGREED = pattern(r"\b(?:not|non)[ -]$")
_FIXED = pattern(r"\b(?:fixed|flat|base|monthly)\b")
_PERCENT = pattern("<percent:pct>")


_Maker = Callable[[Found, dict[str, object]], tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class _Step:
    """A match that raises something; `make` builds the values once target and time are known."""

    start: int
    end: int
    make: Callable[[str, Timing], tuple[Value, ...]]
    grade: Grade = "high"


def increases(sentence: Sentence, following: Sentence | None, taken: list[tuple[int, int]]) -> Iterator[Reading]:
    """The escalators of a sentence; `following` is the next one, which may say what they apply to."""
    steps = _agreed(sentence) or sorted(_steps(sentence, taken), key=lambda step: step.start)
    for index, step in enumerate(steps):
        first = steps[index - 1].end if index else 0
        last = steps[index + 1].start if index + 1 < len(steps) else len(sentence.plain)
        # A name behind the next comma belongs to the next step.
        timing = timing_in(sentence, step.start, last).over(timing_in(sentence, first, step.start))
        if index:
            timing = timing.over(timing_in(sentence, 0, steps[0].start))
        for target in targets_at(sentence, step.start, step.end, following):
            values = _or_points(step.make(target, timing))
            if values:
                yield Reading(step.start, step.end, values, _grade(sentence, step.grade, values, target, timing))
        taken.append((step.start, step.end))


def _grade(sentence: Sentence, grade: Grade, values: tuple[Value, ...], target: str, timing: Timing) -> Grade:
    if len(values) > 1:
        return "low"
    # "The fee" alone may be another one than the fixed fee.
    unclear = target == UNNAMED or (target == "fixedFee.fee" and not _FIXED.search(sentence.plain))
    return "medium" if grade == "high" and (unclear or timing.month is None) else grade


def _agreed(sentence: Sentence) -> list[_Step]:
    """A rise that is agreed anew each year: one reminder for the sentence, with its ceiling."""
    agreed = _AGREED.search(sentence.plain)
    rise = _INCREASE.search(sentence.plain) or _REOPENED.search(sentence.plain)
    if not agreed or not rise or _NOT_AGREED.search(sentence.plain[: agreed.start()]):
        return []
    places = [agreed.span(), rise.span()]
    ceiling = _PERCENT.search(sentence.plain)
    pct = Found(sentence, ceiling).percent() if ceiling else None
    if ceiling:
        places.append(ceiling.span())
    start, end = min(place[0] for place in places), max(place[1] for place in places)

    def negotiated(_: Found, common: dict[str, object]) -> tuple[Value, ...]:
        return (Negotiated.model_validate({**common, "ceiling": pct}),)

    return [_Step(start, end, _maker(negotiated, Found(sentence, rise)))]


def _index(found: Found, name: str = "index") -> str:
    return "ECI" if (found.text(name) or "").startswith(("e", "l")) else "CPI"


def _either(found: Found, common: dict[str, object]) -> tuple[Value, ...]:
    pct = found.percent("pct") or found.percent("pct_two") or Decimal(0)
    index = _index(found, "index" if found.text("index") else "index_two")
    which = found.text("which") or found.text("which_two")
    model = GreaterOf if which in ("greater", "higher", "larger") else LesserOf
    return (model.model_validate({**common, "pct": pct, "index": index}),)


def _rivals(found: Found, common: dict[str, object]) -> tuple[Value, ...]:
    """ "3% or CPI" does not say which of the two counts."""
    pct, index = found.percent("pct") or found.percent("pct_two"), found.text("index") and _index(found)
    values = {**common, "pct": pct, "index": index or _index(found, "index_two")}
    return GreaterOf.model_validate(values), LesserOf.model_validate(values)


def _capped(found: Found, common: dict[str, object]) -> tuple[Value, ...]:
    model = GreaterOf if found.text("floor") else LesserOf
    return (model.model_validate({**common, "pct": found.percent(), "index": _index(found)}),)


def _unsayable(_: Found, _common: dict[str, object]) -> tuple[Value, ...]:
    """More than an escalator can say, such as an index between a floor and a ceiling: a person reads it."""
    return (Unstructured(),)


def _points(found: Found, common: dict[str, object]) -> tuple[Value, ...]:
    return (PercentagePoints.model_validate({**common, "points": read_points(found.text("points") or "")}),)


def _indexed(found: Found, common: dict[str, object]) -> tuple[Value, ...]:
    return (IndexRule.model_validate({**common, "index": _index(found)}),)


def _ceiling(found: Found, common: dict[str, object]) -> tuple[Value, ...]:
    return (Negotiated.model_validate({**common, "ceiling": found.percent()}),)


def _step(found: Found, common: dict[str, object]) -> tuple[Value, ...]:
    pct, amount = found.percent(), found.money()
    if pct is not None:
        return (FixedPct.model_validate({**common, "pct": pct}),)
    return (FixedAmount.model_validate({**common, "amount": amount}),)


_SIZE = "(?:<percent:pct>|<money:amount>)"
_ONE_OF_TWO = (
    rf"\b{_WHICH} {_SOME}(?:<percent:pct>{_SOME}{_OR}{_SOME}(?P<index>{_INDEX})"
    rf"|(?P<index_two>{_INDEX}){_SOME}{_OR}{_SOME}<percent:pct_two>)"
)
_UNCLEAR = (
    rf"<percent:pct>(?: (?:annual )?{_NOUN})?\s?(?:\bor\b|/)\s?(?:the )?(?P<index>{_INDEX})"
    rf"|\b(?P<index_two>{_INDEX})\s?(?:\bor\b|/)\s?<percent:pct_two>"
)


_WHICHEVER = (
    rf"<percent:pct>{_SOME}{_OR}{_SOME}(?P<index>{_INDEX}){_SOME}\bwhichever (?:is )?(?:the )?"
    r"(?P<which>greater|higher|larger|lesser|lower|smaller|less)\b"
    rf"|\b(?P<index_two>{_INDEX}){_SOME}{_OR}{_SOME}<percent:pct_two>{_SOME}\bwhichever (?:is )?(?:the )?"
    r"(?P<which_two>greater|higher|larger|lesser|lower|smaller|less)\b"
)
_LIMITED = rf"{_SOME}\b(?:{_CAP}|{_FLOOR}) <percent>"
# A part of an index, or more than it: half of that would bill wrongly.
_PART_OF = (
    rf"<percent> of (?:the )?(?:[a-z]+ ){{0,3}}?{_INDEX}|\b(?:half|part)(?: of)? (?:the )?{_INDEX}"
    rf"|\b{_INDEX} ?(?:\+|plus|minus|less) ?<percent>|<percent> ?(?:\+|plus|above|over) ?{_INDEX}"
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A pattern of a step; `beside`: it counts only in a sentence that says that something rises."""

    pattern: re.Pattern[str]
    make: _Maker
    grade: Grade = "high"
    beside: bool = False


# In this order: a later rule does not see what an earlier one has used.
_RULES = (
    _Rule(pattern(rf"(?:{_ONE_OF_TWO}){_LIMITED}"), _unsayable, "low"),
    _Rule(pattern(rf"(?:{_PART_OF})"), _unsayable, "low"),
    _Rule(pattern(_ONE_OF_TWO), _either),
    _Rule(pattern(_WHICHEVER), _either),
    _Rule(
        pattern(
            rf"\b{_INDEX}{_SOME}\b(?:{_FLOOR} <percent>{_SOME}\b{_CAP}|{_CAP} <percent>{_SOME}\b{_FLOOR}) <percent>"
            rf"|\b{_INDEX} (?:increase )?between <percent> (?:and|to) <percent>"
        ),
        _unsayable,
        "low",
    ),
    _Rule(pattern(rf"\b(?P<index>{_INDEX}){_SOME}\b{_CAP} <percent:pct>"), _capped),
    _Rule(pattern(rf"\b(?P<index>{_INDEX}){_SOME}\b(?P<floor>{_FLOOR}) <percent:pct>"), _capped),
    _Rule(pattern(_UNCLEAR), _rivals, "low"),
    _Rule(pattern(r"\+?\s?<points:points>"), _points, beside=True),
    _Rule(
        pattern(rf"\b(?:{_RISES} (?:by |with |at |per |tied to )?(?:the )?)?(?P<index>{_INDEX})"), _indexed, beside=True
    ),
    _Rule(pattern(rf"\b{_CAP} <percent:pct>"), _ceiling, "medium", beside=True),
    _Rule(pattern(rf"{_SIZE} (?:per year |annual(?:ly)? |yearly |p\.?a\.? |merit )?{_NOUN}"), _step),
    _Rule(pattern(rf"\b{_RISES}(?P<between>[^;\n%$0-9,]{{0,30}}?){_SIZE}"), _step),
    _Rule(pattern(rf"\bby {_SIZE}"), _step, beside=True),
    _Rule(pattern(rf"\+\s?{_SIZE}"), _step),
    _Rule(pattern(rf"{_SIZE} {_EVERY}"), _step, "medium", beside=True),
    _Rule(pattern(r"<percent:pct> (?:each|every) (?:<month>|[0-9]{1,2}/1\b)"), _step, "medium"),
)
# "Increases to $500" states a new value, and "from 3 %" an old one: neither is the size of a step.
_NOT_A_SIZE = re.compile(r"\b(?:to|from|when|if|over|above)\s*$")


# "Rates increased 3 % on 1/1/24" tells what was, unless it goes on every year.
_HAPPENED = pattern(
    r"(?<!be\s)(?<!is\s)(?<!are\s)\b(?:increased|raised|rose|escalated|went up)\b|\blast (?:\w+ )?increase\b"
)
_GOES_ON = pattern(rf"\b{_EVERY}|\bannual\b|\bthereafter\b")
# "3-5 % a year" leaves open how much.
_RANGE_BEFORE = re.compile(r"[0-9]\s?%?\s?-\s?$")
_RANGE_AFTER = re.compile(r"^\s?-\s?[0-9.]+\s?%")


# An escalator grows once a year and for good.
_OTHER_RHYTHM = pattern(
    r"\b(?:every|each) (?:other|second|third|[2-9]|two|three|four|five|six) (?:years?|yrs?|months?)\b|\bbi-?ennial\w*"
    r"|\b(?:quarterly|semi-?annual\w*|twice a year|(?:each|every|per) quarter)\b|\b(?:in lieu|instead) of <percent>"
)
_SMALL = Decimal(1)
_OF_PERCENTAGES = frozenset(
    {
        "billableAccounts.pteb",
        "billableAccounts.support",
        "revenueShare.tiers.sharePct",
        "managementAgreement.profitShare",
    }
)


def _or_points(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """ "PTEB increases by .5 %" may mean half a percentage point, which is the more likely the smaller it is."""
    match values:
        case (FixedPct(pct=pct, target=target) as step,) if pct <= _SMALL and target in _OF_PERCENTAGES:
            said = step.model_dump(exclude={"rule", "pct"})
            return (PercentagePoints.model_validate({**said, "points": pct}), step)
        case _:
            return values


def _happened(sentence: Sentence, start: int, end: int) -> bool:
    said = _HAPPENED.search(sentence.plain, 0, end)
    return said is not None and said.end() >= start - 1 and _GOES_ON.search(sentence.plain) is None


def _is_range(found: Found) -> bool:
    """Whether the percentage of a match is one end of a range."""
    if found.text("pct") is None:
        return False
    start, end = found.match.span("pct")
    text = found.sentence.plain
    return _RANGE_BEFORE.search(text[:start]) is not None or _RANGE_AFTER.search(text[end:]) is not None


def _steps(sentence: Sentence, taken: list[tuple[int, int]]) -> Iterator[_Step]:
    rises = _INCREASE.search(sentence.plain) is not None
    yearly = _OTHER_RHYTHM.search(sentence.plain) is None
    for rule in _RULES:
        if rule.beside and not rises:
            continue
        for match in rule.pattern.finditer(sentence.plain):
            found = Found(sentence, match)
            if overlaps(taken, *match.span()) or _NOT_A_SIZE.search(found.text("between") or ""):
                continue
            taken.append(match.span())
            if is_denied(sentence, match.start()) or _happened(sentence, *match.span()):
                continue
            make, grade = (rule.make, rule.grade) if yearly and not _is_range(found) else (_unsayable, "low")
            yield _Step(match.start(), match.end(), _maker(make, found), grade)


def _maker(make: _Maker, found: Found) -> Callable[[str, Timing], tuple[Value, ...]]:
    def values(target: str, timing: Timing) -> tuple[Value, ...]:
        common: dict[str, object] = {
            "target": target,
            "month": timing.month,
            "first_year": timing.first_year,
            "until": timing.until,
            "source": "note",
            "status": "proposed",
        }
        return build(lambda it: make(it, common), found)

    return values
