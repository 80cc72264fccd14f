"""Where everything of a statement stands: pages of an invoice, its table across page breaks, page numbers.

Source of the layout: billing-flows 10.2, requirements PDF-03 to PDF-08. Account codes, forecasts, owner shares
and notes are not in the model and so cannot be printed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared_code.documents.canvas import PAGE_WIDTH, SOFT, Canvas
from shared_code.documents.letterhead import (
    draw_continuation_head,
    draw_facts,
    draw_footer,
    draw_letterhead,
)
from shared_code.documents.model import Brand, InvoiceDocument, LineDocument, StatementDocument
from shared_code.documents.pdf_file import Page
from shared_code.documents.remittance import Remittance
from shared_code.documents.text import clean, wrap
from shared_code.documents.typeface import Typeface, typeface
from shared_code.foundation.money import dollars

LEFT = 54.0
RIGHT = PAGE_WIDTH - LEFT
BOTTOM = 728.0
_TITLE_WIDTH = 148.0
_DESCRIPTION_LEFT = LEFT + 164.0
_DESCRIPTION_WIDTH = 244.0
_TEXT_SIZE = 9.0
_LEADING = 12.5
_PADDING = 5.0
_HEAD_HEIGHT = 14.0
_TOTAL_HEIGHT = 34.0
_GAP = 22.0
_KEPT_LINES = 12
_LEAST_LINES = 3


@dataclass(frozen=True, slots=True)
class _Row:
    """One table row, measured: its lines and the amount as printed."""

    title: Sequence[str]
    description: Sequence[str]
    amount: str

    @property
    def lines(self) -> int:
        return max(len(self.title), len(self.description), 1)

    @property
    def height(self) -> float:
        return self.lines * _LEADING + 2 * _PADDING

    def split(self, lines: int) -> tuple["_Row", "_Row"]:
        """The first `lines` lines, which carry the amount, and the rest."""
        head = _Row(self.title[:lines], self.description[:lines], self.amount)
        return head, _Row(self.title[lines:], self.description[lines:], "")


def lay_out(document: StatementDocument) -> list[Page]:
    """All pages of a statement, invoice after invoice, numbered through; each invoice's first has a bookmark."""
    brand = document.brand.for_entity(document.gl_entity)
    fonts = typeface()
    remittance = Remittance.of(brand, fonts)
    drawn: list[tuple[Canvas, str | None]] = []
    for invoice in document.invoices:
        first, *further = _InvoicePages(document, invoice, brand, remittance, fonts).drawn()
        drawn.append((first, clean(f"Invoice {invoice.number}")))
        drawn.extend((canvas, None) for canvas in further)
    for number, (canvas, _) in enumerate(drawn, start=1):
        draw_footer(canvas, document, number, len(drawn), fonts)
    return [Page(canvas.content(), bookmark) for canvas, bookmark in drawn]


