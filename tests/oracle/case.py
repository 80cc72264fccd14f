"""One contract-month as plain data: what the oracle and the product are both given.

Months are `(year, month)`. Money of facts is in ten-thousandths of a dollar (rules R45), minutes are whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

type Month = tuple[int, int]
UNITS = 10_000


class RevenueRow(NamedTuple):
    """One row of `revenue_daily`; `tax_rate` in millionths."""

    day: date
    code: str
    category: str
    collection_type: str
    flag: str
    net: int
    gross: int
    tax_rate: int
    validation: int


class StatisticsRow(NamedTuple):
    """One row of `site_statistics`."""

    day: date
    category: str
    value: int
    draft: bool


class TimesheetRow(NamedTuple):
    """Minutes of one person on one day."""

    day: date
    role: str
    regular: int
    overtime: int
    holiday: int
    double_time: int


class LedgerRow(NamedTuple):
    """A balance of `account_summary`; costs are positive."""

    month: Month
    account: str
    entity: str
    balance: int


class OpeningRow(NamedTuple):
    """What a window held through the month `as_of`, that month included (rules R39)."""

    as_of: Month
    to_date: int
    high_water_mark: int


class AdHocRow(NamedTuple):
    """A line that a person added; `cents` as it is stored (client-paid and non-billable are negative)."""

    group: int
    type: str
    title: str
    code: str
    cents: int


@dataclass
class Case:
    """A contract document in its JSON form, the month, and everything that happened at the site."""

    contract: dict[str, Any]
    month: Month
    site_start: date | None = None
    revenue: list[RevenueRow] = field(default_factory=list)
    statistics: list[StatisticsRow] = field(default_factory=list)
    timesheet: list[TimesheetRow] = field(default_factory=list)
    ledger: list[LedgerRow] = field(default_factory=list)
    profits: dict[Month, int] = field(default_factory=dict)  # of earlier months, in ten-thousandths
    openings: dict[tuple[str, str], OpeningRow] = field(default_factory=dict)
    adhoc: list[AdHocRow] = field(default_factory=list)


class Printed(NamedTuple):
    """One printed line: what two implementations must agree on."""

    group: int
    title: str
    code: str
    cents: int


@dataclass
class Result:
    """Lines in print order, the exact monthly profit in dollars where the profit share is on, or reasons.

    `reasons` are the codes of which the first reported one must be one (rules R61).
    """

    lines: list[Printed] = field(default_factory=list)
    reasons: set[str] = field(default_factory=set)
    profit: Fraction | None = None
