"""Many rows at once, without what SQLAlchemy does for each: a month reads 40 rows per contract and writes a dozen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

type Row = Mapping[str, Any]
_NOTHING: Row = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A place of a compiled statement: the name of its value, and the value if the statement itself has it.

    `stored` turns a value into what the driver takes; None leaves it alone.
    """

    name: str
    own: Any
    stored: Callable[[Any], Any] | None

    def values(self, rows: Sequence[Row], same: Row) -> Iterable[Any]:
        """The values of this place for all rows; one that they have in common is turned once."""
        name, stored = self.name, self.stored
        if name not in rows[0]:
            value = same.get(name, self.own)
            return repeat(value if stored is None else stored(value), len(rows))
        if stored is None:
            return [row[name] for row in rows]
        return [stored(row[name]) for row in rows]


def write_many(
    connection: Connection, statement: sa.Insert | sa.Update, rows: Sequence[Row], same: Row = _NOTHING
) -> None:
    """Execute an insert or update for each of `rows`, all with the names of the first. Nothing for no rows.

    `same`: values that all rows have in common, by names that are not in the rows.

    The same as `connection.execute(statement, rows)` of a statement without functions of Python for defaults. Keep the
    statement: its SQL is made once for each object. Raises KeyError for a row without one of the names, for a name
    that the statement does not have and for one that stands in both, and what column types raise for a value that they
    refuse (rules R45).
    """
    if rows:
        if twice := same.keys() & rows[0].keys():
            raise KeyError(*sorted(twice))
        sql, parameters = _compiled(statement, connection.dialect, (*rows[0], *same))
        values = [parameter.values(rows, same) for parameter in parameters]
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
    if bound.required and bound.key not in names:
        raise KeyError(bound.key)
    return _Parameter(bound.key, bound.value, bound.type.dialect_impl(dialect).bind_processor(dialect))
