"""What differs between two documents, place by place. Pure.

Rows of a list are told apart by their `id`, components by their `kind`, so that a row put in front does not make all
others look changed. Other lists are compared place by place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from shared_code.contracts.pointers import pointer
from shared_code.foundation.answers import Described

type Path = tuple[str | int, ...]
_KEYS = ("id", "kind")


@dataclass(frozen=True, slots=True)
class Change(Described):
    """One difference between two documents."""

    pointer: str
    """The place as a JSON pointer: in the later document, for what was removed in the earlier one."""
    kind: Literal["added", "removed", "changed", "reordered"]
    before: object
    """The value in the earlier document, null when it was added; ids in their order when rows were reordered."""
    after: object
    """The value in the later document, null when it was removed; ids in their order when rows were reordered."""


def differences(before: object, after: object) -> list[Change]:
    """Every difference between two JSON values, in document order; empty exactly when they are the same."""
    return list(_compare(before, after, ()))


def _compare(before: object, after: object, path: Path) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _objects(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        key = _key_of(before, after)
        yield from _places(before, after, path) if key is None else _rows(before, after, key, path)
    elif type(before) is not type(after) or before != after:
        yield Change(pointer(path), "changed", before, after)


def _objects(before: dict[str, object], after: dict[str, object], path: Path) -> Iterator[Change]:
    for name, value in after.items():
        if name in before:
            yield from _compare(before[name], value, (*path, name))
        else:
            yield Change(pointer((*path, name)), "added", None, value)
    for name, value in before.items():
        if name not in after:
            yield Change(pointer((*path, name)), "removed", value, None)


def _places(before: Sequence[object], after: Sequence[object], path: Path) -> Iterator[Change]:
    shared = min(len(before), len(after))
    for place in range(shared):
        yield from _compare(before[place], after[place], (*path, place))
    for place, value in enumerate(after[shared:], start=shared):
        yield Change(pointer((*path, place)), "added", None, value)
    for place, value in enumerate(before[shared:], start=shared):
        yield Change(pointer((*path, place)), "removed", value, None)


def _rows(before: list[object], after: list[object], key: str, path: Path) -> Iterator[Change]:
    old, new = _by_key(before, key), _by_key(after, key)
    for name, (place, row) in new.items():
        if name in old:
            yield from _compare(old[name][1], row, (*path, place))
        else:
            yield Change(pointer((*path, place)), "added", None, row)
    for name, (place, row) in old.items():
        if name not in new:
            yield Change(pointer((*path, place)), "removed", row, None)
    order_before, order_after = [n for n in old if n in new], [n for n in new if n in old]
    if order_before != order_after:
        yield Change(pointer(path), "reordered", order_before, order_after)


def _by_key(rows: list[object], key: str) -> dict[str, tuple[int, object]]:
    return {str(row[key]): (place, row) for place, row in enumerate(rows) if isinstance(row, dict)}


def _key_of(before: list[object], after: list[object]) -> str | None:
    """The field that tells the rows of both lists apart; None where there is none."""
    rows = [*before, *after]
    if not rows or not all(isinstance(row, dict) for row in rows):
        return None
    return next((key for key in _KEYS if _distinct(before, key) and _distinct(after, key)), None)


def _distinct(rows: list[object], key: str) -> bool:
    values = [row.get(key) for row in rows if isinstance(row, dict)]
    return all(isinstance(value, str) for value in values) and len(set(values)) == len(values)
