"""The messages of an import: keys only, and an id that is the key of the effect it asks for."""

from __future__ import annotations

import json

from shared_code.foundation.clock import derived_id, new_id
from shared_code.foundation.database import Message
from shared_code.foundation.queues import IMPORT_SLICES
from shared_code.foundation.shapes import MessageModel


class ImportWork(MessageModel):
    """Stage one slice of a batch, or finish the batch when all are staged."""

    batch: str
    slice: int | None = None
    finish: bool = False


def stage(batch_id: str, slice_no: int, cause: str = "received") -> Message:
    """Stage one slice. `cause` tells apart the first request from one after the site master arrived."""
    return _message({"batch": batch_id, "slice": slice_no}, "stage", batch_id, slice_no, cause)


def finish(batch_id: str, cause: str = "") -> Message:
    """Publish the batch if all its slices are staged. Sent once by each transaction that stages one, without cause."""
    return _message({"batch": batch_id, "finish": True}, "finish", batch_id, cause or new_id())


def _message(body: dict[str, object], *key: object) -> Message:
    return Message(
        derived_id("import", *key), IMPORT_SLICES, json.dumps(body, separators=(",", ":")), str(body["batch"])
    )
