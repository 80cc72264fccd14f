"""Refusals of contract documents: 2100-2199 the document cannot be read, 3000-3099 it breaks a rule (http-api)."""

from shared_code.foundation.errors import ErrorKind

CONTRACT_UNREADABLE = ErrorKind(
    "CONTRACT_UNREADABLE",
    2100,
    400,
    "The contract file is not a readable JSON document.",
    "Open the file at the line given, correct or export it again, and send it as UTF-8 without BOM.",
)
CONTRACT_DUPLICATE_KEY = ErrorKind(
    "CONTRACT_DUPLICATE_KEY",
    2101,
    400,
    "The contract file states the same field twice, so it is unclear which one counts.",
    "Remove one of the two fields at each place listed.",
)
CONTRACT_FIELD_INVALID = ErrorKind(
    "CONTRACT_FIELD_INVALID",
    2102,
    400,
    "Fields of the contract are missing, unknown, or hold a value of the wrong kind.",
    "Correct each place listed; GET /openapi.json describes every field.",
)
CONTRACT_SITE_MISMATCH = ErrorKind(
    "CONTRACT_SITE_MISMATCH",
    2103,
    400,
    "The site number of the file name, the address or the document differ.",
    "Check which site the contract belongs to, and rename the file or correct the site number.",
)
CONTRACT_FLATTENED_MISMATCH = ErrorKind(
    "CONTRACT_FLATTENED_MISMATCH",
    2104,
    400,
    "The copy of the contract inside the legacy file differs from the contract: the file was edited by hand.",
    "Export the contract again; what is to change is changed in the contract, never in the copy alone.",
)
CONTRACT_NOT_FOUND = ErrorKind(
    "CONTRACT_NOT_FOUND",
    2110,
    404,
    "The site has no contract, or the caller may not see it.",
    "Check the site number, leading zeros included, or import the site's contract.",
)

