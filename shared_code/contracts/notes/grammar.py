"""How a rule is written: a pattern with named places for amounts, days and months, and what to make of a match.

`rule("credit of <money:amount>", …)`: a space stands for any white space, `<money:amount>` for an amount that the
builder asks for by its name.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pydantic import ValidationError

from shared_code.contracts.notes import numbers
from shared_code.contracts.notes.model import Grade, Value
from shared_code.contracts.notes.text import Sentence
from shared_code.contracts.schema.base import Month

_PLACES = {
    "money": numbers.MONEY,
    "number": numbers.NUMBER,
    "percent": numbers.PERCENT,
    "points": numbers.POINTS,
    "date": numbers.DATE,
    "month": numbers.MONTH,
    "year": numbers.YEAR,
    "count": numbers.COUNT,
}
_PLACE = re.compile(r"(?<!\?P)<([a-z]+)(?::([a-z_]+))?>")
_SPACE = re.compile(r"\[[^\]]*\]| \??")


def pattern(template: str) -> re.Pattern[str]:
    """The template as a regular expression over plain text."""
    return re.compile(_PLACE.sub(_place, _SPACE.sub(_space, template)), re.ASCII)


def _space(found: re.Match[str]) -> str:
    """White space of any length; a set of characters stays as it is."""
    return {" ": r"\s+", " ?": r"\s*"}.get(found[0], found[0])


def _place(found: re.Match[str]) -> str:
    kind, name = found[1], found[2]
    return f"(?P<{name}>{_PLACES[kind]})" if name else _PLACES[kind]


@dataclass(frozen=True, slots=True)
class Found:
    """A match in a sentence, and the values of its places."""

    sentence: Sentence
    match: re.Match[str]

    @property
    def start(self) -> int:
        return self.match.start()

    @property
    def end(self) -> int:
        return self.match.end()

    def text(self, name: str) -> str | None:
        """What stands in a place; None when the match leaves it out or the pattern has no such place."""
        return self.match[name] if name in self.match.re.groupindex else None

    def written(self, name: str) -> str | None:
        """What stands in a place, in the letters of the note."""
        start, end = self.match.span(name) if name in self.match.re.groupindex else (-1, -1)
        return self.sentence.source[start:end] if start >= 0 else None

    def money(self, name: str = "amount") -> Decimal | None:
        text = self.text(name)
        return None if text is None else numbers.read_money(text)

    def percent(self, name: str = "pct") -> Decimal | None:
        text = self.text(name)
        return None if text is None else numbers.read_percent(text)

    def number(self, name: str = "number") -> Decimal | None:
        text = self.text(name)
        return None if text is None else Decimal(text.replace(",", ""))

    def count(self, name: str = "count") -> int | None:
        text = self.text(name)
        return None if text is None else numbers.read_count(text)

    def month(self, name: str = "month") -> Month | None:
        text = self.text(name)
        return None if text is None else numbers.read_month(text)

    def day(self, name: str = "date", *, last: bool = False) -> date | None:
        text = self.text(name)
        return None if text is None else numbers.read_date(text, last=last)


# Several values are rival readings of the same words; None: the match is no term after all.
Built = Value | tuple[Value, ...] | None
Builder = Callable[[Found], Built]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one match means: several values are rival readings of the same words."""

    start: int
    end: int
    values: tuple[Value, ...]
    grade: Grade


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern and what to make of it. A rule that says "not" itself has `negative` set: negation does not stop it."""

    pattern: re.Pattern[str]
    build: Builder
    grade: Grade = "high"
    negative: bool = False


def rule(template: str, build: Builder, grade: Grade = "high", *, negative: bool = False) -> Rule:
    """A rule from a template (see the module)."""
    return Rule(pattern(template), build, grade, negative)


_SUPERSEDED = pattern(
    r"\b(?:used to be|previous(?:ly)?|former(?:ly)?|originally|orig|prior(?: rate| fee)?|no longer"
    r"|instead of|(?:not(?! to exc)|never)"
    r"(?: an?)?|does(?: not|n't)|do(?: not|n't)|is(?: not|n't)|will not|won't|without|was|were|old)\b[^,;:(]*$"
)
_PART = re.compile(r"[,;:(]|\b(?:now|current|currently|but)\b")
_VOID = pattern(r"^[\s\"'*-]*(?:cancell?ed|void(?:ed)?|superseded|expired|old|deleted|n/a|previous(?:ly)?)\s*[:-]")


def is_void(sentence: Sentence) -> bool:
    """Whether the whole sentence is marked as gone, as in "Cancelled: 4 % increase"."""
    return _VOID.search(sentence.plain) is not None


def is_denied(sentence: Sentence, at: int) -> bool:
    """Whether the words before a place, in the same part of the sentence, say that what follows does not hold."""
    begun = max((found.end() for found in _PART.finditer(sentence.plain, 0, at)), default=0)
    return _SUPERSEDED.search(sentence.plain[begun:at]) is not None


def apply(rules: Iterable[Rule], sentence: Sentence, taken: list[tuple[int, int]]) -> Iterable[Reading]:
    """Every match of the rules, in the rules' order, that no earlier one has used; `taken` grows by what is used."""
    for one in rules:
        for match in one.pattern.finditer(sentence.plain):
            if overlaps(taken, *match.span()):
                continue
            values = build(one.build, Found(sentence, match))
            if not values:
                continue
            taken.append(match.span())
            if one.negative or not is_denied(sentence, match.start()):
                yield Reading(match.start(), match.end(), values, "low" if len(values) > 1 else one.grade)


def build(builder: Builder, found: Found) -> tuple[Value, ...]:
    """The values of a match; none where the numbers cannot be a term, such as a payment after 999 days."""
    try:
        built = builder(found)
    except ValidationError:
        return ()
    if built is None:
        return ()
    return built if isinstance(built, tuple) else (built,)


def overlaps(taken: Iterable[tuple[int, int]], start: int, end: int) -> bool:
    """Whether a stretch shares a character with one of those."""
    return any(start < last and first < end for first, last in taken)
