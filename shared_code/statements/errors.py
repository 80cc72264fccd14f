"""What a caller of runs and statements may be refused, and what helps."""

from dataclasses import replace

from shared_code.foundation import calendar
from shared_code.foundation.errors import ErrorKind

# The same mistake with the same code; a body whose form is right breaks a rule, so its status is another.
PERIOD_INVALID = replace(calendar.PERIOD_INVALID, status=422)
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
    "Import contracts or widen the filter; those in arrears are billed from the last day of the month on.",
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
LINE_NOT_FOUND = ErrorKind(
    "LINE_NOT_FOUND", 2310, 404, "There is no such line.", "Take the id from GET /statements/{id}."
)
FACT_NOT_FOUND = ErrorKind(
    "FACT_NOT_FOUND",
    2311,
    404,
    "The line has no such fact.",
    "Take the number from the facts of GET /lines/{id}/explanation.",
)
DOCUMENT_NOT_READY = ErrorKind(
    "DOCUMENT_NOT_READY",
    4301,
    409,
    "The statement's PDF is still being drawn.",
    "Try again in a few seconds.",
    retryable=True,
)

KINDS = (
    PERIOD_UNKNOWN,
    SITES_UNKNOWN,
    NO_CONTRACTS,
    DRY_RUN_NOT_SUPPORTED,
    RUN_NOT_FOUND,
    STATEMENT_NOT_FOUND,
    LINE_NOT_FOUND,
    FACT_NOT_FOUND,
    DOCUMENT_NOT_READY,
)
