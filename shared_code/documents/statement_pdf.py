"""The statement PDF: a stored document in, the bytes of a PDF out, and nothing read or written on the way."""

from dataclasses import replace
from datetime import UTC, datetime, time

from shared_code.documents.layout import lay_out
from shared_code.documents.model import StatementDocument, to_json
from shared_code.documents.pdf_file import Metadata, write, write_archival
from shared_code.documents.text import clean

TEMPLATE_VERSION = 1
"""Recorded in every file (TPL-05); raised when the same document would be drawn differently."""


def render(document: StatementDocument) -> bytes:
    """A PDF on US Letter with every invoice of the statement (billing-flows 10.2, PDF-01 to PDF-08).

    Equal documents give equal bytes, in any process on any day. A character that the embedded fonts lack prints
    as `?`. Works in memory only, safe to call from several threads.
    """
    return write(lay_out(document), _metadata(document))


def render_archival(document: StatementDocument) -> bytes:
    """The same pages as `render`, as they are mailed and kept: PDF/A-3B, with an outline of the invoices and the
    statement as data, the attachment `statement.json`, which says what the pages say (budgets P3b).

    Deterministic as `render` is.
    """
    seen = replace(document, brand=document.brand.for_entity(document.gl_entity))
    twin = to_json(replace(seen, brand=replace(seen.brand, second=None)))
    return write_archival(lay_out(document), _metadata(document), "statement.json", twin.encode())


def _metadata(document: StatementDocument) -> Metadata:
    brand = document.brand.for_entity(document.gl_entity)
    numbers = ", ".join(invoice.number for invoice in document.invoices)
    return Metadata(
        title=clean(f"Invoice {numbers}"),
        author=clean(brand.operator_name),
        subject=clean(f"Statement of site {document.site_number} for {document.period}"),
        creator=f"Statement template {TEMPLATE_VERSION}",
        created=datetime.combine(document.issued, time(), UTC),
        identity=clean(f"{document.statement_id}/{document.version}"),
    )
