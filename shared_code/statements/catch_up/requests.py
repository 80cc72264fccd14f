"""The body of a request to bill missed months, checked before anything happens."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared_code.foundation.shapes import RequestModel


class CatchUpRequest(RequestModel):
    """`{"periods": ["2026-08", "2026-09"]}`; absent for all that are missed."""

    periods: Annotated[list[str], Field(min_length=1, max_length=120)] | None = Field(
        None,
        description="the missed months to bill, written YYYY-MM; absent for all",
        examples=[["2026-08", "2026-09"]],
    )
