"""The ends of the links that clients attach: senders, receivers, and pairs for requests and answers."""

from __future__ import annotations

import itertools
import logging
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from proton import Condition, Delivery

from localhost.bus import codec
from localhost.bus.management import LARGEST_MESSAGE, LOCK_LOST, NOT_IMPLEMENTED, SIZE_EXCEEDED
from localhost.bus.queue import LockLostError, Queue

MANAGEMENT_SUFFIX: Final = "/$management"
CLAIMS_NODE: Final = "$cbs"
SESSION_FILTER: Final = "com.microsoft:session-filter"

_HOST = re.compile(r"^[a-z]+://[^/]*/?")
_CREDIT: Final = 1000
_LOGGER = logging.getLogger(__name__)

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Address:
    """What a link asks for: a node of the bus, and whether it is the node's management."""

    node: str
    management: bool


def read_address(text: str | None) -> Address:
    """Split `amqps://host:port/queue/$management` and its shorter forms."""
    path = _HOST.sub("", text or "").strip("/")
    if path.lower().endswith(MANAGEMENT_SUFFIX):
        return Address(path[: -len(MANAGEMENT_SUFFIX)], management=True)
    return Address(path, management=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a transfer or to a settlement; told to the peer only after the turn is committed."""

    delivery: Any
    state: int
    condition: Any = None

    def tell(self) -> None:
        if self.condition is not None:
            self.delivery.local.condition = self.condition
        self.delivery.update(self.state)
        self.delivery.settle()


def refusal(condition: str, text: str) -> Any:
    """An error condition. Its info is never empty: the SDK indexes it and the library drops empty ends."""
    return Condition(condition, text, {"source": "local bus"})


def asks_for_session(link: Any) -> bool:
    """Whether a receiver wants a session: its source filter names one, or null for the next one."""
    return SESSION_FILTER.encode() in bytes(link.remote_source.filter.encode())


class LinkEnd(Protocol):
    """Takes the deliveries of one link. None means that nothing is to be told (yet)."""

    def on_delivery(self, delivery: Any) -> Outcome | None: ...


def receive(delivery: Any) -> bytes | None:
    """The bytes of a transfer that has arrived completely; None when there is nothing (more) to read."""
    link = delivery.link
    if delivery.aborted:
        delivery.settle()
        return None
    if not delivery.readable or delivery.partial:
        return None
    raw = bytes(link.recv(delivery.pending) or b"")
    link.advance()
    if link.credit < _CREDIT // 2:
        link.flow(_CREDIT - link.credit)
    return raw


class Producer:
    """The bus's end of a client's sender: transfers become messages of the queue."""

    def __init__(self, link: Any, queue: Queue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        link.flow(_CREDIT)

    def on_delivery(self, delivery: Any) -> Outcome | None:
        raw = receive(delivery)
        if raw is None:
            return None
        if len(raw) > LARGEST_MESSAGE:
            text = f"{len(raw)} bytes; the largest message or batch has {LARGEST_MESSAGE}"
            return Outcome(delivery, Delivery.REJECTED, refusal(SIZE_EXCEEDED, text))
        try:
            messages = codec.unpack(raw)
        except codec.CodecError as error:
            return Outcome(delivery, Delivery.REJECTED, refusal("amqp:decode-error", str(error)))
        now = self._clock()
        for message in messages:
            self._queue.enqueue(message, now)
        return Outcome(delivery, Delivery.ACCEPTED)


class RefusedProducer:
    """The bus's end of a sender that has no business here: it stays open, and every transfer is refused.

    Closing it at once would cross the first transfer, and the SDK then reports an unknown error instead of
    the reason.
    """

    def __init__(self, link: Any, reason: Any) -> None:
        self._reason = reason
        link.flow(_CREDIT)

    def on_delivery(self, delivery: Any) -> Outcome | None:
        return None if receive(delivery) is None else Outcome(delivery, Delivery.REJECTED, self._reason)


class Consumer:
    """The bus's end of a client's receiver: hands out messages while there is credit, and takes settlements.

    A receiver that goes away releases nothing: as in Service Bus, what it had stays locked until the lock
    expires (the SDK gives back what it has not handed to its caller when it is closed in an orderly way).
    """

    def __init__(self, link: Any, queue: Queue, clock: Clock) -> None:
        self.link = link
        self.queue = queue
        self._clock = clock
        self._settles_at_once = link.snd_settle_mode == link.SND_SETTLED

    @property
    def credit(self) -> int:
        return int(self.link.credit)

    def deliver(self, now: float) -> bool:
        """Send the next available message; False when there is none."""
        entry = self.queue.lock_next(now)
        if entry is None or entry.token is None:
            return False
        token, attempts = entry.token, entry.attempts
        marks = codec.broker_annotations(entry.sequence, entry.enqueued_at, locked_until=entry.locked_until)
        delivery = self.link.delivery(token.bytes_le)
        self.link.stream(entry.message.delivered(attempts - 1, *marks))
        delivery.token = token
        self.link.advance()
        if self._settles_at_once:
            self.queue.complete(token, now)
            delivery.settle()
        return True

    def on_delivery(self, delivery: Any) -> Outcome | None:
        token: uuid.UUID | None = getattr(delivery, "token", None)
        if token is None or not delivery.updated:
            return None
        state = delivery.remote_state
        if state not in (Delivery.ACCEPTED, Delivery.REJECTED, Delivery.RELEASED, Delivery.MODIFIED):
            if delivery.settled:
                # Forgotten without an outcome: the lock runs out by itself.
                delivery.settle()
            return None
        delivery.token = None
        try:
            return self._settle(delivery, token, state)
        except LockLostError as lost:
            return Outcome(delivery, Delivery.REJECTED, refusal(LOCK_LOST, str(lost)))

    def _settle(self, delivery: Any, token: uuid.UUID, state: int) -> Outcome:
        now = self._clock()
        if state == Delivery.ACCEPTED:
            self.queue.complete(token, now)
        elif state == Delivery.RELEASED:
            self.queue.release(token, now)
        elif state == Delivery.REJECTED:
            return self._dead_letter(delivery, token, now)
        elif delivery.remote.undeliverable:
            text = "deferral is not supported by the local bus; the message stays locked"
            return Outcome(delivery, Delivery.REJECTED, refusal(NOT_IMPLEMENTED, text))
        else:
            self.queue.abandon(token, now)
        return Outcome(delivery, state)

    def _dead_letter(self, delivery: Any, token: uuid.UUID, now: float) -> Outcome:
        condition = delivery.remote.condition
        info = (condition.info if condition is not None else None) or {}
        description = info.get("DeadLetterErrorDescription") or (condition.description if condition else "")
        try:
            self.queue.dead_letter(token, str(info.get("DeadLetterReason") or ""), str(description or ""), now)
        except ValueError as error:
            return Outcome(delivery, Delivery.REJECTED, refusal("amqp:not-allowed", str(error)))
        return Outcome(delivery, Delivery.REJECTED)


class RequestLink:
    """The bus's end of a request link. Answers go out on the link of the same session and address."""

    def __init__(self, link: Any, answer: Callable[[bytes], bytes], reply: Callable[[bytes], None]) -> None:
        self._answer = answer
        self._reply = reply
        link.flow(_CREDIT)

    def on_delivery(self, delivery: Any) -> Outcome | None:
        raw = receive(delivery)
        if raw is None:
            return None
        try:
            self._reply(self._answer(raw))
        except codec.CodecError as error:
            return Outcome(delivery, Delivery.REJECTED, refusal("amqp:decode-error", str(error)))
        return Outcome(delivery, Delivery.ACCEPTED)


class ReplyLink:
    """The bus's end of an answer link: sends settled, so that nothing is left to wait for."""

    def __init__(self, link: Any) -> None:
        self._link = link
        self._tags = itertools.count(1)

    def send(self, encoded: bytes) -> None:
        delivery = self._link.delivery(next(self._tags).to_bytes(8))
        self._link.stream(encoded)
        self._link.advance()
        delivery.settle()

    def on_delivery(self, delivery: Any) -> Outcome | None:
        return None
