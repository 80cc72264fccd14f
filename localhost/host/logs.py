"""Structured logs: one JSON line per record in STATE/logs/host.jsonl, warnings as text on stderr.

Each line of an invocation carries its id and a correlation id: the one that the app works under (its doors set it in
`shared_code.foundation.context`), before that the one that came with the event, and else the invocation's own id.
"""

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from azure_functions_runtime.utils.executor import invocation_id_cv

ROTATE_BYTES = 50 * 1024 * 1024
_QUIET = ("azure", "uvicorn", "httpx", "httpcore", "urllib3", "asyncio", "fontTools", "PIL")
_APP_CONTEXT = "shared_code.foundation.context"
# By invocation id and not in a context variable: the threads of sync functions do not inherit the host's context.
_correlations: dict[str, str] = {}


@contextmanager
def correlated(invocation_id: str, correlation_id: str) -> Iterator[None]:
    """While inside, log lines of the invocation carry the correlation id that came with its event."""
    _correlations[invocation_id] = correlation_id or invocation_id
    try:
        yield
    finally:
        del _correlations[invocation_id]


def correlation_id_of(invocation_id: str) -> str:
    """What lines of a running invocation carry; its own id where nobody has said more."""
    return _correlations.get(invocation_id, invocation_id)


class JsonLines(logging.Handler):
    """Appends each record as one line with one write, so several processes can share the file."""

    def __init__(self, path: Path, instance: str) -> None:
        super().__init__(logging.INFO)
        self._instance = instance
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            os.write(self._descriptor, self._line(record).encode("utf-8", "backslashreplace"))
        except Exception:
            self.handleError(record)

    def _line(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "instance": self._instance,
            "message": record.getMessage(),
        }
        invocation_id = invocation_id_cv.get()
        if invocation_id:
            entry["invocationId"] = invocation_id
            entry["correlationId"] = _app_correlation(invocation_id) or correlation_id_of(invocation_id)
        entry.update(getattr(record, "fields", {}))
        if record.exc_info:
            entry["exception"] = logging.Formatter().formatException(record.exc_info)
        return json.dumps(entry, default=str) + "\n"


def _app_correlation(invocation_id: str) -> str:
    """The id that the app works under, remembered for the host's own lines about the invocation."""
    module = sys.modules.get(_APP_CONTEXT)  # the host imports nothing of the app: it is loaded when the app needs it
    correlation = str(module.current().correlation_id) if module else ""
    if correlation and invocation_id in _correlations:
        _correlations[invocation_id] = correlation
    return correlation


def configure_logging(state_dir: Path, instance: str) -> None:
    """Send all logging of this process to the state folder, and warnings to stderr as well."""
    folder = state_dir / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "host.jsonl"
    if instance == "main" and path.exists() and path.stat().st_size > ROTATE_BYTES:
        path.replace(folder / "host.1.jsonl")
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.WARNING)
    console.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [JsonLines(path, instance), console]
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Each failed invocation is reported once, by the host, with its function and trigger.
    logging.getLogger("azure.functions").addFilter(_not_reported_twice)


def _not_reported_twice(record: logging.LogRecord) -> bool:
    return record.getMessage() != "Native invocation failed"
