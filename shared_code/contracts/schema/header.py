"""The head of a contract: where it came from, whose site it is, how it is paid and on which invoices it stands.

Source: contract-corpus 5.2.
"""

import calendar
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field

from shared_code.contracts.schema.base import Part, Switch, Text, Whole


class Source(Part):
    """The imported file: what is needed to prove and to repeat an import (contract-corpus 5.1 R18).

    `parking_tax_key` is the file's spelling of the one key that carries the operator's name.
    """

    file_name: str | None = None
    folder: str | None = None
    site_guid: str | None = None
    export_date: str
    sha256: str
    parking_tax_key: str | None = None


class Site(Part):
    """What the contract document says about its site. The site master is another record and may be missing (DQ02)."""

    number: Text
    master_matched: Switch = True
    customer_name: str
    account_manager: str | None = None
    district: str | None = None
    state: str | None = None
    city: str | None = None
    address: str | None = None


class BillingRef(Part):
    """One billing reference found in the purchase-order field or a group's description (DQ10, DQ14)."""

    type: Literal["purchase_order", "cost_center", "gl_coding", "budget", "vendor", "routing", "person", "other"]
    text: Text
    group: Whole | None = None


class NetDays(Part):
    """Due a number of days after the invoice date."""

    kind: Literal["net_days"] = "net_days"
    days: Annotated[int, Field(strict=True, ge=0, le=366)]

    @property
    def text(self) -> str:
        """The wording that invoices print."""
        return f"Due in {self.days} Days"

    def due_date(self, invoice_date: date) -> date | None:
        """The invoice date plus the agreed days (rules R28)."""
        return invoice_date + timedelta(days=self.days)


class DayOfMonth(Part):
    """Due on a day of the month. `long_form` keeps the spelling "Due by 20th of the Month" (DQ25)."""

    kind: Literal["day_of_month"] = "day_of_month"
    day: Annotated[int, Field(strict=True, ge=1, le=31)]
    long_form: Switch = False

    @property
    def text(self) -> str:
        """The wording that invoices print."""
        ending = " of the Month" if self.long_form else ""
        return f"Due by {self.day}{_ordinal(self.day)}{ending}"

    def due_date(self, invoice_date: date) -> date | None:
        """The next such day strictly after the invoice date; in a shorter month its last day (rules R28).

        An invoice of 31 January due by the 30th is therefore due on 28 (or 29) February.
        """
        year, month = invoice_date.year, invoice_date.month
        due = _day_in(year, month, self.day)
        if due > invoice_date:
            return due
        return _day_in(year + month // 12, month % 12 + 1, self.day)


class OnReceipt(Part):
    """Due at once."""

    kind: Literal["on_receipt"] = "on_receipt"

    @property
    def text(self) -> str:
        """The wording that invoices print."""
        return "Due on Receipt"

    def due_date(self, invoice_date: date) -> date | None:
        """The invoice date itself (rules R28)."""
        return invoice_date


class RawTerms(Part):
    """Wording that is none of the known forms: printed as it is, without a due date."""

    kind: Literal["raw"] = "raw"
    text: str

    def due_date(self, invoice_date: date) -> date | None:
        """None: free wording gives no date (rules R28)."""
        return None


def _ordinal(day: int) -> str:
    endings = {1: "st", 2: "nd", 3: "rd"}
    return "th" if day // 10 == 1 else endings.get(day % 10, "th")


def _day_in(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


PaymentTerms = Annotated[NetDays | DayOfMonth | OnReceipt | RawTerms, Field(discriminator="kind")]


class InvoiceGroup(Part):
    """One invoice of the statement, with what it overrides. `site_number` starts its invoice numbers (rules R52)."""

    id: str
    number: Whole
    title: str | None = None
    description: str | None = None
    vendor_id: str | None = None
    site_number: str | None = None
    customer_name: str | None = None
    emails: tuple[str, ...] = ()


class Extension(Part):
    """Something the schema does not know, kept by a lenient import: a whole field, or an unknown value of a choice."""

    pointer: str
    kind: Literal["field", "value"]
    value: str
