"""What is wrong with one broken stream, purely: every broken place with its kind and a sentence for a person.

A row that does not have the hash stated for it was changed, or the statement was: the row after it decides, when that
one has the hash stated for itself. Where it has not, the row is unproven.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from shared_code.foundation.audit.chain import GENESIS, STREAMS, Head, digest, opening

BreakKind = Literal["changed", "unproven", "missing", "inserted", "reordered", "head", "unannounced", "removed"]

_HASH = re.compile(r'([0-9a-f]{64})",')
_MOVES_TRIED = 100  # rows that are tried in each other's places; the work grows with the square


@dataclass(frozen=True, slots=True)
class Break:
    """One broken place: the stream, the row (0 stands for the stream as a whole), the kind, and what is wrong."""

    stream: str
    sequence: int
    kind: BreakKind
    text: str

    def __str__(self) -> str:
        place = f"{self.stream} row {self.sequence}" if self.sequence else self.stream
        return f"{place}: {self.kind}: {self.text}"


def examine(stream: str, rows: Iterable[tuple[int, str]], head: Head | None, *, announced: bool) -> tuple[Break, ...]:
    """Every broken place of a stream, in order; none when it is intact.

    `rows` are the numbers and texts of its rows by number, `announced` says whether the stream of streams knows it.
    """
    examination = _Examination(stream, head)
    for sequence, text in rows:
        examination.take(_read(stream, sequence, text))
    examination.end()
    if examination.empty and head is None:
        return (_removed(stream),) if announced else ()
    if head is None:
        examination.found(0, "head", "the head is missing, so rows at the end may be missing too")
    if not announced and stream != STREAMS:
        examination.found(0, "unannounced", f"the stream {STREAMS} does not announce it: it was never opened")
    return tuple(sorted(examination.breaks, key=lambda found: found.sequence))


def _removed(stream: str) -> Break:
    return Break(stream, 0, "removed", "the whole stream is missing, its head included")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row as it is found; `previous` is None when it does not begin as the row of its place does."""

    sequence: int
    text: str
    hash: str
    previous: str | None


def _read(stream: str, sequence: int, text: str) -> _Row:
    start = opening(stream, sequence)
    stated = _HASH.match(text, len(start)) if text.startswith(start) else None
    return _Row(sequence, text, digest(text), stated[1] if stated else None)


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A row that has not the hash which `by` states for it: the row after it, or the head."""

    row: _Row
    before: str
    stated: str | None
    by: Literal["row", "head"]


@dataclass(slots=True)
class _Examination:
    """Takes the rows of a stream one by one; each is settled when what follows it is known."""

    stream: str
    head: Head | None
    breaks: list[Break] = field(default_factory=list)
    empty: bool = True
    _doubts: list[_Doubt] = field(default_factory=list)
    _last: _Row | None = None
    _before: str = GENESIS

    def found(self, sequence: int, kind: BreakKind, text: str) -> None:
        self.breaks.append(Break(self.stream, sequence, kind, text))

    def take(self, row: _Row) -> None:
        self.empty = False
        due = self._last.sequence + 1 if self._last else 1
        if row.sequence < due:
            why = "rows are numbered from 1" if row.sequence < 1 else "the stream has a row of this number already"
            self.found(row.sequence, "inserted", why)
            return
        if row.sequence > due:
            self._missing(due, row.sequence - 1)
        if self._last:
            self._settle(self._last, row.previous if row.sequence == due else self._last.hash, "row")
        if row.sequence == due:
            self._before = self._last.hash if self._last else GENESIS
        else:
            self._before = ""
        self._last = row

    def end(self) -> None:
        """After the last row: the head, then the doubts, which can be told apart only now."""
        if self._last:
            last = self._last
            is_stated = self.head is not None and self.head.sequence == last.sequence
            self._settle(last, self.head.hash if self.head and is_stated else last.hash, "head")
        if self.head:
            self._compare(self.head, self._last)
        doubtful = {doubt.row.sequence for doubt in self._doubts}
        moves = _moves(self.stream, self._doubts[:_MOVES_TRIED])
        for doubt in self._doubts:
            place = doubt.row.sequence
            if place in moves:
                self.found(place, "reordered", f"it was written as row {moves[place]}")
            else:
                self.found(place, *_told_apart(doubt, next_doubtful=place + 1 in doubtful))

    def _compare(self, head: Head, last: _Row | None) -> None:
        end = last.sequence if last else 0
        if head.sequence < 1:
            self.found(0, "head", f"it states {head.sequence} rows, and a head is written with the first row")
        if last and head.sequence != end and head.hash == last.hash:
            self.found(0, "head", f"it states {head.sequence} rows and has the hash of row {end}, the last one")
        elif end < head.sequence:
            self._missing(end + 1, head.sequence)
        elif end > head.sequence:
            first = head.sequence + 1
            which = f"rows {first} to {end} are" if end > first else f"row {first} is"
            self.found(first, "inserted", f"{which} beyond the head, which states {head.sequence} rows")

    def _missing(self, first: int, last: int) -> None:
        which = f"rows {first} to {last} are missing" if last > first else f"row {first} is missing"
        proof = f"; row {first - 1}, whose hash it stated, is unproven" if first > 1 else ""
        self.found(first, "missing", which + proof)

    def _settle(self, row: _Row, stated: str | None, by: Literal["row", "head"]) -> None:
        """Doubt a row that has not the hash stated for it (its own, where nothing states one), or a false start."""
        misplaced = row.previous is None or (row.sequence == 1 and row.previous != GENESIS)
        if misplaced or row.hash != stated:
            self._doubts.append(_Doubt(row, self._before, stated, by))


def _told_apart(doubt: _Doubt, *, next_doubtful: bool) -> tuple[BreakKind, str]:
    """The kind of a doubt that is no move, and the sentence."""
    after = doubt.row.sequence + 1
    if doubt.row.previous is None:
        return "changed", "its text does not begin as the row of this place does"
    if doubt.row.hash == doubt.stated:
        return "changed", "it does not state that it is the first row"
    if doubt.stated == doubt.before:
        return "inserted", "what follows it states the hash of the row before it"
    if doubt.by == "head":
        return "head", "the head states another hash for the last row: this row, the rows before it or the head changed"
    if next_doubtful:
        return "unproven", f"row {after}, which states its hash, is not as it was written"
    return "changed", f"its text has not the hash that row {after} states"


def _moves(stream: str, doubts: list[_Doubt]) -> dict[int, int]:
    """Rows that were exchanged: each has a hash that is stated somewhere once it gets another row's number back."""
    stated = {doubt.stated for doubt in doubts} | {doubt.row.previous for doubt in doubts}
    found: dict[int, int] = {}
    for row in (doubt.row for doubt in doubts):
        rest = row.text.removeprefix(opening(stream, row.sequence))
        for other in (doubt.row.sequence for doubt in doubts):
            if other != row.sequence and digest(opening(stream, other) + rest) in stated:
                found[row.sequence] = other
    return found
