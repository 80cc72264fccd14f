"""The body of a change of index values."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints

from shared_code.foundation.shapes import RequestModel, WithReason

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=r"^[ -.0-~]+$")]


class IndexValueWish(RequestModel):
    """One value."""

    name: Name = Field(description="the index, such as CPI or ECI, as escalators of contracts state it")
    year: Annotated[int, Field(ge=1990, le=2199)] = Field(description="the year whose escalation the value is for")
    value: Annotated[Decimal, Field(ge=-50, le=100, max_digits=9, decimal_places=4)] | None = Field(
        description="the change in percent, 3.1 for a rise by 3.1 %; null takes a value back"
    )


class IndexValuesRequest(WithReason):
    """Values that are to hold; those of other indexes and years stay as they are."""

    values: Annotated[list[IndexValueWish], Field(min_length=1, max_length=500)] = Field(
        description="the values that are to hold, each index and year once"
    )
