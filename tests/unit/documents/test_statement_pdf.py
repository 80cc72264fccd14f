"""The statement PDF, read back as text: what a customer sees, and what must never be seen."""

import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from shared_code.documents.model import BillTo, Brand, InvoiceDocument, LineDocument, from_json, to_json
from shared_code.documents.statement_pdf import render, render_archival
from tests.unit.documents.examples import BRAND, NUMBER, invoice, line, lines, opened, page_texts, statement

ROOT = Path(__file__).parents[3]


def text_of(*printed: LineDocument, **values: Any) -> str:
    return "\n".join(page_texts(render(statement(invoice(*printed, **values)))))


@pytest.mark.parametrize(
    ("what", "printed"),
    [
        ("operator as wordmark", "Meridian Parking Partners\n"),
        ("operator's address, broken after the suite", "400 Harbor Point Drive, Suite 210\nWilmington, DE 19801"),
        ("site and service period", "Site 0042 · Service period October 1 – 31, 2026"),
        ("bill-to", "Bill to\nGrand Lakeview Hotel & Spa\nMs. Renée Nuñez"),
        ("bill-to address, split at its first comma", "1200 Lakeshore Boulevard\nCleveland, OH 44114"),
        ("invoice number", f"Invoice Number\n{NUMBER}"),
        ("invoice date", "Invoice Date\nOct 31, 2026"),
        ("payment terms", "Payment Terms\nDue in 30 days"),
        ("amount due", "Amount Due\n$1,100.00"),
        ("title and description", "Parking Operations\nMonthly parking and valet services"),
        ("table head", "Title Description Amount"),
        ("a line", "Base Management Fee October 2026 $1,234.00"),
        ("a credit", "Less: Pre-Bill Billed October 15 -$134.00"),
        ("total", "Total Amount Due $1,100.00"),
        ("contact sentence", "Please write to ar@meridian-parking.example or call (302) 555-0147."),
        ("check payments", "Payable to Meridian Parking Partners, LLC\nRemit to P.O. Box 88120\nWilmington, DE 19886"),
        ("ACH payments", "Account number 000123456789\nABA number 031100000"),
        ("ACH e-mail", "Remittance e-mail ar@meridian-parking.example"),
        ("statement and page", "Statement S-0042-202610 Page 1 of 1"),
    ],
)
def test_an_invoice_prints(what: str, printed: str) -> None:
    text = text_of(
        line("Base Management Fee", "October 2026", "1234.00"),
        line("Less: Pre-Bill", "Billed October 15", "-134.00"),
    )
    assert printed in text, what


@pytest.mark.parametrize(
    ("label", "value", "given"),
    [
        ("PO Number", "PO-778812", {"purchase_order": "PO-778812"}),
        ("Vendor", "V-9", {"vendor": "V-9"}),
        ("Due Date", "Nov 30, 2026", {"due_date": date(2026, 11, 30)}),
    ],
)
def test_a_fact_stands_only_where_it_is_known(label: str, value: str, given: dict[str, object]) -> None:
    assert f"{label}\n{value}" in text_of(line(), **given)
    assert label not in text_of(line())


@pytest.mark.parametrize("purchase_order", ["", "   "])
def test_a_blank_purchase_order_is_none(purchase_order: str) -> None:
    assert "PO Number" not in text_of(line(), purchase_order=purchase_order)


def test_an_invoice_without_title_description_and_terms_is_printed() -> None:
    text = text_of(line(), title=None, description=None, payment_terms="")
    assert "Payment Terms\n–" in text
    assert "Title Description Amount" in text


def test_each_line_feed_of_a_description_starts_a_paragraph() -> None:
    text = text_of(line("Revenue Share", "Gross $184,220.00\nTier 1: 60.00%\r\nTier 2: 65.00%"))
    assert "Gross $184,220.00\nTier 1: 60.00%\nTier 2: 65.00%" in text.replace(" $100.00", "")


@pytest.mark.parametrize(
    ("case", "count", "pages"), [("one", 1, 1), ("a page", 12, 1), ("two pages", 25, 2), ("long", 120, 5)]
)
def test_a_long_invoice_breaks_across_pages(case: str, count: int, pages: int) -> None:
    printed = lines(count)
    texts = page_texts(render(statement(invoice(*printed))))
    assert len(texts) == pages, case
    for number, text in enumerate(texts, start=1):
        assert f"Page {number} of {pages}" in text
        assert "Title Description Amount" in text, "the table head is repeated"
        assert (f"Invoice {NUMBER}, continued" in text) == (number > 1)
        assert ("Total Amount Due" in text) == (number == pages)
        assert ("ACH payments" in text) == (number == pages)
    for each in printed:
        assert sum(each.title in text for text in texts) == 1, "every line once"


