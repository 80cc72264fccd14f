"""What makes a statement stale: how a new generation would differ from what it says (rules R26, R39). Pure.

The difference is stored as JSON in `statement.stale_difference`:

    {"before": "100.00", "after": "120.00",
     "lines": [{"change": "changed", "group": 1, "title": "Room charge", "before": "100.00", "after": "120.00",
                "differs": ["amount", "description"]}],
     "reasons": []}

`after` is null, and `reasons` has the codes, when the month cannot be billed by now. Beside `stale_since` the
difference is open. A difference without `stale_since` was accepted: somebody has released the statement with it, and
it is not brought up again, another one is.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from shared_code.foundation.money import ZERO, to_cents
from shared_code.statements.places import SENT

FACTS_CHANGED = "FACTS_CHANGED"
TERMS_CHANGED = "TERMS_CHANGED"
TRUE_UP = "TRUE_UP"
MADE_ANEW_ONLY = frozenset({"PROFIT_CHANGED", "LINE_REMOVED"})
"""Reasons of lines that people added or removed: a new generation alone settles them (requirements GEN-22)."""
NOT_IN_FORCE = "NOT_IN_FORCE"


class Printed(NamedTuple):
    """A line as it counts for the comparison: what is billed and shown, not how it was worked out."""

    group: int
    block: str
    title: str
    description: str
    code: str
    amount: Decimal


class Found(NamedTuple):
    """What a new generation would bill: its lines, or the codes of the reasons why there would be none."""

    lines: Sequence[Printed]
    reasons: Sequence[str] = ()


class Marked(Protocol):
    """A stored statement with what was found about it before."""

    @property
    def status(self) -> str: ...
    @property
    def stale_since(self) -> Any: ...
    @property
    def stale_reason(self) -> str | None: ...
    @property
    def stale_difference(self) -> str | None: ...


def difference(before: Sequence[Printed], found: Found) -> str | None:
    """What a new generation would bill otherwise, as it is stored; None when it would bill the same.

    The order of lines does not matter. The same text stands for the same difference.
    """
    if found.reasons:
        return _text(before, None, [_change(line, None) for line in _ordered(before)], sorted(set(found.reasons)))
    old, new = Counter(before), Counter(found.lines)
    if old == new:
        return None
    return _text(before, found.lines, _changes(_ordered(old - new), _ordered(new - old)), [])


def is_accepted(row: Marked, open_difference: str) -> bool:
    """Whether somebody has released the statement with just this difference."""
    return row.stale_since is None and row.stale_difference == open_difference


def marks(row: Marked, open_difference: str | None, cause: str, now: Any) -> dict[str, object]:
    """What is to be stored about a statement after a look; empty when nothing of it changes.

    `cause` is the reason of an unsent one. A sent one is only shown to a person, as TRUE_UP (rules R39). The instant
    since when it is stale stays, whatever becomes of the difference meanwhile.
    """
    if row.stale_reason in MADE_ANEW_ONLY:
        return {}
    if open_difference is None:
        nothing = row.stale_since is None and row.stale_difference is None
        return {} if nothing else {"stale_since": None, "stale_reason": None, "stale_difference": None}
    if row.stale_difference == open_difference:
        return {}
    reason = TRUE_UP if row.status == SENT else cause
    return {"stale_since": row.stale_since or now, "stale_reason": reason, "stale_difference": open_difference}


def _ordered(lines: Counter[Printed] | Sequence[Printed]) -> list[Printed]:
    return sorted(lines.elements() if isinstance(lines, Counter) else lines)


def _changes(gone: Sequence[Printed], come: Sequence[Printed]) -> list[dict[str, object]]:
    """Lines that differ, by group and title. Those of one group, block and title are the same line before and after."""
    pairs: dict[tuple[int, str, str], tuple[list[Printed], list[Printed]]] = defaultdict(lambda: ([], []))
    for place, lines in enumerate((gone, come)):
        for line in lines:
            pairs[line.group, line.block, line.title][place].append(line)
    changes = []
    for key in sorted(pairs):
        old, new = pairs[key]
        both = min(len(old), len(new))
        changes += [_change(*pair) for pair in zip(old[:both], new[:both], strict=True)]
        changes += [_change(line, None) for line in old[both:]]
        changes += [_change(None, line) for line in new[both:]]
    return changes


def _change(old: Printed | None, new: Printed | None) -> dict[str, object]:
    line = old or new
    assert line is not None  # noqa: S101 - one of the two is there
    change: dict[str, object] = {
        "change": "changed" if old and new else "removed" if old else "added",
        "group": line.group,
        "title": line.title,
        "before": _amount(old.amount) if old else None,
        "after": _amount(new.amount) if new else None,
    }
    if old and new:
        fields = ("amount", "code", "description")
        change["differs"] = [name for name in fields if getattr(old, name) != getattr(new, name)]
    return change


def _text(
    before: Iterable[Printed], after: Iterable[Printed] | None, lines: list[dict[str, object]], reasons: list[str]
) -> str:
    document = {
        "before": _total(before),
        "after": None if after is None else _total(after),
        "lines": lines,
        "reasons": reasons,
    }
    return json.dumps(document, separators=(",", ":"))


def _total(lines: Iterable[Printed]) -> str:
    return _amount(sum((line.amount for line in lines), ZERO))


def _amount(amount: Decimal) -> str:
    return str(to_cents(amount))
