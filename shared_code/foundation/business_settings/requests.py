"""The body of a change of business settings."""

from __future__ import annotations

from pydantic import Field

from shared_code.foundation.shapes import WithReason

type Wanted = bool | int | float | str | list[str] | None


class SettingsRequest(WithReason):
    """Settings by name with their new values, and why."""

    changes: dict[str, Wanted] = Field(
        min_length=1,
        description="new values by name, as GET /settings shows them; null gives a setting back to its default",
        examples=[{"gapDays": 5}],
    )