def test_the_total_never_stands_alone_on_a_page() -> None:
    for count in range(8, 45):
        last = page_texts(render(statement(invoice(*lines(count)))))[-1]
        assert f"Service {count:03d}" in last, f"{count} lines"


def test_pages_are_counted_over_the_statement() -> None:
    document = statement(
        invoice(*lines(3)),
        invoice(*lines(30), number="0042-202610-02-01", bill_to=BillTo("Lakeview Residences", "Board", "9 Pier Road")),
        invoice(line(amount="-12.00"), number="0042-202610-03-01"),
    )
    texts = page_texts(render(document))
    assert [f"Page {n} of 4" in text for n, text in enumerate(texts, start=1)] == [True] * 4
    assert "Lakeview Residences" in texts[1]
    assert "Grand Lakeview Hotel & Spa" not in texts[1]
    assert "Invoice 0042-202610-02-01, continued" in texts[2]
    assert "Total Amount Due -$12.00" in texts[3]


def test_a_description_longer_than_a_page_is_printed_whole() -> None:
    words = " ".join(f"word{i:04d}" for i in range(2_000))
    texts = page_texts(render(statement(invoice(line("Detail", words, "99.00"), line("After", "", "1.00")))))
    assert [word for text in texts for word in text.split() if word.startswith("word")] == words.split()
    assert sum(text.count("$99.00") for text in texts) == 1, "the amount stands on the first part only"
    assert "After" in texts[-1]


def test_the_total_stands_with_the_end_of_a_long_last_row() -> None:
    for words in range(300, 700, 20):
        given = " ".join(f"word{i:04d}" for i in range(words))
        last = page_texts(render(statement(invoice(line(), line("Detail", given)))))[-1]
        assert f"word{words - 1:04d}" in last, f"{words} words"
        assert "Total Amount Due" in last


def test_a_table_head_never_ends_a_page() -> None:
    for paragraphs in range(1, 60):
        document = statement(invoice(line("Only", "a\nb\nc"), description="\n".join("text" for _ in range(paragraphs))))
        for text in page_texts(render(document)):
            assert ("Title Description Amount" in text) == ("Only" in text), f"{paragraphs} paragraphs"


def test_an_invoice_without_lines_is_printed_with_its_total() -> None:
    assert "Total Amount Due $0.00" in page_texts(render(statement(invoice())))[0]


@pytest.mark.parametrize(
    ("case", "given"),
    [
        ("a word wider than its column", "Pneumonoultramicroscopic" * 9),
        ("an address without spaces", "https://example.com/" + "x" * 300),
        ("one very long token", "W" * 20_000),
    ],
)
def test_an_overlong_word_is_cut_and_complete(case: str, given: str) -> None:
    # The reader marks a word cut at a line end with U+FFFE.
    text = text_of(line(given[:200], given))
    squeezed = "".join(c for c in text if not c.isspace() and c != "\ufffe")
    assert given[:40] in squeezed, case
    assert text.count("W") >= given.count("W"), case


def test_nothing_is_drawn_outside_the_margins() -> None:
    wide = "Unbreakable-" * 40 + "W" * 400
    crowded = replace(
        statement(
            invoice(
                line(wide, wide, "-99999999.99"),
                purchase_order=wide,
                payment_terms=wide,
                title=wide,
                description=wide,
                due_date=date(2026, 12, 1),
                bill_to=BillTo(wide, wide, wide),
            )
        ),
        brand=Brand(wide, wide, wide, wide, wide, wide, wide, wide),
        statement_id=wide,
    )
    with opened(render(crowded)) as pdf:
        assert len(pdf) > 1
        for page in pdf:
            boxes = [item.get_bounds() for item in page.get_objects()]
            assert boxes
            assert min(left for left, _, _, _ in boxes) >= 53
            assert max(right for _, _, right, _ in boxes) <= 612 - 53
            assert min(bottom for _, bottom, _, _ in boxes) >= 20
            assert max(top for _, _, _, top in boxes) <= 792 - 30


