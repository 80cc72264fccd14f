"""One hierarchy of refusals. Each has a stable code and number, says where, and says what helps.

Numbers: 1xxx authentication and access, 2xxx input, 3xxx business rule, 4xxx conflict and concurrency,
5xxx dependency or internal (http-api, Conventions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detail:
    """One finding: the field or place, and what is wrong with it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """A refusal in the abstract: its code, number, HTTP status, meaning and cure. `GET /errors/{code}` shows it."""

    code: str
    number: int
    status: int
    meaning: str
    cure: str
    retryable: bool = False


class BillingError(Exception):
    """A refusal in the concrete: a kind, a message for a person, and details by place."""

    def __init__(self, kind: ErrorKind, message: str, details: Sequence[Detail] = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.details = tuple(details)

    @property
    def code(self) -> str:
        return self.kind.code


CONCURRENT_CHANGE = ErrorKind(
    "CONCURRENT_CHANGE",
    4001,
    409,
    "Somebody else changed the same thing at the same moment.",
    "Read it again and repeat the request.",
    retryable=True,
)

DATABASE_UNAVAILABLE = ErrorKind(
    "DATABASE_UNAVAILABLE",
    5003,
    503,
    "The database does not answer.",
    "Try again in a few seconds; if it stays, ask the platform engineers to look at GET /health/ready.",
    retryable=True,
)
IF_MATCH_REQUIRED = ErrorKind(
    "IF_MATCH_REQUIRED",
    4004,
    400,
    "This is changed only by somebody who has read its latest state.",
    "Read it and send its ETag as If-Match, or * to overwrite whatever is there.",
)
