"""The host's own answers, in the form of the API's errors: what never reached a function, or came back broken.

Codes of the app keep their numbers here (BODY_TOO_LARGE); the host's own end in 95x, which the app leaves free.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

REQUEST_HEADER = "X-Request-ID"
CORRELATION_HEADER = "X-Correlation-ID"
LONGEST_CORRELATION = 128


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of refusal: stable code and number, status, and what helps."""

    code: str
    number: int
    status: int
    cure: str
    retryable: bool = False


KEY_REQUIRED = Problem("KEY_REQUIRED", 1951, 401, "Send the key in x-functions-key, or as ?code=.")
BODY_TOO_LARGE = Problem("BODY_TOO_LARGE", 2001, 413, "Drop large files into their blob container instead.")
NOT_FOUND = Problem("NOT_FOUND", 2951, 404, "Compare the path with those of GET /api/v1/openapi.json.")
METHOD_NOT_ALLOWED = Problem("METHOD_NOT_ALLOWED", 2952, 405, "Use a method of the Allow header.")
FUNCTION_UNKNOWN = Problem("FUNCTION_UNKNOWN", 2953, 404, "Take a name of GET /admin/functions.")
INPUT_INVALID = Problem("INPUT_INVALID", 2954, 400, 'Post an object {"input": …} that suits the trigger.')
FUNCTION_FAILED = Problem("FUNCTION_FAILED", 5951, 500, "Try again; if it stays, report the request id.", True)
RESPONSE_INVALID = Problem("RESPONSE_INVALID", 5952, 500, "Report the request id.", True)
RESPONSE_LATE = Problem("RESPONSE_LATE", 5953, 504, "Answer long work with 202 and a status resource.", True)

PROBLEMS = (
    KEY_REQUIRED,
    BODY_TOO_LARGE,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    FUNCTION_UNKNOWN,
    INPUT_INVALID,
    FUNCTION_FAILED,
    RESPONSE_INVALID,
    RESPONSE_LATE,
)


def correlation_of(request: Request) -> str:
    """The correlation id that a caller sent, at most 128 characters of it; empty without one."""
    return request.headers.get(CORRELATION_HEADER, "")[:LONGEST_CORRELATION]


def refuse(
    request: Request,
    problem: Problem,
    message: str,
    headers: Mapping[str, str] | None = None,
    *,
    request_id: str = "",
) -> Response:
    """An answer of the host itself. Without a request id of an invocation it gets one of its own."""
    request_id = request_id or str(uuid.uuid4())
    correlation = correlation_of(request) or request_id
    error: dict[str, Any] = {
        "code": problem.code,
        "number": problem.number,
        "message": message,
        "details": [],
        "suggestions": [problem.cure],
        "retryable": problem.retryable,
        "requestId": request_id,
        "correlationId": correlation,
    }
    ids = {REQUEST_HEADER: request_id, CORRELATION_HEADER: correlation}
    return JSONResponse({"error": error}, status_code=problem.status, headers={**ids, **(headers or {})})


def refuse_key(request: Request) -> Response:
    """401: the key is missing or wrong; the answer does not say which."""
    return refuse(request, KEY_REQUIRED, "a valid access key is required", {"WWW-Authenticate": "FunctionsKey"})
