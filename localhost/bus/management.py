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

from localhost.bus import codec, limits
from localhost.bus.conditions import ARGUMENT_ERROR, NOT_ALLOWED, NOT_IMPLEMENTED, REFUSALS, named
from localhost.bus.entry import Entry
from localhost.bus.queue import NotFoundError, Queue
from localhost.bus.sessions import Owner, Session

_VENDOR: Final = "com.microsoft:"
_ACTIVE, _DEFERRED, _SCHEDULED = 0, 1, 2
_PEEK_BYTES: Final = limits.LARGEST_MESSAGE
# The greatest moment of .NET in milliseconds, as the SDK sends it: sessions without regard to their states' age.
_ANY_TIME: Final = 253_402_300_800_000
_RECEIVE_AND_DELETE: Final = 0
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


@dataclass(frozen=True, slots=True)
class Request:
    """One operation: on which queue, when, and for whom (`peer` owns the sessions that it may touch)."""

    body: Mapping[str, Any]
    queue: Queue
    now: float
    peer: Owner

    def session(self) -> Session | None:
        """The session that the request names and its peer holds; None when it names none. Raises `SessionLostError`."""
        return None if self.body.get("session-id") is None else self.named_session()

    def named_session(self) -> Session:
        """The same, where a session has to be named. Raises `KeyError` as well."""
        self.queue.tick(self.now)
        return self.queue.sessions.find(str(self.body["session-id"]), self.peer)


def manage(raw: bytes, queue: Queue, now: float, connection: object) -> bytes:
    """Answer a `$management` request on `queue`. Raises `CodecError` when the request is no message."""
    request = _decode(raw)
    properties = {_text(key): value for key, value in (request.properties or {}).items()}
    operation = _text(properties.get("operation", "")).removeprefix(_VENDOR)
    body = request.body if isinstance(request.body, Mapping) else {}
    link = properties.get("associated-link-name")
    peer = Owner(connection, None if link is None else _text(link))
    reply = _execute(operation, Request(body, queue, now, peer))
    answer: dict[str, Any] = {"statusCode": int32(reply.status), "statusDescription": reply.description}
    if reply.condition is not None:
        answer["errorCondition"] = symbol(reply.condition)
    return _encode(request, answer, reply.body)


def _execute(operation: str, request: Request) -> Reply:
    action = _OPERATIONS.get(operation)
    if action is None:
        text = f"the local bus does not support {operation or 'an operation without a name'}"
        return Reply(501, None, text, NOT_IMPLEMENTED)
    try:
        return action(request)
    except RefusalError as refusal:
        return refusal.reply
    except REFUSALS as error:
        condition, status = named(error)
        return Reply(status, None, str(error), condition)
    except (KeyError, TypeError, ValueError) as error:
        _LOGGER.warning("%s on %s refused: %r", operation, request.queue.name, error)
        return Reply(400, None, f"{operation}: {error!r}", ARGUMENT_ERROR)


def _renew(request: Request) -> Reply:
    ends = [request.queue.renew(token, request.now) for token in _tokens(request)]
    return Reply(200, {"expirations": _array(Data.TIMESTAMP, (timestamp(end * 1000) for end in ends))})


def _settle(request: Request) -> Reply:
    status, queue, now = _text(request.body["disposition-status"]), request.queue, request.now
    request.session()  # which it must still hold, if it names one
    for token in _tokens(request):
        if status == "completed":
            queue.complete(token, now)
        elif status == "abandoned":
            queue.abandon(token, now)
        elif status in ("defered", "deferred"):
            queue.defer(token, now)
        elif status == "suspended":
            reason, text = request.body.get("deadletter-reason"), request.body.get("deadletter-description")
            queue.dead_letter(token, _text(reason or ""), _text(text or ""), now)
        else:
            raise RefusalError(501, NOT_IMPLEMENTED, f"the local bus does not settle a message as {status}")
    return Reply(200)


def _peek(request: Request) -> Reply:
    body = request.body
    session_id = body.get("session-id")
    found = request.queue.peek(
        int(body["from-sequence-number"]),
        int(body["message-count"]),
        request.now,
        None if session_id is None else str(session_id),
    )
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
    state = _SCHEDULED if entry.scheduled_for is not None else _DEFERRED if entry.deferred else _ACTIVE
    marks = codec.broker_annotations(entry.sequence, entry.enqueued_at, state=state)
    return entry.message.delivered(entry.attempts, *marks)


