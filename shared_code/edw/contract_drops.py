"""Dropped contract documents: saved when valid, else copied to quarantine with every finding.

Each drop is an import batch of one row, so that contracts stand in the same list as every other file.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass

from shared_code.contracts.model import SavedContract
from shared_code.contracts.saving import Document, Saving, read_document, save_in
from shared_code.documents import paths
from shared_code.edw import errors, received, repository, storage
from shared_code.edw.repository import Batch
from shared_code.foundation import audit, blobs, clock
from shared_code.foundation.bus import unit_of_work
from shared_code.foundation.calendar import Period
from shared_code.foundation.clock import derived_id, fingerprint
from shared_code.foundation.database import UnitOfWork
from shared_code.foundation.errors import BillingError

log = logging.getLogger(__name__)
AUTHOR = "contract-drops"
DATASET = "contracts"
MAX_BYTES = 10_000_000


def receive_contract(container: str, blob_name: str, rates_as_of: Period | None = None) -> str:
    """Save a dropped document. Returns the id of its import batch.

    Each drop is recorded once: the same version of the blob delivered again changes nothing. A later drop wins,
    whichever is read first. A document that is refused changes no contract; it is copied to quarantine, and its report
    lists every finding with its place. `rates_as_of` is the month that new and changed rates are stated for; None: the
    present one (rules R12). Raises DROP_NOT_FOUND, SOURCE_CHANGED.
    """
    content = storage.open_blob(container, blob_name)
    drop = _Drop(container, blob_name, content)
    document, refusal = _read(drop)
    with unit_of_work() as work:
        batch_id, key, stored = _batch_of(work, drop)
        if stored is None:
            result, refusal = _result(work, document, refusal, rates_as_of)
            row = _row(drop) | {"batch_id": batch_id, "effect_key": key}
            repository.add_batch(work.connection, row | result, ())
            state = str(result["state"])
            if state != "current":  # saving has told the audit already, as the last thing that takes its locks
                _record(work, drop, batch_id, f"import.{state}", refusal)
        else:  # delivered again: the report may be what is missing
            state = stored.state
    if refusal is not None:
        storage.quarantine(batch_id, container, blob_name, content.etag)
    report = paths.import_report(batch_id)
    blobs.put(report.container, report.name, _report(drop, state, document, refusal), "application/json")
    received.note(container, blob_name, content.etag)
    log.info("contract drop %s is batch %s: %s", blob_name, batch_id, refusal.code if refusal else state)
    return batch_id


def _batch_of(work: UnitOfWork, drop: _Drop) -> tuple[str, str, Batch | None]:
    """Id and key of the drop's batch, and the batch if it is there. The same bytes dropped anew are a batch anew."""
    key = f"{DATASET}|{derived_id(drop.container, drop.name)}|{drop.sha256}"
    stored = repository.batch_by_key(work.connection, key)
    if stored is not None and stored.source_etag != drop.content.etag:
        key = f"{key}|{derived_id(drop.content.etag)}"
        stored = repository.batch_by_key(work.connection, key)
    return derived_id("import-batch", key), key, stored


@dataclass(slots=True)
class _Drop:
    """One version of a dropped file."""

    container: str
    name: str
    content: storage.Content
    sha256: str = ""


def _read(drop: _Drop) -> tuple[Document | None, BillingError | None]:
    """The document, or why there is none. A file that is too large is not even read."""
    size = drop.content.size
    if size > MAX_BYTES:
        message = f"a contract has at most {MAX_BYTES:,} bytes, this has {size:,}"
        return None, BillingError(errors.FILE_TOO_LARGE, message)
    try:
        data = b"".join(drop.content.chunks())
        drop.sha256 = fingerprint(data)
        modified = drop.content.modified
        return read_document(data, legacy=_is_legacy(data), name=drop.name, stated_at=modified), None
    except BillingError as error:
        if error.kind is errors.SOURCE_CHANGED:
            raise
        return None, error


def _is_legacy(data: bytes) -> bool:
    """Legacy documents have `original`, ours a schema version; anything else is read as legacy and refused."""
    return b'"schemaVersion"' not in data[:4096] or b'"original"' in data


def _row(drop: _Drop) -> dict[str, object]:
    return {
        "dataset": DATASET,
        "period": "",
        "container": drop.container,
        "source_name": drop.name,
        "source_etag": drop.content.etag,
        "sha256": drop.sha256,
        "byte_count": drop.content.size,
        "rows_read": 1,
        "finished_at": clock.now(),
    }


def _result(
    work: UnitOfWork, document: Document | None, refusal: BillingError | None, rates_as_of: Period | None
) -> tuple[dict[str, object], BillingError | None]:
    """What becomes of the drop's one row. A refusal to save is recorded like one to read; nothing is saved then."""
    if document is not None:
        try:
            saved = save_in(work, document, Saving(AUTHOR, "dropped file", rates_as_of=rates_as_of))
        except BillingError as error:
            refusal = error
        else:
            return _saved(saved), None
    assert refusal is not None  # noqa: S101 - a document that was not read has its refusal
    message = f"{refusal.message.rstrip('.')}. {refusal.kind.cure}"
    return {"state": "rejected", "reason": refusal.code, "message": message, "rows_rejected": 1}, refusal


def _record(work: UnitOfWork, drop: _Drop, batch_id: str, action: str, refusal: BillingError | None) -> None:
    """Tell the audit of a drop that changed no contract."""
    data = {"dataset": DATASET, "source": drop.name, "sha256": drop.sha256}
    reason = refusal.code if refusal is not None else None
    audit.record(work, [audit.Event(f"import/{batch_id}", action, batch_id, data, reason)])


def _saved(saved: SavedContract) -> dict[str, object]:
    if saved.changed:
        return {"state": "current", "rows_accepted": 1}
    message = "a later statement of the contract is there" if saved.outdated else "the latest version says the same"
    return {"state": "duplicate", "message": message, "rows_duplicate": 1}


def _report(drop: _Drop, state: str, document: Document | None, refusal: BillingError | None) -> bytes:
    found: dict[str, object] = {"source": drop.name, "state": state, "accepted": state == "current"}
    if refusal is not None:
        found["error"] = {"code": refusal.code, "message": refusal.message, "cure": refusal.kind.cure}
        found["details"] = [asdict(detail) for detail in refusal.details]
    if document is not None:
        found["site"] = document.contract.site.number
        found["warnings"] = [asdict(notice) for notice in document.notices]
    return json.dumps(found, indent=1).encode()
