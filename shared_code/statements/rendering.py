"""Statement PDFs: drawn from stored snapshots, put into blob storage, recorded in the database.

Drawing is deterministic and the blob's path follows from the statement, so a repetition writes the same bytes to the
same place; the row changes state only after the blob is there (field report 17).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from shared_code.documents import paths
from shared_code.documents.model import from_json
from shared_code.documents.statement_pdf import render
from shared_code.foundation import blobs
from shared_code.foundation.bus import unit_of_work
from shared_code.foundation.clock import fingerprint
from shared_code.foundation.database import reading
from shared_code.statements import repository
from shared_code.statements.runs import progress_message

log = logging.getLogger(__name__)
CONSUMER = "render_statement_documents"


def render_documents(run_id: str, statement_ids: Sequence[str], message_id: str, correlation_id: str) -> int:
    """Draw the statements among `statement_ids` that are not drawn yet. Returns how many were."""
    with reading() as connection:
        pending = repository.pending_documents(connection, statement_ids)
    drawn = [_draw(row) for row in pending]
    with unit_of_work() as work:
        if work.first(CONSUMER, message_id):
            repository.set_rendered(work.connection, drawn)
            work.send([progress_message(run_id, f"documents-{message_id}", correlation_id)])
    return len(drawn)


def _draw(row: Any) -> dict[str, object]:
    document = from_json(row.snapshot)
    data = render(document)
    path = paths.statement_pdf(document.period, document.site_number, document.statement_id, document.version)
    blobs.put(path.container, path.name, data, "application/pdf")
    return {
        "given_statement": row.statement_id,
        "path": path.name,
        "digest": fingerprint(data),
        "size": len(data),
    }
