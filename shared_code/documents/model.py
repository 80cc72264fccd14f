"""The printed statement as a value: every text, date and amount that the PDF shows.

The document is a snapshot stored with its statement, so a later change of a customer, a contract or a setting
never reaches a statement that exists (field report 22). Source: billing-flows 10.1 and 10.2, requirements 1.18.
"""

import json
import types
from collections.abc import Iterable
from dataclasses import dataclass, is_dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import orjson

from shared_code.foundation.calendar import Period
from shared_code.foundation.money import CENT, ZERO, to_cents
from shared_code.foundation.values import as_text, document_class


@dataclass(frozen=True, slots=True)
class SecondBrand:
    """The other brand of the operator, for sites of one GL entity (PDF-03, PDF-07).

    Without an own name or address the operator's stands in; its checks go to the address, not to a P.O. box.
    """

    operator_name: str
    legal_name: str
    address: str = ""
    gl_entity: str = "22"


@document_class
class Brand:
    """Who bills and where to pay: the general configuration values of PDF-07. An empty text is not printed."""

    operator_name: str
    address: str
    phone: str
    legal_name: str
    po_box: str
    account_number: str
    aba: str
    email: str
    second: SecondBrand | None = None

    def for_entity(self, gl_entity: str) -> "Brand":
        """The brand that a site of `gl_entity` (first two characters of its GL string) sees. Source: PDF-03."""
        second = self.second
        if second is None or gl_entity.strip() != second.gl_entity:
            return self
        return replace(
            self,
            operator_name=second.operator_name or self.operator_name,
            legal_name=second.legal_name or self.legal_name,
            address=second.address or self.address,
            po_box="",
            second=None,
        )


@document_class
class BillTo:
    """Whom an invoice addresses. The address is printed in two lines, split at its first comma (PDF-03)."""

    site_name: str
    recipient: str
    address: str


@document_class
class LineDocument:
    """One printed line; each line feed of the description starts a paragraph. US dollars, to the cent."""

    title: str
    description: str
    amount: Decimal

    def __post_init__(self) -> None:
        _require_cents(self.amount, "line", self.title)


@document_class
class InvoiceDocument:
    """One printed invoice. `bill_to` replaces the statement's where the invoice group has its own addressee.

    Raises ValueError when the amount is not the sum of the lines (rules R1).
    """

    number: str
    invoice_date: date
    payment_terms: str
    amount: Decimal
    lines: tuple[LineDocument, ...]
    due_date: date | None = None
    purchase_order: str | None = None
    title: str | None = None
    description: str | None = None
    bill_to: BillTo | None = None
    vendor: str | None = None

    def __post_init__(self) -> None:
        _require_sum(self.amount, [line.amount for line in self.lines], "invoice", self.number)


@document_class
class StatementDocument:
    """Everything a statement prints: one or more invoices of one site and period, in print order.

    Raises ValueError without an invoice, or when the total is not the sum of the invoices (rules R1).
    """

    statement_id: str
    site_number: str
    period: Period
    version: int
    issued: date
    service_first_day: date
    service_last_day: date
    total: Decimal
    brand: Brand
    bill_to: BillTo
    invoices: tuple[InvoiceDocument, ...]
    gl_entity: str = ""

    def __post_init__(self) -> None:
        if not self.invoices:
            raise ValueError(f"statement {self.statement_id} has no invoice to print")
        _require_sum(self.total, [invoice.amount for invoice in self.invoices], "statement", self.statement_id)

    def restricted_to(self, numbers: Iterable[str]) -> "StatementDocument":
        """The same statement with only these invoices and their total: one recipient's part (PDF-01).

        Raises ValueError when a number is not of this statement: nobody gets a mail with a part missing.
        """
        wanted = set(numbers)
        missing = wanted - {invoice.number for invoice in self.invoices}
        if missing:
            raise ValueError(f"statement {self.statement_id} has no invoice {', '.join(sorted(missing))}")
        kept = tuple(invoice for invoice in self.invoices if invoice.number in wanted)
        return replace(self, invoices=kept, total=sum((invoice.amount for invoice in kept), ZERO))


def to_json(document: StatementDocument) -> str:
    """The document as JSON text for storage: amounts as text, dates as ISO text, the same text every time."""
    return orjson.dumps(vars(document) | {"period": str(document.period)}, default=_exact).decode()


def from_json(text: str) -> StatementDocument:
    """Read what `to_json` wrote.

    Raises ValueError with the place when a value is missing, unknown or of another kind: a stored statement is
    printed whole or not at all.
    """
    document: StatementDocument = _decoded(StatementDocument, json.loads(text), "document")
    return document


def _exact(value: object) -> str:
    """What JSON does not know itself: exact numbers, and nothing else."""
    if not isinstance(value, Decimal):
        raise TypeError(f"a printed document cannot carry a {type(value).__name__}")
    return as_text(value)


def _require_cents(amount: Decimal, kind: str, name: str) -> None:
    """`kind` and `name` say whose amount it is. Nearly every one has its two decimals already."""
    if not (amount.same_quantum(CENT) or (amount.is_finite() and amount == to_cents(amount))):
        raise ValueError(f"{kind} {name}: {amount} is not an amount in cents")


def _require_sum(amount: Decimal, parts: Iterable[Decimal], kind: str, name: str) -> None:
    _require_cents(amount, kind, name)
    total = sum(parts, ZERO)
    if amount != total:
        raise ValueError(f"{kind} {name}: the amount {amount} is not the sum of its parts, {total}")


@cache
def _fields_of(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _decoded(kind: Any, value: Any, place: str) -> Any:
    if get_origin(kind) in (types.UnionType, Union):
        inner = next(option for option in get_args(kind) if option is not type(None))
        return None if value is None else _decoded(inner, value, place)
    if get_origin(kind) is tuple:
        items = _checked(list, value, place)
        return tuple(_decoded(get_args(kind)[0], item, f"{place}[{i}]") for i, item in enumerate(items))
    if kind in _FROM_TEXT:
        return _from_text(kind, _checked(str, value, place), place)
    if is_dataclass(kind):
        return _decoded_fields(kind, _checked(dict, value, place), place)
    return _checked(kind, value, place)


def _decoded_fields(kind: Any, value: dict[str, Any], place: str) -> Any:
    wanted = _fields_of(kind)
    value = _LATER_FIELDS.get(kind, {}) | value
    if value.keys() != wanted.keys():
        different = ", ".join(sorted(value.keys() ^ wanted.keys()))
        raise ValueError(f"{place}: missing or unknown fields: {different}")
    return kind(**{name: _decoded(hint, value[name], f"{place}.{name}") for name, hint in wanted.items()})


# What snapshots of earlier versions do not have, with what they would have said.
_LATER_FIELDS: dict[Any, dict[str, Any]] = {InvoiceDocument: {"vendor": None}}
_FROM_TEXT: dict[Any, Any] = {Decimal: Decimal, date: date.fromisoformat, Period: Period.parse}


def _from_text(kind: Any, text: str, place: str) -> Any:
    try:
        return _FROM_TEXT[kind](text)
    except (ValueError, InvalidOperation) as fault:
        raise ValueError(f"{place}: {text!r} is not a {kind.__name__}") from fault


def _checked(kind: type, value: Any, place: str) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{place}: expected {kind.__name__}, got {type(value).__name__}")
    return value
