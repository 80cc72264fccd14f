"""Who acts, and on which request: set once by a door, read by everything below it, the audit and the log included.

A door enters `acting(...)`; a use case never passes these on by hand. Threads of the worker are used again, so the
context ends with the invocation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["person", "service", "system"]


@dataclass(frozen=True, slots=True)
class Context:
    """One invocation: the actor for the audit, the ids for the log, the W3C trace parent for telemetry."""

    actor_id: str = "system"
    actor_name: str = "system"
    actor_kind: ActorKind = "system"
    roles: tuple[str, ...] = ()
    request_id: str = ""
    correlation_id: str = ""
    trace_parent: str = ""
    idempotency_key: str = ""


NOBODY = Context()
_current: ContextVar[Context] = ContextVar("powerbill_context", default=NOBODY)


def current() -> Context:
    """The context of this invocation; the system's own where no door has set one (commands, tests)."""
    return _current.get()


@contextmanager
def acting(context: Context) -> Iterator[Context]:
    """Everything inside happens in `context`."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
