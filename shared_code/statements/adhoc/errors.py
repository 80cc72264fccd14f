"""What somebody who adds or removes a line may be refused, and what helps."""

from shared_code.foundation.errors import ErrorKind

LINE_NOT_FOUND = ErrorKind(
    "AD_HOC_LINE_NOT_FOUND",
    2322,
    404,
    "The statement has no such ad-hoc line; it may have been removed.",
    "Take the id from GET /invoices/{number}/ad-hoc-lines.",
)
AMOUNT_INVALID = ErrorKind(
    "AD_HOC_AMOUNT_INVALID",
    3321,
    422,
    "The amount is not one that this type of line takes.",
    "Enter expenses as they were paid, above 0.00; only a miscellaneous line may be negative, and none is 0.00.",
)
CODE_INVALID = ErrorKind(
    "AD_HOC_CODE_INVALID",
    3322,
    422,
    "An expense that the client paid stands on an expense account.",
    "Send the account of the expense as code, 7000 to 7999.",
)
GROUP_UNKNOWN = ErrorKind(
    "AD_HOC_GROUP_UNKNOWN",
    3323,
    422,
    "The contract has no invoice group of this number.",
    "Name one of the groups that the message lists, or leave group out for the group of the invoice.",
)
NO_PROFIT_SHARE = ErrorKind(
    "AD_HOC_NO_PROFIT_SHARE",
    3324,
    422,
    "An expense that is not billable lowers the profit that is shared, and this contract shares none.",
    "Leave it out, or enter it as a client-paid expense or as a negative miscellaneous line if the client is credited.",
)
REIMBURSABLE_TWICE = ErrorKind(
    "AD_HOC_REIMBURSABLE_TWICE",
    4321,
    409,
    "The invoice has a reimbursable expense, and there is one per invoice.",
    "Remove the one that is there and enter the sum of both, with both named in the description.",
)
STATEMENT_SENT = ErrorKind(
    "AD_HOC_STATEMENT_SENT",
    4322,
    409,
    "The statement was sent, so it does not change any more.",
    "Make the statement anew, and add or remove the line on the version that follows.",
)

KINDS = (
    LINE_NOT_FOUND,
    AMOUNT_INVALID,
    CODE_INVALID,
    GROUP_UNKNOWN,
    NO_PROFIT_SHARE,
    REIMBURSABLE_TWICE,
    STATEMENT_SENT,
)
