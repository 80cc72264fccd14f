"""Refusals about months."""

from shared_code.foundation.errors import ErrorKind

REOPEN_NEEDS_REASON = ErrorKind(
    "PERIOD_REOPEN_NEEDS_REASON",
    3151,
    422,
    "A closed month is reopened only with a reason, which the audit keeps.",
    "Send the reason in 3 to 500 characters.",
)
PERIOD_CLOSED = ErrorKind(
    "PERIOD_CLOSED",
    4151,
    409,
    "The month is closed: nothing of it is billed anew, and facts that come late wait.",
    "Ask a billing manager to reopen the month with a reason, or bill another month.",
)
PERIOD_NOT_CLOSED = ErrorKind(
    "PERIOD_NOT_CLOSED",
    4152,
    409,
    "The month cannot be reopened, since it was never closed.",
    "Nothing is to be done: an open month can be billed.",
)

KINDS = (REOPEN_NEEDS_REASON, PERIOD_CLOSED, PERIOD_NOT_CLOSED)
