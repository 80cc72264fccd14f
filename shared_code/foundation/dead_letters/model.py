"""Dead letters as values."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["Open", "Replayed", "Discarded"]
STATES: tuple[State, ...] = ("Open", "Replayed", "Discarded")


BINARY = "base64:"
"""Begins a body that is no text: the bytes follow as base64."""


def shown_body(content: bytes) -> str:
    """A body as it is kept: text as it is, other bytes as base64 behind a mark, so that none is lost."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return BINARY + base64.b64encode(content).decode("ascii")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be processed: what it was (`shown_body`), and why it could not."""

    queue: str
    message_id: str
    body: str
    correlation_id: str
    reason: str
    description: str
    deliveries: int


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """Which dead letters to list; None narrows nothing."""

    queue: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetterSummary:
    """A dead letter in a list."""

    id: str
    queue: str
    message_id: str
    reason: str
    description: str
    deliveries: int
    state: State
    died_at: datetime
    correlation_id: str


@dataclass(frozen=True, slots=True)
class DeadLetterDetail:
    """One dead letter with its content (keys, never payloads) and with what became of it."""

    id: str
    queue: str
    message_id: str
    body: str
    reason: str
    description: str
    deliveries: int
    state: State
    died_at: datetime
    correlation_id: str
    settled_at: datetime | None
    settled_by: str | None
    settled_reason: str | None
    replay_message_id: str | None
