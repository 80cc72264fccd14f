"""Invoice numbers and dates (rules R27, R28; billing-flows 5.4)."""

from __future__ import annotations

from datetime import date

from shared_code.billing.model import Reason
from shared_code.foundation.calendar import Period


def invoice_number(site: str, period: Period, *, advanced: bool, group: int, version: int) -> str:
    """`{site}-{yyyyMM}-{group:02}-{version:02}`; an advanced contract's month is the one before, of issue."""
    month = period.previous if advanced else period
    return f"{site}-{month.compact}-{group:02d}-{version:02d}"


def invoice_date(period: Period, *, advanced: bool) -> date:
    """Arrears: the last day of the period. Advanced: the first day of the month before it."""
    return period.previous.first_day if advanced else period.last_day


def number_taken(number: str, contract: str, site: str, owner: str, owner_site: str) -> Reason:
    """Why a contract cannot have a number: both contracts are named (rules R27)."""
    whose, other = f"contract {contract} (site {site})", f"contract {owner} (site {owner_site})"
    return Reason("NUMBER_TAKEN", f"invoice number {number} of {whose} is taken by {other}")
