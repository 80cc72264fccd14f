"""From lines to a statement: invoices by group, numbers, dates, totals, and the snapshot that will be printed. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal

from shared_code.billing.comparison import Comparison
from shared_code.billing.model import Line, Outcome, Reason
from shared_code.contracts.schema import Contract, InvoiceGroup
from shared_code.documents.model import BillTo, Brand, InvoiceDocument, LineDocument, StatementDocument
from shared_code.foundation.calendar import Period
from shared_code.foundation.clock import derived_id
from shared_code.foundation.money import ZERO
from shared_code.statements.invoice_numbers import invoice_date, invoice_number


@dataclass(frozen=True, slots=True)
class SiteSnapshot:
    """What the site master says about a site at the moment of billing; printed values never change afterwards."""

    number: str
    name: str
    address: str
    gl_string: str


@dataclass(frozen=True, slots=True)
class InvoiceDraft:
    """One invoice before it is stored. Its amount is the sum of its lines (rules R1)."""

    number: str
    group: int
    invoice_date: date
    due_date: date | None
    payment_terms: str
    purchase_order: str | None
    title: str | None
    description: str | None
    bill_to: BillTo | None
    lines: tuple[Line, ...]

    @property
    def amount(self) -> Decimal:
        return sum((line.amount for line in self.lines), ZERO)


@dataclass(frozen=True, slots=True)
class StatementDraft:
    """One statement before it is stored. Its total is the sum of its invoices (rules R1)."""

    statement_id: str
    contract_id: str
    contract_version: int
    period: Period
    version: int
    site: SiteSnapshot
    invoices: tuple[InvoiceDraft, ...]
    warnings: tuple[Reason, ...]
    comparison: Comparison | None = None

    @property
    def status(self) -> str:
        """Where the statement goes after it was generated (rules R25, R50, R51)."""
        return "ApprovalTeam" if self.status_reason else "ReadyToSend"

    @property
    def status_reason(self) -> str | None:
        """Why a person has to look at it first; None when nobody has to."""
        return self.comparison.why[0] if self.comparison is not None and self.comparison.why else None

    @property
    def total(self) -> Decimal:
        return sum((invoice.amount for invoice in self.invoices), ZERO)


def draft_statement(
    contract_id: str,
    contract_version: int,
    contract: Contract,
    site: SiteSnapshot,
    period: Period,
    outcome: Outcome,
    version: int = 1,
) -> StatementDraft:
    """Sort an outcome's lines onto invoices, one per group in the order of group numbers."""
    by_group: dict[int, list[Line]] = {}
    for line in outcome.lines:
        by_group.setdefault(line.group, []).append(line)
    groups = {group.number: group for group in contract.groups} if contract.grouping_enabled else {}
    return StatementDraft(
        statement_id=derived_id("statement", contract_id, period, version),
        contract_id=contract_id,
        contract_version=contract_version,
        period=period,
        version=version,
        site=site,
        invoices=tuple(
            _draft_invoice(contract, groups.get(number), number, by_group[number], site, period, version)
            for number in sorted(by_group)
        ),
        warnings=outcome.warnings,
    )


def _draft_invoice(
    contract: Contract,
    group: InvoiceGroup | None,
    number: int,
    lines: Sequence[Line],
    site: SiteSnapshot,
    period: Period,
    version: int,
) -> InvoiceDraft:
    advanced = contract.billing_type == "Advanced"
    dated = invoice_date(period, advanced=advanced)
    # A blank override is none: it would begin the number with a blank and address nobody.
    own_site = (group.site_number or "").strip() if group else ""
    customer = (group.customer_name or "").strip() if group else ""
    return InvoiceDraft(
        number=invoice_number(own_site or site.number, period, advanced=advanced, group=number, version=version),
        group=number,
        invoice_date=dated,
        due_date=contract.payment_terms.due_date(dated),
        payment_terms=contract.payment_terms.text,
        purchase_order=contract.purchase_order,
        title=group.title if group else None,
        description=group.description if group else None,
        bill_to=BillTo(customer, "", site.address) if customer else None,
        lines=tuple(lines),
    )


def snapshot(draft: StatementDraft, brand: Brand) -> StatementDocument:
    """Everything the PDF will show, as a value that is stored with the statement (field report 22)."""
    return StatementDocument(
        statement_id=draft.statement_id,
        site_number=draft.site.number,
        period=draft.period,
        version=draft.version,
        issued=draft.invoices[0].invoice_date,
        service_first_day=draft.period.first_day,
        service_last_day=draft.period.last_day,
        total=draft.total,
        brand=brand,
        bill_to=BillTo(draft.site.name, "", draft.site.address),
        gl_entity=draft.site.gl_string[:2],
        invoices=tuple(
            InvoiceDocument(
                number=invoice.number,
                invoice_date=invoice.invoice_date,
                payment_terms=invoice.payment_terms,
                amount=invoice.amount,
                due_date=invoice.due_date,
                purchase_order=invoice.purchase_order,
                title=invoice.title,
                description=invoice.description,
                bill_to=invoice.bill_to,
                lines=tuple(LineDocument(line.title, line.description, line.amount) for line in invoice.lines),
            )
            for invoice in draft.invoices
        ),
    )


def trace_json(line: Line) -> str:
    """A line's trace as JSON; decimals as text, so that nothing is lost on the way to the explanation."""
    trace = line.trace
    document = {
        "inputs": dict(trace.inputs),
        "steps": [step._asdict() for step in trace.steps],
        "facts": [{**reference._asdict(), "selection": dict(reference.selection)} for reference in trace.facts],
    }
    return json.dumps(document, default=_plain, separators=(",", ":"))


def comparison_json(found: Comparison) -> str:
    """The comparison to forecast by the names of billing-flows 8, exact figures as text, and why a person looks."""
    return json.dumps(
        {
            "forecastedRevenue": found.forecast,
            "postedRevenue": found.posted,
            "invoicedRevenue": found.invoiced,
            "totalActualRevenue": found.actual,
            "forecastDeviationPercentage": found.deviation_percent,
            "forecastDeviationAmount": found.deviation_amount,
            "forecastLastUpdated": found.forecast_loaded,
            "why": found.why,
        },
        default=_plain,
        separators=(",", ":"),
    )


def meta_json(meta: Mapping[str, object]) -> str:
    return json.dumps(dict(meta), default=_plain, separators=(",", ":"))


def reasons_json(reasons: Sequence[Reason]) -> str:
    return json.dumps([asdict(reason) for reason in reasons], separators=(",", ":"))


def _plain(value: object) -> str:
    return str(value)
