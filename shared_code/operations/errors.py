"""Refusals that belong to no subject: of the way in, and of the operations room."""

from shared_code.foundation.errors import ErrorKind

ERROR_UNKNOWN = ErrorKind(
    "ERROR_UNKNOWN",
    2901,
    404,
    "There is no such error code.",
    "Copy the code from the answer, for example TOKEN_MISSING.",
)
DEPENDENCY_UNKNOWN = ErrorKind(
    "DEPENDENCY_UNKNOWN", 2902, 404, "The app has no such dependency.", "Ask for database, storage or bus."
)
INTERNAL_ERROR = ErrorKind(
    "INTERNAL_ERROR",
    5000,
    500,
    "Something failed that nobody foresaw. Nothing was changed.",
    "Try again; if it stays, report the request id.",
    retryable=True,
)
BODY_TOO_LARGE = ErrorKind(
    "BODY_TOO_LARGE",
    2001,
    413,
    "The request body is larger than 10 MB.",
    "Drop large files into their blob container instead.",
)
BODY_MALFORMED = ErrorKind("BODY_MALFORMED", 2002, 400, "The body is not what the route takes.", "Correct the fields.")
PARAMETER_INVALID = ErrorKind(
    "PARAMETER_INVALID", 2003, 400, "A query parameter is not what the route takes.", "Correct the parameter."
)

KINDS = (INTERNAL_ERROR, BODY_TOO_LARGE, BODY_MALFORMED, PARAMETER_INVALID, ERROR_UNKNOWN, DEPENDENCY_UNKNOWN)
