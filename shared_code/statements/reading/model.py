"""Runs and statements as people and programs read them: values that lists, status pages and details answer with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, get_args

from shared_code.billing.model import Reason
from shared_code.foundation.answers import Described, Money, PeriodText

RunState = Literal["Running", "Completed", "Cancelled"]
RunKind = Literal["Generate", "Regenerate", "DryRun"]
ItemOutcome = Literal["Generated", "NothingToBill", "Held", "Failed", "Skipped", "Cancelled", "Pending"]
StatementStatus = Literal[
    "Generating", "ARReview", "ApprovalTeam", "ReadyToSend", "Sent", "Failed", "Held", "Superseded"
]
RUN_STATES: tuple[RunState, ...] = get_args(RunState)
OUTCOMES: tuple[ItemOutcome, ...] = get_args(ItemOutcome)
STATUSES: tuple[StatementStatus, ...] = get_args(StatementStatus)


@dataclass(frozen=True, slots=True)
class OutcomeCounts(Described):
    """How many contracts of a run came to which outcome; all together are the expected ones."""

    generated: int
    """Contracts with a statement."""
    nothing_to_bill: int
    """Contracts whose lines all came to 0.00, or that are not in force."""
    held: int
    """Contracts whose statement is beyond a sanity limit, so that a person looks first."""
    failed: int
    """Contracts that could not be billed; their items say why."""
    skipped: int
    """Contracts that another run has billed."""
    cancelled: int
    """Contracts that were not begun when the run was cancelled."""
    pending: int
    """Contracts that are still to be billed."""


@dataclass(frozen=True, slots=True)
class DocumentCounts(Described):
    """How many PDFs of a run are drawn."""

    rendered: int
    pending: int


@dataclass(frozen=True, slots=True)
class Run(Described):
    """A statement run and what has become of its contracts."""

    id: str
    kind: RunKind
    """Generate; Regenerate makes a statement anew; DryRun writes none."""
    period: PeriodText
    source: str
    """Who or what asked for it: part of the key under which a run is found again."""
    scope: Mapping[str, object]
    """What narrows it, by name: siteNumbers, contractTypes, billingType; empty for all contracts."""
    state: RunState
    attempt: int
    """1, and one more for every retry or resumption."""
    requested_by: str
    created_at: datetime
    finished_at: datetime | None
    cancelled_at: datetime | None
    expected: int
    """The number of contracts to bill."""
    outcomes: OutcomeCounts


@dataclass(frozen=True, slots=True)
class RunTimings(Described):
    """When the contracts of a run were billed, as far as it has come."""

    first_started: datetime | None
    last_finished: datetime | None
    seconds: Decimal | None
    """From the first start to the last end; null before there are both."""


@dataclass(frozen=True, slots=True)
class RunStatus(Run):
    """A statement run with its reasons, documents, totals and timings."""

    reasons: Mapping[str, int]
    """How many items have which reason; GET /errors/{code} explains each."""
    documents: DocumentCounts
    statements: int
    invoices: int
    total: Money
    """The sum of the run's invoices."""
    timings: RunTimings


@dataclass(frozen=True, slots=True)
class RunItem(Described):
    """One contract of a run, and what became of it."""

    contract_id: str
    site_number: str
    contract_version: int
    outcome: ItemOutcome
    reason: str | None
    """The code of the first reason; None for a contract that was billed without remark."""
    message: str | None
    suggestion: str | None
    """What helps against the reason."""
    owner: str | None
    """The role that can help."""
    reasons: tuple[Reason, ...]
    statement_id: str | None


@dataclass(frozen=True, slots=True)
class Statement(Described):
    """A statement in a list."""

    id: str
    site_number: str
    site_name: str
    contract_id: str
    contract_version: int
    """The version of the contract that was billed."""
    period: PeriodText
    """The service period; an invoice in advance is dated in the month before."""
    version: int
    """Printed in its invoice numbers; one more after each that was sent."""
    generation: int
    """How often the month was made, whatever of it was sent."""
    status: StatementStatus
    status_reason: str | None
    total: Money
    """The sum of its invoices."""
    run_id: str
    created_at: datetime
    superseded_at: datetime | None
    stale_since: datetime | None
    """Since when its facts or contract are others than it was computed from; None while they are the same."""
    stale_reason: str | None


@dataclass(frozen=True, slots=True)
class InvoiceLine(Described):
    """A line of an invoice."""

    id: str
    block: str
    """The part of the contract that it was computed by."""
    title: str
    description: str
    code: str
    """The main account of the ledger; never printed."""
    amount: Money
    ad_hoc_line_id: str | None
    """Set on a line that a person added: the id to remove it by."""


@dataclass(frozen=True, slots=True)
class Invoice(Described):
    """An invoice of a statement with its lines."""

    number: str
    group: int
    invoice_date: date
    due_date: date | None
    """None where the terms of payment name no day."""
    payment_terms: str
    purchase_order: str | None
    title: str | None
    description: str | None
    customer_name: str | None
    """The invoice group's own customer; None where the site is the customer."""
    vendor_id: str | None
    emails: tuple[str, ...]
    """The invoice group's own recipients; empty where the site's count."""
    amount: Money
    """The sum of its lines."""
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True)
class ForecastComparison(Described):
    """The month's revenue against its forecast, exact (billing-flows 8)."""

    forecasted_revenue: Decimal | None
    posted_revenue: Decimal
    invoiced_revenue: Decimal
    total_actual_revenue: Decimal
    forecast_deviation_percentage: Decimal
    forecast_deviation_amount: Decimal
    forecast_last_updated: str | None
    why: tuple[str, ...]
    """Why a person looks, by code; empty when nobody has to."""


@dataclass(frozen=True, slots=True)
class StatementDetail(Statement):
    """A statement with its invoices and their lines."""

    comparison: ForecastComparison | None
    """None for a contract billed in advance."""
    stale_difference: Mapping[str, object] | None
    """What a new generation would bill otherwise, while the statement is stale."""
    warnings: tuple[Reason, ...]
    """Remarks on how it was billed; none of them stopped it."""
    invoices: tuple[Invoice, ...]
