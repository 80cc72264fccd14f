"""Many rows at once, without what SQLAlchemy does for each: a month reads 40 rows per contract and writes a dozen."""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

MADE_OF = "powerbill_made_of"
"""Execution option of a text: the statement and the values that it is made of, for those who watch what is executed."""

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
    """All rows of a query as the driver gives them. What is exact in a column is told by `from_storage`.

    The same rows as `connection.execute(statement, values)` has, in a third of the time where lists of values are
    given. Keep the statement: its SQL is made once for each object. Raises KeyError for a value that is missing and for
    one that the statement does not have, and ValueError for a statement that `kept_query` does not take.
    """
    sql, given = kept_query(statement, connection.dialect).filled(values)
    made_of = {MADE_OF: (statement, values)}
    cursor: Any = connection.exec_driver_sql(sql, given, execution_options=made_of).cursor
    return [] if cursor is None else list(cursor.fetchall())


def named_rows(connection: Connection, statement: sa.Executable, values: Mapping[str, Any]) -> list[Any]:
    """All rows of a query that is kept, exact and with their columns by name; refuses what `stored_rows` refuses."""
    named, read = _columns(statement, connection.dialect)
    return [
        named([value if to is None else to(value) for to, value in zip(read, row, strict=True)])
        for row in stored_rows(connection, statement, values)
    ]


def from_storage(connection: Connection, column: sa.Column[Any]) -> Callable[[Any], Any]:
    """Turns a stored value of `column` into what SQLAlchemy would have read."""
    return _reader(column, connection.dialect) or _itself


def _reader(column: sa.ColumnElement[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return column.type.dialect_impl(dialect).result_processor(dialect, None)


def _itself(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class _Query:
    """A compiled query: its text around each list of values, and its parameters in order with whether each is a list.

    `named` are the values that it takes, `required` those that it has not itself.
    """

    pieces: tuple[str, ...]
    parameters: tuple[tuple[_Parameter, bool], ...]
    named: frozenset[str]
    required: frozenset[str]

    def filled(self, values: Row) -> tuple[str, tuple[Any, ...]]:
        """The text with a mark for each value, and the values."""
        if not self.required <= values.keys() <= self.named:
            raise KeyError(*sorted((self.required - values.keys()) | (values.keys() - self.named)))
        pieces = iter(self.pieces)
        text: list[str] = [next(pieces)]
        given: list[Any] = []
        for parameter, is_list in self.parameters:
            value, stored = values.get(parameter.name, parameter.own), parameter.stored
            if is_list:
                text += (_marks(len(value)), next(pieces))
                given += value if stored is None else map(stored, value)
            else:
                given.append(value if stored is None else stored(value))
        return "".join(text), tuple(given)


@lru_cache(maxsize=4096)
def _marks(number: int) -> str:
    """The inside of the parentheses of IN and NOT IN: nothing is among no values, and everything outside of them."""
    return ", ".join(["?"] * number) or "SELECT NULL WHERE 1 != 1"


_LIST = re.compile(r"__\[POSTCOMPILE_\w+\]")  # how SQLAlchemy writes a list whose length it does not know yet


@lru_cache(maxsize=256)
def kept_query(statement: sa.Executable, dialect: Dialect) -> _Query:
    """The query in a dialect. Raises ValueError for one with values that are known at its execution only (a callable),
    or that the text does not show (a limit in T-SQL)."""
    made: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]  # every executable is an element
    pieces = tuple(_LIST.split(made.string))
    bound = [made.binds[name] for name in made.positiontup]
    if sum([one.expanding for one in bound]) != len(pieces) - 1 or any(one.callable for one in bound):
        raise ValueError(f"values that cannot be told from the text: {made.string}")
    return _Query(
        pieces,
        tuple((_of(one, dialect), one.expanding) for one in bound),
        frozenset(made.binds),
        frozenset(one.key for one in bound if one.required),
    )


@lru_cache(maxsize=256)
def _columns(
    statement: sa.Executable, dialect: Dialect
) -> tuple[Callable[[Iterable[Any]], Any], tuple[Callable[[Any], Any] | None, ...]]:
    """What makes a row with names, and what makes values of the stored ones; None where they are as they are stored."""
    columns: Any = statement.exported_columns  # type: ignore[attr-defined]  # every query has them
    made = namedtuple("Row", [column.name for column in columns])  # type: ignore[misc]
    return made._make, tuple(_reader(column, dialect) for column in columns)


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
    return _of(bound, dialect)


def _of(bound: sa.BindParameter[Any], dialect: Dialect) -> _Parameter:
    return _Parameter(bound.key, bound.value, bound.type.dialect_impl(dialect).bind_processor(dialect))
