"""The end states of two runs of the app compared: every row but what no two runs share, line by line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.facts.tables import import_batch
from shared_code.foundation.audit.tables import audit_event, audit_head
from shared_code.foundation.database import Instant, outbox

type State = dict[str, Counter[str]]


def differences(found: State, expected: State) -> list[str]:
    """What is in one state and not in the other, line by line."""
    lost = [f"lost from {part}: {line}" for part in expected for line in expected[part] - found.get(part, Counter())]
    return lost + [f"new in {part}: {line}" for part in found for line in found[part] - expected.get(part, Counter())]


def rows(connection: Connection, table: sa.Table) -> Iterator[str]:
    """The rows of a table as text. An instant only says whether it is there, a batch number becomes a batch id."""
    known = connection.execute(sa.select(import_batch.c.batch_no, import_batch.c.batch_id))
    batches = {row.batch_no: row.batch_id for row in known}
    for row in connection.execute(sa.select(table)).mappings():
        shown = {column.name: _shown(column, row[column.name], batches) for column in table.columns}
        if table is outbox:
            del shown["claimed_until"]  # who published it: its writer, or a sweep that had to claim it
            if '"finish"' in str(row["body"]):
                shown["message_id"] = "new for each"
        if row.get("consumer") == "drops":
            shown["effect_key"] = "made of the blob's version, which is an instant in the emulator"
        if table is audit_head:
            del shown["hash"]
        yield _deed(str(row["body"])) if table is audit_event else json.dumps(shown, default=str)


def _deed(body: str) -> str:
    """An event of the audit without what no two months share: instants, ids of requests, and the chain made of them."""
    event = json.loads(body)
    if event["actor"]["kind"] == "system":
        event["actor"] = "system"  # whichever function got there first
    changing = ("at", "previous", "sequence", "requestId", "correlationId")
    return json.dumps({name: value for name, value in event.items() if name not in changing})


def _shown(column: sa.Column[Any], value: Any, batches: dict[int, str]) -> Any:
    if isinstance(column.type, Instant) or column.name == "source_etag":  # the emulator's etag is an instant, too
        return value is not None
    return batches.get(value, value) if column.name == "batch_no" else value
