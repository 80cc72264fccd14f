"""What a message may not exceed: the standard tier of Service Bus.

The service states its limits for the whole header of a message; here the header is the bytes of its
properties and application properties, which are what a sender can fill.
"""

from __future__ import annotations

from typing import Final

from localhost.bus import codec

LARGEST_MESSAGE: Final = 256 * 1024
LARGEST_HEADER: Final = 64 * 1024
LARGEST_STATE: Final = LARGEST_MESSAGE
LONGEST_ID: Final = 128

SIZE_EXCEEDED: Final = "amqp:link:message-size-exceeded"
OUT_OF_RANGE: Final = "com.microsoft:argument-out-of-range"


class LimitError(Exception):
    """Something is too large. `condition` is the AMQP error condition that the service answers with."""

    def __init__(self, condition: str, text: str) -> None:
        super().__init__(text)
        self.condition = condition


def check_size(raw: bytes) -> None:
    """Raise `LimitError` for an encoded message, or batch, over 256 KB."""
    if len(raw) > LARGEST_MESSAGE:
        raise LimitError(SIZE_EXCEEDED, f"{len(raw)} bytes; the largest message or batch has {LARGEST_MESSAGE}")


def check(message: codec.Message) -> None:
    """Raise `LimitError` for a message whose header is over 64 KB or whose ids are over 128 characters."""
    header = sum(
        section.end - section.start
        for section in codec.sections(message.bare)
        if section.code in (codec.PROPERTIES, codec.APPLICATION_PROPERTIES)
    )
    if header > LARGEST_HEADER:
        raise LimitError(SIZE_EXCEEDED, f"{header} bytes of properties; a message has at most {LARGEST_HEADER}")
    for name, value in (("message id", _text_id(message)), ("session id", message.session_id or "")):
        if len(value) > LONGEST_ID:
            raise LimitError(OUT_OF_RANGE, f"a {name} of {len(value)} characters; the longest has {LONGEST_ID}")


def _text_id(message: codec.Message) -> str:
    kind, _, text = (message.message_id or "").partition(":")
    return text if kind == "str" else ""


def check_state(state: bytes) -> None:
    """Raise `LimitError` for a session's state over the size of a message."""
    if len(state) > LARGEST_STATE:
        raise LimitError(SIZE_EXCEEDED, f"{len(state)} bytes; the largest session state has {LARGEST_STATE}")
