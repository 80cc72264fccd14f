"""The body of a change of opening balances."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from shared_code.foundation.shapes import RequestModel, WithReason

Amount = Annotated[Decimal, Field(max_digits=18, decimal_places=4)]


class OpeningWish(RequestModel):
    """One opening balance: an amount, or zero by explicit choice."""

    kind: Literal["structure", "claims", "profitShare"] = Field(description="what accumulates")
    id: Annotated[str, Field(min_length=1, max_length=400)] = Field(
        description="the id of the structure, or of the management agreement for claims and profitShare"
    )
    basis: Literal["amount", "zero"] = Field(description="amount states toDate; zero is a choice, and states none")
    as_of: str = Field(description="the last month that is in it, written YYYY-MM", examples=["2026-09"])
    to_date: Amount | None = Field(None, description="the running total of the window through that month")
    high_water_mark: Amount | None = Field(
        None, description="the highest running total of the window, where it is not toDate; not for claims"
    )


class OpeningsRequest(WithReason):
    """All opening balances of a contract; what is left out is removed."""

    balances: Annotated[list[OpeningWish], Field(max_length=200)] = Field(
        description="the whole set: each place once; what is left out is removed"
    )
