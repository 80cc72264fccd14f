"""Refusals of repeated requests."""

from shared_code.foundation.errors import ErrorKind

IDEMPOTENCY_KEY_REQUIRED = ErrorKind(
    "IDEMPOTENCY_KEY_REQUIRED",
    2011,
    400,
    "This request moves money, and without a key a repetition could move it twice.",
    "Send the header Idempotency-Key: a text of up to 255 characters, new for a new request, the same for a retry.",
)
IDEMPOTENCY_KEY_INVALID = ErrorKind(
    "IDEMPOTENCY_KEY_INVALID",
    2012,
    400,
    "The Idempotency-Key is longer than 255 characters or not of printable characters.",
    "Send a shorter key, for example the name of the flow run and of the action.",
)
IDEMPOTENCY_KEY_REUSED = ErrorKind(
    "IDEMPOTENCY_KEY_REUSED",
    2013,
    422,
    "The same Idempotency-Key came with another request before.",
    "Use a new key for a new request; for a retry, send exactly the same method, address and body.",
)
REQUEST_RUNNING = ErrorKind(
    "REQUEST_RUNNING",
    4002,
    409,
    "The same request, by its Idempotency-Key, is still running.",
    "Send it again in a few seconds: the answer of the first one is kept.",
    retryable=True,
)

KINDS = (IDEMPOTENCY_KEY_REQUIRED, IDEMPOTENCY_KEY_INVALID, IDEMPOTENCY_KEY_REUSED, REQUEST_RUNNING)