def _receive_deferred(request: Request) -> Reply:
    queue, session = request.queue, request.session()
    if queue.requires_session and session is None:
        raise RefusalError(403, NOT_ALLOWED, f"{queue.name} requires sessions: name the session of the messages")
    numbers = [int(number) for number in _elements(request.body["sequence-numbers"])]
    entries = queue.lock_deferred(numbers, request.now, session)
    messages = [_given(entry, session) for entry in entries]
    if int(request.body.get("receiver-settle-mode", 1)) == _RECEIVE_AND_DELETE:
        for message in messages:
            queue.complete(message.pop("lock-token"), request.now)
    return Reply(200, {"messages": messages})


def _given(entry: Entry, session: Session | None) -> dict[str, Any]:
    locked_until = entry.locked_until if session is None else session.locked_until
    marks = codec.broker_annotations(entry.sequence, entry.enqueued_at, locked_until=locked_until, state=_DEFERRED)
    return {"lock-token": entry.token, "message": entry.message.delivered(entry.attempts - 1, *marks)}


def _schedule(request: Request) -> Reply:
    queue = request.queue
    if queue.is_dead_letter:
        raise RefusalError(403, NOT_ALLOWED, f"nothing is sent to {queue.name}")
    messages = [_scheduled(bytes(each["message"]), queue) for each in request.body["messages"]]
    numbers = [queue.enqueue(message, request.now) for message in messages]
    # A duplicate is dropped without a number; 0 is never a sequence number.
    return Reply(200, {"sequence-numbers": _array(Data.LONG, (number or 0 for number in numbers))})


def _scheduled(encoded: bytes, queue: Queue) -> codec.Message:
    limits.check_size(encoded)
    message = codec.parse(encoded)
    limits.check(message)
    queue.check_session(message)
    if message.scheduled_for is None:
        raise ValueError(f"a scheduled message needs the annotation {codec.SCHEDULED_KEY}")
    return message


def _cancel(request: Request) -> Reply:
    numbers = map(int, _elements(request.body["sequence-numbers"]))
    missing = request.queue.cancel_scheduled(numbers, request.now)
    if missing:
        raise NotFoundError(f"not scheduled on {request.queue.name}: {', '.join(map(str, missing))}")
    return Reply(200)


def _renew_session(request: Request) -> Reply:
    end = request.queue.sessions.renew(request.named_session(), request.now)
    return Reply(200, {"expiration": timestamp(end * 1000)})


def _get_state(request: Request) -> Reply:
    state = request.queue.sessions.states.get(request.named_session().id)
    return Reply(200, {"session-state": None if state is None else state.value})


def _set_state(request: Request) -> Reply:
    session, value = request.named_session(), request.body.get("session-state")
    state = None if value is None else bytes(value)
    limits.check_state(state or b"")
    request.queue.set_state(session.id, state, request.now)
    return Reply(200)


def _list_sessions(request: Request) -> Reply:
    """Sessions with messages or a state; where a time is given, those whose state was changed after it."""
    body, queue = request.body, request.queue
    since, skip, top = (int(body[key]) for key in ("last-updated-time", "skip", "top"))
    if since >= _ANY_TIME:
        found = queue.session_ids(request.now)
    else:
        found = sorted(key for key, state in queue.sessions.states.items() if state.changed_at * 1000 > since)
    page = found[skip : skip + top]
    return Reply(200, {"skip": int32(skip + len(page)), "sessions-ids": page}) if page else Reply(204)


_OPERATIONS: Mapping[str, Callable[[Request], Reply]] = {
    "renew-lock": _renew,
    "update-disposition": _settle,
    "peek-message": _peek,
    "receive-by-sequence-number": _receive_deferred,
    "schedule-message": _schedule,
    "cancel-scheduled-message": _cancel,
    "renew-session-lock": _renew_session,
    "get-session-state": _get_state,
    "set-session-state": _set_state,
    "get-message-sessions": _list_sessions,
}


def _tokens(request: Request) -> list[uuid.UUID]:
    stated = _elements(request.body["lock-tokens"])
    return [token if isinstance(token, uuid.UUID) else uuid.UUID(token) for token in stated]


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
