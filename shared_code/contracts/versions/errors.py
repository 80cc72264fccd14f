"""Refusals about versions of contracts."""

from shared_code.foundation.errors import ErrorKind

VERSION_NOT_FOUND = ErrorKind(
    "CONTRACT_VERSION_NOT_FOUND",
    2111,
    404,
    "The contract has no such version.",
    "Take the number from the list of the contract's versions.",
)
REASON_TOO_LONG = ErrorKind(
    "CONTRACT_REASON_TOO_LONG",
    2112,
    400,
    "The reason of a change of a contract is longer than a version keeps.",
    "Say why in at most 400 characters.",
)
TIMELINE_RANGE_INVALID = ErrorKind(
    "CONTRACT_TIMELINE_RANGE_INVALID",
    2113,
    400,
    "The timeline of a contract is asked for no month at all, or for too many at once.",
    "Send from and to with at most 120 months, both included; ask again for the months after them.",
)
CONTRACT_AMBIGUOUS = ErrorKind(
    "CONTRACT_AMBIGUOUS",
    4103,
    409,
    "The site has several contracts, and the request does not say which one it means.",
    "Send contractId; the details list the contracts of the site.",
)
PERIOD_BILLED = ErrorKind(
    "CONTRACT_PERIOD_BILLED",
    4104,
    409,
    "The version would serve a month that is billed already, and what was billed keeps its terms.",
    "Choose a later day, or leave effectiveFrom out: then it serves from the first month that is not billed.",
)
DAY_INSIDE_MONTH = ErrorKind(
    "CONTRACT_DAY_INSIDE_MONTH",
    3050,
    422,
    "A contract that is paid by the day cannot change its document inside a month.",
    "Give the version the first of a month, and date the change itself: end the old row the day before and start a new "
    "one on the day, or use a schedule.",
)
LEGACY_FORM_TOO_NARROW = ErrorKind(
    "CONTRACT_LEGACY_FORM_TOO_NARROW",
    4105,
    409,
    "The legacy form has no place for parts of this contract, so its file would be another contract.",
    "Send partial=true for a file without the parts that the details list.",
)

KINDS = (
    VERSION_NOT_FOUND,
    REASON_TOO_LONG,
    TIMELINE_RANGE_INVALID,
    CONTRACT_AMBIGUOUS,
    PERIOD_BILLED,
    DAY_INSIDE_MONTH,
    LEGACY_FORM_TOO_NARROW,
)
