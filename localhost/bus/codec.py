"""AMQP 1.0 messages as bytes: split into sections, kept as they came, annotated when they are delivered.

The bare message (properties, application properties, body) is never decoded and encoded again, so what a
sender wrote is what a receiver reads. The one exception is a dead letter, which gets two properties.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from proton import Data

HEADER, DELIVERY_ANNOTATIONS, MESSAGE_ANNOTATIONS = 0x70, 0x71, 0x72
PROPERTIES, APPLICATION_PROPERTIES, DATA, SEQUENCE, VALUE, FOOTER = range(0x73, 0x79)

_FIXED_WIDTHS = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}
_ONE_BYTE_SIZE = (0xA, 0xC, 0xE)
_FOUR_BYTE_SIZE = (0xB, 0xD, 0xF)
_LONGEST_NESTING = 32
_GROUP_ID = 10

SCHEDULED_KEY = "x-opt-scheduled-enqueue-time"
# What the bus itself writes at delivery; a resent message must not bring its old values along.
_OWN_KEYS = frozenset(
    {
        "x-opt-sequence-number",
        "x-opt-enqueued-time",
        "x-opt-locked-until",
        "x-opt-lock-token",
        "x-opt-message-state",
    }
)


class CodecError(ValueError):
    """The bytes are not an AMQP 1.0 message."""


@dataclass(frozen=True, slots=True)
class Section:
    """One described section: where it starts, where its value starts and where both end."""

    code: int
    start: int
    value: int
    end: int


def sections(raw: bytes) -> list[Section]:
    """Split an encoded message into its sections, in order. Raises `CodecError` when it is not one."""
    found: list[Section] = []
    at = 0
    while at < len(raw):
        section = _section(raw, at)
        if found and section.code < found[-1].code:
            raise CodecError("message sections are out of order")
        found.append(section)
        at = section.end
    return found


def _section(raw: bytes, at: int) -> Section:
    if raw[at : at + 2] == b"\x00\x53":
        code, value = _byte(raw, at + 2), at + 3
    elif raw[at : at + 2] == b"\x00\x80":
        code, value = int.from_bytes(raw[at + 2 : at + 10]), at + 10
    else:
        raise CodecError("a message section must start with a described type")
    if not HEADER <= code <= FOOTER:
        raise CodecError(f"no message section has the descriptor {code:#x}")
    return Section(code, at, value, _end(raw, value))


def _end(raw: bytes, at: int, depth: int = 0) -> int:
    """Where the encoded value at `at` ends. The width follows from the constructor's first half byte."""
    constructor = _byte(raw, at)
    if constructor == 0x00:
        if depth > _LONGEST_NESTING:
            raise CodecError("described types are nested too deeply")
        return _end(raw, _end(raw, at + 1, depth + 1), depth + 1)
    kind = constructor >> 4
    if kind in _FIXED_WIDTHS:
        end = at + 1 + _FIXED_WIDTHS[kind]
    elif kind in _ONE_BYTE_SIZE:
        end = at + 2 + _byte(raw, at + 1)
    elif kind in _FOUR_BYTE_SIZE:
        end = at + 5 + int.from_bytes(raw[at + 1 : at + 5])
    else:
        raise CodecError(f"no AMQP type has the constructor {constructor:#x}")
    if end > len(raw):
        raise CodecError("the message ends inside a value")
    return end


def _byte(raw: bytes, at: int) -> int:
    if at >= len(raw):
        raise CodecError("the message ends inside a value")
    return raw[at]


def decode_value(encoded: bytes) -> Any:
    """One AMQP value as a Python object. Raises `CodecError` on bytes that do not hold one."""
    data = Data()
    try:
        data.decode(encoded)
        data.rewind()
        data.next()
        return _own(data.get_object())  # while `data` lives
    except Exception as error:  # proton raises several unrelated types on malformed input
        raise CodecError(f"malformed AMQP value: {error}") from error


