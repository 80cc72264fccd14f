"""Refusals about business settings."""

from shared_code.foundation.errors import ErrorKind

SETTING_UNKNOWN = ErrorKind(
    "SETTING_UNKNOWN",
    2041,
    404,
    "There is no such business setting.",
    "Take the name from GET /settings.",
)
SETTING_CHANGE_INVALID = ErrorKind(
    "SETTING_CHANGE_INVALID",
    3041,
    422,
    "A change of business settings cannot be made as it stands, and nothing of it was made.",
    "Correct every field named in the details and send the whole change again.",
)
SETTINGS_CHANGED = ErrorKind(
    "SETTINGS_CHANGED",
    4041,
    412,
    "Business settings were changed since they were read.",
    "Read them again, look whether your change is still right, and send it with their new ETag as If-Match.",
)

KINDS = (SETTING_UNKNOWN, SETTING_CHANGE_INVALID, SETTINGS_CHANGED)
