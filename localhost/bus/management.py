"""Requests with an answer: the claims handshake (`$cbs`) and the operations of `{queue}/$management`.

What the bus does not do is answered with status 501 and its name, never with silence.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from proton import UNDESCRIBED, Array, Data, Message, ProtonException, int32, symbol, timestamp

from localhost.bus import codec
from localhost.bus.queue import Entry, LockLostError, Queue

LOCK_LOST: Final = "com.microsoft:message-lock-lost"
NOT_IMPLEMENTED: Final = "amqp:not-implemented"
SIZE_EXCEEDED: Final = "amqp:link:message-size-exceeded"
LARGEST_MESSAGE: Final = 256 * 1024

_VENDOR = "com.microsoft:"
_ACTIVE, _SCHEDULED = 0, 2
_PEEK_BYTES = LARGEST_MESSAGE
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """The outcome of an operation: a status as in HTTP, and for a refusal its condition and description."""

    status: int
    body: Any = None
    description: str = "OK"
    condition: str | None = None


class RefusalError(Exception):
    """An operation that cannot be carried out; it becomes a `Reply`."""

    def __init__(self, status: int, condition: str, description: str) -> None:
        super().__init__(description)
        self.reply = Reply(status, None, description, condition)


def authorize(raw: bytes) -> bytes:
    """Answer a `$cbs` request. Any token is good: this bus is for one machine, like the emulator."""
    request = _decode(raw)
    answer = {"status-code": int32(202), "status-description": "Accepted"}
    return _encode(request, answer, None)


def manage(raw: bytes, queue: Queue, now: float) -> bytes:
    """Answer a `$management` request on `queue`. Raises `CodecError` when the request is no message."""
    request = _decode(raw)
    properties = {_text(key): value for key, value in (request.properties or {}).items()}
    operation = _text(properties.get("operation", "")).removeprefix(_VENDOR)
    reply = _execute(operation, request.body, queue, now)
    answer: dict[str, Any] = {"statusCode": int32(reply.status), "statusDescription": reply.description}
    if reply.condition is not None:
        answer["errorCondition"] = symbol(reply.condition)
    return _encode(request, answer, reply.body)


def _execute(operation: str, body: Any, queue: Queue, now: float) -> Reply:
    action = _OPERATIONS.get(operation)
    if action is None:
        text = f"the local bus does not support {operation or 'an operation without a name'}"
        return Reply(501, None, text, NOT_IMPLEMENTED)
    try:
        return action(body if isinstance(body, Mapping) else {}, queue, now)
    except RefusalError as refusal:
        return refusal.reply
    except LockLostError as lost:
        return Reply(410, None, str(lost), LOCK_LOST)
    except (KeyError, TypeError, ValueError) as error:
        _LOGGER.warning("%s on %s refused: %r", operation, queue.name, error)
        return Reply(400, None, f"{operation}: {error!r}", "com.microsoft:argument-error")


def _renew(body: Mapping[str, Any], queue: Queue, now: float) -> Reply:
    ends = [queue.renew(token, now) for token in _tokens(body)]
    return Reply(200, {"expirations": _array(Data.TIMESTAMP, (timestamp(end * 1000) for end in ends))})


def _settle(body: Mapping[str, Any], queue: Queue, now: float) -> Reply:
    status = _text(body["disposition-status"])
    for token in _tokens(body):
        if status == "completed":
            queue.complete(token, now)
        elif status == "abandoned":
            queue.abandon(token, now)
        elif status == "suspended":
            reason, text = body.get("deadletter-reason"), body.get("deadletter-description")
            queue.dead_letter(token, _text(reason or ""), _text(text or ""), now)
        else:
            raise RefusalError(501, NOT_IMPLEMENTED, f"the local bus does not settle a message as {status}")
    return Reply(200)


def _peek(body: Mapping[str, Any], queue: Queue, now: float) -> Reply:
    found = queue.peek(int(body["from-sequence-number"]), int(body["message-count"]), now)
    messages: list[dict[str, bytes]] = []
    size = 0
    for entry in found:
        encoded = _peeked(entry)
        size += len(encoded)
        if messages and size > _PEEK_BYTES:
            break
        messages.append({"message": encoded})
    return Reply(200, {"messages": messages}) if messages else Reply(204)


def _peeked(entry: Entry) -> bytes:
    state = _ACTIVE if entry.scheduled_for is None else _SCHEDULED
    marks = codec.broker_annotations(entry.sequence, entry.enqueued_at, state=state)
    return entry.message.delivered(entry.attempts, *marks)


def _schedule(body: Mapping[str, Any], queue: Queue, now: float) -> Reply:
    if queue.is_dead_letter:
        raise RefusalError(403, "amqp:not-allowed", f"nothing is sent to {queue.name}")
    encoded = [bytes(each["message"]) for each in body["messages"]]
    if any(len(each) > LARGEST_MESSAGE for each in encoded):
        raise RefusalError(400, SIZE_EXCEEDED, f"a message is larger than {LARGEST_MESSAGE} bytes")
    messages = [codec.parse(each) for each in encoded]
    if any(message.scheduled_for is None for message in messages):
        raise ValueError(f"a scheduled message needs the annotation {codec.SCHEDULED_KEY}")
    numbers = [queue.enqueue(message, now) for message in messages]
    # A duplicate is dropped without a number; 0 is never a sequence number.
    return Reply(200, {"sequence-numbers": _array(Data.LONG, (number or 0 for number in numbers))})


def _cancel(body: Mapping[str, Any], queue: Queue, now: float) -> Reply:
    missing = queue.cancel_scheduled(map(int, _elements(body["sequence-numbers"])), now)
    if missing:
        text = f"not scheduled on {queue.name}: {', '.join(map(str, missing))}"
        raise RefusalError(404, "com.microsoft:message-not-found", text)
    return Reply(200)


_OPERATIONS: Mapping[str, Callable[[Mapping[str, Any], Queue, float], Reply]] = {
    "renew-lock": _renew,
    "update-disposition": _settle,
    "peek-message": _peek,
    "schedule-message": _schedule,
    "cancel-scheduled-message": _cancel,
}


def _tokens(body: Mapping[str, Any]) -> list[uuid.UUID]:
    return [token if isinstance(token, uuid.UUID) else uuid.UUID(token) for token in _elements(body["lock-tokens"])]


def _elements(value: Any) -> list[Any]:
    return list(value.elements if isinstance(value, Array) else value)


def _array(kind: int, values: Iterable[int]) -> Array:
    return Array(UNDESCRIBED, kind, *values)


def _text(value: Any) -> str:
    return bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)


def _decode(raw: bytes) -> Any:
    request = Message()
    try:
        request.decode(raw)
    except (ProtonException, ValueError) as error:
        raise codec.CodecError(f"malformed request: {error}") from error
    return request


def _encode(request: Any, properties: Mapping[str, Any], body: Any) -> bytes:
    answer = Message(properties=dict(properties), body=body)
    # The identifier's type is part of it: a UUID must come back as a UUID.
    answer.correlation_id = request.id
    return bytes(answer.encode())
