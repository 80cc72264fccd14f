"""What a caller of runs and statements may be refused, and what helps."""

from shared_code.foundation.errors import ErrorKind

PERIOD_INVALID = ErrorKind(
    "PERIOD_INVALID", 2301, 422, "The period is not a month.", "Write the period as YYYY-MM, for example 2026-10."
)
PERIOD_UNKNOWN = ErrorKind(
    "PERIOD_UNKNOWN",
    2302,
    422,
    "The period lies further ahead or back than any contract is billed.",
    "Bill a past month, the present one, or the next one for contracts that are billed in advance.",
)
SITES_UNKNOWN = ErrorKind(
    "SITES_UNKNOWN",
    2303,
    422,
    "Some of the sites have no contract here.",
    "Check the site numbers, leading zeros included, or import their contracts first.",
)
NO_CONTRACTS = ErrorKind(
    "NO_CONTRACTS",
    3301,
    422,
    "The run would have no contract to bill.",
    "Import contracts, or widen the filter.",
)
DRY_RUN_NOT_SUPPORTED = ErrorKind(
    "DRY_RUN_NOT_SUPPORTED",
    3302,
    422,
    "This version cannot compute a run without writing it.",
    'Leave out "dryRun", or send false.',
)
RUN_NOT_FOUND = ErrorKind(
    "RUN_NOT_FOUND", 2304, 404, "There is no such run.", "Take the id from the answer of POST /statement-runs."
)
STATEMENT_NOT_FOUND = ErrorKind(
    "STATEMENT_NOT_FOUND", 2305, 404, "There is no such statement.", "Take the id from GET /statements."
)
DOCUMENT_NOT_READY = ErrorKind(
    "DOCUMENT_NOT_READY",
    4301,
    409,
    "The statement's PDF is still being drawn.",
    "Try again in a few seconds.",
    retryable=True,
)

CURSOR_INVALID = ErrorKind(
    "CURSOR_INVALID",
    2306,
    400,
    "The cursor is not one that a list gave.",
    'Send "nextCursor" of the page before as it is, or leave the cursor out for the first page.',
)

RUN_REQUEST_INVALID = ErrorKind(
    "RUN_REQUEST_INVALID",
    2307,
    400,
    "The body does not describe a statement run.",
    'Send {"period": "2026-10"}, with "siteNumbers" as texts to narrow it.',
)

FILTER_INVALID = ErrorKind(
    "FILTER_INVALID", 2308, 422, "A list is filtered by a value that there is not.", "Use one of the values named."
)

KINDS = (
    FILTER_INVALID,
    RUN_REQUEST_INVALID,
    CURSOR_INVALID,
    PERIOD_INVALID,
    PERIOD_UNKNOWN,
    SITES_UNKNOWN,
    NO_CONTRACTS,
    DRY_RUN_NOT_SUPPORTED,
    RUN_NOT_FOUND,
    STATEMENT_NOT_FOUND,
    DOCUMENT_NOT_READY,
)
