"""Why the bus refuses something, in the words of AMQP and of Service Bus, and what turns into what."""

from __future__ import annotations

from typing import Any, Final

from proton import Condition

from localhost.bus.codec import CodecError
from localhost.bus.limits import LimitError
from localhost.bus.queue import LockLostError, NotFoundError, SessionRequiredError
from localhost.bus.sessions import SessionLostError, SessionTakenError

ARGUMENT_ERROR: Final = "com.microsoft:argument-error"
DECODE_ERROR: Final = "amqp:decode-error"
LOCK_LOST: Final = "com.microsoft:message-lock-lost"
MESSAGE_NOT_FOUND: Final = "com.microsoft:message-not-found"
NOT_ALLOWED: Final = "amqp:not-allowed"
NOT_FOUND: Final = "amqp:not-found"
NOT_IMPLEMENTED: Final = "amqp:not-implemented"
SESSION_LOST: Final = "com.microsoft:session-lock-lost"
SESSION_TAKEN: Final = "com.microsoft:session-cannot-be-locked"
TIMEOUT: Final = "com.microsoft:timeout"

NO_TRANSACTIONS: Final = "the local bus has no transactions: send and settle without one"

# Each with the status that an answer of `$management` carries.
_KINDS: Final[dict[type[Exception], tuple[str, int]]] = {
    CodecError: (DECODE_ERROR, 400),
    LockLostError: (LOCK_LOST, 410),
    NotFoundError: (MESSAGE_NOT_FOUND, 404),
    SessionLostError: (SESSION_LOST, 410),
    SessionRequiredError: (NOT_ALLOWED, 403),
    SessionTakenError: (SESSION_TAKEN, 409),
}

# What a queue, a session or a limit raises.
REFUSALS: Final[tuple[type[Exception], ...]] = (*_KINDS, LimitError)


def refusal(condition: str, text: str) -> Any:
    """An error condition. Its info is never empty: the SDK indexes it and the library drops empty ends."""
    return Condition(condition, text, {"source": "local bus"})


def named(error: Exception) -> tuple[str, int]:
    """The condition and the status of one of `REFUSALS`."""
    return (error.condition, 400) if isinstance(error, LimitError) else _KINDS[type(error)]


def refused(error: Exception) -> Any:
    """One of `REFUSALS` as an error condition."""
    return refusal(named(error)[0], str(error))
