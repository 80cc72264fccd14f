"""The ends of the links that clients attach: senders, receivers, and pairs for requests and answers."""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from proton import Delivery, Terminus, symbol

from localhost.bus import codec, limits
from localhost.bus.conditions import (
    NO_TRANSACTIONS,
    NOT_ALLOWED,
    NOT_IMPLEMENTED,
    REFUSALS,
    SESSION_LOST,
    TIMEOUT,
    refusal,
    refused,
)
from localhost.bus.entry import Entry
from localhost.bus.queue import LockLostError, Queue
from localhost.bus.sessions import Owner, Session

MANAGEMENT_SUFFIX: Final = "/$management"
CLAIMS_NODE: Final = "$cbs"
SESSION_FILTER: Final = "com.microsoft:session-filter"
SESSION_LOCKED_UNTIL: Final = "com.microsoft:locked-until-utc"

_HOST = re.compile(r"^[a-z]+://[^/]*/?")
_CREDIT: Final = 1000
_TRANSACTIONAL: Final = 0x34
_SESSION_PATIENCE: Final = 60.0
# .NET counts in tenths of a microsecond from the year 1.
_TICKS_PER_SECOND: Final = 10_000_000
_TICKS_AT_EPOCH: Final = 621_355_968_000_000_000

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


def mirror(link: Any) -> None:
    """Answer an attachment exactly as it was asked: the SDK compares addresses and settle modes."""
    link.source.copy(link.remote_source)
    link.target.copy(link.remote_target)
    link.snd_settle_mode = link.remote_snd_settle_mode
    link.rcv_settle_mode = link.remote_rcv_settle_mode
    link.max_message_size = limits.LARGEST_MESSAGE


def is_coordinator(link: Any) -> bool:
    """Whether a sender attaches to the transaction coordinator instead of a queue."""
    return bool(link.is_receiver and link.remote_target.type == Terminus.COORDINATOR)


@dataclass(frozen=True, slots=True)
class SessionWish:
    """The session that a receiver asks for: one by name, or with None the next available, for `patience` seconds."""

    session_id: str | None
    patience: float


def session_wish(link: Any) -> SessionWish | None:
    """What a receiver's source filter says about sessions; None when it says nothing."""
    encoded = bytes(link.remote_source.filter.encode())
    filters = codec.decode_value(encoded) if SESSION_FILTER.encode() in encoded else None
    if not isinstance(filters, Mapping) or SESSION_FILTER not in filters:
        return None
    wanted = getattr(filters[SESSION_FILTER], "value", filters[SESSION_FILTER])
    milliseconds = (link.remote_properties or {}).get(symbol(TIMEOUT))
    return SessionWish(
        session_id=None if wanted is None else str(wanted),
        patience=milliseconds / 1000 if isinstance(milliseconds, int) else _SESSION_PATIENCE,
    )


def owner_of(link: Any) -> Owner:
    """A receiver as the owner of its session."""
    return Owner(link.connection, str(link.name))


def grant(link: Any, session: Session) -> None:
    """Open a receiver with its session: the answer says which one it is and until when it is held."""
    source_filter = link.source.filter
    source_filter.clear()
    source_filter.put_dict({symbol(SESSION_FILTER): session.id})
    ticks = _TICKS_AT_EPOCH + round(session.locked_until * _TICKS_PER_SECOND)
    link.properties = {symbol(SESSION_LOCKED_UNTIL): ticks}
    link.open()


def refuse(link: Any, condition: Any) -> None:
    """Answer the attachment of a receiver with the reason why there is none."""
    # Without the filter: a client that finds it in the answer takes the session for granted.
    link.source.filter.clear()
    link.open()
    end(link, condition)


def end(link: Any, condition: Any) -> None:
    """Close an open link with the reason."""
    link.condition = condition
    link.close()


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


def rejection(delivery: Any, condition: Any) -> Outcome:
    return Outcome(delivery, Delivery.REJECTED, condition)


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
        if delivery.remote_state == _TRANSACTIONAL:
            return rejection(delivery, refusal(NOT_IMPLEMENTED, NO_TRANSACTIONS))
        try:
            self._take(raw)
        except REFUSALS as error:
            return rejection(delivery, refused(error))
        return Outcome(delivery, Delivery.ACCEPTED)

    def _take(self, raw: bytes) -> None:
        """All messages of a transfer, or none of them."""
        limits.check_size(raw)
        messages = codec.unpack(raw)
        for message in messages:
            limits.check(message)
            self._queue.check_session(message)
        now = self._clock()
        for message in messages:
            self._queue.enqueue(message, now)


