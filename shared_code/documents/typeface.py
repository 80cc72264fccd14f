"""The two embedded fonts: read, measured and serialised by fpdf2 once per process, then reused as bytes.

fpdf2 parses, subsets and re-saves a TrueType font in every document, which costs fifty times the drawing of a
statement. Here fpdf2 does that work once, on fonts already reduced to the characters that invoices use; each
document then starts with the same finished font objects under the same object numbers.
"""

import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fpdf import FPDF
from fpdf.fonts import TTFFont
from fpdf.output import OutputProducer
from fpdf.syntax import PDFObject

_FOLDER = Path(__file__).parent / "fonts"
_FILES = ("Roboto-Regular.ttf", "Roboto-Bold.ttf")
_REPLACEMENT = "?"
_ESCAPES = {"\\": "\\\\", "(": "\\(", ")": "\\)", "\r": "\\r"}

_log = logging.getLogger(__name__)


class _Widths(dict[str, int]):
    """Advance by character, in thousandths of the font size; a character without glyph is as wide as `?`."""

    def __missing__(self, character: str) -> int:
        return self[_REPLACEMENT]


class _Codes(dict[str, str]):
    """Escaped two-byte code by character; a character without glyph prints as `?`."""

    def __missing__(self, character: str) -> str:
        return self[_REPLACEMENT]


@dataclass(frozen=True, slots=True)
class Face:
    """One weight: `name` is its resource name on a page."""

    name: str
    widths: _Widths
    codes: _Codes

    def width(self, text: str, size: float) -> float:
        """Printed width of `text` at `size`, both in points."""
        return sum(map(self.widths.__getitem__, text)) * size * 0.001

    def encoded(self, text: str) -> str:
        """`text` as the inside of a PDF string literal."""
        return "".join(map(self.codes.__getitem__, text))


@dataclass(frozen=True, slots=True)
class Typeface:
    """Both weights and their finished PDF objects: `bodies` are numbered from 1, `roots` are the fonts among them."""

    regular: Face
    bold: Face
    bodies: tuple[bytes, ...]
    roots: dict[int, int]


@cache
def typeface() -> Typeface:
    """The process-wide fonts; the first call takes about a tenth of a second, every other one nothing."""
    pdf = FPDF(unit="pt", format="letter")
    faces = [_face(pdf, index, file_name) for index, file_name in enumerate(_FILES, start=1)]
    producer = OutputProducer(pdf)
    # fpdf2 has no public call that serialises its fonts apart from a document; the version is pinned.
    roots = producer._add_fonts({}, {}, {})
    bodies = tuple(body_of(item) for item in producer.pdf_objs)
    _log.debug("fonts ready: %d objects, %d bytes", len(bodies), sum(map(len, bodies)))
    return Typeface(faces[0], faces[1], bodies, {index: root.id for index, root in roots.items()})


def _face(pdf: FPDF, index: int, file_name: str) -> Face:
    pdf.add_font(f"face{index}", "", _FOLDER / file_name)
    font = pdf.fonts[f"face{index}"]
    if not isinstance(font, TTFFont):
        raise TypeError(f"{file_name} is not a TrueType font")
    widths, codes = _Widths(), _Codes()
    for code_point in sorted(font.cmap):
        code = font.subset.pick(code_point)
        if code is not None:
            widths[chr(code_point)] = int(font.cw[code_point])
            codes[chr(code_point)] = "".join(_ESCAPES.get(byte, byte) for byte in (chr(code >> 8), chr(code & 255)))
    return Face(f"F{index}", widths, codes)


def body_of(item: PDFObject) -> bytes:
    """What fpdf2 writes for an object, without the line that numbers it."""
    text = item.serialize()
    data = text.encode("latin-1") if isinstance(text, str) else bytes(text)
    return data.partition(b" 0 obj\n")[2]
