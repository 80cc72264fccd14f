"""The body of a decision about a month."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared_code.foundation.shapes import Reason, RequestModel


class PeriodRequest(RequestModel):
    """What is to become of a month."""

    action: Literal["open", "close", "reopen"] = Field(
        description="close: nothing of the month is billed any more. reopen: a closed month is billed again."
    )
    reason: Reason | None = Field(None, description="why, in 3 to 500 characters; reopening needs it")
