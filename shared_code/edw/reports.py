"""The report of a batch: `{batch}.json`, and `{batch}.csv` of its rejected rows. Repeatable; the JSON comes last."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from shared_code.documents import paths
from shared_code.edw import errors, repository, storage
from shared_code.edw.model import Rejection
from shared_code.edw.repository import Batch
from shared_code.foundation import blobs, database
from shared_code.foundation.errors import BillingError
from shared_code.foundation.visibility import EVERYTHING

_PAGE = 10_000
_HEADER = ("row", "column", "rule", "value", "site", "amount")
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_NUMBER = re.compile(r"^-?[0-9.,]+$")


def write(batch_id: str) -> None:
    """Write the report blobs of a batch that has come to an end, unless they are there. Raises IMPORT_NOT_FOUND."""
    with database.reading() as connection:
        batch = repository.batch_by_id(connection, batch_id)
        if batch is None:
            raise BillingError(errors.IMPORT_NOT_FOUND, f"there is no import batch {batch_id}")
        if batch.finished_at is None or _is_written(batch):
            return
        rules = repository.rejections_by_rule(connection, batch.batch_no, EVERYTHING)
        absent = repository.sites_served_by_others(connection, batch) if batch.state == "current" else []
    if rules:
        rows = paths.rejected_rows(batch_id)
        storage.write_stream(rows.container, rows.name, _rejected_rows(batch.batch_no))
    document = _document(batch, rules, absent)
    report = paths.import_report(batch_id)
    blobs.put(report.container, report.name, json.dumps(document, indent=2).encode(), "application/json")


def _is_written(batch: Batch) -> bool:
    """Whether the report of this end of the batch is there: a batch that was given up can begin anew."""
    report = paths.import_report(batch.batch_id)
    if not storage.exists(report.container, report.name):
        return False
    written: dict[str, Any] = json.loads(blobs.get(report.container, report.name))
    return (written["state"], written["finishedAt"]) == (batch.state, _instant(batch))


def _instant(batch: Batch) -> str | None:
    return None if batch.finished_at is None else batch.finished_at.isoformat()


def _document(batch: Batch, rules: dict[str, int], absent: list[str]) -> dict[str, Any]:
    return {
        "batch": batch.batch_id,
        "dataset": batch.dataset,
        "period": batch.period,
        "file": f"{batch.container}/{batch.source_name}",
        "sha256": batch.sha256,
        "bytes": batch.byte_count,
        "state": batch.state,
        "finishedAt": _instant(batch),
        "reason": batch.reason,
        "message": batch.message,
        "rows": {
            "read": batch.rows_read,
            "accepted": batch.rows_accepted,
            "rejected": batch.rows_rejected,
            "duplicate": batch.rows_duplicate,
            "possibleDuplicate": batch.rows_repeated,
        },
        "money": {
            "read": str(batch.money_read),
            "accepted": str(batch.money_accepted),
            "rejected": str(batch.money_rejected),
            "duplicate": str(batch.money_duplicate),
        },
        "rejectedByRule": rules,
        "ignoredColumns": [name for name in (batch.ignored_columns or "").split(", ") if name],
        "sitesKeptFromEarlierFiles": absent,
    }


def _rejected_rows(batch_no: int) -> Iterator[bytes]:
    yield _line(_HEADER)
    after = 0
    while True:
        with database.reading() as connection:
            page = repository.rejections_after(connection, batch_no, after, _PAGE)
        if not page:
            return
        yield b"".join(_line(_cells(row)) for row in page)
        after = page[-1].row_number


def _cells(row: Rejection) -> tuple[str, ...]:
    amount = "" if row.amount is None else str(row.amount)
    return (str(row.row_number), row.column, row.rule, _harmless(row.value), row.site or "", amount)


def _harmless(value: str) -> str:
    """A value that a spreadsheet would run as a formula is marked as text."""
    return f"'{value}" if _FORMULA.match(value) and not _NUMBER.match(value) else value


def _line(cells: tuple[str, ...]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue().encode()