class RefusedProducer:
    """The bus's end of a sender that has no business here: it stays open, and every transfer is refused.

    Closing it at once would cross the first transfer, and the SDK then reports an unknown error instead of
    the reason.
    """

    def __init__(self, link: Any, reason: Any) -> None:
        self._reason = reason
        link.flow(_CREDIT)

    def on_delivery(self, delivery: Any) -> Outcome | None:
        return None if receive(delivery) is None else rejection(delivery, self._reason)


class Consumer:
    """The bus's end of a client's receiver: hands out messages while there is credit, and takes settlements.

    A receiver that goes away releases nothing: as in Service Bus, what it had stays locked until the lock
    expires (the SDK gives back what it has not handed to its caller when it is closed in an orderly way).
    A session is given back with its link, however that ends, and its messages with it.
    """

    def __init__(self, link: Any, queue: Queue, clock: Clock, session: Session | None = None) -> None:
        self.link = link
        self.queue = queue
        self.session = session
        self._clock = clock
        self._settles_at_once = link.snd_settle_mode == link.SND_SETTLED

    @property
    def credit(self) -> int:
        return int(self.link.credit)

    def deliver(self, now: float) -> Entry | None:
        """Send the next available message, which is returned; None when there is none."""
        entry = self.queue.lock_next(now, self.session)
        if entry is None or entry.token is None:
            return None
        token, attempts = entry.token, entry.attempts
        locked_until = entry.locked_until if self.session is None else self.session.locked_until
        marks = codec.broker_annotations(entry.sequence, entry.enqueued_at, locked_until=locked_until)
        delivery = self.link.delivery(token.bytes_le)
        self.link.stream(entry.message.delivered(attempts - 1, *marks))
        delivery.token = token
        self.link.advance()
        if self._settles_at_once:
            self.queue.complete(token, now)
            delivery.settle()
        return entry

    def leave(self, now: float) -> None:
        """The link has ended: a session goes back to the queue."""
        if self.session is not None:
            self.queue.release_session(self.session, now)

    def has_lost_its_session(self) -> bool:
        return self.session is not None and not self.session.held

    def on_delivery(self, delivery: Any) -> Outcome | None:
        token: uuid.UUID | None = getattr(delivery, "token", None)
        if token is None or not delivery.updated:
            return None
        state = delivery.remote_state
        if state == _TRANSACTIONAL:
            return rejection(delivery, refusal(NOT_IMPLEMENTED, NO_TRANSACTIONS))
        if state not in (Delivery.ACCEPTED, Delivery.REJECTED, Delivery.RELEASED, Delivery.MODIFIED):
            if delivery.settled:
                # Forgotten without an outcome: the lock runs out by itself.
                delivery.settle()
            return None
        delivery.token = None
        try:
            self._settle(delivery, token, state)
        except LockLostError as lost:
            text = f"the lock on the session '{self.session.id}' is lost" if self.session is not None else ""
            return rejection(delivery, refusal(SESSION_LOST, text) if self.has_lost_its_session() else refused(lost))
        except ValueError as error:
            return rejection(delivery, refusal(NOT_ALLOWED, str(error)))
        return Outcome(delivery, state)

    def _settle(self, delivery: Any, token: uuid.UUID, state: int) -> None:
        now = self._clock()
        if state == Delivery.ACCEPTED:
            self.queue.complete(token, now)
        elif state == Delivery.RELEASED:
            self.queue.release(token, now)
        elif state == Delivery.REJECTED:
            self.queue.dead_letter(token, *_cause(delivery.remote.condition), now)
        elif delivery.remote.undeliverable:
            self.queue.defer(token, now)
        else:
            self.queue.abandon(token, now)


def _cause(condition: Any) -> tuple[str, str]:
    """Reason and description of a dead letter, as the SDK puts them into the rejection."""
    info = (condition.info if condition is not None else None) or {}
    description = info.get("DeadLetterErrorDescription") or (condition.description if condition else "")
    return str(info.get("DeadLetterReason") or ""), str(description or "")


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
            return rejection(delivery, refused(error))
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
