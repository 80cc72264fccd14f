"""Documents of the invented operator, built from the few values that a test is about."""

from datetime import date
from decimal import Decimal
from typing import Any

import pypdfium2 as pdfium  # type: ignore[import-untyped]  # ships no types

from shared_code.documents.model import (
    BillTo,
    Brand,
    InvoiceDocument,
    LineDocument,
    SecondBrand,
    StatementDocument,
)
from shared_code.foundation.calendar import Period

NUMBER = "0042-202610-01-01"

BRAND = Brand(
    operator_name="Meridian Parking Partners",
    address="400 Harbor Point Drive, Suite 210, Wilmington, DE 19801",
    phone="(302) 555-0147",
    legal_name="Meridian Parking Partners, LLC",
    po_box="P.O. Box 88120, Wilmington, DE 19886",
    account_number="000123456789",
    aba="031100000",
    email="ar@meridian-parking.example",
    second=SecondBrand(
        operator_name="Unity Valet",
        legal_name="Unity Valet Services, Inc.",
        address="77 Canal Street, Floor 3, Baltimore, MD 21202",
    ),
)

BILL_TO = BillTo("Grand Lakeview Hotel & Spa", "Ms. Renée Nuñez", "1200 Lakeshore Boulevard, Cleveland, OH 44114")


def line(title: str = "Base Management Fee", description: str = "", amount: str = "100.00") -> LineDocument:
    return LineDocument(title, description, Decimal(amount))


def lines(count: int) -> tuple[LineDocument, ...]:
    """Numbered lines; every fifth is a credit."""
    return tuple(
        line(f"Service {i:03d}", f"{i + 0.5} hours at $24.75", f"{'-' if i % 5 == 0 else ''}{i * 11}.25")
        for i in range(1, count + 1)
    )


def invoice(*printed: LineDocument, number: str = NUMBER, **values: Any) -> InvoiceDocument:
    total = sum((each.amount for each in printed), Decimal("0.00"))
    given: dict[str, Any] = {
        "payment_terms": "Due in 30 days",
        "title": "Parking Operations",
        "description": "Monthly parking and valet services",
    }
    return InvoiceDocument(
        number=number, invoice_date=date(2026, 10, 31), amount=total, lines=printed, **(given | values)
    )


def statement(*invoices: InvoiceDocument, **values: Any) -> StatementDocument:
    given: dict[str, Any] = {
        "statement_id": "S-0042-202610",
        "site_number": "0042",
        "period": Period(2026, 10),
        "version": 1,
        "issued": date(2026, 11, 3),
        "service_first_day": date(2026, 10, 1),
        "service_last_day": date(2026, 10, 31),
        "total": sum((each.amount for each in invoices), Decimal("0.00")),
        "brand": BRAND,
        "bill_to": BILL_TO,
    }
    return StatementDocument(invoices=invoices, **(given | values))


def opened(pdf: bytes) -> Any:
    """The PDF in a reader, a context manager."""
    return pdfium.PdfDocument(pdf)


def page_texts(pdf: bytes) -> list[str]:
    """The text of each page as a reader extracts it, with plain line ends."""
    with opened(pdf) as document:
        return [page.get_textpage().get_text_range().replace("\r\n", "\n") for page in document]
