"""When an escalator works: its month, its first year, its end, and the years that were agreed otherwise."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from shared_code.contracts.notes import numbers
from shared_code.contracts.notes.grammar import Found, pattern
from shared_code.contracts.notes.text import Sentence
from shared_code.contracts.schema.base import Month
from shared_code.contracts.schema.escalation import EscalatorException

_UNTIL = pattern(r"\b(?:through|thru|until|till|ending(?: in)?|up to) (?:the end of )?(?P<date><date>|<year>)")
_FIRST = pattern(
    r"\b(?:beginning|starting|commencing|first|effective|eff\.?|resum(?:e|es|ing))(?: in| on| with)? "
    r"(?P<date><date>|<year>)"
)
_NONE_BEFORE = pattern(
    r"\bno (?:\w+ ){0,3}?(?:increas\w*|incr\b\.?|escalat\w*) (?:until|till|before) (?P<date><date>|<year>)"
)
# "May" is a month only where the words around it say so.
_MONTH = pattern(
    r"\b(?:(?:each|every|ea\.?|on|in|annually on)\s+)?(?P<number>[0-9]{1,2})/[0-9]{1,2}\b(?!/)"
    r"|(?<!\bto\s)\b(?!may\b)(?P<month><month>)"
    r"|(?:each|every|ea\.?|in|on|eff\.?|effective|of|from|,|\() ?\b(?P<may>may)\b"
    r"|\b(?P<anniversary>anniversary)"
)
_YEAR_AFTER = pattern(r"^\s*(?:[0-9]{1,2}(?:st|nd|rd|th)?,?\s+)?(?P<year><year>)")


@dataclass(frozen=True, slots=True)
class Timing:
    """The fields of an escalator that say when."""

    month: Month | Literal["anniversary"] | None = None
    first_year: int | None = None
    until: date | None = None

    def over(self, other: "Timing") -> "Timing":
        """This timing, with what it lacks from another one."""
        return Timing(self.month or other.month, self.first_year or other.first_year, self.until or other.until)


def timing_in(sentence: Sentence, start: int, end: int) -> Timing:
    """What a stretch of a sentence says about time."""
    text = sentence.plain[start:end]
    first = _NONE_BEFORE.search(text) or _FIRST.search(text)
    until = next((found for found in _UNTIL.finditer(text) if not first or found.end() != first.end()), None)
    begins = numbers.read_date(first["date"]) if first else None
    if until:
        text = text[: until.start()] + " " * (until.end() - until.start()) + text[until.end() :]
    return Timing(
        _month(text),
        begins.year if begins else None,
        numbers.read_date(until["date"], last=True) if until else None,
    )


def _month(text: str) -> Month | Literal["anniversary"] | None:
    for found in _MONTH.finditer(text):
        if found["anniversary"]:
            return "anniversary"
        month = numbers.month_name(int(found["number"])) if found["number"] else None
        month = month or numbers.read_month(found["month"] or found["may"] or "")
        if month:
            return month
    return None


_STEP = r"(?: (?:step|increase|incr\.?|escalator|adjustment))?(?: is| was| to be)?"
_DEFERRED = r"(?:deferred|delayed|postponed|moved|pushed)"
_SKIPPED = r"(?:skip(?:ped)?|waived?|for(?:ego|go|gone)|not approved|not taken|not applied|suspended)"
_EXCEPTIONS = (
    pattern(rf"\b(?P<defer><year>){_STEP} {_DEFERRED} (?:to|until) (?P<month><month>)"),
    pattern(rf"\b(?:defer|deferred|delay) (?:the )?(?P<defer><year>){_STEP} (?:to|until) (?P<month><month>)"),
    pattern(rf"\b{_SKIPPED}(?: (?:in|for|the))? (?P<skip><year>)"),
    pattern(rf"\b(?P<skip><year>):?(?: <percent>)?{_STEP} {_SKIPPED}"),
    pattern(r"\b(?:except|excluding|other than|but not)(?: (?:in|for))? (?P<skip><year>)"),
    pattern(r"\bno (?:\w+ ){0,3}?(?:increase|incr\.?|escalation) (?:in|for) (?P<skip><year>)"),
    pattern(r"\b(?:reduced to|limited to|only) (?P<pct><percent>) (?:in|for) (?P<replace><year>)"),
    pattern(rf"\b(?P<replace><year>){_STEP}:? (?:reduced to|only) (?P<pct><percent>)"),
)


def exceptions_in(sentence: Sentence) -> Iterator[tuple[int, int, EscalatorException]]:
    """The years that were agreed otherwise, with their places."""
    for one in _EXCEPTIONS:
        for match in one.finditer(sentence.plain):
            yield match.start(), match.end(), _exception(Found(sentence, match))


def _exception(found: Found) -> EscalatorException:
    if deferred := found.text("defer"):
        return EscalatorException(year=int(deferred), action="defer", to=found.month())
    if replaced := found.text("replace"):
        return EscalatorException(year=int(replaced), action="replace", value=found.percent())
    return EscalatorException(year=int(found.text("skip") or 0), action="skip")
