"""Bases of what comes in: request bodies and queue messages, checked by pydantic, camelCase on the wire.

Their build waits for their first use, so that importing a module of shapes costs little.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel


class RequestModel(BaseModel):
    """A request body. Unknown fields are refused: what a caller misspells must not be ignored."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, defer_build=True, strict=True, frozen=True)


class MessageModel(BaseModel):
    """A queue message: keys, never payloads. Unknown fields are left alone: a newer instance may have sent it."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, defer_build=True, frozen=True)


Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


class WithReason(RequestModel):
    """A decision of a person, with the reason that the audit keeps."""

    reason: Reason = Field(description="why, in 3 to 500 characters")
