"""Sanity limits: what is so unlike the contract's other months that a person looks before anybody sees it. Pure.

A statement that trips one is Held with the reason instead of going on (rules R26, R64). The limits are settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from shared_code.billing.model import Reason
from shared_code.foundation.money import HUNDRED
from shared_code.statements.drafts import StatementDraft

_LEAST_MONTHS = 3  # fewer say nothing about what is usual


@dataclass(frozen=True, slots=True)
class SanityLimits:
    """Largest invoice in dollars, largest change against the median in percent, most lines; 0 is no limit.

    `median_months`: how many earlier months the median is taken of.
    """

    invoice: int = 0
    change_percent: int = 0
    lines: int = 0
    median_months: int = 6


def tripped(draft: StatementDraft, earlier: Sequence[Decimal], limits: SanityLimits) -> tuple[Reason, ...]:
    """Every limit that the statement is beyond. `earlier`: the totals of the months before it, the latest first."""
    found = (_invoice(draft, limits), _change(draft, earlier, limits), _lines(draft, limits))
    return tuple(filter(None, found))


def _invoice(draft: StatementDraft, limits: SanityLimits) -> Reason | None:
    if not limits.invoice or all(abs(one.amount) <= limits.invoice for one in draft.invoices):
        return None
    largest = max(draft.invoices, key=lambda one: abs(one.amount))
    message = f"invoice {largest.number} comes to {largest.amount:,.2f}; the limit is {limits.invoice:,}.00"
    return Reason("INVOICE_TOO_LARGE", message)


def _change(draft: StatementDraft, earlier: Sequence[Decimal], limits: SanityLimits) -> Reason | None:
    """The change is measured against the size of the usual month; months of 0.00 have no size to compare with."""
    known = earlier[: limits.median_months]
    if not limits.change_percent or len(known) < _LEAST_MONTHS:
        return None
    usual = median(known)
    if not usual or abs(draft.total - usual) * HUNDRED <= limits.change_percent * abs(usual):
        return None
    change = abs(draft.total - usual) * HUNDRED / abs(usual)
    message = (
        f"{draft.total:,.2f} is {change:,.0f} % away from {usual:,.2f}, the median of {len(known)} months;"
        f" the limit is {limits.change_percent} %"
    )
    return Reason("CHANGE_TOO_LARGE", message)


def _lines(draft: StatementDraft, limits: SanityLimits) -> Reason | None:
    number = sum([len(invoice.lines) for invoice in draft.invoices])
    if not limits.lines or number <= limits.lines:
        return None
    return Reason("TOO_MANY_LINES", f"the statement has {number} lines; the limit is {limits.lines}")
