"""Watches every statement that SQLAlchemy executes in this process, and says what SQL Server would refuse of it.

Each distinct statement is compiled for SQL Server as it would run there, and looked over (`tsql.py`). In unit tests the
recorder hangs on SQLAlchemy's Engine class for the session; a host process installs it with `install(file)`, which
appends each finding as one line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Any
from weakref import WeakSet

import sqlalchemy as sa
from sqlalchemy.dialects import mssql
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.sql.compiler import Compiled, SQLCompiler

from localhost.tsql import MOST_PARAMETERS, problems
from shared_code.foundation.dialect import as_azure_sql
from shared_code.foundation.many import MADE_OF, kept_query

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = str(ROOT / "shared_code")
MIGRATIONS = "shared_code/operations/migrations"  # they ask for the dialect; a test reads their SQL for SQL Server
# What the engine and the inspector say to SQLite in its own words.
_OWN_WORDS = ("PRAGMA", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
_WRITTEN_BY_CORE = (
    sa.schema.CreateTable,
    sa.schema.DropTable,
    sa.schema.CreateIndex,
    sa.schema.DropIndex,
    sa.schema.AddConstraint,
    sa.schema.DropConstraint,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A statement that SQL Server would refuse: its text, why, and the line of the product that executed it."""

    sql: str
    problems: tuple[str, ...]
    place: str

    def __str__(self) -> str:
        return f"{self.place}\n  {self.sql}\n" + "".join(f"  - {problem}\n" for problem in self.problems)


@dataclass(slots=True)
class Recorder:
    """Looks at each distinct statement once. `report` is told of each finding."""

    report: Callable[[Finding], None]
    statements: int = 0
    _dialect: Dialect = field(default_factory=lambda: sql_server())
    _compiled: WeakSet[Compiled] = field(default_factory=WeakSet)
    _keys: set[Any] = field(default_factory=set)

    def start(self, target: Any = Engine) -> None:
        sa.event.listen(target, "before_cursor_execute", self._executed)

    def stop(self, target: Any = Engine) -> None:
        sa.event.remove(target, "before_cursor_execute", self._executed)

    def _executed(self, _conn: Any, _cursor: Any, sql: str, values: Any, context: Any, many: bool) -> None:
        compiled = getattr(context, "compiled", None)
        number = 0 if many else len(values)
        if number > MOST_PARAMETERS:
            self._tell(sql, problems("SELECT 1", number))
        if compiled is None:
            made_of = context.execution_options.get(MADE_OF) if context is not None else None
            self._raw(sql) if made_of is None else self._kept(*made_of)
        elif compiled not in self._compiled:
            self._compiled.add(compiled)
            self._look(compiled, sql, next(iter(context.compiled_parameters), {}))

    def _look(self, compiled: Compiled, sql: str, values: Mapping[str, Any]) -> None:
        cached = getattr(compiled, "cache_key", None)  # knows hints, which the text for SQLite does not show
        key = cached.key if cached is not None else sql
        if key in self._keys:  # the same statement on another engine
            return
        self._keys.add(key)
        element = compiled.statement
        if isinstance(element, sa.TextClause):
            self._raw(sql)
        elif not isinstance(element, sa.schema.ExecutableDDLElement) or isinstance(element, _WRITTEN_BY_CORE):
            self.statements += 1
            self._tell(*examine(element, self._dialect, getattr(compiled, "column_keys", None), values))

    def _kept(self, element: sa.Executable, values: Mapping[str, Any]) -> None:
        """A statement that the product makes texts of itself; it lives as long as the process."""
        if element not in self._keys:
            self._keys.add(element)
            self.statements += 1
            self._tell(*examine(element, self._dialect, values=values))
            kept_query(element, self._dialect)  # whether its text for SQL Server can be made, too

    def _raw(self, sql: str) -> None:
        """Text that the product wrote itself. Tests speak to SQLite as they like."""
        if sql in self._keys or sql.split(maxsplit=1)[0].upper() in _OWN_WORDS:
            return
        place = _place()
        if place is not None and not place.startswith(MIGRATIONS):
            self._keys.add(sql)
            self.statements += 1
            self._tell(sql, problems(sql))

    def _tell(self, sql: str, found: list[str]) -> None:
        if found:
            self.report(Finding(sql, tuple(found), _place() or "a test"))


def sql_server() -> Dialect:
    """SQL Server's dialect as it is once connected to Azure SQL, with the parameter marks of its driver."""
    return as_azure_sql(mssql.dialect(paramstyle="qmark"))  # type: ignore[no-untyped-call]  # not annotated


def examine(
    element: Any, dialect: Dialect, column_keys: Any = None, values: Mapping[str, Any] = MappingProxyType({})
) -> tuple[str, list[str]]:
    """The text of an expression for SQL Server, IN lists expanded, and what speaks against it.

    `values` are those of parameters that a statement leaves open until it is executed.
    """
    keys = {"column_keys": column_keys} if column_keys else {}
    try:
        compiled = element.compile(dialect=dialect, **keys)
    except sa.exc.CompileError as fault:
        return str(element), [f"does not compile for SQL Server: {fault}"]
    if isinstance(compiled, SQLCompiler):
        left_open = {name: _given(name, values) for name, bind in compiled.binds.items() if bind.required}
        expanded = compiled.construct_expanded_state(left_open)
        sql, number = expanded.statement, len(expanded.positiontup or ())
    else:
        sql, number = str(compiled), 0
    found = problems(sql, number)
    if getattr(element, "_for_update_arg", None) is not None:
        found.append("with_for_update vanishes in T-SQL without a word; use dialect.claimed()")
    return sql, found


def _given(name: str, values: Mapping[str, Any]) -> Any:
    """The value of a parameter; that of an IN list stands there value by value, as `name_1`, `name_2`."""
    if name in values:
        return values[name]
    return [value for key, value in values.items() if key.startswith(f"{name}_") and key[len(name) + 1 :].isdigit()]


def _place() -> str | None:
    """The innermost line of the product on the stack; None where a test executed the statement by itself."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(PRODUCT):
            return f"{Path(name).relative_to(ROOT)}:{frame.f_lineno}"
        frame = frame.f_back
    return None


def install(path: Path) -> Recorder:
    """Append every finding of this process to `path`, one line of JSON each, for the life of the process."""

    def append(finding: Finding) -> None:
        line = json.dumps({"place": finding.place, "sql": finding.sql, "problems": finding.problems})
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    recorder = Recorder(append)
    recorder.start()
    return recorder
