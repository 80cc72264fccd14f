"""From the text of a note to proposals: fixed rules, no network, no model, no failure on any text (rules R32)."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest

from shared_code.contracts.notes.agreement_rules import AGREEMENT_RULES
from shared_code.contracts.notes.changes import changes
from shared_code.contracts.notes.grammar import Reading, apply, is_void, pattern
from shared_code.contracts.notes.increases import increases
from shared_code.contracts.notes.labor_rules import HOURS_RULES, WORK_RULES
from shared_code.contracts.notes.model import Grade, Proposal, Span, Value, kind_of
from shared_code.contracts.notes.money_rules import MONEY_RULES
from shared_code.contracts.notes.note_terms import NoIncrease
from shared_code.contracts.notes.text import Sentence, sentences
from shared_code.contracts.notes.timing import exceptions_in
from shared_code.contracts.notes.wording import reading_of
from shared_code.contracts.schema.clauses import Unstructured
from shared_code.contracts.schema.escalation import (
    EscalatorException,
    FixedAmount,
    FixedPct,
    GreaterOf,
    IndexRule,
    LesserOf,
    PercentagePoints,
)

_YEARLY = (FixedPct, FixedAmount, PercentagePoints, IndexRule, GreaterOf, LesserOf)
# A sentence that speaks of money and that no rule reads is shown to a person as it stands.
_ABOUT_MONEY = pattern(
    r"<money>|<percent>|\b(?:billed|billable|split|credit(?:ed)?|bonus|escalat\w*|increas\w*|cpi|eci)\b"
)


@dataclass(frozen=True, slots=True)
class _Exception:
    """A year that was agreed otherwise, and where the note says so."""

    span: Span
    what: EscalatorException


def mine(note: str) -> tuple[Proposal, ...]:
    """The proposals of a note, in the order of their words. Any text is fine; the time grows with its length only.

    Nothing is certain: a grade says how much was inferred, rival readings of the same words are marked `exclusive`,
    and a sentence about money that no rule reads is proposed as `unstructured`.
    """
    pieces = [sentence for sentence in sentences(note) if not is_void(sentence)]
    proposals: list[Proposal] = []
    exceptions: list[_Exception] = []
    for sentence, following in zip_longest(pieces, pieces[1:]):
        taken: list[tuple[int, int]] = []
        otherwise = list(_exceptions(note, sentence, taken))
        read = list(_read(note, sentence, following, taken))
        exceptions += otherwise
        # A denied or superseded clause is in `taken`: it was read, and it says nothing for today.
        if not taken and _ABOUT_MONEY.search(sentence.plain):
            read.append(_unread(note, sentence))
        proposals += read
    ordered = sorted(_with_exceptions(proposals, exceptions), key=lambda it: (it.span.start, it.span.end))
    return tuple(_without_repetition(ordered))


def _without_repetition(proposals: list[Proposal]) -> Iterator[Proposal]:
    """A note that says a thing twice proposes it once, where it says it first."""
    said: set[Value] = set()
    for proposal in proposals:
        if isinstance(proposal.value, Unstructured) or proposal.value not in said:
            said.add(proposal.value)
            yield proposal


def _exceptions(note: str, sentence: Sentence, taken: list[tuple[int, int]]) -> Iterator[_Exception]:
    for start, end, what in exceptions_in(sentence):
        taken.append((start, end))
        yield _Exception(_span(note, sentence, start, end), what)


def _read(
    note: str, sentence: Sentence, following: Sentence | None, taken: list[tuple[int, int]]
) -> Iterator[Proposal]:
    """Every rule over one sentence. What a rule has read, the later ones do not read again."""
    for readings in (
        apply(HOURS_RULES, sentence, taken),
        changes(sentence, taken),
        increases(sentence, following, taken),
        apply(AGREEMENT_RULES, sentence, taken),
        apply(MONEY_RULES, sentence, taken),
        apply(WORK_RULES, sentence, taken),
    ):
        for reading in readings:
            span = _span(note, sentence, reading.start, reading.end)
            yield from (_proposal(value, span, reading) for value in reading.values)


def _proposal(value: Value, span: Span, reading: Reading) -> Proposal:
    return _made(value, span, reading.grade, exclusive=len(reading.values) > 1)


def _made(value: Value, span: Span, grade: Grade, *, exclusive: bool = False) -> Proposal:
    return Proposal(kind_of(value), value, span, grade, reading_of(value), exclusive)


def _unread(note: str, sentence: Sentence) -> Proposal:
    """The whole sentence, for a person."""
    inner = sentence.plain
    start, end = len(inner) - len(inner.lstrip()), len(inner.rstrip())
    return _made(Unstructured(), _span(note, sentence, start, end), "low")


def _with_exceptions(proposals: list[Proposal], exceptions: list[_Exception]) -> list[Proposal]:
    """Exceptions belong to the yearly step before them, or else to the next one; without any they stand alone."""
    places = sorted({it.span for it in proposals if isinstance(it.value, _YEARLY)}, key=lambda span: span.start)
    if not places:
        return proposals + [_alone(one) for one in exceptions]
    starts = [place.start for place in places]
    # Rival readings, and one clause about several rates, share their words and so the exception.
    agreed: dict[Span, list[EscalatorException]] = {}
    for one in exceptions:
        place = places[max(0, bisect_left(starts, one.span.start) - 1)]
        agreed.setdefault(place, []).append(one.what)
    return [_but(proposal, agreed.get(proposal.span, [])) for proposal in proposals]


def _alone(one: _Exception) -> Proposal:
    if one.what.action == "skip":
        return _made(NoIncrease(year=one.what.year), one.span, "medium")
    return _made(Unstructured(), one.span, "low")


def _but(proposal: Proposal, otherwise: list[EscalatorException]) -> Proposal:
    value = proposal.value
    if not otherwise or not isinstance(value, _YEARLY):
        return proposal
    changed = value.model_copy(update={"exceptions": tuple(otherwise)})
    return replace(proposal, value=changed, reading=reading_of(changed))


def _span(note: str, sentence: Sentence, start: int, end: int) -> Span:
    """A stretch of a sentence as a place in the note, without the white space around it."""
    start, end = sentence.start + start, sentence.start + end
    text = note[start:end]
    start += len(text) - len(text.lstrip())
    text = text.strip()
    return Span(start, start + len(text), text)
