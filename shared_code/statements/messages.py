"""What the queues of statements carry: keys only. A message's id is derived from the effect that it asks for."""

from __future__ import annotations

from shared_code.foundation.shapes import MessageModel


class ChunkWork(MessageModel):
    """Bill one chunk of a run."""

    run: str
    chunk: int


class DocumentsWork(MessageModel):
    """Draw the PDFs of some statements of a run."""

    run: str
    statements: list[str]


class RunProgress(MessageModel):
    """Something of a run was finished: look whether it was the last."""

    run: str
