"""Top and foot of the pages: who bills whom, the facts of the invoice, page numbers (PDF-03, PDF-04)."""

from collections.abc import Sequence

from shared_code.documents.canvas import PAGE_WIDTH, SOFT, Canvas
from shared_code.documents.model import Brand, InvoiceDocument, StatementDocument
from shared_code.documents.text import (
    clipped,
    customer_address,
    day_range,
    operator_address,
    short_date,
    wrap_at_most,
)
from shared_code.documents.typeface import Typeface
from shared_code.foundation.money import dollars

_LEFT = 54.0
_RIGHT = PAGE_WIDTH - _LEFT
_COLUMN = 240.0
_FACT_GAP = 12.0


def draw_letterhead(
    page: Canvas, document: StatementDocument, invoice: InvoiceDocument, brand: Brand, fonts: Typeface
) -> float:
    """Head of an invoice's first page. Returns where the next block may start, in points from the top."""
    page.text(_LEFT, 70.0, "Invoice", fonts.bold, 22.0)
    below = _draw_wordmark(page, brand.operator_name, fonts)
    service = f"Service period {day_range(document.service_first_day, document.service_last_day)}"
    site = f"Site {document.site_number}"
    page.text(_LEFT, 86.0, clipped(f"{site}  ·  {service}", fonts.regular, 9.0, _COLUMN), fonts.regular, 9.0, SOFT)
    top = max(below, 86.0) + 34.0
    left = _draw_bill_to(page, document, invoice, top, fonts)
    right = _draw_operator(page, brand, top, fonts)
    return max(left, right) + 22.0


def _draw_wordmark(page: Canvas, name: str, fonts: Typeface) -> float:
    size = 16.0 if fonts.bold.width(name, 16.0) <= _COLUMN else 11.0
    y = 70.0
    for line in wrap_at_most(3, [name], fonts.bold, size, _COLUMN):
        page.text_right(_RIGHT, y, line, fonts.bold, size)
        y += size + 3.0
    return y - size - 3.0


def _draw_bill_to(
    page: Canvas, document: StatementDocument, invoice: InvoiceDocument, top: float, fonts: Typeface
) -> float:
    bill_to = invoice.bill_to or document.bill_to
    page.text(_LEFT, top, "Bill to", fonts.bold, 8.0, SOFT)
    y = top + 15.0
    for line in wrap_at_most(3, [bill_to.site_name], fonts.bold, 10.0, _COLUMN):
        page.text(_LEFT, y, line, fonts.bold, 10.0)
        y += 13.5
    texts = (bill_to.recipient, *customer_address(bill_to.address))
    for line in wrap_at_most(7, texts, fonts.regular, 9.5, _COLUMN):
        page.text(_LEFT, y, line, fonts.regular, 9.5)
        y += 13.0
    return y - 13.0


def _draw_operator(page: Canvas, brand: Brand, top: float, fonts: Typeface) -> float:
    y = top
    texts = (*operator_address(brand.address), brand.phone, brand.email)
    for line in wrap_at_most(8, texts, fonts.regular, 9.0, _COLUMN):
        page.text_right(_RIGHT, y, line, fonts.regular, 9.0, SOFT)
        y += 13.0
    return y - 13.0


def draw_facts(page: Canvas, invoice: InvoiceDocument, top: float, fonts: Typeface) -> float:
    """The row of facts between two rules. Returns where the next block may start."""
    facts = _facts(invoice)
    shares = [share for _, _, share in facts]
    unit = (_RIGHT - _LEFT) / sum(shares)
    bottom = top
    page.rule(_LEFT, _RIGHT, top)
    x = _LEFT
    for label, value, share in facts[:-1]:
        page.text(x, top + 15.0, label, fonts.regular, 7.5, SOFT)
        bottom = max(bottom, _draw_value(page, x, top + 29.0, value, share * unit - _FACT_GAP, fonts))
        x += share * unit
    label, value, _ = facts[-1]
    page.text_right(_RIGHT, top + 15.0, label, fonts.regular, 7.5, SOFT)
    page.text_right(_RIGHT, top + 30.0, value, fonts.bold, 11.0)
    bottom = max(bottom, top + 29.0) + 11.0
    page.rule(_LEFT, _RIGHT, bottom)
    return bottom + 12.0


def _facts(invoice: InvoiceDocument) -> Sequence[tuple[str, str, float]]:
    """Label, value and share of the width; purchase order, vendor and due date only where there is one (PDF-04)."""
    facts = [
        ("Invoice Number", invoice.number, 1.3),
        ("Invoice Date", short_date(invoice.invoice_date), 1.0),
        ("Payment Terms", invoice.payment_terms or "–", 1.2),
    ]
    if invoice.due_date is not None:
        facts.append(("Due Date", short_date(invoice.due_date), 1.0))
    if invoice.purchase_order and invoice.purchase_order.strip():
        facts.append(("PO Number", invoice.purchase_order, 1.0))
    if invoice.vendor:
        facts.append(("Vendor", invoice.vendor, 0.9))
    facts.append(("Amount Due", dollars(invoice.amount), 1.15))
    return facts


def _draw_value(page: Canvas, x: float, y: float, value: str, width: float, fonts: Typeface) -> float:
    lines = wrap_at_most(8, [value], fonts.regular, 9.0, width)
    for position, line in enumerate(lines):
        page.text(x, y + position * 12.0, line, fonts.regular, 9.0)
    return y + max(len(lines) - 1, 0) * 12.0


def draw_continuation_head(page: Canvas, invoice: InvoiceDocument, brand: Brand, fonts: Typeface) -> float:
    """Head of an invoice's further pages. Returns where the next block may start."""
    left = clipped(f"Invoice {invoice.number}, continued", fonts.regular, 9.0, _COLUMN)
    page.text(_LEFT, 60.0, left, fonts.regular, 9.0, SOFT)
    page.text_right(_RIGHT, 60.0, clipped(brand.operator_name, fonts.bold, 9.0, _COLUMN), fonts.bold, 9.0)
    return 86.0


def draw_footer(page: Canvas, document: StatementDocument, number: int, pages: int, fonts: Typeface) -> None:
    """Statement, version and `Page n of m`, counted over the statement."""
    page.rule(_LEFT, _RIGHT, 744.0, 0.5, light=True)
    version = f"  ·  Version {document.version}" if document.version > 1 else ""
    left = clipped(f"Statement {document.statement_id}{version}", fonts.regular, 7.5, 360.0)
    page.text(_LEFT, 757.0, left, fonts.regular, 7.5, SOFT)
    page.text_right(_RIGHT, 757.0, f"Page {number} of {pages}", fonts.regular, 7.5, SOFT)
