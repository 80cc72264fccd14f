"""What every door does before its use case: say who acts, carry the correlation on, and open a span."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shared_code.foundation import context
from shared_code.foundation.context import Context

if TYPE_CHECKING:
    from shared_code.foundation.telemetry import Kind, Span

_PLAIN_ID = 64


def correlation_of(given: str | None) -> str:
    """A caller's correlation id if it is fit for a log line, else a new one."""
    text = (given or "").strip()
    return text if 0 < len(text) <= _PLAIN_ID and text.isascii() and text.isprintable() else uuid.uuid4().hex


@contextmanager
def invocation(name: str, kind: Kind, known: Context, **attributes: str | int) -> Iterator[Span]:
    """Everything inside happens in the context `known` and in a span of `name`."""
    from shared_code.foundation import telemetry

    with context.acting(known), telemetry.span(name, kind, known.trace_parent, **attributes) as span:
        yield span


def mark_log_records() -> None:
    """Let every log record carry the correlation id of its invocation, whatever wrote it."""
    make = logging.getLogRecordFactory()
    if getattr(make, "marks_correlation", False):
        return

    def marked(*args: object, **kwargs: object) -> logging.LogRecord:
        record = make(*args, **kwargs)
        record.correlation_id = context.current().correlation_id
        return record

    marked.marks_correlation = True  # type: ignore[attr-defined]  # so that a second call changes nothing
    logging.setLogRecordFactory(marked)
