"""Why an item of a run was not billed, or was billed with a remark: every reason code with its meaning and its cure."""

from __future__ import annotations

from shared_code.access.roles import Role
from shared_code.contracts.errors import RULE_KINDS
from shared_code.foundation.errors import ErrorKind
from shared_code.periods.errors import PERIOD_CLOSED

# Code, the role that can help, what it means, and what helps. New ones go to the end: their numbers count.
_REASONS: tuple[tuple[str, Role, str, str], ...] = (
    (
        "COMPONENT_NOT_SUPPORTED",
        "billingAdmin",
        "The contract has a block which this version cannot compute.",
        "Bill this contract where it is billed today; nothing of it is billed here in part.",
    ),
    (
        "MISSING_FACTS",
        "billingAdmin",
        "A dataset that the contract needs has no row of the site in this month.",
        "Drop the file that the message names, then retry the run.",
    ),
    (
        "INCOMPLETE_FACTS",
        "billingAdmin",
        "Daily rows of the site stop, pause for too long, or the file does not reach the end of the month.",
        "Drop the complete file, then retry the run.",
    ),
    (
        "REJECTED_ROWS",
        "billingAdmin",
        "Rows of the site were rejected in a dataset that the contract needs.",
        "Correct the rows that the import report lists, drop the file again, then retry the run.",
    ),
    (
        "MISSING_HISTORY",
        "billingAdmin",
        "Tiers accumulate over a window, and a month of it was never loaded.",
        "Drop the files of the earlier months that the message names, then retry the run.",
    ),
    (
        "ANCHOR_MISSING",
        "contractAdmin",
        "An anniversary window has no date on or before the period to start from.",
        "Enter the contract's anchor date, or correct the site's start in the site master; then retry the run.",
    ),
    (
        "SITE_UNKNOWN",
        "billingAdmin",
        "The site is not in the site master.",
        "Drop a site master that lists it, then retry the run.",
    ),
    (
        "PERIOD_NOT_OVER",
        "billingAdmin",
        "The contract is billed in arrears and the month is not over.",
        "Retry the run on the last day of the month or later.",
    ),
    (
        "NUMBER_TAKEN",
        "contractAdmin",
        "An invoice number is taken by another contract or group of the site.",
        "Give the contracts of the site different invoice groups, then retry the run.",
    ),
    (
        "AMOUNT_OUT_OF_RANGE",
        "billingManager",
        "The total is beyond what any month can come to.",
        "Look at the facts and the rates of the site; correct them, then retry the run.",
    ),
    (
        "CALCULATION_FAULT",
        "systemAdmin",
        "The calculation met something that nobody foresaw.",
        "Report the run and the contract; the log has the trace.",
    ),
    (
        "ALREADY_GENERATED",
        "billingAdmin",
        "Another run has billed this contract and period.",
        "Nothing is to be done; the statement of the other run stands.",
    ),
    (
        "NOT_IN_FORCE",
        "contractAdmin",
        "The contract is not in force in this period.",
        "Nothing, unless its start or end is wrong.",
    ),
    ("NOTHING_TO_BILL", "billingAdmin", "Every line came to 0.00.", "Nothing, unless the month was not that quiet."),
    (
        "RATE_BEFORE_BASE",
        "contractAdmin",
        "The period lies before the month that the contract's rates are stated for; the stated rates were billed.",
        "Compare the rates with those that were agreed for that month.",
    ),
    (
        "NO_COMPARISON",
        "billingManager",
        "The statement has not been compared with its forecast, so a person approves it.",
        "Look at the statement.",
    ),
    (
        "ESCALATOR_INVALID",
        "contractAdmin",
        "An approved escalator of the contract cannot be followed, so its rates are not known.",
        "Correct the escalator that the message names, or reject it; then retry the run.",
    ),
    (
        "INDEX_MISSING",
        "contractAdmin",
        "An escalator follows an index that has no value for a year; the rate was not raised in that year.",
        "Enter the index value, then look whether the statement has to be made anew.",
    ),
    (
        "PERCENT_CAPPED",
        "contractAdmin",
        "An escalated percentage would pass 100; it ends there.",
        "Compare the escalator with the agreement.",
    ),
    (
        "NO_FORECAST",
        "billingManager",
        "The month has no forecast to compare the statement with, so a person approves it.",
        "Load the forecast of the month, or look at the statement and approve it.",
    ),
    (
        "NO_LEDGER",
        "billingManager",
        "The ledger of the month is not loaded, so the statement could not be compared with its forecast.",
        "Load the ledger of the month, or look at the statement and approve it.",
    ),
    (
        "DEVIATION",
        "billingManager",
        "The month deviates from its forecast by more than the contract's limits.",
        "Look at the statement's comparison; approve it when the deviation is explained.",
    ),
    (
        "BELL_UNDER_OTHER_CODES",
        "contractAdmin",
        "Bell service was collected under codes that a revenue share keeps, so it may be billed twice.",
        "Compare the revenue codes of bell service with the setting bellExcludedCodes.",
    ),
    (
        "INVOICE_TOO_LARGE",
        "billingManager",
        "An invoice is beyond the largest amount that goes on unseen.",
        "Look at its lines; make the statement anew once the cause is mended, or release it with a reason.",
    ),
    (
        "CHANGE_TOO_LARGE",
        "billingManager",
        "The total is further away from the contract's usual month than goes on unseen.",
        "Compare it with earlier months; make it anew once the cause is mended, or release it with a reason.",
    ),
    (
        "TOO_MANY_LINES",
        "billingManager",
        "The statement has more lines than go on unseen.",
        "Look at its lines; make the statement anew once the cause is mended, or release it with a reason.",
    ),
    (
        "SITE_COMMENT",
        "billingManager",
        "Somebody at the site said something about the month.",
        "Read the comments of the statement, then approve it or have it made anew.",
    ),
    (
        "RUN_CANCELLED",
        "billingAdmin",
        "The run was cancelled before this contract was begun.",
        "Start another run when the contract is to be billed after all.",
    ),
    (
        "FACTS_CHANGED",
        "billingAdmin",
        "Facts of the statement's month were loaded anew, and would bill otherwise.",
        "Look at the difference; make the statement anew, or release it as it is with a reason.",
    ),
    (
        "TERMS_CHANGED",
        "billingAdmin",
        "The contract was changed, and would bill otherwise.",
        "Look at the difference; make the statement anew, or release it as it is with a reason.",
    ),
    (
        "PROFIT_CHANGED",
        "billingAdmin",
        "A line that was added or removed changes the profit that is shared.",
        "Make the statement anew.",
    ),
    (
        "REVIEW_ASKED",
        "billingManager",
        "Somebody has asked for another look at the statement; the audit has the reason.",
        "Look at the statement, then approve it or have it made anew.",
    ),
    (
        "LINE_REMOVED",
        "billingAdmin",
        "The only line of the statement was removed, so it has nothing left to bill.",
        "Nothing: a run makes the statement anew; look at that run if the statement is still there.",
    ),
    (
        "TRUE_UP",
        "billingManager",
        "Facts or terms of a month have changed after its statement was sent; nothing is billed by itself.",
        "Look at the difference; settle it with a later month, or make the statement anew, which is its next version.",
    ),
)
_FIRST_NUMBER = 3401
# A rule that fails the generation of a contract has another code and cure than the same rule at save: another number.
_RULES_APART = 500

REASONS: dict[str, ErrorKind] = (
    {PERIOD_CLOSED.code: PERIOD_CLOSED}
    | {
        code: ErrorKind(code, number, 422, meaning, cure)
        for number, (code, _, meaning, cure) in enumerate(_REASONS, start=_FIRST_NUMBER)
    }
    | {
        code: ErrorKind(code, kind.number + _RULES_APART, kind.status, kind.meaning, kind.cure)
        for code, kind in RULE_KINDS.items()
    }
)


_OWNERS: dict[str, Role] = {code: role for code, role, *_ in _REASONS}
_OWNERS[PERIOD_CLOSED.code] = "billingManager"


def owner(code: str | None) -> Role | None:
    """The role that can help against a reason; those of contract errors are for whoever keeps the contracts."""
    if code not in REASONS:
        return None
    return _OWNERS.get(code, "contractAdmin")


def cure(code: str | None) -> str | None:
    """What helps against a reason; None for an item without one."""
    kind = REASONS.get(code or "")
    return kind.cure if kind else None
