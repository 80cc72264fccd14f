"""The run report: what was expected, what became of each contract, and that both agree (field reports 3, 7, 24)."""

from __future__ import annotations

import json
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from pydantic.alias_generators import to_camel

from shared_code.documents import paths
from shared_code.foundation import blobs
from shared_code.foundation.database import reading
from shared_code.statements.reading import repository
from shared_code.statements.reading.model import RunStatus
from shared_code.statements.reading.queries import status_of
from shared_code.statements.reasons import cure, owner


def write_report(run_id: str) -> None:
    """Write the report of a run to blob storage. The same database gives the same bytes."""
    with reading() as connection:
        status = status_of(connection, run_id)
        rows = repository.report_rows(connection, run_id)
    report = {
        "id": status.id,
        "kind": status.kind,
        "period": status.period,
        "source": status.source,
        "scope": status.scope,
        "expected": status.expected,
        "outcomes": {to_camel(name): number for name, number in asdict(status.outcomes).items()},
        "reasons": status.reasons,
        "reconciles": _reconciles(status),
        "documents": asdict(status.documents),
        "statements": status.statements,
        "invoices": status.invoices,
        "total": _text(status.total),
        "items": [_item(row) for row in rows],
    }
    path = paths.run_report(run_id)
    blobs.put(path.container, path.name, json.dumps(report, indent=1).encode(), "application/json")


def _reconciles(status: RunStatus) -> bool:
    """Expected = generated + nothing to bill + held + failed + skipped + cancelled, nothing pending (design 3)."""
    counts = status.outcomes
    return status.expected == sum(asdict(counts).values()) and counts.pending == 0


def _item(row: Any) -> dict[str, object]:
    return {
        "siteNumber": row.site_number,
        "contractId": row.contract_id,
        "outcome": row.outcome,
        "reason": row.reason,
        "message": row.message,
        "suggestion": cure(row.reason),
        "owner": owner(row.reason),
        "reasons": json.loads(row.details) if row.details else [],
        "statementId": row.statement_id,
        "total": _text(row.total),
        "pdf": row.blob_path,
    }


def _text(amount: object) -> str | None:
    return f"{amount:.2f}" if isinstance(amount, Decimal) else None
