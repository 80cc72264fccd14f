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
DEAD_LETTER_UNSENDABLE = ErrorKind(
    "DEAD_LETTER_UNSENDABLE",
    4005,
    409,
    "The message cannot be sent again as it was: it is larger than the bus takes, or no text.",
    "Give it up with POST /operations/dead-letters/{id}/discard, and have its sender send what the queue carries.",
)

KINDS = (DEAD_LETTER_NOT_FOUND, DEAD_LETTER_SETTLED, DEAD_LETTER_UNSENDABLE)
