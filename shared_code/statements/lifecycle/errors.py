"""Refusals about the life of statements, and what helps."""

from shared_code.foundation.errors import ErrorKind

SAME_PERSON = ErrorKind(
    "SAME_PERSON",
    1005,
    403,
    "Who has started a run does not approve its statements.",
    "Ask a colleague to approve, or have the setting separateDuties changed.",
)
PERSON_REQUIRED = ErrorKind(
    "PERSON_REQUIRED",
    1006,
    403,
    "Statements are approved, released and sent by hand by people, never by a service or a schedule.",
    "Sign in as a person with the role billingManager.",
)
SITE_NOT_FOUND = ErrorKind(
    "SITE_NOT_FOUND",
    2312,
    404,
    "There is no such site, or it is not one of yours.",
    "Write the site's number with its leading zeros, for example 0042.",
)
REASON_REQUIRED = ErrorKind(
    "STATEMENT_REASON_REQUIRED",
    3302,
    422,
    "This change of a statement needs a reason, which the audit keeps.",
    "Send the reason in 3 to 500 characters.",
)
TRANSITION_ILLEGAL = ErrorKind(
    "STATEMENT_TRANSITION_ILLEGAL",
    4304,
    409,
    "The statement's status does not allow this.",
    "Read the statement again, and ask for one of the statuses that the message names.",
)
STATEMENT_STALE = ErrorKind(
    "STATEMENT_STALE",
    4305,
    409,
    "Facts or terms of the statement have changed since it was made, so it is not sent as it is.",
    "Look at its staleDifference; make the statement anew, or release it as it is with a reason.",
)
NOT_RELEASABLE = ErrorKind(
    "STATEMENT_NOT_RELEASABLE",
    4306,
    409,
    "There is nothing about the statement that a release could allow.",
    "Release one that is stale and not sent; one whose profit has changed is made anew.",
)

KINDS = (
    SAME_PERSON,
    PERSON_REQUIRED,
    SITE_NOT_FOUND,
    REASON_REQUIRED,
    TRANSITION_ILLEGAL,
    STATEMENT_STALE,
    NOT_RELEASABLE,
)
