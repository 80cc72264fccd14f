"""Parameters that the routes of contracts share: which contract, and what is said of the version that they write."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from functions.call import Call
from functions.declarations import Query
from shared_code.foundation.calendar import read_period
from shared_code.foundation.errors import BillingError, Detail
from shared_code.operations.errors import PARAMETER_INVALID

if TYPE_CHECKING:
    from shared_code.contracts.saving import Saving

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 1)
CONTRACT = Query("contractId", "which contract, where the site has several")
EFFECTIVE = Query(
    "effectiveFrom", "the first day that the version serves; no month that is billed may be among its", kind="date"
)
RATES_AS_OF = Query(
    "ratesAsOf",
    "the month that new and changed rates are stated for; with the same document again, all its rates",
    kind="period",
)


def saving_of(call: Call, reason: str, if_match: str | None, *, additional: bool = False) -> Saving:
    """Who saves and why, and what the parameters say of the version."""
    from shared_code.contracts.saving import Saving

    day, month = call.query(EFFECTIVE.name), call.query(RATES_AS_OF.name)
    return Saving(
        call.caller.name,
        reason,
        if_match,
        additional,
        _effective(day) if day else None,
        read_period(month, RATES_AS_OF.name) if month else None,
    )


def _effective(text: str) -> date:
    """A day from which some month can be served; the periods of the app have bounds. Raises PARAMETER_INVALID."""
    day = date.fromisoformat(text)
    if not FIRST_DAY <= day <= LAST_DAY:
        message = f"{EFFECTIVE.name} is a day from {FIRST_DAY} to {LAST_DAY}; got {text!r}"
        raise BillingError(PARAMETER_INVALID, message, [Detail(EFFECTIVE.name, message)])
    return day
