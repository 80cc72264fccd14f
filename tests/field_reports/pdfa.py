"""What PDF/A-3B asks of a file (ISO 19005-3), as far as it can be told from the file's objects."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.field_reports.pdf_objects import PdfObjects, content_of

_STANDARD_FONTS = re.compile(rb"/BaseFont\s*/(Helvetica|Times|Courier|Symbol|ZapfDingbats)")
_FORBIDDEN_ACTIONS = (b"/JavaScript", b"/Launch", b"/Sound", b"/Movie", b"/ResetForm", b"/ImportData")


def broken_rules(file: bytes) -> list[str]:
    """The rules that the file breaks, by clause; none for one that conforms in all that is looked at."""
    objects = PdfObjects(file)
    return [name for name, holds in RULES.items() if not _holds(holds, objects)]


def _holds(rule: Callable[[PdfObjects], bool], objects: PdfObjects) -> bool:
    """A part that a rule looks for and does not find breaks it."""
    try:
        return rule(objects)
    except (AssertionError, IndexError, ValueError):
        return False


def _header(pdf: PdfObjects) -> bool:
    first, second = pdf.file.split(b"\n", 2)[:2]
    return re.fullmatch(rb"%PDF-1\.[4-7]", first) is not None and second[:1] == b"%" and min(second[1:5]) > 127


def _identified(pdf: PdfObjects) -> bool:
    return re.search(rb"/ID\s*\[\s*<[0-9A-Fa-f]{32}>\s*<[0-9A-Fa-f]{32}>", pdf.trailer) is not None


def _not_encrypted(pdf: PdfObjects) -> bool:
    return b"/Encrypt" not in pdf.trailer


def _claims_to_conform(pdf: PdfObjects) -> bool:
    packet = content_of(pdf.follow(pdf.catalog, b"Metadata"))
    return b"<pdfaid:part>3</pdfaid:part>" in packet and b"<pdfaid:conformance>B</pdfaid:conformance>" in packet


def _metadata_is_plain(pdf: PdfObjects) -> bool:
    """So that a reader which knows no PDF finds it."""
    return not pdf.has(pdf.follow(pdf.catalog, b"Metadata"), b"/Filter")


def _output_intent(pdf: PdfObjects) -> bool:
    (intent,) = [body for body in pdf.bodies.values() if pdf.has(body, b"/S /GTS_PDFA1")]
    profile = content_of(pdf.follow(intent, b"DestOutputProfile"))
    return pdf.has(pdf.catalog, b"/OutputIntents") and profile[36:40] == b"acsp" and profile[16:20] == b"RGB "


def _fonts_embedded(pdf: PdfObjects) -> bool:
    descriptors = pdf.of_type(b"FontDescriptor")
    programs = [content_of(pdf.follow(one, b"FontFile2")) for one in descriptors]
    standard = [body for body in pdf.bodies.values() if _STANDARD_FONTS.search(body)]
    return bool(programs) and all(len(program) > 1000 for program in programs) and not standard


def _fonts_have_their_text(pdf: PdfObjects) -> bool:
    composite = [body for body in pdf.of_type(b"Font") if pdf.has(body, b"/Subtype /Type0")]
    return bool(composite) and all(b"beginbf" in content_of(pdf.follow(one, b"ToUnicode")) for one in composite)


def _file_specification(pdf: PdfObjects) -> bytes:
    (found,) = [body for body in pdf.bodies.values() if re.search(rb"/Type\s*/(F|Filespec)\b", body)]
    return found


def _associated_file(pdf: PdfObjects) -> bool:
    """Named twice, with its relation to the document; the catalogue lists it, and it can be read by name."""
    found = _file_specification(pdf)
    return all(pdf.has(found, text) for text in (b"/F", b"/UF", b"/AFRelationship /Data")) and (
        pdf.has(pdf.catalog, b"/AF") and b"/EmbeddedFiles" in pdf.file
    )


def _embedded_file_says_what_it_is(pdf: PdfObjects) -> bool:
    (embedded,) = pdf.of_type(b"EmbeddedFile")
    head = embedded.partition(b"stream")[0]
    return b"/Subtype" in head and b"json" in head and b"/ModDate" in head


def _no_forbidden_actions(pdf: PdfObjects) -> bool:
    return not any(name in body for body in pdf.bodies.values() for name in _FORBIDDEN_ACTIONS)


def _no_lzw(pdf: PdfObjects) -> bool:
    return b"/LZWDecode" not in pdf.file


def _no_transparency_left_open(pdf: PdfObjects) -> bool:
    """Colours are those of the device, which the output intent explains; nothing is blended."""
    return not any(b"/SMask" in body or b"/BM" in body for body in pdf.bodies.values())


RULES: dict[str, Callable[[PdfObjects], bool]] = {
    "6.1.2 file header with a line of bytes": _header,
    "6.1.3 file identifier": _identified,
    "6.1.3 not encrypted": _not_encrypted,
    "6.1.7 no LZW": _no_lzw,
    "6.2.3 output intent with an RGB profile": _output_intent,
    "6.2.4 nothing blended": _no_transparency_left_open,
    "6.2.11.4 fonts embedded": _fonts_embedded,
    "6.2.11.7 fonts say which text they show": _fonts_have_their_text,
    "6.5.1 no actions that are forbidden": _no_forbidden_actions,
    "6.6.2 metadata not filtered": _metadata_is_plain,
    "6.6.4 says that it is PDF/A-3B": _claims_to_conform,
    "6.8 associated file with its relation": _associated_file,
    "6.8 embedded file with type and day": _embedded_file_says_what_it_is,
}