class _InvoicePages:
    """The pages of one invoice; `_y` is where the next thing on the current page may start."""

    def __init__(
        self,
        document: StatementDocument,
        invoice: InvoiceDocument,
        brand: Brand,
        remittance: Remittance,
        fonts: Typeface,
    ) -> None:
        self._document = document
        self._invoice = invoice
        self._brand = brand
        self._remittance = remittance
        self._fonts = fonts
        self._page = Canvas()
        self._pages = [self._page]
        self._y = 0.0
        self._top = 0.0

    def drawn(self) -> list[Canvas]:
        self._y = draw_letterhead(self._page, self._document, self._invoice, self._brand, self._fonts)
        self._y = draw_facts(self._page, self._invoice, self._y, self._fonts)
        self._draw_introduction()
        rows = [self._measured(line) for line in self._invoice.lines]
        if self._y + self._least_of_table(rows) > BOTTOM:
            self._break_page()
        self._draw_table_head()
        for row in rows[:-1]:
            self._draw_row(row, 0.0)
        for row in rows[-1:]:
            self._draw_row(row, self._closing_height)
        self._draw_closing()
        return self._pages

    @property
    def _closing_height(self) -> float:
        return _TOTAL_HEIGHT + _GAP + self._remittance.height

    def _least_of_table(self, rows: Sequence[_Row]) -> float:
        """Points that the table head needs under it: a head never ends a page."""
        height = _HEAD_HEIGHT + (self._closing_height if len(rows) <= 1 else 0.0)
        for row in rows[:1]:
            height += (_LEAST_LINES if row.lines > _KEPT_LINES else row.lines) * _LEADING + 2 * _PADDING
        return height

    def _measured(self, line: LineDocument) -> _Row:
        regular = self._fonts.regular
        return _Row(
            wrap(line.title, regular, _TEXT_SIZE, _TITLE_WIDTH),
            wrap(line.description, regular, _TEXT_SIZE, _DESCRIPTION_WIDTH),
            dollars(line.amount),
        )

    def _break_page(self) -> None:
        self._page = Canvas()
        self._pages.append(self._page)
        self._y = draw_continuation_head(self._page, self._invoice, self._brand, self._fonts)
        self._top = self._y

    def _draw_introduction(self) -> None:
        fonts = self._fonts
        self._draw_lines(wrap(self._invoice.title or "", fonts.bold, 12.0, RIGHT - LEFT), bold=True)
        self._draw_lines(wrap(self._invoice.description or "", fonts.regular, _TEXT_SIZE, RIGHT - LEFT), bold=False)
        self._y += 14.0

    def _draw_lines(self, lines: Sequence[str], *, bold: bool) -> None:
        size, leading = (12.0, 16.0) if bold else (_TEXT_SIZE, _LEADING)
        face = self._fonts.bold if bold else self._fonts.regular
        for line in lines:
            if self._y + leading > BOTTOM:
                self._break_page()
            self._y += leading
            self._page.text(LEFT, self._y, line, face, size)

    def _draw_table_head(self) -> None:
        bold, page = self._fonts.bold, self._page
        baseline = self._y + 8.0
        page.text(LEFT, baseline, "Title", bold, 8.0, SOFT)
        page.text(_DESCRIPTION_LEFT, baseline, "Description", bold, 8.0, SOFT)
        page.text_right(RIGHT, baseline, "Amount", bold, 8.0, SOFT)
        self._y += _HEAD_HEIGHT
        page.rule(LEFT, RIGHT, self._y)
        self._top = self._y

    def _draw_row(self, row: _Row, following: float) -> None:
        """Draw a row and keep `following` points free under it, on the next page where this one has no room.

        A row moves as a whole unless it is long; a long one is broken between its lines.
        """
        while self._y + row.height + following > BOTTOM:
            lines = self._lines_to_leave(row)
            if lines:
                head, row = row.split(lines)
                self._draw_whole(head, rule=False)
            elif self._y <= self._top:
                break  # a fresh page has no more room than this
            self._break_page()
            self._draw_table_head()
        self._draw_whole(row, rule=True)

    def _lines_to_leave(self, row: _Row) -> int:
        """How many lines of a row go on this page before it breaks; none of a short one, a few at either side."""
        if row.lines <= _KEPT_LINES:
            return 0
        fits = int((BOTTOM - self._y - 2 * _PADDING) // _LEADING)
        lines = min(fits, row.lines - _LEAST_LINES)
        return lines if lines >= _LEAST_LINES else 0

    def _draw_whole(self, row: _Row, *, rule: bool) -> None:
        page, regular = self._page, self._fonts.regular
        first = self._y + _PADDING + 9.0
        for position, line in enumerate(row.title):
            page.text(LEFT, first + position * _LEADING, line, regular, _TEXT_SIZE)
        for position, line in enumerate(row.description):
            page.text(_DESCRIPTION_LEFT, first + position * _LEADING, line, regular, _TEXT_SIZE, SOFT)
        if row.amount:
            page.text_right(RIGHT, first, row.amount, regular, _TEXT_SIZE)
        self._y += row.height
        if rule:
            page.rule(LEFT, RIGHT, self._y, 0.5, light=True)

    def _draw_closing(self) -> None:
        """The total under the last row, and how to pay at the foot of the same page."""
        if self._y + self._closing_height > BOTTOM:
            self._break_page()
        page, bold = self._page, self._fonts.bold
        page.rule(LEFT, RIGHT, self._y)
        page.text(_DESCRIPTION_LEFT, self._y + 20.0, "Total Amount Due", bold, 10.5)
        page.text_right(RIGHT, self._y + 20.0, dollars(self._invoice.amount), bold, 10.5)
        self._remittance.draw(page, BOTTOM - self._remittance.height, self._fonts)
