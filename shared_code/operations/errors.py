"""Refusals of the operations room."""

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
KINDS = (ERROR_UNKNOWN, DEPENDENCY_UNKNOWN)
