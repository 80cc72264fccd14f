"""Show index values, enter them, and tell what they were before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from shared_code.contracts.index_values import repository
from shared_code.contracts.index_values.errors import INDEX_UNKNOWN, INDEX_VALUE_REPEATED, INDEX_VALUES_CHANGED
from shared_code.contracts.index_values.model import IndexValue, IndexValues, index_key
from shared_code.contracts.index_values.requests import IndexValuesRequest
from shared_code.foundation import audit, clock, context
from shared_code.foundation.database import AnyRow, reading, transaction
from shared_code.foundation.errors import BillingError, Detail
from shared_code.foundation.listing import PageRequest
from shared_code.foundation.paging import Page, each

STREAM = "index-values"
_YEAR_DIGITS = 4


def show() -> IndexValues:
    """The values that hold now, and those that were taken back."""
    with reading() as connection:
        return _view(repository.latest(connection))


def change(wish: IndexValuesRequest, if_match: str) -> IndexValues:
    """Store values, all of them or none, with the history and the audit event of each. Returns what holds then.

    A value that holds already changes nothing. `if_match` is the ETag that the caller has read, `*` for whatever is
    there. Raises INDEX_VALUE_REPEATED, INDEX_VALUES_CHANGED, CONCURRENT_CHANGE.
    """
    _refuse_repeated(wish)
    with transaction() as work:
        rows = repository.latest(work.connection, for_change=True)
        before = _view(rows)
        if if_match not in ("*", before.etag):
            raise BillingError(INDEX_VALUES_CHANGED, "the index values are not those that you have read")
        known = {(row.name, row.year): row for row in rows}
        fresh = _fresh(known, wish)
        if not fresh:
            return before
        repository.insert(work.connection, fresh)
        audit.record(work, [_event(row, known.get((row["name"], row["year"])), wish.reason) for row in fresh])
        return _view(repository.latest(work.connection))


def history(name: str, year: str, asked: PageRequest) -> Page[IndexValue]:
    """Every value that was stored for an index and year, the newest first. Raises INDEX_UNKNOWN, CURSOR_INVALID."""
    number = int(year) if year.isascii() and year.isdecimal() and len(year) <= _YEAR_DIGITS else 0
    with reading() as connection:
        found = repository.versions(connection, index_key(name), number, asked)
    if not found.total:
        raise BillingError(INDEX_UNKNOWN, f"there is no value of {name!r} for {year!r}")
    return each(found, _value)


def _refuse_repeated(wish: IndexValuesRequest) -> None:
    times = Counter((index_key(one.name), one.year) for one in wish.values)
    twice = [Detail("values", f"{name} {year} stands {n} times") for (name, year), n in times.items() if n > 1]
    if twice:
        raise BillingError(INDEX_VALUE_REPEATED, "; ".join(detail.message for detail in twice), twice)


def _fresh(known: dict[tuple[str, int], AnyRow], wish: IndexValuesRequest) -> list[dict[str, Any]]:
    """The new versions that a change makes: none for a value that holds already, or for taking back what never was."""
    common = {"changed_at": clock.now(), "changed_by": context.current().actor_id, "reason": wish.reason}
    found = []
    for one in wish.values:
        key = (index_key(one.name), one.year)
        row = known.get(key)
        if one.value != (row.value if row else None):
            version = row.version + 1 if row else 1
            found.append({"name": key[0], "year": key[1], "version": version, "value": one.value} | common)
    return found


def _event(row: dict[str, Any], before: AnyRow | None, reason: str) -> audit.Event:
    data = {
        "name": row["name"],
        "year": row["year"],
        "before": before.value if before else None,
        "after": row["value"],
        "version": row["version"],
    }
    return audit.Event(STREAM, "index-value.changed", f"{row['name']}/{row['year']}", data, reason)


def _view(rows: Sequence[AnyRow]) -> IndexValues:
    values = tuple(map(_value, rows))
    stated = "\n".join(f"{one.name}\t{one.year}\t{one.version}" for one in values)
    return IndexValues(values, f'"{clock.fingerprint(stated.encode())}"')


def _value(row: AnyRow) -> IndexValue:
    return IndexValue(row.name, row.year, row.value, row.version, row.changed_at, row.changed_by, row.reason)
