"""Which rate a clause speaks of: the names that people use, and the targets of the schema (TARGETS)."""

import re
from collections.abc import Iterable

from shared_code.contracts.notes.grammar import pattern
from shared_code.contracts.notes.model import UNNAMED
from shared_code.contracts.notes.text import Sentence

# The order decides where two names could begin at the same letter.
_NAMES: tuple[tuple[str, str], ...] = (
    ("billableAccounts.pteb", r"pteb|payroll tax(?:es)?(?: (?:and|&) (?:employee )?benefits)?"),
    ("billableAccounts.support", r"support(?: services?)?(?: fees?)?"),
    ("managementAgreement.insurance", r"insurance|ins"),
    ("managementAgreement.claims.cap", r"claims?(?: cap)?"),
    ("managementAgreement.profitShare", r"profit[ -]?(?:shar(?:e|ing)|split)"),
    ("managementAgreement.fee", r"(?:management|managment|mgmt|mgt)\.?(?: fees?)?"),
    ("perOccupiedRoom.roomRate", r"(?:per[ -])?(?:occupied[ -])?room(?: (?:fees?|rates?|charges?))?"),
    ("midMonthAdvance.amount", r"(?:mid-?\s?month )?advances?|pre-?bill"),
    ("revenueShare.tiers.upTo", r"(?:tier )?thresholds?|tiers?|breakpoints?"),
    ("revenueShare.tiers.sharePct", r"rev(?:enue)?\.?[ -]shar(?:e|ing)"),
    (
        "perLaborHour.rate",
        r"(?:hourly|hrly|lab(?:or|our)(?! cost))(?: (?:billing |bill |labor )?(?:rates?|fees?))?|(?:billing"
        r"|bill|job) rates?"
        r"|per (?:labor )?hour",
    ),
    ("fixedFee.fee", r"(?:fixed|flat|base|monthly)(?: monthly)? fees?|fees?"),
)
_TARGET = pattern("|".join(rf"(?P<t{i}>\b(?:{words})(?![a-z]))" for i, (_, words) in enumerate(_NAMES)))
_JOINT = pattern(r"^,?\s*(?:and|&|/|,)\s*(?:the )?$")
_APPLIES = pattern(r"^\s*(?:this )?(?:appl(?:ies|y)|only|for|on) ")


def names_in(sentence: Sentence, start: int = 0, end: int | None = None) -> list[tuple[int, int, str]]:
    """The rates named in a stretch of the sentence: begin, end and target."""
    stretch = _TARGET.finditer(sentence.plain, start, len(sentence.plain) if end is None else end)
    return [(m.start(), m.end(), _NAMES[int((m.lastgroup or "t0")[1:])][0]) for m in stretch]


def targets_at(sentence: Sentence, start: int, end: int, following: Sentence | None = None) -> tuple[str, ...]:
    """What a clause is about: the names inside it, else the nearest before, else after, else "Applies to …" behind it.

    Two names joined by "and" count both. Without any name it is UNNAMED.
    """
    names = names_in(sentence)
    within = [name for name in names if name[0] < end and start < name[1]]
    if within:
        return (within[-1][2],)
    before = [name for name in names if name[1] <= start]
    if before:
        return _joined(sentence, reversed(before))
    after = [name for name in names if name[0] >= end]
    if after and _near(sentence.plain, end, after[0][0]):
        return _joined(sentence, after)
    if following is not None and _APPLIES.search(following.plain):
        return _distinct(name for _, _, name in names_in(following)) or (UNNAMED,)
    return (UNNAMED,)


def _near(text: str, start: int, end: int) -> bool:
    """Whether no new part of the sentence begins between two places."""
    return re.search(r"[,(:]", text[start:end]) is None


def _joined(sentence: Sentence, names: Iterable[tuple[int, int, str]]) -> tuple[str, ...]:
    """The first name and those joined to it, as the names come: forwards or backwards."""
    run: list[tuple[int, int, str]] = []
    for name in names:
        if run:
            first, second = sorted((run[-1], name))
            if not _JOINT.search(sentence.plain[first[1] : second[0]]):
                break
        run.append(name)
    return _distinct(name for _, _, name in sorted(run))


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
