"""Parameters that the routes of contracts share: which contract, and what is said of the version that they write."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from functions.call import Call
from functions.declarations import Query
from shared_code.foundation.calendar import read_period

if TYPE_CHECKING:
    from shared_code.contracts.saving import Saving

CONTRACT = Query("contractId", "which contract, where the site has several")
EFFECTIVE = Query(
    "effectiveFrom", "the first day that the version serves; no month that is billed may be among its", kind="date"
)
RATES_AS_OF = Query("ratesAsOf", "the month that new and changed rates are stated for", kind="period")


def saving_of(call: Call, reason: str, if_match: str | None, *, additional: bool = False) -> Saving:
    """Who saves and why, and what the parameters say of the version."""
    from shared_code.contracts.saving import Saving

    day, month = call.query(EFFECTIVE.name), call.query(RATES_AS_OF.name)
    return Saving(
        call.caller.name,
        reason,
        if_match,
        additional,
        date.fromisoformat(day) if day else None,
        read_period(month, RATES_AS_OF.name) if month else None,
    )
