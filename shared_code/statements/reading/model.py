"""Runs and statements as people and programs read them: values that lists, status pages and details answer with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

from shared_code.billing.model import Reason
from shared_code.foundation.answers import Described, Money, PeriodText

RunState = Literal["Running", "Completed"]
ItemOutcome = Literal["Generated", "NothingToBill", "Failed", "Skipped", "Pending"]
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
    failed: int
    """Contracts that could not be billed; their items say why."""
    skipped: int
    """Contracts that another run has billed."""
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
    expected: int
    """The number of contracts to bill."""
    outcomes: OutcomeCounts


@dataclass(frozen=True, slots=True)
class RunStatus(Run):
    """A statement run with its reasons, documents and totals."""

    reasons: Mapping[str, int]
    """How many items have which reason; GET /errors/{code} explains each."""
    documents: DocumentCounts
    statements: int
    invoices: int
    total: Money
    """The sum of the run's invoices."""


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
    status: StatementStatus
    status_reason: str | None
    total: Money
    """The sum of its invoices."""
    run_id: str
    created_at: datetime


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
    amount: Money
    """The sum of its lines."""
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True)
class StatementDetail(Statement):
    """A statement with its invoices and their lines."""

    warnings: tuple[Reason, ...]
    """Remarks on how it was billed; none of them stopped it."""
    invoices: tuple[Invoice, ...]
