"""Refusals about dead letters."""

from shared_code.foundation.errors import ErrorKind

DEAD_LETTER_NOT_FOUND = ErrorKind(
    "DEAD_LETTER_NOT_FOUND",
    2021,
    404,
    "There is no such dead letter.",
    "Take the id from GET /operations/dead-letters.",
)
DEAD_LETTER_SETTLED = ErrorKind(
    "DEAD_LETTER_SETTLED",
    4003,
    409,
    "The message was sent again or given up already.",
    "Look at what became of it: GET /operations/dead-letters/{id}.",
)

KINDS = (DEAD_LETTER_NOT_FOUND, DEAD_LETTER_SETTLED)
