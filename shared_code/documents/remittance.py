"""How to pay: contact sentence, check payments, ACH payments (PDF-07), measured once for all invoices."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared_code.documents.canvas import PAGE_WIDTH, SOFT, Canvas
from shared_code.documents.model import Brand
from shared_code.documents.text import customer_address, operator_address, wrap_at_most
from shared_code.documents.typeface import Typeface

_LEFT = 54.0
_RIGHT = PAGE_WIDTH - _LEFT
_MIDDLE = _LEFT + 264.0
_COLUMN = 240.0
_LABEL = 92.0
_SIZE = 8.5
_LEADING = 12.0

_Entry = tuple[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Remittance:
    """The block at the foot of an invoice's last page; `height` in points."""

    contact: Sequence[str]
    check: Sequence[_Entry]
    ach: Sequence[_Entry]
    height: float

    @classmethod
    def of(cls, brand: Brand, fonts: Typeface) -> "Remittance":
        """Measure the block of a brand; the second brand has no P.O. box, its checks go to its address."""
        contact = wrap_at_most(3, [_contact_sentence(brand)], fonts.regular, _SIZE, _RIGHT - _LEFT)
        remit_to = customer_address(brand.po_box) or operator_address(brand.address)
        check = _entries((("Payable to", [brand.legal_name]), ("Remit to", remit_to)), fonts)
        ach = _entries(
            (
                ("Account number", [brand.account_number]),
                ("ABA number", [brand.aba]),
                ("Remittance e-mail", [brand.email]),
            ),
            fonts,
        )
        lines = max(sum(len(values) for _, values in entries) for entries in (check, ach))
        height = 16.0 + len(contact) * _LEADING + 10.0 + _LEADING + 3.0 + lines * _LEADING
        return cls(contact, check, ach, height)

    def draw(self, page: Canvas, top: float, fonts: Typeface) -> None:
        page.rule(_LEFT, _RIGHT, top, 0.5, light=True)
        y = top + 16.0
        for line in self.contact:
            page.text(_LEFT, y, line, fonts.regular, _SIZE)
            y += _LEADING
        y += 10.0
        for left, title, entries in ((_LEFT, "Check payments", self.check), (_MIDDLE, "ACH payments", self.ach)):
            if entries:
                page.text(left, y, title, fonts.bold, _SIZE)
                _draw_entries(page, left, y + _LEADING + 3.0, entries, fonts)


def _contact_sentence(brand: Brand) -> str:
    ways = [f"write to {brand.email}" if brand.email else "", f"call {brand.phone}" if brand.phone else ""]
    reachable = " or ".join(way for way in ways if way)
    return f"Questions about this invoice? Please {reachable}." if reachable else ""


def _entries(given: Sequence[tuple[str, Sequence[str]]], fonts: Typeface) -> list[_Entry]:
    measured = ((label, wrap_at_most(4, texts, fonts.regular, _SIZE, _COLUMN - _LABEL)) for label, texts in given)
    return [(label, lines) for label, lines in measured if lines]


def _draw_entries(page: Canvas, left: float, y: float, entries: Sequence[_Entry], fonts: Typeface) -> None:
    for label, lines in entries:
        page.text(left, y, label, fonts.regular, _SIZE, SOFT)
        for line in lines:
            page.text(left + _LABEL, y, line, fonts.regular, _SIZE)
            y += _LEADING
