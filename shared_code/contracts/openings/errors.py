"""Refusals about opening balances."""

from shared_code.foundation.errors import ErrorKind

OPENING_PLACE_UNKNOWN = ErrorKind(
    "OPENING_PLACE_UNKNOWN",
    3131,
    422,
    "An opening balance is for a structure, claims cap or profit share that the contract does not have.",
    "Take kind and id from the places that GET /opening-balances/{siteNumber} lists.",
)
OPENING_NOT_NEEDED = ErrorKind(
    "OPENING_NOT_NEEDED",
    3132,
    422,
    "An opening balance is for something that does not accumulate over months, so it would have no effect.",
    "Leave it out, or correct the accumulation in the contract first.",
)
OPENING_REPEATED = ErrorKind(
    "OPENING_REPEATED",
    3133,
    422,
    "Two opening balances are for the same place of the contract.",
    "State each place once.",
)
OPENING_INVALID = ErrorKind(
    "OPENING_INVALID",
    3134,
    422,
    "An opening balance does not fit together.",
    "Correct what the details name: an amount and its high-water mark, and a month that has begun.",
)
OPENINGS_CHANGED = ErrorKind(
    "OPENINGS_CHANGED",
    4131,
    412,
    "The opening balances were changed since they were read.",
    "Read them again, look whether your change is still right, and send it with their new ETag as If-Match.",
)

KINDS = (OPENING_PLACE_UNKNOWN, OPENING_NOT_NEEDED, OPENING_REPEATED, OPENING_INVALID, OPENINGS_CHANGED)
