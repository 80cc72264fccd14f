"""The audit's tables. A row is its canonical text; what queries look for is generated from it by the database.

What differs between the two databases stands here alone: how a field is taken out of the text (`JsonField`), and the
triggers that refuse to change or delete a row (`append_only`).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from shared_code.foundation.audit.chain import ACTION_LENGTH, SITE_LENGTH, STREAM_LENGTH, SUBJECT_LENGTH
from shared_code.foundation.database import long_text, metadata
from shared_code.foundation.dialect import COLLATION, exact_text

INSTANT_LENGTH = len("2026-10-31T12:00:00.000000Z")


class JsonField(sa.ColumnElement[Any]):
    """The field at `path` of the canonical text in column `body`: a text of at most `length`, or a whole number."""

    inherit_cache = False
    type = sa.Unicode()

    def __init__(self, path: str, length: int | None) -> None:
        self.path = path
        self.length = length


@compiles(JsonField)
def _json_field(element: JsonField, _compiler: Any, **_options: Any) -> str:
    """SQLite's form; also the one in which a table is printed without a dialect."""
    value = f"json_extract(body, '{element.path}')"
    return value if element.length is None else f"substr({value}, 1, {element.length})"


@compiles(JsonField, "mssql")
def _json_field_of_sql_server(element: JsonField, _compiler: Any, **_options: Any) -> str:
    value = f"JSON_VALUE(body, '{element.path}')"
    if element.length is None:
        return f"CAST({value} AS BIGINT)"
    return f"CAST({value} AS NVARCHAR({element.length})) COLLATE {COLLATION}"


def _text(name: str, path: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    generated = sa.Computed(JsonField(path, length), persisted=True)
    return sa.Column(name, exact_text(length), generated, nullable=nullable)


audit_event = sa.Table(
    "audit_event",
    metadata,
    sa.Column("body", long_text(), nullable=False),
    _text("stream", "$.stream", STREAM_LENGTH),
    sa.Column("sequence", sa.BigInteger, sa.Computed(JsonField("$.sequence", None), persisted=True), nullable=False),
    _text("recorded_at", "$.at", INSTANT_LENGTH),
    _text("actor_id", "$.actor.id", 100),
    _text("action", "$.action", ACTION_LENGTH),
    _text("subject", "$.subject", SUBJECT_LENGTH),
    _text("site", "$.site", SITE_LENGTH, nullable=True),
    _text("correlation_id", "$.correlationId", 64),
    # What refuses a fork of a chain. SQL Server keeps the rows in this order, as a primary key would.
    sa.UniqueConstraint("stream", "sequence", mssql_clustered=True),
)
sa.Index("ix_audit_event_recorded_at", audit_event.c.recorded_at)
sa.Index("ix_audit_event_subject_recorded_at", audit_event.c.subject, audit_event.c.recorded_at)
sa.Index("ix_audit_event_site_recorded_at", audit_event.c.site, audit_event.c.recorded_at)

audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("stream", exact_text(STREAM_LENGTH), primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.Unicode(64), nullable=False),
)

_APPEND_ONLY = {
    "sqlite": (
        "CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event "
        "BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END",
        "CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event "
        "BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END",
    ),
    "mssql": (
        "CREATE TRIGGER audit_event_append_only ON audit_event INSTEAD OF UPDATE, DELETE AS "
        "BEGIN SET NOCOUNT ON; THROW 50001, N'audit_event is append-only', 1; END",
    ),
}
TRIGGERS = {
    "sqlite": ("audit_event_no_update", "audit_event_no_delete"),
    "mssql": ("audit_event_append_only",),
}
"""The names of the triggers, by dialect; dropping the table drops them."""


def append_only(dialect: str) -> tuple[str, ...]:
    """The statements, one batch each, that make `audit_event` append-only. For a migration: `op.execute` of each."""
    return _APPEND_ONLY[dialect]


for _dialect, _statements in _APPEND_ONLY.items():
    for _statement in _statements:
        _made = sa.DDL(_statement)  # type: ignore[no-untyped-call]  # the class is not annotated
        sa.event.listen(audit_event, "after_create", _made.execute_if(dialect=_dialect))
