"""From lines to a statement: invoices by group, numbers, dates, totals, and the snapshot that will be printed. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import orjson

from shared_code.billing.comparison import Comparison
from shared_code.billing.model import FactReference, Line, Outcome, Reason
from shared_code.contracts.schema import Contract, InvoiceGroup
from shared_code.documents.model import BillTo, Brand, InvoiceDocument, LineDocument, StatementDocument
from shared_code.foundation.calendar import Period
from shared_code.foundation.clock import derived_within, numbered_within
from shared_code.foundation.money import ZERO
from shared_code.foundation.values import as_text, value_class
from shared_code.statements.invoice_numbers import invoice_date, invoice_number
from shared_code.statements.places import FIRST, Place
from shared_code.statements.review import READY, Review, route


@value_class
class SiteSnapshot:
    """What the site master says about a site at the moment of billing; printed values never change afterwards."""

    number: str
    name: str
    address: str
    gl_string: str


@value_class
class InvoiceDraft:
    """One invoice before it is stored. `amount` is the sum of its lines (rules R1)."""

    invoice_id: str
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
    amount: Decimal
    customer_name: str | None = None
    vendor_id: str | None = None
    emails: tuple[str, ...] = ()


@value_class
class StatementDraft:
    """One statement before it is stored. `total` is the sum of its invoices (rules R1).

    `held` are the sanity limits that it is beyond.
    """

    statement_id: str
    contract_id: str
    contract_version: int
    period: Period
    version: int
    generation: int
    site: SiteSnapshot
    invoices: tuple[InvoiceDraft, ...]
    total: Decimal
    warnings: tuple[Reason, ...]
    comparison: Comparison | None = None
    replaces: str | None = None
    review: Review = READY
    held: tuple[Reason, ...] = ()

    @property
    def status(self) -> str:
        """Where the statement goes after it was generated (rules R25, R26)."""
        return self.review.status

    @property
    def repeats_a_number(self) -> bool:
        """Whether two of its groups come to one invoice number, by site numbers of their own."""
        return len({invoice.number for invoice in self.invoices}) < len(self.invoices)

    def held_for(self, reasons: tuple[Reason, ...]) -> StatementDraft:
        """The same draft, which goes nowhere until a person releases it (rules R26)."""
        return replace(self, review=Review("Held", reasons[0].code), held=reasons)


def draft_statement(
    contract_id: str,
    contract_version: int,
    contract: Contract,
    site: SiteSnapshot,
    period: Period,
    outcome: Outcome,
    place: Place = FIRST,
    comparison: Comparison | None = None,
    *,
    commented: bool = False,
) -> StatementDraft:
    """Sort an outcome's lines onto invoices, one per group in the order of group numbers.

    `commented`: whether site people said something about the month.
    """
    by_group: dict[int, list[Line]] = {}
    for line in outcome.lines:
        by_group.setdefault(line.group, []).append(line)
    groups = {group.number: group for group in contract.groups} if contract.grouping_enabled else {}
    statement_id = derived_within(contract_id, "statement", period, place.version, place.generation)
    invoices = [
        draft_invoice(statement_id, contract, groups.get(number), number, by_group[number], site, period, place)
        for number in sorted(by_group)
    ]
    deviations = comparison.why if comparison is not None else ()
    return StatementDraft(
        statement_id=statement_id,
        contract_id=contract_id,
        contract_version=contract_version,
        period=period,
        version=place.version,
        generation=place.generation,
        site=site,
        invoices=tuple(invoices),
        total=sum([invoice.amount for invoice in invoices], ZERO),
        warnings=outcome.warnings,
        comparison=comparison,
        replaces=place.replaces,
        review=route(deviations, commented=commented, advanced=contract.billing_type == "Advanced"),
    )


def draft_invoice(
    statement_id: str,
    contract: Contract,
    group: InvoiceGroup | None,
    number: int,
    lines: Sequence[Line],
    site: SiteSnapshot,
    period: Period,
    place: Place,
) -> InvoiceDraft:
    """The invoice of one group of a statement: numbered, dated and addressed (rules R27, R28, R52)."""
    advanced = contract.billing_type == "Advanced"
    dated = invoice_date(period, advanced=advanced)
    # A blank override is none: it would begin the number with a blank and address nobody.
    own_site = (group.site_number or "").strip() if group else ""
    customer = (group.customer_name or "").strip() if group else ""
    return InvoiceDraft(
        invoice_id=numbered_within(derived_within(statement_id, "invoice", number), 0),  # its lines are 1, 2, …
        number=invoice_number(own_site or site.number, period, advanced=advanced, group=number, version=place.version),
        group=number,
        invoice_date=dated,
        due_date=contract.payment_terms.due_date(dated),
        payment_terms=contract.payment_terms.text,
        purchase_order=_purchase_order(contract, group),
        title=group.title if group else None,
        description=group.description if group else None,
        bill_to=BillTo(customer, "", site.address) if customer else None,
        lines=tuple(lines),
        amount=sum([line.amount for line in lines], ZERO),
        customer_name=customer or None,
        vendor_id=((group.vendor_id or "").strip() or None) if group else None,
        emails=group.emails if group else (),
    )


def _purchase_order(contract: Contract, group: InvoiceGroup | None) -> str | None:
    """The purchase order that the group's own description states (DQ14), else the contract's."""
    if group is None:
        return contract.purchase_order
    own = (one.text for one in contract.references if one.type == "purchase_order" and one.group == group.number)
    return next(own, contract.purchase_order)


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
        invoices=tuple([invoice_document(invoice) for invoice in draft.invoices]),
    )


def invoice_document(invoice: InvoiceDraft) -> InvoiceDocument:
    """What the PDF will show of one invoice."""
    return InvoiceDocument(
        number=invoice.number,
        invoice_date=invoice.invoice_date,
        payment_terms=invoice.payment_terms,
        amount=invoice.amount,
        due_date=invoice.due_date,
        purchase_order=invoice.purchase_order,
        title=invoice.title,
        description=invoice.description,
        bill_to=invoice.bill_to,
        vendor=invoice.vendor_id,
        lines=tuple([LineDocument(line.title, line.description, line.amount) for line in invoice.lines]),
    )


def trace_json(line: Line) -> str:
    """A line's trace as JSON; decimals as text, so that nothing is lost on the way to the explanation."""
    trace = line.trace
    document = {
        "inputs": _as_dict(trace.inputs),
        "steps": [{"text": step.text, "value": step.value} for step in trace.steps],
        "facts": [_source(reference) for reference in trace.facts],
    }
    return _text(document)


