"""Text of the statement: cleaned of what paper cannot show, cut into lines that fit, dates and addresses written."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date

from shared_code.documents.typeface import Face

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_LINE_ENDS = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_SUITE = re.compile(
    r"^(.*?\b(?:suite|ste\.?|unit|floor|fl\.?|room|rm\.?)\s+#?[\w-]+|.*?\s#\s?[\w-]+)\s*,\s*(.+)$", re.I
)
# Spaces that the fonts do not have, kept as spaces; narrow no-break space (dates of some locales) stays unbreakable.
# Half a surrogate pair is no character: no file and no metadata can hold it.
_SUBSTITUTES = dict.fromkeys([9, 0x1680, *range(0x2000, 0x2007), *range(0x2008, 0x200B), 0x205F, 0x3000], " ")
_SUBSTITUTES |= dict.fromkeys([0x2007, 0x202F], "\u00a0")
_SUBSTITUTES |= dict.fromkeys(range(0xD800, 0xE000), "?")


def clean(text: str) -> str:
    """Composed characters, `\\n` as the only line end, plain spaces, nothing invisible."""
    if text.isascii() and text.isprintable():
        return text
    if text.replace("\n", "").isprintable() and unicodedata.is_normalized("NFC", text):
        return text
    unified = _LINE_ENDS.sub("\n", unicodedata.normalize("NFC", text)).translate(_SUBSTITUTES)
    return "".join(c for c in unified if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf"))


def paragraphs(text: str) -> list[str]:
    """One paragraph per line feed (billing-flows 10.2); blank ones at either end are dropped, inner ones kept."""
    stripped = clean(text).strip("\n ")
    return stripped.split("\n") if stripped else []


def wrap(text: str, face: Face, size: float, width: float) -> list[str]:
    """`text` in lines no wider than `width` points: broken at spaces, a longer word between its characters.

    Each line feed starts a line of its own. An empty text has no lines.
    """
    lines: list[str] = []
    for paragraph in paragraphs(text):
        if face.width(paragraph, size) <= width:
            lines.append(paragraph.rstrip(" "))
        else:
            lines.extend(_filled(paragraph, face, width * 1000 / size))
    return lines


def wrap_at_most(lines: int, texts: Iterable[str], face: Face, size: float, width: float) -> list[str]:
    """These texts one under the other in at most `lines` lines; what is cut off leaves an ellipsis.

    For places of fixed size, such as an address: the table takes any length, these must not push it off the page.
    """
    every = [line for text in texts for line in wrap(text, face, size, width)]
    if len(every) <= lines:
        return every
    last = every[lines - 1]
    while face.width(last + "…", size) > width and last:
        last = last[:-1]
    return [*every[: lines - 1], last + "…"]


def _filled(paragraph: str, face: Face, room: float) -> Iterator[str]:
    """Greedy lines of one paragraph; `room` is in thousandths of the font size."""
    widths = face.widths.__getitem__
    space = face.widths[" "]
    line: list[str] = []
    used = 0
    for word in _words(paragraph, face, room):
        width = sum(map(widths, word))
        if line and used + space + width > room:
            yield " ".join(line)
            line, used = [], 0
        used += width + (space if line else 0)
        line.append(word)
    yield " ".join(line)


def _words(paragraph: str, face: Face, room: float) -> Iterator[str]:
    """The words of a paragraph, those wider than a line cut into pieces: after a hyphen or slash if there is one."""
    widths = face.widths.__getitem__
    for word in paragraph.split(" "):
        rest = word
        if sum(map(widths, word)) > room:
            while (fits := _fitting(rest, face, room)) < len(rest):
                cut = max(rest.rfind(mark, 0, fits) for mark in "-/") + 1 or max(fits, 1)
                yield rest[:cut]
                rest = rest[cut:]
        if rest:
            yield rest


def _fitting(text: str, face: Face, room: float) -> int:
    """How many leading characters of `text` fit; linear in that number, whatever the length of the text."""
    used = 0
    for position, character in enumerate(text):
        used += face.widths[character]
        if used > room:
            return position
    return len(text)


def clipped(text: str, face: Face, size: float, width: float) -> str:
    """`text` on one line, its end replaced by an ellipsis where it does not fit."""
    line = clean(text).replace("\n", " ")
    room = width * 1000 / size
    if _fitting(line, face, room) == len(line):
        return line
    return line[: _fitting(line, face, room - face.widths["…"])].rstrip(" ") + "…"


def long_date(day: date) -> str:
    """`October 31, 2026`, whatever the locale of the machine."""
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"


def short_date(day: date) -> str:
    """`Oct 31, 2026`, for narrow places."""
    return f"{_MONTHS[day.month - 1][:3]} {day.day}, {day.year}"


def day_range(first: date, last: date) -> str:
    """`October 1 – 31, 2026`, naming month and year twice only where they differ."""
    if (first.year, first.month) == (last.year, last.month):
        return f"{_MONTHS[first.month - 1]} {first.day} – {last.day}, {last.year}"
    if first.year == last.year:
        return f"{_MONTHS[first.month - 1]} {first.day} – {long_date(last)}"
    return f"{long_date(first)} – {long_date(last)}"


def customer_address(address: str) -> list[str]:
    """A customer's address: its own line feeds, else split after the first comma (billing-flows 10.2)."""
    lines = [line.strip() for line in paragraphs(address) if line.strip()]
    if len(lines) != 1:
        return lines
    street, _, rest = lines[0].partition(",")
    return [part for part in (street.strip(), rest.strip()) if part]


def operator_address(address: str) -> list[str]:
    """The operator's address: its own line feeds, else broken after the suite number (billing-flows 10.2)."""
    lines = [line.strip() for line in paragraphs(address) if line.strip()]
    if len(lines) == 1 and (found := _SUITE.match(lines[0])):
        return [found[1].rstrip(","), found[2]]
    return lines if len(lines) != 1 else customer_address(address)
