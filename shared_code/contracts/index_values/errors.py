"""Refusals about index values."""

from shared_code.foundation.errors import ErrorKind

INDEX_UNKNOWN = ErrorKind(
    "INDEX_UNKNOWN",
    2121,
    404,
    "No value was ever entered for this index and year.",
    "Take name and year from GET /index-values.",
)
INDEX_VALUE_REPEATED = ErrorKind(
    "INDEX_VALUE_REPEATED",
    3121,
    422,
    "The request states the same index and year twice, so it is unclear which value counts.",
    "State each index and year once; capitals make no difference in a name.",
)
INDEX_VALUES_CHANGED = ErrorKind(
    "INDEX_VALUES_CHANGED",
    4121,
    412,
    "Index values were changed since they were read.",
    "Read them again, look whether your change is still right, and send it with their new ETag as If-Match.",
)

KINDS = (INDEX_UNKNOWN, INDEX_VALUE_REPEATED, INDEX_VALUES_CHANGED)
