"""`make shadow-compare`: where two books differ, by site, line and cent."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

type Book = Mapping[str, Mapping[str, Any]]


def differences(left: Book, right: Book) -> Iterator[str]:
    """One sentence for each difference, by site, period and place on the statement."""
    for site in sorted({*left, *right}):
        ours, theirs = left.get(site, {}), right.get(site, {})
        for period in sorted({*ours, *theirs}):
            where = f"{site} {period}"
            if period not in ours or period not in theirs:
                yield f"{where}: only in {'B' if period not in ours else 'A'}"
            else:
                yield from (f"{where}: {text}" for text in _of_month(ours[period], theirs[period]))


def _of_month(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    for name in ("status", "reason"):
        if ours.get(name) != theirs.get(name):
            yield f"{name} {ours.get(name)} against {theirs.get(name)}"
    left, right = _by_group(ours), _by_group(theirs)
    for key in sorted({*left, *right}):
        group, number = key
        where = f"group {group}" if number == 1 else f"group {group}, invoice {number}"
        yield from (f"{where}: {text}" for text in _of_invoice(left.get(key), right.get(key)))


def _by_group(month: Mapping[str, Any]) -> dict[tuple[int, int], Mapping[str, Any]]:
    """Invoices by group; a second contract of the site may use the same group."""
    times: Counter[int] = Counter()
    found = {}
    for invoice in month["invoices"]:
        times[invoice["group"]] += 1
        found[invoice["group"], times[invoice["group"]]] = invoice
    return found


def _of_invoice(ours: Mapping[str, Any] | None, theirs: Mapping[str, Any] | None) -> Iterator[str]:
    if ours is None or theirs is None:
        there = ours or theirs or {}
        yield f"the invoice of {there['total']} is only in {'B' if ours is None else 'A'}"
        return
    for name in ("number", "invoiceDate"):
        if ours.get(name) != theirs.get(name):
            yield f"{name} {ours.get(name)} against {theirs.get(name)}"
    if Decimal(ours["total"]) != Decimal(theirs["total"]):
        yield f"total {ours['total']} against {theirs['total']}{_apart(ours['total'], theirs['total'])}"
    yield from _of_lines(ours["lines"], theirs["lines"])


def _of_lines(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Lines in print order. The first that differs is compared field by field, as are all that follow."""
    for place in range(max(len(ours), len(theirs))):
        left = ours[place] if place < len(ours) else None
        right = theirs[place] if place < len(theirs) else None
        if left is None or right is None:
            there = left or right or {}
            side = "B" if left is None else "A"
            yield f"line {place + 1}, {there['title']} {there['amount']}, is only in {side}"
            continue
        for name in ("title", "code", "description"):
            if left.get(name) != right.get(name):
                yield f"line {place + 1}: {name} {left.get(name)!r} against {right.get(name)!r}"
        if Decimal(left["amount"]) != Decimal(right["amount"]):
            apart = _apart(left["amount"], right["amount"])
            yield f"line {place + 1}, {left['title']}: {left['amount']} against {right['amount']}{apart}"


def _apart(ours: str, theirs: str) -> str:
    return f" ({(Decimal(theirs) - Decimal(ours)) * 100:+.0f} cents)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the differences; 1 when there are any, 2 when a file cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m localhost.shadow_compare")
    parser.add_argument("a", type=Path)
    parser.add_argument("b", type=Path)
    given = parser.parse_args(arguments)
    try:
        books = [json.loads(path.read_bytes()) for path in (given.a, given.b)]
    except (OSError, ValueError) as error:
        sys.stderr.write(f"a book cannot be read: {error}\n")
        return 2
    found = list(differences(*books))
    for line in found:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{len(found)} differences\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
