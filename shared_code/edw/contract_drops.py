"""Dropped contract documents: saved when valid, else copied to quarantine with every finding.

Each drop is an import batch of one row, so that contracts stand in the same list as every other file.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict

from shared_code.contracts.saving import Document, read_document, save_in
from shared_code.documents import paths
from shared_code.edw import errors, repository
from shared_code.foundation import blobs
from shared_code.foundation.bus import unit_of_work
from shared_code.foundation.clock import derived_id, fingerprint
from shared_code.foundation.database import UnitOfWork
from shared_code.foundation.errors import BillingError

log = logging.getLogger(__name__)
AUTHOR = "contract-drops"
DATASET = "contracts"
MAX_BYTES = 10_000_000


def receive_contract(container: str, blob_name: str) -> str:
    """Save a dropped document. Returns the id of its import batch.

    The bytes under a name are recorded once: delivered again they change nothing. A document that is refused changes no
    contract; it is copied to quarantine, and its report lists every finding with its place.
    """
    data = blobs.get(container, blob_name)
    key = f"{DATASET}|{derived_id(container, blob_name)}|{fingerprint(data)}"
    batch_id = derived_id("import-batch", key)
    refusal: BillingError | None = None
    document: Document | None = None
    try:
        document = _read(data, blob_name)
    except BillingError as error:
        refusal = error
        path = paths.quarantine(batch_id, container, blob_name)
        blobs.put(path.container, path.name, data, "application/octet-stream")
    with unit_of_work() as work:
        if repository.batch_by_key(work.connection, key) is None:
            row = _row(batch_id, key, container, blob_name, data)
            repository.add_batch(work.connection, row | _result(work, document, refusal), ())
    report = paths.import_report(batch_id)
    blobs.put(report.container, report.name, _report(blob_name, document, refusal), "application/json")
    log.info("contract drop %s/%s: %s", container, blob_name, refusal.code if refusal else "accepted")
    return batch_id


def _read(data: bytes, name: str) -> Document:
    if len(data) > MAX_BYTES:
        raise BillingError(
            errors.FILE_UNREADABLE, f"a contract has at most {MAX_BYTES:,} bytes, this has {len(data):,}"
        )
    return read_document(data, legacy=_is_legacy(data), name=name)


def _is_legacy(data: bytes) -> bool:
    """Legacy documents have `original`, ours a schema version; anything else is read as legacy and refused."""
    return b'"schemaVersion"' not in data[:4096] or b'"original"' in data


def _row(batch_id: str, key: str, container: str, name: str, data: bytes) -> dict[str, object]:
    return {
        "batch_id": batch_id,
        "effect_key": key,
        "dataset": DATASET,
        "period": "",
        "container": container,
        "source_name": name,
        "source_etag": "",
        "sha256": fingerprint(data),
        "byte_count": len(data),
        "rows_read": 1,
    }


def _result(work: UnitOfWork, document: Document | None, refusal: BillingError | None) -> dict[str, object]:
    if document is None:
        assert refusal is not None  # noqa: S101 - one of the two is there
        message = f"{refusal.message}. {refusal.kind.cure}"
        return {"state": "rejected", "reason": refusal.code, "message": message, "rows_rejected": 1}
    saved = save_in(work, document, author=AUTHOR, reason="dropped file")
    if not saved.changed:
        return {"state": "duplicate", "message": "the latest version says the same", "rows_duplicate": 1}
    return {"state": "current", "rows_accepted": 1}


def _report(name: str, document: Document | None, refusal: BillingError | None) -> bytes:
    found: dict[str, object] = {"source": name, "accepted": refusal is None}
    if refusal is not None:
        found["error"] = {"code": refusal.code, "message": refusal.message, "cure": refusal.kind.cure}
        found["details"] = [asdict(detail) for detail in refusal.details]
    if document is not None:
        found["site"] = document.contract.site.number
        found["warnings"] = [asdict(notice) for notice in document.notices]
    return json.dumps(found, indent=1).encode()
