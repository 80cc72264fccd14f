"""P3 and P4 of the budgets: the statement PDF against fpdf2's own table and against reportlab's platypus.

Prints one JSON line per benchmark. Run: `python -m tests.bench.bench_pdf [renders for the memory line]`.
"""

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no types
from fpdf import FPDF
from reportlab.lib.pagesizes import letter  # type: ignore[import-untyped]  # ships no types
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table  # type: ignore[import-untyped]

from shared_code.documents import statement_pdf
from shared_code.documents.model import StatementDocument
from shared_code.foundation.money import dollars
from tests.unit.documents.examples import invoice, lines, statement

FONTS = Path(statement_pdf.__file__).parent / "fonts"
REGULAR, BOLD = FONTS / "Roboto-Regular.ttf", FONTS / "Roboto-Bold.ttf"
HEAD = ("Title", "Description", "Amount")
MEGABYTE = 1024 * 1024
WARM_UP = 100


def with_table(document: StatementDocument) -> bytes:
    """The statement as fpdf2's manual writes it: fonts added per document, `table()` for the lines."""
    pdf = FPDF(unit="pt", format="letter")
    pdf.add_font("face", "", REGULAR)
    pdf.add_font("face", "B", BOLD)
    pdf.add_page()
    for text in _texts(document):
        pdf.set_font("face", "B" if text == document.brand.operator_name else "", 10)
        pdf.multi_cell(0, 13, text, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("face", "", 9)
    with pdf.table(col_widths=(30, 50, 20), text_align=("LEFT", "LEFT", "RIGHT"), line_height=13) as table:
        for cells in _rows(document):
            row = table.row()
            for cell in cells:
                row.cell(cell)
    return bytes(pdf.output())


def with_platypus(document: StatementDocument) -> bytes:
    """The statement through reportlab's platypus, TrueType fonts registered once per process."""
    style = ParagraphStyle("text", fontName="Roboto", fontSize=10, leading=13)
    story: list[object] = [Paragraph(text.replace("&", "&amp;"), style) for text in _texts(document)]
    table = Table(_rows(document), colWidths=(150, 250, 100), repeatRows=1)
    table.setStyle(
        [
            ("FONT", (0, 0), (-1, -1), "Roboto", 9),
            ("FONT", (0, 0), (-1, 0), "Roboto-Bold", 9),
            ("ALIGN", (2, 0), (2, -1), "RIGHT"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.5, "#d6dadf"),
        ]
    )
    out = BytesIO()
    SimpleDocTemplate(out, pagesize=letter).build([*story, table])
    return out.getvalue()


def _texts(document: StatementDocument) -> list[str]:
    brand, only = document.brand, document.invoices[0]
    return [
        brand.operator_name,
        brand.address,
        brand.email,
        document.bill_to.site_name,
        document.bill_to.recipient,
        document.bill_to.address,
        f"{only.number} {only.invoice_date} {only.payment_terms} {dollars(only.amount)}",
        f"{only.title} {only.description}",
        f"{brand.legal_name} {brand.po_box} {brand.account_number} {brand.aba}",
    ]


def _rows(document: StatementDocument) -> list[tuple[str, str, str]]:
    only = document.invoices[0]
    printed = [(line.title, line.description, dollars(line.amount)) for line in only.lines]
    return [HEAD, *printed, ("", "Total Amount Due", dollars(only.amount))]


def median_ms(draw: Callable[[StatementDocument], bytes], documents: list[StatementDocument]) -> float:
    """Median time of one document in milliseconds, after a first one that is not counted."""
    draw(documents[0])
    times = []
    for document in documents:
        start = time.perf_counter()
        draw(document)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def distinct(count: int, line_count: int) -> list[StatementDocument]:
    """Documents that differ, so that no cache of texts could help."""
    return [
        statement(invoice(*lines(line_count), number=f"{1000 + i}-202610-01-01"), site_number=f"{1000 + i}")
        for i in range(count)
    ]


def bench_speed(line_count: int) -> None:
    ours = median_ms(statement_pdf.render, distinct(300, line_count))
    table = median_ms(with_table, distinct(7, line_count))
    platypus = median_ms(with_platypus, distinct(30, line_count))
    name = f"P3a statement of {line_count} lines"
    report(f"{name} vs fpdf2 table()", ours, "ms", table, table / ours, "<= 2 ms (25 lines) and >= 30 x")
    report(f"{name} vs reportlab platypus", ours, "ms", platypus, platypus / ours, "<= 2 ms (25 lines) and >= 4 x")


def bench_archival() -> None:
    ours = median_ms(statement_pdf.render_archival, distinct(300, 25))
    table = median_ms(with_table, distinct(7, 25))
    name = "P3b statement of 25 lines as mailed vs fpdf2 table()"
    report(name, ours, "ms", table, table / ours, "<= 4 ms and >= 30 x")


def bench_memory(renders: int) -> None:
    process = psutil.Process()
    documents = distinct(WARM_UP, 25)
    for document in documents:
        sha256(statement_pdf.render(document))
    gc.collect()
    before = process.memory_info().rss
    for i in range(renders):
        sha256(statement_pdf.render(documents[i % WARM_UP]))
    after = process.memory_info().rss
    growth = (after - before) / MEGABYTE
    base = before / MEGABYTE
    report(f"P4 memory growth over {renders} statements", growth, "MB", base, after / before, "<= 10 MB")


def bench_identity() -> None:
    document = distinct(1, 25)[0]
    different = len({sha256(statement_pdf.render(document)).hexdigest() for _ in range(50)})
    report("P4 different bytes of one document", different, "files", 50, 50 / different, "1 file")


def report(name: str, figure: float, unit: str, baseline: float, ratio: float, budget: str) -> None:
    shown = {"name": name, "figure": round(figure, 3), "unit": unit, "baseline": round(baseline, 3)}
    print(json.dumps({**shown, "ratio": round(ratio, 2), "budget": budget}))


def main() -> None:
    for name, path in (("Roboto", REGULAR), ("Roboto-Bold", BOLD)):
        pdfmetrics.registerFont(TTFont(name, str(path)))
    bench_speed(25)
    bench_speed(120)
    bench_archival()
    bench_memory(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
    bench_identity()


if __name__ == "__main__":
    main()
