"""Comparison to forecast (billing-flows 8): what the month brought against what was expected. Pure, and never fails.

Rules R25 and R51 decide when a person has to look: a deviation above the contract's limits, no forecast, no ledger.
Contracts billed in advance are not compared (rules R50): their period lies ahead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal, Protocol

from shared_code.billing.context import LedgerAccounts
from shared_code.facts.model import ACCOUNTS, SiteFacts
from shared_code.foundation.money import HUNDRED, NOTHING
from shared_code.foundation.values import value_class

Why = Literal["NO_FORECAST", "NO_LEDGER", "DEVIATION"]

_LEDGER = LedgerAccounts()


class Charged(Protocol):
    """A line of an invoice, about to be printed or stored."""

    @property
    def code(self) -> str: ...
    @property
    def amount(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class DeviationLimits:
    """The limits of a contract in dollars and percent; 0 and None both mean no limit (rules R51).

    `combined`: whether all limits that there are must be exceeded, or any (a setting). `forecast_expected`: whether a
    month without forecast goes to a person (a setting).
    """

    amount: Decimal | None = None
    percent: Decimal | None = None
    combined: Literal["AND", "OR"] = "AND"
    forecast_expected: bool = True

    def exceeded(self, amount: Decimal, percent: Decimal) -> bool:
        """Whether exact deviations are above the limits, strictly. Without any limit nothing is."""
        pairs = ((amount, self.amount), (percent, self.percent))
        above = [found > limit for found, limit in pairs if limit]
        return bool(above) and (all(above) if self.combined == "AND" else any(above))


@value_class
class Comparison:
    """The month's revenue, posted and invoiced, against its forecast; exact figures, revenue positive.

    `forecast` is None where none is loaded. Percent is of the forecast, and 0 where that is none or 0. `why` says why a
    person should approve the statement; empty means that nobody has to. `forecast_loaded`: when it was loaded, as text.
    """

    posted: Decimal
    invoiced: Decimal
    forecast: Decimal | None
    deviation_amount: Decimal
    deviation_percent: Decimal
    why: tuple[Why, ...]
    forecast_loaded: str | None = None

    @property
    def actual(self) -> Decimal:
        return self.posted + self.invoiced


def compare(
    lines: Iterable[Charged], facts: SiteFacts, limits: DeviationLimits, ledger: LedgerAccounts = _LEDGER
) -> Comparison:
    """Compare the lines of a whole statement and the ledger of its month with the forecast of the site.

    Deviations are |forecast - actual|, in dollars and in percent of the forecast (billing-flows 8).
    """
    forecast = -facts.forecast.amount if facts.forecast is not None else None
    month = Comparison(_posted(facts, ledger), NOTHING, forecast, NOTHING, NOTHING, (), facts.forecast_loaded)
    return _with_lines(month, lines, limits, ledger, _ledger_loaded(facts))


def compare_again(
    found: Comparison, lines: Iterable[Charged], limits: DeviationLimits, ledger: LedgerAccounts = _LEDGER
) -> Comparison:
    """The same month with other lines: what was posted and forecast stays as it was found (requirements ADH-07)."""
    return _with_lines(found, lines, limits, ledger, "NO_LEDGER" not in found.why)


def _with_lines(
    month: Comparison, lines: Iterable[Charged], limits: DeviationLimits, ledger: LedgerAccounts, ledger_known: bool
) -> Comparison:
    invoiced = _invoiced(lines, ledger)
    expected = month.forecast if month.forecast is not None else NOTHING
    amount = abs(expected - month.posted - invoiced)
    percent = abs(amount / expected * HUNDRED) if expected else NOTHING
    # A forecast that sums to 0 is none: no percentage can be taken of it. What is not known may not be 0.
    something = month.posted + invoiced != 0 or not ledger_known
    why: list[Why] = ["NO_FORECAST"] if not month.forecast and limits.forecast_expected and something else []
    if not ledger_known:
        why.append("NO_LEDGER")
    elif limits.exceeded(amount, percent):
        why.append("DEVIATION")
    return Comparison(month.posted, invoiced, month.forecast, amount, percent, tuple(why), month.forecast_loaded)


def _ledger_loaded(facts: SiteFacts) -> bool:
    presence = facts.presence.get((ACCOUNTS, facts.period))
    return presence is not None and presence.rows > 0


def _posted(facts: SiteFacts, ledger: LedgerAccounts) -> Decimal:
    """Revenue accounts of the month, compared as text; the ledger has revenue negative (billing-flows 8).

    Excluded entities are left out (rules R17).
    """
    booked = facts.accounts.get(facts.period, {})
    first, last = ledger.revenue_from, ledger.revenue_through
    return -sum([found.amount for account, found in booked.items() if first <= account <= last], Decimal(0))


def _invoiced(lines: Iterable[Charged], ledger: LedgerAccounts) -> Decimal:
    """The lines on revenue accounts, compared as numbers. A code that is no number is on none (B22)."""
    first, last = int(ledger.revenue_from), int(ledger.revenue_through)
    return sum([line.amount for line in lines if first <= _number(line.code) <= last], Decimal(0))


@lru_cache(maxsize=1024)
def _number(code: str) -> int:
    text = code.strip()
    return int(text) if text.isascii() and text.isdigit() else 0
