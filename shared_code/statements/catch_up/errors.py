"""Refusals about missed months."""

from shared_code.foundation.errors import ErrorKind

PERIOD_NOT_MISSED = ErrorKind(
    "PERIOD_NOT_MISSED",
    3351,
    422,
    "A month that was asked for is not missed: it is billed, closed, not due, or nothing was to be billed.",
    "Take the months from GET /contracts/{siteNumber}/missed-periods.",
)

KINDS = (PERIOD_NOT_MISSED,)
