"""The body of a request to add a line, checked before anything happens."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from shared_code.billing.model import AdHocType
from shared_code.foundation.shapes import Printable, WithReason


def _paragraphs(text: str) -> str:
    if not text.replace("\n", "").isprintable():
        raise ValueError("holds characters that do not print")
    return text


Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Printable]
Paragraphs = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000), AfterValidator(_paragraphs)]


class AdHocLineRequest(WithReason):
    """A line to add to an invoice."""

    type: AdHocType = Field(
        description="miscellaneous bills or credits anything; clientPaidExpense credits what the client paid; "
        "reimbursableExpense bills what was paid for the client; nonBillableExpense lowers a shared profit alone"
    )
    title: Title = Field(description="the printed title")
    amount: Annotated[Decimal, Field(max_digits=14, decimal_places=2)] = Field(
        description="US dollars with at most two decimals; expenses as they were paid, above 0.00", examples=[125.50]
    )
    code: Annotated[str, Field(pattern="^[0-9]{4}$")] | None = Field(
        None, description="the main account; 7000 to 7999 for a clientPaidExpense, which needs one"
    )
    description: Paragraphs = Field("", description="printed below the title; each line feed starts a paragraph")
    group: Annotated[int, Field(ge=1, le=99)] | None = Field(
        None, description="another invoice group of the contract; absent for the group of the invoice"
    )