@pytest.mark.parametrize(
    ("case", "given", "printed"),
    [
        ("accents", "Café Łódź señor Škoda", "Café Łódź señor Škoda"),
        ("decomposed accents", "Cafe\u0301", "Café"),
        ("dashes and quotes", "“a” – ‘b’ — c…", "“a” – ‘b’ — c…"),
        ("currency and signs", "€ £ ½ × ± °", "€ £ ½ × ± °"),
        ("no-break space", "1\u00a0000", "1 000"),
        ("narrow no-break space", "1\u202f000", "1 000"),
        ("tab", "a\tb", "a b"),
        ("PDF syntax", "(a\\b) << /X >> endstream", "(a\\b) << /X >> endstream"),
        ("markup stays text", "**bold** <b>x</b> &amp; {nb}", "**bold** <b>x</b> &amp; {nb}"),
        ("invisible characters", "so\u00adft\u200b \ufeffhyphen\x00\x07", "soft hyphen"),
        ("ideographs", "A 中文 B", "A ?? B"),
        ("emoji", "A 😀 B", "A ? B"),
        ("half a surrogate pair", "A \ud83d B", "A ? B"),
        ("right to left", "A \u05d0\u05d1 B", "A ?? B"),
    ],
)
def test_characters_print_or_show_a_question_mark(case: str, given: str, printed: str) -> None:
    text = text_of(line("Line", given)).replace("\u00a0", " ")
    assert f"Line {printed} $100.00" in text, case


def test_odd_characters_in_names_do_not_break_the_file() -> None:
    odd = "(A\\ud83d \ud83d 中 \x00 “é”"
    document = statement(invoice(line(), number=odd), statement_id=odd, site_number=odd)
    assert "Amount Due" in page_texts(render(replace(document, brand=replace(BRAND, operator_name=odd))))[0]


@pytest.mark.parametrize(
    ("entity", "wordmark", "payable", "remit"),
    [
        ("02", "Meridian Parking Partners\n", "Meridian Parking Partners, LLC", "P.O. Box 88120"),
        ("", "Meridian Parking Partners\n", "Meridian Parking Partners, LLC", "P.O. Box 88120"),
        ("22", "Unity Valet\n", "Unity Valet Services, Inc.", "77 Canal Street, Floor 3"),
    ],
)
def test_the_brand_follows_the_gl_entity(entity: str, wordmark: str, payable: str, remit: str) -> None:
    text = page_texts(render(statement(invoice(line()), gl_entity=entity)))[0]
    assert wordmark in text
    assert f"Payable to {payable}\nRemit to {remit}" in text


def test_the_second_brand_without_own_address_uses_the_operators() -> None:
    assert BRAND.second is not None
    brand = replace(BRAND, second=replace(BRAND.second, address=""))
    text = page_texts(render(statement(invoice(line()), gl_entity="22", brand=brand)))[0]
    assert "Payable to Unity Valet Services, Inc.\nRemit to 400 Harbor Point Drive, Suite 210" in text
    assert "P.O. Box" not in text


def test_what_a_brand_lacks_is_left_out() -> None:
    text = page_texts(render(statement(invoice(line()), brand=Brand("Meridian", "", "", "", "", "", "", ""))))[0]
    assert "Meridian" in text
    for absent in ("Questions", "Check payments", "ACH payments", "Payable to", "Account number"):
        assert absent not in text


def test_a_corrected_statement_names_its_version() -> None:
    assert "Version 2" in page_texts(render(statement(invoice(line()), version=2)))[0]
    assert "Version" not in page_texts(render(statement(invoice(line()))))[0]


def test_amounts_end_at_the_right_margin() -> None:
    with opened(render(statement(invoice(*lines(10))))) as pdf:
        page = pdf[0].get_textpage()
        text = page.get_text_range()
        ends = [
            page.get_charbox(position)[2]
            for position in range(len(text) - 1)
            if text[position : position + 2] in ("5\r", "0\r") and text[:position].rsplit("\n", 1)[-1][:7] == "Service"
        ]
    assert len(ends) == 10
    assert max(ends) - min(ends) < 0.5
    assert abs(ends[0] - 558) < 1.5


def test_the_file_names_itself_and_the_day_it_was_issued() -> None:
    with opened(render(statement(invoice(line())))) as pdf:
        metadata = pdf.get_metadata_dict()
        assert pdf.get_page_size(0) == (612, 792)
    assert metadata["Title"] == f"Invoice {NUMBER}"
    assert metadata["Author"] == "Meridian Parking Partners"
    assert metadata["Subject"] == "Statement of site 0042 for 2026-10"
    assert metadata["CreationDate"] == "D:20261103000000Z"


