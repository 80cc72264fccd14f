"""Lists in SQL: conditions, one of the declared orders, a page by key, and the number of all.

A cursor holds the order, the value of its column and the key of the last item, so that pages neither repeat nor miss a
row whatever a list is sorted by. Columns that a list is sorted by are never null.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.foundation.database import AnyRow
from shared_code.foundation.errors import BillingError, Detail, ErrorKind
from shared_code.foundation.paging import CURSOR_INVALID, Key, Page, page, read_cursor

FILTER_INVALID = ErrorKind(
    "FILTER_INVALID", 2308, 400, "A list is filtered by a value that there is not.", "Use one of the values named."
)
SORT_INVALID = ErrorKind(
    "SORT_INVALID",
    2309,
    400,
    "The list cannot be sorted by this.",
    'Use one of the fields named, with "-" in front for descending, or leave the parameter out.',
)
KINDS = (CURSOR_INVALID, FILTER_INVALID, SORT_INVALID)

_AMOUNT = re.compile(r"-?[0-9]{1,14}(\.[0-9]{1,4})?")  # what a column of money holds


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a list: at most `limit` items after `cursor`, sorted by a field, `-` in front for descending."""

    limit: int = 50
    cursor: str | None = None
    sort: str | None = None


@dataclass(frozen=True, slots=True)
class SortField:
    """A column that a list may be sorted by, and the Python type of its values: str, int, Decimal or datetime."""

    column: sa.Column[Any]
    kind: type[str | int | Decimal | datetime]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of rows: what is selected, the fields that may sort it by their wire names, and the key that ends ties."""

    columns: Sequence[sa.FromClause | sa.Column[Any]]
    fields: Mapping[str, SortField]
    default: str
    key: SortField

    def page(self, connection: Connection, asked: PageRequest, *conditions: sa.ColumnElement[bool]) -> Page[AnyRow]:
        """The rows of a page that fulfil all conditions, and the number of all that do. Two statements.

        Raises SORT_INVALID with the fields that there are, and CURSOR_INVALID for one of another list or order.
        """
        sort = asked.sort or self.default
        parts = self._parts(sort)
        after = _read(asked.cursor, sort, parts)
        beyond = operator.lt if sort.startswith("-") else operator.gt
        chosen = sa.select(*self.columns).where(*conditions)
        total = connection.scalar(sa.select(sa.func.count()).select_from(self.key.column.table).where(*conditions))
        if after is not None:
            chosen = chosen.where(_after([part.column for part in parts], after, beyond))
        order = [part.column.desc() if sort.startswith("-") else part.column.asc() for part in parts]
        rows = connection.execute(chosen.order_by(*order).limit(asked.limit + 1)).all()
        return page(rows, asked.limit, total or 0, lambda row: (sort, *(_write(row, part) for part in parts)))

    def _parts(self, sort: str) -> list[SortField]:
        """The columns of an order, the key at their end."""
        field = self.fields.get(sort.removeprefix("-"))
        if field is None:
            choices = ", ".join(self.fields)
            message = f"the list cannot be sorted by {sort!r}; it can by {choices}, each with - for descending"
            raise BillingError(SORT_INVALID, message, [Detail("sort", message)])
        return [field] if field == self.key else [field, self.key]


def one_of(name: str, value: str | None, choices: Collection[str]) -> str | None:
    """The choice that a filter names, however it is capitalised. Raises FILTER_INVALID for one that there is not."""
    if value is None:
        return None
    found = next((choice for choice in choices if choice.casefold() == value.casefold()), None)
    if found is None:
        message = f"there is no {name} {value!r}; there are {', '.join(choices)}"
        raise BillingError(FILTER_INVALID, message, [Detail(name, message)])
    return found


def _after(
    columns: Sequence[sa.Column[Any]], values: Sequence[Any], beyond: Callable[[Any, Any], Any]
) -> sa.ColumnElement[bool]:
    """Rows whose columns come after `values`, the first column weighing most."""
    column, *others = columns
    value, *rest = values
    further: sa.ColumnElement[bool] = beyond(column, value)
    return sa.or_(further, sa.and_(column == value, _after(others, rest, beyond))) if others else further


def _write(row: AnyRow, part: SortField) -> str | int:
    value = row._mapping[part.column]
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else value


def _read(cursor: str | None, sort: str, parts: Sequence[SortField]) -> list[Any] | None:
    key = read_cursor(cursor, str, *(int if part.kind is int else str for part in parts))
    if key is None:
        return None
    if key[0] != sort:
        message = f"the cursor is of a list in another order than {sort!r}"
        raise BillingError(CURSOR_INVALID, message, [Detail("cursor", message)])
    try:
        return _values(key[1:], parts)
    except ValueError as fault:
        message = "the cursor is not one that this list gave"
        raise BillingError(CURSOR_INVALID, message, [Detail("cursor", message)]) from fault


def _values(written: Key, parts: Sequence[SortField]) -> list[Any]:
    """The values in a cursor. Raises ValueError for what no column of their kind holds."""
    return [_READ[part.kind](value) for part, value in zip(parts, written, strict=True)]


def _amount(text: str) -> Decimal:
    if _AMOUNT.fullmatch(text) is None:
        raise ValueError("not an amount")
    return Decimal(text)


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.utcoffset() != timedelta(0):
        raise ValueError("not an instant in UTC")
    return found


_READ: Mapping[type, Callable[[Any], Any]] = {str: str, int: int, Decimal: _amount, datetime: _instant}