CONTRACT_OTHER = ErrorKind(
    "CONTRACT_OTHER",
    4101,
    409,
    "The site has a contract with another id; saving this one beside it would bill the site twice.",
    "Send the id of the site's contract to change it. For a second contract of the site send ?additional=true.",
)
CONTRACT_CHANGED = ErrorKind(
    "CONTRACT_CHANGED",
    4102,
    412,
    "The contract was changed since it was read.",
    "Read it again, repeat the change and send its new ETag as If-Match.",
)
_RULES: tuple[tuple[str, int, str, str], ...] = (
    (
        "GROUP_UNKNOWN",
        3012,
        "A part of the contract points to an invoice group that does not exist.",
        "Add the invoice group or move the part to an existing one.",
    ),
    (
        "GROUP_TOO_HIGH",
        3013,
        "An invoice group number is above 99 and does not fit into an invoice number.",
        "Number the groups from 1 to 99.",
    ),
    (
        "GROUP_REPEATED",
        3014,
        "Two invoice groups have the same number.",
        "Give each invoice group its own number.",
    ),
    (
        "SECOND_ROW",
        3020,
        "A block that bills a site total has more than one row.",
        "Keep one row of the block.",
    ),
    (
        "COMPONENT_REPEATED",
        3021,
        "The document holds the same component twice.",
        "Merge the two components into one.",
    ),
    (
        "TIERS_INVALID",
        3022,
        "Tiers are out of order, missing or outside 0 to 100 percent.",
        "List tiers by rising bound, the unbounded one last, with shares from 0 to 100 percent.",
    ),
    (
        "CODES_OVERLAP",
        3023,
        "Two revenue-share structures claim the same revenue code.",
        "Leave each revenue code in one structure.",
    ),
    (
        "VALIDATION_DIFFERS",
        3024,
        "A second structure states another validation rule; validations are charged once, by the first.",
        "Give the second structure no validation rule or the same as the first.",
    ),
    (
        "PERCENT_RANGE",
        3025,
        "A percentage is above 100.",
        "Enter a percentage from 0 to 100.",
    ),
    (
        "JOB_CODE_REPEATED",
        3026,
        "Two hourly rates of the same days have the same job code, so hours would be billed twice.",
        "Keep one rate per job code and date.",
    ),
    (
        "DATES_REVERSED",
        3027,
        "A start lies after its end.",
        "Correct the start or the end.",
    ),
    (
        "ADVANCED_WITH_FACTS",
        3028,
        "A contract billed in advance has a block that needs facts of the month, which do not exist yet.",
        "Bill in arrears, or keep only fixed fees, advances and fixed management items.",
    ),
    (
        "NULL_NUMBER",
        3030,
        "A number that billing needs is missing.",
        "Enter the number.",
    ),
    (
        "CAP_ZERO",
        3031,
        "An annual claims cap is 0.",
        "Enter the cap, or leave it empty for no cap.",
    ),
    (
        "NO_JOBS",
        3032,
        "A management fee by labor hour lists no jobs.",
        "Add the job codes and their rates.",
    ),
    (
        "ACCOUNTS_OFF",
        3033,
        "Insurance or claims rest on billable accounts, and the account block is off.",
        "Switch the account block on, or the insurance or claims off.",
    ),
    (
        "SITE_NUMBER_INVALID",
        3036,
        "A site number is not written as one.",
        "Write 4 to 10 digits, capital letters or hyphens, leading zeros included.",
    ),
    (
        "CODE_MISSING",
        3035,
        "A GL code or the revenue codes that billing needs are missing.",
        "Enter the code.",
    ),
    (
        "GROUP_TITLE",
        3042,
        "An invoice group has no title, or a longer one than invoices can print.",
        "Give each invoice group a title of at most 100 characters.",
    ),
    (
        "GL_CODE_UNKNOWN",
        3043,
        "A fee is posted to a GL code that is not configured.",
        "Choose a configured GL code, or have the code added to the configuration.",
    ),
    (
        "JOB_CODE_UNKNOWN",
        3044,
        "An hourly rate names a job code that is not configured.",
        "Choose a configured job code, or have the code added to the configuration.",
    ),
    (
        "REVENUE_CODE_UNKNOWN",
        3045,
        "A revenue-share structure claims a revenue code that does not exist.",
        "Choose among the revenue codes, for example SD1, VM2, OR1 or ADJ.",
    ),
    (
        "ACCOUNT_UNKNOWN",
        3046,
        "An account list names an account that is not in the chart of accounts.",
        "Choose accounts of the chart, or have the account added to the configuration.",
    ),
    (
        "ID_REPEATED",
        3047,
        "Two rows of the contract have the same id, so an escalator or a change could mean either.",
        "Give each row an id of its own.",
    ),
    (
        "NOTHING_ENABLED",
        3048,
        "No component of the contract is switched on.",
        "Switch on at least one component, or end the contract by its end date.",
    ),
    (
        "ROWS_MISSING",
        3049,
        "Fixed fees or hourly rates are switched on and have no rows.",
        "Add a row, or switch the component off.",
    ),
    (
        "UNKNOWN_VALUE",
        3034,
        "A choice holds a value that is not known and was kept aside at import.",
        "Choose a known value.",
    ),
)

# Reason codes of findings (rules R61) and the refusal that each becomes when a contract is saved.
RULE_KINDS: dict[str, ErrorKind] = {
    reason: ErrorKind(f"CONTRACT_{reason}", number, 422, meaning, cure) for reason, number, meaning, cure in _RULES
}

KINDS: tuple[ErrorKind, ...] = (
    CONTRACT_UNREADABLE,
    CONTRACT_DUPLICATE_KEY,
    CONTRACT_FIELD_INVALID,
    CONTRACT_SITE_MISMATCH,
    CONTRACT_FLATTENED_MISMATCH,
    CONTRACT_NOT_FOUND,
    CONTRACT_OTHER,
    CONTRACT_CHANGED,
    *RULE_KINDS.values(),
)
