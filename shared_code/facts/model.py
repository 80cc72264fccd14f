"""What happened at a site, as calculators read it: monthly sums per predicate, and how complete they are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import date
from decimal import Decimal

from shared_code.facts.predicates import RevenuePredicate
from shared_code.foundation.calendar import Period
from shared_code.foundation.money import NOTHING
from shared_code.foundation.values import value_class

REVENUE = "revenue_daily"
STATISTICS = "site_statistics"
TIMESHEET = "timesheet"
ACCOUNTS = "account_summary"
FORECAST = "forecast"

FORECAST_CATEGORY = "INTERNAL REVENUE"  # of `forecast`: what the month is expected to bring
OCCUPIED_ROOMS = "OCCUPIED ROOMS"  # category of `site_statistics`, upper-cased at ingestion (rules R46)


@value_class
class FactSum:
    """A sum over source rows, with their number and the batch that carries them."""

    amount: Decimal
    rows: int
    batch: str


@value_class
class Booked:
    """Those accounts of a selection that have rows, with their balances, and their sum; zero rows give zero."""

    balances: Mapping[str, Decimal]
    found: FactSum


@value_class
class RoleHours:
    """Hours of one work role in the month, rounded per time-sheet row at import, and its minutes as they were (R15)."""

    regular: Decimal
    overtime: Decimal
    rows: int
    batch: str
    regular_minutes: Decimal = Decimal(0)
    overtime_minutes: Decimal = Decimal(0)


@value_class
class Presence:
    """What is loaded of one dataset for one site and month. `reaches` is the last day that the whole file covers."""

    batch: str
    rows: int
    rejected: int
    first_day: date | None
    last_day: date | None
    longest_gap: int
    reaches: date | None


@value_class
class SiteFacts:
    """The facts of one site for one service period, to-date months included.

    `revenue[period][code]` is net external revenue that shares are taken of: deposit flag not V, category not
    Per Man Hour (billing-flows A.1). `accounts[period][account]` is the ledger balance without the excluded entities
    (rules R17), costs positive. `measures` are sums of the service period by the name of their predicate, and
    `hours[role]`, `rooms` and `forecast` are of it too. `stray_bell` is bell service of the month under codes that the
    revenue share keeps (rules R57). `excluded_entities` and `room_value_types` are what the sums were taken with.
    Codes and roles are upper case (rules R46). Empty mappings mean that nothing was found, which `presence` tells from
    a true zero.
    """

    site: str
    period: Period
    started: date | None = None
    revenue: Mapping[Period, Mapping[str, FactSum]] = field(default_factory=dict)
    rooms: FactSum | None = None
    hours: Mapping[str, RoleHours] = field(default_factory=dict)
    measures: Mapping[str, FactSum] = field(default_factory=dict)
    stray_bell: FactSum | None = None
    accounts: Mapping[Period, Mapping[str, FactSum]] = field(default_factory=dict)
    forecast: FactSum | None = None
    forecast_loaded: str | None = None
    excluded_entities: tuple[str, ...] = ()
    room_value_types: tuple[str, ...] = ()
    presence: Mapping[tuple[str, Period], Presence] = field(default_factory=dict)

    def revenue_of(self, period: Period, codes: Iterable[str]) -> FactSum:
        """Shareable revenue of `codes` in `period`; zero rows give zero."""
        by_code = self.revenue.get(period, {})
        return _sum_of([by_code[code] for code in codes if code in by_code])

    def all_revenue(self) -> FactSum:
        """Shareable revenue of the service period, whatever its code."""
        return _sum_of(self.revenue.get(self.period, {}).values())

    def measure(self, predicate: RevenuePredicate) -> FactSum:
        """The sum of a predicate over the service period; zero rows give zero."""
        return self.measures.get(predicate.name, NO_ROWS)

    def booked(self, period: Period, accounts: Iterable[str]) -> Booked:
        """The ledger balances of `accounts` in `period`, each counted once."""
        by_account = self.accounts.get(period, {})
        balances: dict[str, Decimal] = {}
        rows, batch = 0, ""
        for code in accounts:
            if code in by_account and code not in balances:
                one = by_account[code]
                balances[code] = one.amount
                rows += one.rows
                batch = batch or one.batch
        return Booked(balances, FactSum(sum(balances.values(), NOTHING), rows, batch))


NO_ROWS = FactSum(NOTHING, 0, "")


def _sum_of(found: Iterable[FactSum]) -> FactSum:
    # A plain loop: this runs several times for every contract of a month.
    amount, rows, batch = NOTHING, 0, ""
    for one in found:
        amount += one.amount
        rows += one.rows
        batch = batch or one.batch
    return FactSum(amount, rows, batch)