def output_of(script: str, given: str) -> bytes:
    """What a fresh interpreter prints for `script`, with `given` on its standard input."""
    ended = subprocess.run([sys.executable, "-c", script], input=given.encode(), capture_output=True, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout


def _variants() -> list[InvoiceDocument]:
    return [invoice(*lines(3)), invoice(*lines(30)), invoice(line("Café", "“é” 中", "-5.00"), purchase_order="7")]


@pytest.mark.parametrize("given", _variants(), ids=["short", "two pages", "odd characters"])
def test_the_same_document_gives_the_same_bytes_in_another_process(given: InvoiceDocument) -> None:
    document = statement(given)
    script = (
        "import sys\n"
        "from shared_code.documents.model import from_json\n"
        "from shared_code.documents.statement_pdf import render\n"
        "sys.stdout.buffer.write(render(from_json(sys.stdin.buffer.read().decode())))\n"
    )
    stored = to_json(document)
    assert render(document) == render(from_json(stored)) == output_of(script, stored)


def test_threads_of_a_fresh_process_render_the_same_bytes() -> None:
    script = (
        "import sys\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from shared_code.documents.model import from_json\n"
        "from shared_code.documents.statement_pdf import render\n"
        "document = from_json(sys.stdin.buffer.read().decode())\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    files = set(pool.map(render, [document] * 40))\n"
        "assert len(files) == 1\n"
        "sys.stdout.buffer.write(files.pop())\n"
    )
    document = statement(invoice(*lines(20)))
    assert output_of(script, to_json(document)) == render(document)


def test_a_stored_document_and_its_path_need_no_pdf_library() -> None:
    script = (
        "import sys\n"
        "import shared_code.documents.model, shared_code.documents.paths\n"
        "print([name for name in ('fpdf', 'PIL', 'fontTools') if name in sys.modules])\n"
    )
    assert output_of(script, "").strip() == b"[]"


def test_another_version_is_another_file_with_its_own_identifier() -> None:
    first, second = (render(statement(invoice(line()), version=version)) for version in (1, 2))
    identifiers = [pdf[pdf.rindex(b"/ID [<") :].split(b"]")[0] for pdf in (first, second)]
    assert identifiers[0] != identifiers[1]


def test_what_was_rendered_before_leaves_no_trace() -> None:
    document = statement(invoice(*lines(5)))
    alone = render(document)
    render(statement(invoice(*lines(40))))
    render(statement(invoice(line("中😀", "Łódź"))))
    assert render(document) == alone


ARCHIVED = statement(invoice(*lines(30)), invoice(line("Café & <b>", "中"), number="0042-202610-02-01"), gl_entity="22")


def test_the_mailed_form_shows_the_same_pages() -> None:
    assert page_texts(render_archival(ARCHIVED)) == page_texts(render(ARCHIVED))


def test_the_mailed_form_lists_its_invoices_in_an_outline() -> None:
    with opened(render_archival(ARCHIVED)) as pdf:
        outline = [(mark.get_title(), mark.get_dest().get_index()) for mark in pdf.get_toc()]
    assert outline == [("Invoice 0042-202610-01-01", 0), ("Invoice 0042-202610-02-01", 2)]


def test_the_mailed_form_carries_the_statement_as_data() -> None:
    with opened(render_archival(ARCHIVED)) as pdf:
        assert pdf.count_attachments() == 1
        attachment = pdf.get_attachment(0)
        assert attachment.get_name() == "statement.json"
        twin = from_json(bytes(attachment.get_data()).decode())
    assert twin.invoices == ARCHIVED.invoices
    assert twin.brand == replace(BRAND.for_entity("22"), second=None)
    assert twin.brand.legal_name == "Unity Valet Services, Inc."


def test_the_mailed_form_says_what_it_conforms_to() -> None:
    odd = replace(ARCHIVED, brand=replace(BRAND, operator_name="Señor 中 & <B> \x00 ]]>"), gl_entity="")
    file = render_archival(odd)
    packet = ElementTree.fromstring(file[file.index(b"<x:xmpmeta") : file.index(b"</x:xmpmeta>") + 12])  # noqa: S314 - own file
    found = {element.tag.rpartition("}")[2]: element.text for element in packet.iter()}
    assert (found["part"], found["conformance"]) == ("3", "B")
    assert found["CreateDate"] == "2026-11-03T00:00:00+00:00"
    assert "Señor 中 & <B>  ]]>" in [element.text for element in packet.iter()]
    assert b"/AFRelationship /Data" in file
    assert b"/GTS_PDFA1" in file
    profile = re.search(rb"/DestOutputProfile (\d+) 0 R", file)
    assert profile is not None
    assert re.search(rb"\n%b 0 obj\n<<\n[^>]*/N 3\b" % profile[1], file)


def test_the_mailed_form_is_the_same_in_another_process() -> None:
    script = (
        "import sys\n"
        "from shared_code.documents.model import from_json\n"
        "from shared_code.documents.statement_pdf import render_archival\n"
        "sys.stdout.buffer.write(render_archival(from_json(sys.stdin.buffer.read().decode())))\n"
    )
    assert output_of(script, to_json(ARCHIVED)) == render_archival(ARCHIVED)
