"""A note as the rules read it: small letters, plain spaces, quotes and dashes, in pieces of bounded length.

Every character keeps its place, so a place in the plain text is a place in the note. Because no piece is longer than
`LONGEST`, what a regular expression can cost on one piece is bounded: a note costs time in proportion to its length.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 400
_BOUNDARY = re.compile(r"[.!?](?=\s|$|[\"')])|;|\n")
_LAST_WORD = re.compile(r"[a-z]+$")
_PLAIN = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"})
# A full stop after these ends a word, not a sentence.
_SHORT = frozenset(
    {"jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "mo", "yr", "wk", "hr", "hrs"}
    | {"incr", "inc", "esc", "mgmt", "ins", "eff", "min", "max", "ea", "approx", "no", "amt", "pct", "est", "st", "vs"}
    | {"acct", "accts", "addl", "dept", "mgr"}
)
# No sentence ends with these.
_JOINING = frozenset(
    {"by", "of", "to", "the", "and", "at", "or", "is", "be", "in", "for", "from", "a", "each", "every"}
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of the note: where it begins, its words as written, and their plain form, of the same length."""

    start: int
    source: str
    plain: str


def plain(note: str) -> str:
    """The note in small letters, with the common form of each space, quote and dash; same length, same places."""
    return "".join(_plain(c) for c in note.translate(_PLAIN))


def sentences(note: str) -> Iterator[Sentence]:
    """The pieces of a note in their order. A line break inside a sentence that goes on does not end it."""
    text = plain(note)
    begun = 0
    for found in _BOUNDARY.finditer(text):
        if found.start() >= begun and _ends(note, text, found.start()):
            yield from _pieces(note, text, begun, found.start())
            begun = found.end()
    yield from _pieces(note, text, begun, len(text))


def _plain(character: str) -> str:
    if character.isspace():
        return "\n" if character in "\n\r\u2028\u2029" else " "
    small = character.lower()
    return small if len(small) == 1 else character


def _ends(note: str, text: str, at: int) -> bool:
    if text[at] == "\n":
        return not _goes_on(note, text, at)
    if text[at] != ".":
        return True
    word = _LAST_WORD.search(text, max(0, at - 8), at)
    # A letter by itself is an initial, or part of an abbreviation such as p.a.
    return word is None or (word[0] not in _SHORT and len(word[0]) > 1) or text[at + 1 : at + 2] == "\n"


def _goes_on(note: str, text: str, at: int) -> bool:
    """Whether a sentence goes on after a break: the line before has not ended, and the next begins with a small letter.

    After a word such as "by" it goes on with whatever follows.
    """
    following = note[at + 1 : at + 40].lstrip()
    before = text[max(0, at - 40) : at].rstrip()
    if before == "" or before.endswith((".", ";", ":", "!", "?")):
        return False
    word = _LAST_WORD.search(before)
    return following[:1].islower() or (word is not None and word[0] in _JOINING)


def _pieces(note: str, text: str, start: int, end: int) -> Iterator[Sentence]:
    """The text between two boundaries, cut at a space where it is too long to be a sentence."""
    while end - start > LONGEST:
        cut = text.rfind(" ", start + LONGEST // 2, start + LONGEST)
        cut = start + LONGEST if cut < 0 else cut
        yield Sentence(start, note[start:cut], text[start:cut])
        start = cut
    if text[start:end].strip():
        yield Sentence(start, note[start:end], text[start:end])
