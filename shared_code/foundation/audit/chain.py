"""The chain of a stream, purely: the canonical text of a row, its hash, and one fast pass over all chains.

A row is its text and nothing else: JSON in ASCII, without spaces, keys in a fixed order, the first three of them
`stream`, `sequence` and `previous`, the SHA-256 of the row before (zeros before the first). Its head, kept beside the
rows, states the number of rows and the hash of the last one. So every row is stated twice: by its bytes, and by the
hash in what follows it. The first event of a stream is announced in the stream of streams.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

STREAMS = "streams"
"""The stream of streams. It announces every other one, so that none can vanish whole, its head included."""
STREAM_OPENED = "stream.opened"
GENESIS = "0" * 64
"""What the first row of a stream states as the hash of the row before it."""

STREAM_LENGTH, ACTION_LENGTH, SUBJECT_LENGTH, SITE_LENGTH = 100, 60, 400, 20
"""The most characters of what events are searched by: the width of the columns."""


class Head(NamedTuple):
    """The end of a stream: the number of its last row and the hash of that row."""

    sequence: int
    hash: str


NO_ROWS = Head(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over rows saw: the number of events, their streams, and the streams that need a closer look."""

    events: int
    streams: frozenset[str]
    suspects: frozenset[str]


def opening(stream: str, sequence: int) -> str:
    """How the text of a row begins: its place."""
    return f'{{"stream":"{stream}","sequence":{sequence},"previous":"'


def prefix(stream: str, sequence: int, previous: str) -> str:
    """The place of a row and its link to the row before."""
    return f'{opening(stream, sequence)}{previous}",'


def digest(text: str) -> str:
    """The hash of a row: SHA-256 of its text in UTF-8, lower-case hex."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def follow(stream: str, texts: Iterable[str]) -> tuple[Head, bool]:
    """The end of the intact part of a chain, and whether that is all of `texts`, its rows in order.

    At a break the row that breaks the chain has been taken from `texts`, and no more.
    """
    # One f-string and one comparison per row: this loop is what P9 of the budgets measures.
    start = f'{{"stream":"{stream}","sequence":'
    sequence, previous = NO_ROWS
    for text in texts:
        if not text.startswith(f'{start}{sequence + 1},"previous":"{previous}",'):
            return Head(sequence, previous), False
        sequence += 1
        previous = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Head(sequence, previous), True


def survey(rows: Iterable[tuple[str, int, str]], heads: Mapping[str, Head], announced: Set[str]) -> Survey:
    """Follow every chain and compare its end with `heads`, and the streams seen with those that were announced.

    `rows` are stream, number and text, in the order of streams and numbers.
    """
    events = 0
    seen: set[str] = set()
    suspects: set[str] = set()
    for stream, group in groupby(rows, key=itemgetter(0)):
        seen.add(stream)
        texts = map(itemgetter(2), group)
        end, intact = follow(stream, texts)
        events += end.sequence if intact else end.sequence + 1 + sum(1 for _ in texts)
        if not intact or heads.get(stream) != end:
            suspects.add(stream)
    suspects |= heads.keys() - seen
    suspects |= (seen - {STREAMS}) ^ announced
    return Survey(events, frozenset(seen), frozenset(suspects))
