"""What people may add: types, signs, accounts and groups (rules R18, R52, R53; requirements ADH-01, ADH-05). Pure.

| type                | entered       | stored   | account                          |
|---------------------|---------------|----------|----------------------------------|
| miscellaneous       | not 0.00      | the same | as entered, else 4790            |
| reimbursableExpense | above 0.00    | the same | as entered, else 4792            |
| clientPaidExpense   | above 0.00    | negative | 7000 to 7999, and it must be entered |
| nonBillableExpense  | above 0.00    | negative | as entered, else none            |

The accounts that are not entered are rows of the configuration table (rules R34) with these defaults.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal

from shared_code.billing.context import GlCodes
from shared_code.billing.model import AdHocLine, AdHocType
from shared_code.foundation.errors import BillingError, Detail, ErrorKind
from shared_code.foundation.money import dollars, to_cents
from shared_code.statements.adhoc import errors
from shared_code.statements.adhoc.requests import AdHocLineRequest

_CREDITED: frozenset[AdHocType] = frozenset({"clientPaidExpense", "nonBillableExpense"})
_FIRST_EXPENSE, _LAST_EXPENSE = "7000", "7999"


def line_of(wish: AdHocLineRequest, line_id: str, group: int, author: str, accounts: GlCodes) -> AdHocLine:
    """The line as it is stored. Raises AD_HOC_AMOUNT_INVALID, AD_HOC_CODE_INVALID."""
    return AdHocLine(
        id=line_id,
        group=group,
        type=wish.type,
        title=wish.title,
        code=_code(wish, accounts),
        description=wish.description,
        amount=_amount(wish.type, wish.amount),
        author=author,
        reason=wish.reason,
    )


def require_fitting(line: AdHocLine, groups: Collection[int], others: Iterable[AdHocLine], *, shared: bool) -> None:
    """Refuse a line that the statement cannot take.

    `groups` are those that it may stand on, `others` the lines that people added before, `shared` says whether a
    profit share is on. Raises AD_HOC_GROUP_UNKNOWN, AD_HOC_NO_PROFIT_SHARE, AD_HOC_REIMBURSABLE_TWICE.
    """
    if line.group not in groups:
        known = ", ".join(str(number) for number in sorted(groups))
        raise _refused(errors.GROUP_UNKNOWN, "group", f"there is no group {line.group}; there is {known}")
    if line.type == "nonBillableExpense" and not shared:
        raise _refused(errors.NO_PROFIT_SHARE, "type", "no profit share of the contract is on")
    if line.type == "reimbursableExpense":
        for other in others:
            if (other.type, other.group) == (line.type, line.group):
                message = (
                    f"{other.title!r} of {dollars(other.amount)} is the reimbursable expense of group {line.group}"
                )
                raise _refused(errors.REIMBURSABLE_TWICE, "type", message)


def _amount(kind: AdHocType, entered: Decimal) -> Decimal:
    if entered == 0 or (entered < 0 and kind != "miscellaneous"):
        wanted = "is not 0.00" if kind == "miscellaneous" else "is above 0.00"
        raise _refused(errors.AMOUNT_INVALID, "amount", f"the amount of a {kind} {wanted}; it is {entered}")
    return to_cents(-entered if kind in _CREDITED else entered)


def _code(wish: AdHocLineRequest, accounts: GlCodes) -> str:
    if wish.type == "clientPaidExpense" and not _FIRST_EXPENSE <= (wish.code or "") <= _LAST_EXPENSE:
        stated = f"{wish.code} is none" if wish.code else "none is stated"
        message = f"the account of a client-paid expense is one of {_FIRST_EXPENSE} to {_LAST_EXPENSE}; {stated}"
        raise _refused(errors.CODE_INVALID, "code", message)
    if wish.code:
        return wish.code
    return {"miscellaneous": accounts.miscellaneous, "reimbursableExpense": accounts.reimbursable_expense}.get(
        wish.type, ""
    )


def _refused(kind: ErrorKind, field: str, message: str) -> BillingError:
    return BillingError(kind, message, [Detail(field, message)])
