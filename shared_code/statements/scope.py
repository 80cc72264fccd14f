"""What a run is asked for: a period, and a scope that is everything unless something narrows it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shared_code.contracts.schema.contract import BillingType
from shared_code.foundation import clock
from shared_code.foundation.calendar import Period, read_period
from shared_code.foundation.errors import BillingError, Detail
from shared_code.foundation.settings import settings
from shared_code.statements import errors

RunKind = Literal["Generate", "Regenerate", "DryRun"]
_MONTHS_AHEAD = 2  # an advanced contract is billed in the month before its period
_MONTHS_BACK = 120  # statements are kept for ten years (rules R37)


@dataclass(frozen=True, slots=True)
class RunCommand:
    """A wish to bill: a period, and a scope that is everything unless sites, components or a contract narrow it.

    `version`: what a regeneration is to make; once that was sent, a next version is another wish. `dry_run` computes
    without writing. `occasion` makes a wish another one than an equal one before: the generation that a statement is
    made anew for.
    """

    period: str
    requested_by: str
    correlation_id: str
    site_numbers: tuple[str, ...] = ()
    contract_types: tuple[str, ...] = ()
    source: str = "manual"
    dry_run: bool = False
    billing_type: BillingType | None = None  # scheduled runs only; None for both
    contract_id: str | None = None
    regenerate: bool = False
    version: int | None = None
    occasion: str = ""

    @property
    def kind(self) -> RunKind:
        if self.regenerate:
            return "Regenerate"
        return "DryRun" if self.dry_run else "Generate"

    @property
    def scope(self) -> str:
        """What narrows it, as JSON; the same wish gives the same text."""
        narrowed: dict[str, object] = {}
        if self.site_numbers:
            narrowed["siteNumbers"] = sorted(set(self.site_numbers))
        if self.contract_types:
            narrowed["contractTypes"] = sorted(set(self.contract_types))
        if self.billing_type:
            narrowed["billingType"] = self.billing_type
        if self.contract_id:
            narrowed["contractId"] = self.contract_id
        if self.version:
            narrowed["version"] = self.version
        return json.dumps(narrowed)

    def natural_key(self, period: Period) -> str:
        """Period, scope and source. A run before the period is over bills contracts in advance only: it is another."""
        part = "all" if self.scope == "{}" else clock.fingerprint(self.scope.encode())
        ahead = "" if is_over(period) else "|ahead"
        occasion = f"|{self.occasion}" if self.occasion else ""
        return f"{period}|{part}|{self.source}{ahead}{occasion}{'|dry' if self.dry_run else ''}"


def billable_periods() -> tuple[Period, Period]:
    """The first and the last month that may be billed today."""
    today = Period.of(clock.today(settings().business_time_zone))
    return today.plus(-_MONTHS_BACK), today.plus(_MONTHS_AHEAD)


def billed_period(text: str) -> Period:
    """A month that may be billed today. Raises PERIOD_INVALID, PERIOD_UNKNOWN."""
    period = read_period(text, kind=errors.PERIOD_INVALID)
    earliest, latest = billable_periods()
    if not earliest <= period <= latest:
        message = f"{period} cannot be billed today; the periods from {earliest} to {latest} can"
        raise BillingError(errors.PERIOD_UNKNOWN, message, [Detail("period", message)])
    return period


def is_over(period: Period) -> bool:
    """Whether the last day of the period has come: before, contracts in arrears are not billed (decision 0009)."""
    return period.last_day <= clock.today(settings().business_time_zone)


def chosen(contracts: Sequence[Any], command: RunCommand, period: Period) -> list[Any]:
    """The contracts that a wish is about. Raises SITES_UNKNOWN, NO_CONTRACTS."""
    known = {row.site_number for row in contracts}
    unknown = sorted(set(command.site_numbers) - known)
    if unknown:
        details = [Detail("siteNumbers", f"site {number} has no contract for this period") for number in unknown]
        raise BillingError(errors.SITES_UNKNOWN, f"no contract for {len(unknown)} of the sites", details)
    over, wanted = is_over(period), frozenset(command.site_numbers)
    found = [
        row
        for row in contracts
        if (not wanted or row.site_number in wanted)
        and (command.contract_id or row.contract_id) == row.contract_id
        and (not command.contract_types or set(command.contract_types) & set(row.components.split(",")))
        and (command.billing_type or row.billing_type) == row.billing_type
        and (over or row.billing_type == "Advanced")
    ]
    if not found:
        waiting = "" if over else f"; contracts in arrears wait until {period.last_day}"
        raise BillingError(errors.NO_CONTRACTS, f"no contract is in force for this period and scope{waiting}")
    return found
