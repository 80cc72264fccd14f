"""What happened at a site, as calculators read it: monthly sums per predicate, and how complete they are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from shared_code.foundation.calendar import Period

REVENUE = "revenue_daily"
STATISTICS = "site_statistics"
TIMESHEET = "timesheet"
ACCOUNTS = "account_summary"
FORECAST = "forecast"

OCCUPIED_ROOMS = "OCCUPIED ROOMS"  # category of `site_statistics`, upper-cased at ingestion (rules R46)


@dataclass(frozen=True, slots=True)
class FactSum:
    """A sum over source rows, with their number and the batch that carries them."""

    amount: Decimal
    rows: int
    batch: str


@dataclass(frozen=True, slots=True)
class RoleHours:
    """Hours of one work role in the month, rounded per time-sheet row at import (rules R15)."""

    regular: Decimal
    overtime: Decimal
    rows: int
    batch: str


@dataclass(frozen=True, slots=True)
class Presence:
    """What is loaded of one dataset for one site and month. `reaches` is the last day that the whole file covers."""

    batch: str
    rows: int
    rejected: int
    first_day: date | None
    last_day: date | None
    longest_gap: int
    reaches: date | None


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """The facts of one site for one service period, to-date months included.

    `revenue[period][code]` is net external revenue that shares are taken of: deposit flag not V, category not
    Per Man Hour (billing-flows A.1). `hours[role]` and `rooms` are of the service period alone. Codes and roles are
    upper case (rules R46). Empty mappings mean that nothing was found, which `presence` tells from a true zero.
    """

    site: str
    period: Period
    started: date | None = None
    revenue: Mapping[Period, Mapping[str, FactSum]] = field(default_factory=dict)
    rooms: FactSum | None = None
    hours: Mapping[str, RoleHours] = field(default_factory=dict)
    presence: Mapping[tuple[str, Period], Presence] = field(default_factory=dict)

    def revenue_of(self, period: Period, codes: Iterable[str]) -> FactSum:
        """Shareable revenue of `codes` in `period`; zero rows give zero."""
        by_code = self.revenue.get(period, {})
        found = [by_code[code] for code in codes if code in by_code]
        return FactSum(
            sum((f.amount for f in found), Decimal(0)),
            sum(f.rows for f in found),
            found[0].batch if found else "",
        )
