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
RUN_NOT_FOUND = ErrorKind(
    "RUN_NOT_FOUND", 2304, 404, "There is no such run.", "Take the id from the answer of POST /statement-runs."
)
STATEMENT_NOT_FOUND = ErrorKind(
    "STATEMENT_NOT_FOUND", 2305, 404, "There is no such statement.", "Take the id from GET /statements."
)
INVOICE_NOT_FOUND = ErrorKind(
    "INVOICE_NOT_FOUND",
    2321,
    404,
    "No invoice that counts has this number.",
    "Take the number from GET /statements/{id}.",
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
STATEMENT_SUPERSEDED = ErrorKind(
    "STATEMENT_SUPERSEDED",
    4302,
    409,
    "A later generation has taken the place of this statement.",
    "Take the statement of the same site and period from GET /statements.",
)
NOT_A_DRY_RUN = ErrorKind(
    "NOT_A_DRY_RUN",
    2313,
    404,
    "There is no preview of the run: it was none that only shows, and has written statements.",
    "Read them with GET /statements, narrowed by the run.",
)

KINDS = (
    PERIOD_UNKNOWN,
    SITES_UNKNOWN,
    NO_CONTRACTS,
    RUN_NOT_FOUND,
    STATEMENT_NOT_FOUND,
    INVOICE_NOT_FOUND,
    LINE_NOT_FOUND,
    FACT_NOT_FOUND,
    DOCUMENT_NOT_READY,
    STATEMENT_SUPERSEDED,
    NOT_A_DRY_RUN,
)
