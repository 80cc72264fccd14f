"""Many rows at once, without what SQLAlchemy does for each: a month reads 40 rows per contract and writes a dozen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

type Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A place of a compiled statement: the name of its value, or the value that the statement itself has.

    `stored` turns a value into what the driver takes; None leaves it alone.
    """

    name: str
    given: bool
    own: Any
    stored: Callable[[Any], Any] | None

    def values(self, rows: Sequence[Row]) -> list[Any]:
        if not self.given:
            return [self.own if self.stored is None else self.stored(self.own)] * len(rows)
        if self.stored is None:
            return [row[self.name] for row in rows]
        stored = self.stored
        return [stored(row[self.name]) for row in rows]


def write_many(connection: Connection, statement: sa.Insert | sa.Update, rows: Sequence[Row]) -> None:
    """Execute an insert or update for each of `rows`, all with the names of the first. Nothing for no rows.

    The same as `connection.execute(statement, rows)` of a statement without functions of Python for defaults. Keep the
    statement: its SQL is made once for each object. Raises KeyError for a row without one of the names and for a
    name that the statement does not have, and what column types raise for a value that they refuse (rules R45).
    """
    if rows:
        sql, parameters = _compiled(statement, connection.dialect, tuple(rows[0]))
        values = [parameter.values(rows) for parameter in parameters]
        connection.exec_driver_sql(sql, list(zip(*values, strict=True)))


def stored_rows(connection: Connection, statement: sa.Executable, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """All rows of a query as the driver gives them. What is exact in a column is told by `from_storage`."""
    cursor: Any = connection.execute(statement, values).cursor
    return [] if cursor is None else list(cursor.fetchall())


def from_storage(connection: Connection, column: sa.Column[Any]) -> Callable[[Any], Any]:
    """Turns a stored value of `column` into what SQLAlchemy would have read."""
    return column.type.dialect_impl(connection.dialect).result_processor(connection.dialect, None) or _itself


def _itself(value: Any) -> Any:
    return value


@lru_cache(maxsize=256)
def _compiled(
    statement: sa.Insert | sa.Update, dialect: Dialect, names: tuple[str, ...]
) -> tuple[str, tuple[_Parameter, ...]]:
    """The statement as text with its parameters in order."""
    # An insert takes the named columns; an update has its values already.
    columns = list(names) if isinstance(statement, sa.Insert) else []
    made: Any = statement.compile(dialect=dialect, column_keys=columns)
    if unknown := set(names).difference(made.binds):
        raise KeyError(*sorted(unknown))
    return str(made), tuple(_parameter(made.binds[name], dialect, names) for name in made.positiontup)


def _parameter(bound: sa.BindParameter[Any], dialect: Dialect, names: Sequence[str]) -> _Parameter:
    given = bound.key in names
    if bound.required and not given:
        raise KeyError(bound.key)
    return _Parameter(bound.key, given, bound.value, bound.type.dialect_impl(dialect).bind_processor(dialect))
