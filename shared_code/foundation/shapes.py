"""Bases of what comes in: request bodies and queue messages, checked by pydantic, camelCase on the wire.

Their build waits for their first use, so that importing a module of shapes costs little.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel


class RequestModel(BaseModel):
    """A request body. Unknown fields are refused: what a caller misspells must not be ignored."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, defer_build=True, strict=True, frozen=True)


class MessageModel(BaseModel):
    """A queue message: keys, never payloads. Unknown fields are left alone: a newer instance may have sent it."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, defer_build=True, frozen=True)


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds characters that do not print")
    return text


def _instant(value: object) -> object:
    """Instants come as text, and in UTC from here on; a number would be guessed to be seconds."""
    try:
        found = (
            value if isinstance(value, datetime) else datetime.fromisoformat(value if isinstance(value, str) else "")
        )
        return found.astimezone(UTC) if found.tzinfo is not None else found
    except (ValueError, OverflowError) as fault:
        raise ValueError("an instant is written YYYY-MM-DDThh:mm:ssZ") from fault


Printable = AfterValidator(_printable)
Instant = Annotated[datetime, BeforeValidator(_instant)]
"""A moment: RFC 3339 with its zone, kept in UTC. Without a zone it stays naive, for the use case to refuse by place."""
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500), Printable]


class WithReason(RequestModel):
    """A decision of a person, with the reason that the audit keeps."""

    reason: Reason = Field(description="why, in 3 to 500 characters")
