"""Lines that people added, as routes answer with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared_code.billing.model import AdHocType
from shared_code.foundation.answers import Described, Money
from shared_code.statements.reading.model import ForecastComparison, StatementStatus


@dataclass(frozen=True, slots=True)
class AddedLine(Described):
    """A line that a person added to a statement."""

    id: str
    type: AdHocType
    title: str
    code: str
    """The main account of the ledger; empty for an expense that is not billable and names none."""
    description: str
    amount: Money
    """As it is billed or credited: client-paid and non-billable expenses are negative."""
    group: int
    invoice_number: str | None
    """The invoice that prints it; None for an expense that lowers the shared profit instead."""
    author: str
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AddedLines(Described):
    """Every line that people added to the statement of an invoice, in the order in which they were added."""

    statement_id: str
    lines: tuple[AddedLine, ...]


@dataclass(frozen=True, slots=True)
class Addition(Described):
    """A line that was added, and what the statement comes to with it."""

    line: AddedLine
    invoice_amount: Money | None
    """The invoice of the line's group; None where that group has none."""
    statement_id: str
    statement_total: Money
    statement_status: StatementStatus
    status_reason: str | None
    stale_since: datetime | None
    stale_reason: str | None
    """Set where the line changes a shared profit: the statement is made anew before it can be sent."""
    comparison: ForecastComparison | None
    """The month against its forecast with the line; None for a contract billed in advance."""
