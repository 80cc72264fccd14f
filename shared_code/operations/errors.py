"""Refusals that belong to no subject: of the way in, and of the operations room."""

from shared_code.foundation.errors import ErrorKind

ERROR_UNKNOWN = ErrorKind(
    "ERROR_UNKNOWN",
    2901,
    404,
    "There is no such error code.",
    "Copy the code from the answer, for example TOKEN_MISSING; GET /errors lists all.",
)
DEPENDENCY_UNKNOWN = ErrorKind(
    "DEPENDENCY_UNKNOWN", 2902, 404, "The app has no such dependency.", "Ask for database, storage or bus."
)
INTERNAL_ERROR = ErrorKind(
    "INTERNAL_ERROR",
    5000,
    500,
    "Something failed that nobody foresaw.",
    "Send the same request again, with the same Idempotency-Key if it had one; if it stays, report the request id.",
    retryable=True,
)
BODY_TOO_LARGE = ErrorKind(
    "BODY_TOO_LARGE",
    2001,
    413,
    "The request body is larger than 10 MB.",
    "Drop large files into their blob container instead.",
)
BODY_MALFORMED = ErrorKind(
    "BODY_MALFORMED", 2002, 400, "The body is no JSON object.", "Send JSON in UTF-8, starting with { and ending with }."
)
BODY_INVALID = ErrorKind(
    "BODY_INVALID",
    2005,
    400,
    "Fields of the body are missing, misspelt or of another type than the route takes.",
    "Correct the fields named in the details; /openapi.json describes them.",
)
MEDIA_TYPE_UNKNOWN = ErrorKind(
    "MEDIA_TYPE_UNKNOWN",
    2006,
    415,
    "The body is of another type than the route takes.",
    "Send the header Content-Type: application/json, or the type that the message names.",
)
PARAMETER_INVALID = ErrorKind(
    "PARAMETER_INVALID", 2003, 400, "A query parameter is not what the route takes.", "Correct the parameter."
)
PARAMETER_UNKNOWN = ErrorKind(
    "PARAMETER_UNKNOWN",
    2007,
    400,
    "The route has no such parameter; ignoring it would answer another question than was asked.",
    "Correct its name or leave it out.",
)
RATE_EXCEEDED = ErrorKind(
    "RATE_EXCEEDED",
    1010,
    429,
    "You have called more often than your limit allows.",
    "Wait for the seconds in Retry-After; ask for larger pages instead of more of them.",
    retryable=True,
)
AUDIT_STREAM_UNKNOWN = ErrorKind(
    "AUDIT_STREAM_UNKNOWN", 2911, 400, "The audit has no such stream.", "Copy the stream from an event of the audit."
)
AUDIT_EVENT_UNREADABLE = ErrorKind(
    "AUDIT_EVENT_UNREADABLE",
    5911,
    500,
    "An event of the audit is not in the form in which it was written: somebody changed it in the database.",
    "Verify the audit, which names every broken place, and restore the database from a backup.",
)
INVARIANT_UNKNOWN = ErrorKind(
    "INVARIANT_UNKNOWN", 2912, 400, "There is no such invariant.", "Leave the name out to see all of them."
)

KINDS = (
    INTERNAL_ERROR,
    BODY_TOO_LARGE,
    BODY_MALFORMED,
    BODY_INVALID,
    MEDIA_TYPE_UNKNOWN,
    PARAMETER_INVALID,
    PARAMETER_UNKNOWN,
    RATE_EXCEEDED,
    ERROR_UNKNOWN,
    DEPENDENCY_UNKNOWN,
    AUDIT_STREAM_UNKNOWN,
    AUDIT_EVENT_UNREADABLE,
    INVARIANT_UNKNOWN,
)
