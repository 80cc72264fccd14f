"""Which rows a caller may see: the row filter of every list and every single resource, as one SQL condition.

`access` makes one from the caller's roles and assignments; repositories put `limit(column)` into their WHERE. Nothing
is filtered in Python, so a count, a page and a single row can never disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Visibility:
    """Keys that a caller may see: those that `keys` selects (one column), or all of them (None).

    `since` is the first month, written YYYY-MM, of what the caller may look back at; None for no such limit.
    """

    keys: sa.Select[tuple[Any]] | None = None
    since: str | None = None

    @property
    def everything(self) -> bool:
        return self.keys is None

    def limit(
        self, column: sa.ColumnElement[Any], month: sa.ColumnElement[str] | None = None
    ) -> sa.ColumnElement[bool]:
        """The condition that `column` holds a key that the caller may see, and `month` one of their time."""
        seen = sa.true() if self.keys is None else column.in_(self.keys)
        return seen if self.since is None or month is None else sa.and_(seen, month >= self.since)


EVERYTHING = Visibility()