def _source(reference: FactReference) -> dict[str, object]:
    return {
        "dataset": reference.dataset,
        "predicate": reference.predicate,
        "rows": reference.rows,
        "amount": reference.amount,
        "batches": reference.batches,
        "period": reference.period,
        "selection": _as_dict(reference.selection),
    }


def _as_dict(names: Mapping[str, object]) -> dict[str, object]:
    """What is one already is not copied: a month has two for each of its lines."""
    return names if type(names) is dict else dict(names)


def comparison_json(found: Comparison) -> str:
    """The comparison to forecast by the names of billing-flows 8, exact figures as text, and why a person looks."""
    return _text(
        {
            "forecastedRevenue": found.forecast,
            "postedRevenue": found.posted,
            "invoicedRevenue": found.invoiced,
            "totalActualRevenue": found.actual,
            "forecastDeviationPercentage": found.deviation_percent,
            "forecastDeviationAmount": found.deviation_amount,
            "forecastLastUpdated": found.forecast_loaded,
            "why": found.why,
        }
    )


def read_comparison(text: str) -> Comparison:
    """Read what `comparison_json` wrote."""
    found = json.loads(text)
    forecast = found["forecastedRevenue"]
    return Comparison(
        posted=Decimal(found["postedRevenue"]),
        invoiced=Decimal(found["invoicedRevenue"]),
        forecast=None if forecast is None else Decimal(forecast),
        deviation_amount=Decimal(found["forecastDeviationAmount"]),
        deviation_percent=Decimal(found["forecastDeviationPercentage"]),
        why=tuple(found["why"]),
        forecast_loaded=found["forecastLastUpdated"],
    )


def meta_json(meta: Mapping[str, object]) -> str:
    return _text(dict(meta)) if meta else "{}"


def reasons_json(reasons: Sequence[Reason]) -> str:
    return _text([{"code": reason.code, "message": reason.message} for reason in reasons]) if reasons else "[]"


def _text(document: object) -> str:
    return orjson.dumps(document, default=as_text, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()