def _own(value: Any) -> Any:
    """The value with its binaries copied: proton gives views into memory that goes with its `Data`."""
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, list):
        return [_own(one) for one in value]
    if isinstance(value, dict):
        return {_own(key): _own(one) for key, one in value.items()}
    return value


def encode_value(value: Any) -> bytes:
    """A Python object as one AMQP value. Raises `CodecError` when it has none."""
    data = Data()
    try:
        data.put_object(value)
        return bytes(data.encode())
    except Exception as error:  # as above
        raise CodecError(f"not an AMQP value: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Message:
    """A message at rest. `annotations` are encoded map items (`annotation_count` keys and values).

    `message_id` is text that keeps the type of the id apart; `session_id` is the group id of its properties;
    `time_to_live` is in seconds; `scheduled_for` is seconds since the epoch, None for now.
    """

    bare: bytes
    message_id: str | None = None
    session_id: str | None = None
    durable: bool = False
    priority: int | None = None
    time_to_live: float | None = None
    scheduled_for: float | None = None
    annotations: bytes = b""
    annotation_count: int = 0

    def encoded(self) -> bytes:
        """The message as it is stored: what `parse` reads back."""
        return self.delivered(0, b"", 0)

    def delivered(self, delivery_count: int, annotations: bytes, count: int) -> bytes:
        """The message as it goes out, with the delivery count and `count` more encoded map items."""
        items, total = self.annotations + annotations, self.annotation_count + count
        return b"".join(
            (
                _header(self.durable, self.priority, self.time_to_live, delivery_count),
                b"\x00\x53\x72\xd1" + struct.pack(">II", len(items) + 4, total) + items if total else b"",
                self.bare,
            )
        )

    def dead_lettered(self, reason: str, description: str) -> Message:
        """The message with the application properties that say why it is dead."""
        stated = {"DeadLetterReason": reason, "DeadLetterErrorDescription": description}
        encoded = encode_value({key: text for key, text in stated.items() if text})
        parts: list[bytes] = []
        before_body = len(self.bare)
        for section in sections(self.bare):
            if section.code == APPLICATION_PROPERTIES:
                encoded = _with_items(self.bare, section, stated)
            elif section.code == PROPERTIES:
                parts.append(self.bare[section.start : section.end])
            else:
                before_body = min(before_body, section.start)
        return replace(self, bare=b"".join((*parts, b"\x00\x53\x74", encoded, self.bare[before_body:])))


def _with_items(raw: bytes, section: Section, stated: Mapping[str, str]) -> bytes:
    """A section's map with the non-empty `stated` in it; these alone when the section cannot be read."""
    added = {key: text for key, text in stated.items() if text}
    try:
        return encode_value({**_decoded(raw, section, dict), **added})
    except CodecError:
        # A poison message must become a dead letter, not stop the bus.
        return encode_value(added)


def _header(durable: bool, priority: int | None, time_to_live: float | None, delivery_count: int) -> bytes:
    # By hand: the library leaves a delivery count of 0 out, which the SDK then reports as None.
    fields = b"".join(
        (
            b"\x41" if durable else b"\x42",
            b"\x40" if priority is None else bytes((0x50, priority)),
            b"\x40" if time_to_live is None else struct.pack(">BI", 0x70, round(time_to_live * 1000)),
            b"\x40",
            struct.pack(">BI", 0x70, delivery_count),
        )
    )
    return bytes((0x00, 0x53, 0x70, 0xC0, len(fields) + 1, 5)) + fields


def parse(raw: bytes) -> Message:
    """Read one encoded message. Raises `CodecError` when it is malformed."""
    found = sections(raw)
    if not found:
        raise CodecError("a message without a section")
    header: list[Any] = []
    annotations: dict[Any, Any] = {}
    properties: list[Any] = []
    for section in found:
        if section.code == HEADER:
            header = _decoded(raw, section, list)
        elif section.code == MESSAGE_ANNOTATIONS:
            annotations = _decoded(raw, section, dict)
        elif section.code == PROPERTIES:
            properties = _decoded(raw, section, list)
    bare = min((section.start for section in found if section.code >= PROPERTIES), default=len(raw))
    kept = {key: value for key, value in annotations.items() if key not in _OWN_KEYS}
    durable, priority, lifetime = (*header[:3], *([None] * 3))[:3]
    milliseconds = _unsigned(lifetime, 2**32)
    due = _unsigned(kept.get(SCHEDULED_KEY), 2**53)
    return Message(
        bare=raw[bare:],
        message_id=_identity(next(iter(properties), None)),
        session_id=_group(properties),
        durable=bool(durable),
        priority=_unsigned(priority, 256),
        time_to_live=milliseconds / 1000 if milliseconds else None,
        scheduled_for=None if due is None else due / 1000,
        annotations=b"".join(encode_value(part) for item in kept.items() for part in item),
        annotation_count=2 * len(kept),
    )


def _decoded[Kind: (list[Any], dict[Any, Any])](raw: bytes, section: Section, kind: type[Kind]) -> Kind:
    value = decode_value(raw[section.value : section.end])
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise CodecError(f"section {section.code:#x} is no {kind.__name__}")
    return value


def _identity(value: Any) -> str | None:
    if value is None:
        return None
    text = value.hex() if isinstance(value, bytes) else str(value)
    return f"{type(value).__name__}:{text}"


def _group(properties: list[Any]) -> str | None:
    group = properties[_GROUP_ID] if len(properties) > _GROUP_ID else None
    if group is not None and not isinstance(group, str):
        raise CodecError(f"a session id is text, not {group!r}")
    return group


def _unsigned(value: Any, limit: int) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or not 0 <= value < limit:
        raise CodecError(f"{value!r} is no number from 0 below {limit}")
    return int(value)


def unpack(raw: bytes) -> list[Message]:
    """The messages of one transfer: several when it is a batch. Raises `CodecError` when it is malformed.

    The library hides the transfer's message format, so a batch is known by its body: data sections that
    each hold a whole encoded message.
    """
    contents = list(_data_contents(raw, sections(raw)))
    if contents and all(_is_message(content) for content in contents):
        return [parse(content) for content in contents]
    return [parse(raw)]


def _data_contents(raw: bytes, found: Iterable[Section]) -> Iterator[bytes]:
    for section in found:
        if section.code == DATA:
            width = 2 if raw[section.value] >> 4 == 0xA else 5
            yield raw[section.value + width : section.end]


def _is_message(content: bytes) -> bool:
    try:
        return bool(sections(content))
    except CodecError:
        return False


def _symbol(name: str) -> bytes:
    return bytes((0xA3, len(name))) + name.encode("ascii")


_SEQUENCE_NUMBER = _symbol("x-opt-sequence-number")
_ENQUEUED_TIME = _symbol("x-opt-enqueued-time")
_LOCKED_UNTIL = _symbol("x-opt-locked-until")
_MESSAGE_STATE = _symbol("x-opt-message-state")


def broker_annotations(
    sequence: int, enqueued_at: float, *, locked_until: float | None = None, state: int | None = None
) -> tuple[bytes, int]:
    """The bus's own annotations as encoded map items, and how many keys and values these are."""
    items = [
        _SEQUENCE_NUMBER + struct.pack(">Bq", 0x81, sequence),
        _ENQUEUED_TIME + struct.pack(">Bq", 0x83, round(enqueued_at * 1000)),
    ]
    if locked_until is not None:
        items.append(_LOCKED_UNTIL + struct.pack(">Bq", 0x83, round(locked_until * 1000)))
    if state is not None:
        items.append(_MESSAGE_STATE + struct.pack(">Bi", 0x71, state))
    return b"".join(items), 2 * len(items)
