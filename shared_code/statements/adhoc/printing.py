"""What a stored statement shows once people added or removed lines, without computing its month anew. Pure.

What was generated stays as it was stored, ids, metadata and traces included (B35); only ad-hoc lines come and go, in
their place among the blocks (billing-flows 5.5). Totals, comparison to forecast and snapshot follow (ADH-07).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple, Protocol

from shared_code.billing import adhoc
from shared_code.billing.blocks import BLOCKS
from shared_code.billing.model import Line
from shared_code.documents.model import LineDocument, StatementDocument
from shared_code.foundation.money import ZERO, to_cents
from shared_code.statements.drafts import InvoiceDraft, invoice_document
from shared_code.statements.review import Review, after_review

_NAMES = [block.name for block in BLOCKS]
_BEHIND = frozenset(_NAMES[_NAMES.index(adhoc.NAME) + 1 :])


class Shown(Protocol):
    """A line of an invoice, stored or about to be."""

    @property
    def block(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def amount(self) -> Decimal: ...


class Stored(Shown, Protocol):
    """A stored line, a row of `invoice_line`."""

    @property
    def line_id(self) -> str: ...
    @property
    def ordinal(self) -> int: ...
    @property
    def meta(self) -> str: ...


type Placed = Stored | Line
"""A line in its place: the row that it is, or the line that will be one."""


class StoredInvoice(Protocol):
    """A stored invoice, a row of `invoice`."""

    @property
    def invoice_id(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def invoice_group(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Page:
    """One invoice as it is to be: its lines in print order. `draft` is there where the invoice is new (rules R52)."""

    invoice_id: str
    number: str
    group: int
    lines: tuple[Placed, ...]
    draft: InvoiceDraft | None = None

    @property
    def amount(self) -> Decimal:
        return sum((to_cents(line.amount) for line in self.lines), ZERO)


def pages(
    invoices: Sequence[StoredInvoice],
    lines: Mapping[str, Sequence[Stored]],
    printed: Sequence[Line],
    new_invoice: Callable[[int, Sequence[Line]], InvoiceDraft],
) -> tuple[Page, ...]:
    """The invoices of a statement with `printed` as their ad-hoc lines, in the order of group numbers.

    `lines` are the stored ones by invoice. A group without invoice gets one of `new_invoice`. An invoice whose lines
    all come to 0.00 is left out, as a new generation would leave it out (rules R54).
    """
    added: dict[int, list[Line]] = defaultdict(list)
    for line in printed:
        added[line.group].append(line)
    found = [
        Page(one.invoice_id, one.number, one.invoice_group, _arranged(lines[one.invoice_id], added[one.invoice_group]))
        for one in invoices
    ]
    for group in added.keys() - {one.invoice_group for one in invoices}:
        draft = new_invoice(group, added[group])
        found.append(Page(draft.invoice_id, draft.number, group, draft.lines, draft))
    return tuple(sorted((one for one in found if any(line.amount for line in one.lines)), key=lambda one: one.group))


def adhoc_id(line: Stored) -> str | None:
    """The id of the added line that a stored line prints; None for one that was generated."""
    found: str | None = json.loads(line.meta).get("adHocId") if line.block == adhoc.NAME else None
    return found


def _arranged(stored: Sequence[Stored], added: Sequence[Line]) -> tuple[Placed, ...]:
    """The lines of an invoice in print order. An added line that is stored already stays the row that it is."""
    known = {adhoc_id(line): line for line in stored}
    generated = [line for line in stored if line.block != adhoc.NAME]
    return (
        *(line for line in generated if line.block not in _BEHIND),
        *(known.get(str(line.meta["adHocId"]), line) for line in added),
        *(line for line in generated if line.block in _BEHIND),
    )


class Charge(NamedTuple):
    """What a line brings on which account."""

    code: str
    amount: Decimal


def charges(found: Iterable[Page]) -> Iterator[Charge]:
    """What the comparison to forecast reads of the lines, in cents as they were billed."""
    return (Charge(line.code, to_cents(line.amount)) for one in found for line in one.lines)


def total_of(found: Iterable[Page]) -> Decimal:
    """The total of a statement: the sum of its invoices (rules R1)."""
    return sum((one.amount for one in found), ZERO)


def moved_on(status: str, reason: str | None, deviations: Sequence[str]) -> tuple[str, str | None]:
    """Status and reason after a change: one that nobody had to look at is looked at when it deviates now (rules R25).

    Where a person looks anyway, or is to look, the statement stays.
    """
    review = after_review(deviations) if status == "ReadyToSend" else Review("ReadyToSend")
    return (status, reason) if review.status == "ReadyToSend" else (review.status, review.reason)


def redrawn(document: StatementDocument, found: Sequence[Page]) -> StatementDocument:
    """The snapshot with other lines. Whatever else it printed stays as it was (field report 22)."""
    known = {invoice.number: invoice for invoice in document.invoices}
    invoices = tuple(
        invoice_document(one.draft)
        if one.draft is not None
        else replace(known[one.number], amount=one.amount, lines=tuple(map(_line_document, one.lines)))
        for one in found
    )
    return replace(document, invoices=invoices, total=total_of(found))


def _line_document(line: Shown) -> LineDocument:
    return LineDocument(line.title, line.description, to_cents(line.amount))
