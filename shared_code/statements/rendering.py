"""Statement PDFs: drawn from stored snapshots, put into blob storage, recorded in the database.

Drawing is deterministic and the blob's path follows from the statement, so a repetition writes the same bytes to the
same place; the row changes state only after the blob is there (field report 17). A snapshot that changes (a line that
somebody adds) is drawn again to that place. Two workers may then draw different snapshots of one statement at a time:
each looks again after it has put its blob, so that whichever was last has put what the database says.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from shared_code.documents import paths
from shared_code.documents.model import from_json
from shared_code.documents.statement_pdf import render
from shared_code.foundation import blobs, clock
from shared_code.foundation.bus import unit_of_work
from shared_code.foundation.clock import fingerprint
from shared_code.foundation.database import reading
from shared_code.statements import repository
from shared_code.statements.runs import document_messages, progress_message

log = logging.getLogger(__name__)
CONSUMER = "render_statement_documents"
MOST_FORGOTTEN = 200


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A document that is in its place, and the snapshot that it shows."""

    snapshot: str
    row: dict[str, object]


def render_documents(run_id: str, statement_ids: Sequence[str], message_id: str, correlation_id: str) -> int:
    """Draw statements, those that are drawn already once more. Returns how many were.

    A worker that died between blob and record has its message delivered again, and whatever it left is put right.
    """
    drawn = _draw_all(statement_ids)
    with unit_of_work() as work:
        if work.first(CONSUMER, message_id):
            now = repository.documents(work.connection, list(drawn), for_change=True)
            # One that has changed since has a message of its own, which draws it.
            current = [drawn[row.statement_id].row for row in now if row.snapshot == drawn[row.statement_id].snapshot]
            repository.set_rendered(work.connection, current)
            work.send([progress_message(run_id, f"documents-{message_id}", correlation_id)])
    return len(drawn)


def draw_forgotten() -> int:
    """Have documents of finished runs drawn that still wait: a line was added and the message to draw it was lost.

    Run by a timer. Drawing is safe to repeat, so one whose message is just under way is asked for twice at worst.
    Returns how many there were.
    """
    with unit_of_work() as work:
        found = repository.forgotten_documents(work.connection, MOST_FORGOTTEN)
        occasion = clock.new_id()
        for row in found:
            work.send(document_messages(row.run_id, [row.statement_id], row.correlation_id, occasion))
    if found:
        log.warning("%d documents of finished runs were not drawn; they are asked for again", len(found))
    return len(found)


def _draw_all(statement_ids: Sequence[str]) -> dict[str, _Drawn]:
    """Draw until what was drawn is what is stored."""
    drawn: dict[str, _Drawn] = {}
    while True:
        with reading() as connection:
            stored = repository.documents(connection, statement_ids)
        changed = {
            row.statement_id: row.snapshot for row in stored if not _shows(drawn, row.statement_id, row.snapshot)
        }
        if not changed:
            return drawn
        drawn |= {statement_id: _draw(statement_id, snapshot) for statement_id, snapshot in changed.items()}


def _shows(drawn: dict[str, _Drawn], statement_id: str, snapshot: str) -> bool:
    return statement_id in drawn and drawn[statement_id].snapshot == snapshot


def _draw(statement_id: str, snapshot: str) -> _Drawn:
    document = from_json(snapshot)
    data = render(document)
    path = paths.statement_pdf(document.period, document.site_number, document.statement_id, document.version)
    blobs.put(path.container, path.name, data, "application/pdf")
    row: dict[str, object] = {
        "given_statement": statement_id,
        "path": path.name,
        "digest": fingerprint(data),
        "size": len(data),
    }
    return _Drawn(snapshot, row)
