"""A SQL Server schema read from its DDL: what a script of migrations makes, and what the tables of the code make."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa
import sqlglot
from sqlglot import exp

from localhost.sql_recorder import sql_server

CASCADES = {"CASCADE", "SET NULL", "SET DEFAULT"}


@dataclass(slots=True)
class Schema:
    """Columns by table, each as its declaration; constraints and indexes by name."""

    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    constraints: dict[str, str] = field(default_factory=dict)
    indexes: dict[str, str] = field(default_factory=dict)

    def apply(self, statement: str) -> None:
        """Carry out one statement. Raises NotImplementedError for one that is not known here."""
        tree = sqlglot.parse_one(statement, dialect="tsql")
        if isinstance(tree, exp.Create) and tree.kind == "TABLE":
            table = tree.this.this.name
            self.columns[table] = {}
            for part in tree.this.expressions:
                self._add(table, part)
        elif isinstance(tree, exp.Create) and tree.kind == "INDEX":
            self.indexes[tree.this.name] = f"{tree.this.args['table'].name}: {_text(tree)}"
        elif isinstance(tree, exp.Drop):
            self._drop(str(tree.kind), tree.args["tables"][0].name)
        elif isinstance(tree, exp.Alter):
            for action in tree.args["actions"]:
                self._alter(tree.this.name, action)
        else:
            raise NotImplementedError(statement)

    def _add(self, table: str, part: exp.Expr) -> None:
        if isinstance(part, exp.ColumnDef):
            # A default serves the rows that are there already; the code always gives a value.
            lasting = [c for c in part.constraints if not isinstance(c.kind, exp.DefaultColumnConstraint)]
            part.set("constraints", lasting)
            self.columns[table][part.name] = _text(part)
        else:
            self.constraints[part.name or f"{table}: {_text(part)}"] = f"{table}: {_text(part)}"

    def _drop(self, kind: str, name: str) -> None:
        if kind == "TABLE":
            del self.columns[name]
            for found in (self.constraints, self.indexes):
                for key in [key for key, text in found.items() if text.startswith(f"{name}: ")]:
                    del found[key]
        elif kind == "INDEX":
            del self.indexes[name]

    def _alter(self, table: str, action: exp.Expr) -> None:
        if isinstance(action, exp.ColumnDef):
            self._add(table, action)
        elif isinstance(action, exp.AlterColumn):
            null = "NULL" if action.args.get("allow_null") else "NOT NULL"
            self.columns[table][action.name] = f"[{action.name}] {action.args['dtype'].sql('tsql')} {null}"
        elif isinstance(action, exp.AddConstraint):
            for part in action.expressions:
                self._add(table, part)
        elif isinstance(action, exp.Drop) and action.kind == "COLUMN":
            del self.columns[table][action.args["tables"][0].name]
        elif isinstance(action, exp.Drop) and action.kind == "CONSTRAINT":
            del self.constraints[action.args["tables"][0].name]
        else:
            raise NotImplementedError(f"ALTER TABLE {table} {action.sql('tsql')}")


def _text(node: exp.Expr) -> str:
    return re.sub(r"\s+", " ", node.sql("tsql", identify=True))


def statements(script: str) -> list[str]:
    """The statements of an offline script: without comments, batch separators and transactions."""
    batches = re.split(r"^GO\s*$", script, flags=re.MULTILINE)
    found = (re.sub(r"^--.*$", "", batch, flags=re.MULTILINE).strip().rstrip(";").strip() for batch in batches)
    bare = (re.sub(r"^BEGIN TRANSACTION;?\s*", "", one) for one in found)
    return [one for one in bare if one and one != "COMMIT"]


def beyond_the_parser(statement: str) -> bool:
    """Triggers, and the block by which Alembic finds the name of a default before it drops it."""
    return statement.startswith(("CREATE TRIGGER", "declare @const_name"))


def schema_of(parts: Iterable[str]) -> Schema:
    schema = Schema()
    for statement in parts:
        if not beyond_the_parser(statement) and not statement.startswith(("INSERT", "UPDATE", "DELETE")):
            schema.apply(statement)
    return schema


def ddl(metadata: sa.MetaData) -> list[str]:
    """The statements that make the tables of the code."""
    dialect = sql_server()
    made: list[str] = []
    for table in metadata.sorted_tables:
        made.append(str(sa.schema.CreateTable(table).compile(dialect=dialect)).strip())
        made.extend(str(sa.schema.CreateIndex(index).compile(dialect=dialect)).strip() for index in table.indexes)
    return made


def key_bytes(columns: Iterable[sa.Column[object]]) -> int | None:
    """The most bytes that a key over `columns` takes in SQL Server; None where a text has no limit."""
    total = 0
    for column in columns:
        kind = (
            column.type.dialect_impl(sql_server()) if isinstance(column.type, sa.types.TypeDecorator) else column.type
        )
        if isinstance(kind, sa.String):
            if kind.length is None:
                return None
            total += 2 * kind.length
        else:
            total += 17  # the widest number
    return total


def cascade_paths(metadata: sa.MetaData) -> dict[tuple[str, str], int]:
    """How many ways a deletion in one table reaches another; SQL Server refuses the second, and any circle."""
    edges: dict[str, list[str]] = {}
    for table in metadata.tables.values():
        for key in table.foreign_key_constraints:
            if {(key.ondelete or "").upper(), (key.onupdate or "").upper()} & CASCADES:
                edges.setdefault(key.referred_table.name, []).append(table.name)
    paths: dict[tuple[str, str], int] = {}

    def walk(start: str, here: str, seen: frozenset[str]) -> None:
        for after in edges.get(here, ()):
            paths[start, after] = paths.get((start, after), 0) + (2 if after in seen else 1)
            if after not in seen:
                walk(start, after, seen | {after})

    for start in edges:
        walk(start, start, frozenset({start}))
    return paths
