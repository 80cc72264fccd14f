"""Messages leave through the outbox: written with the effect, published right after the commit, swept by a timer.

A crash between commit and publication leaves the row unpublished, and the sweep sends it. A crash between
publication and the mark sends it twice, and the consumer's inbox makes the second a no-op.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from shared_code.foundation import clock, telemetry
from shared_code.foundation.database import AnyRow, Message, UnitOfWork, outbox, transaction
from shared_code.foundation.dialect import claimed
from shared_code.foundation.settings import settings

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusClient

log = logging.getLogger(__name__)
SWEEP_AFTER = timedelta(seconds=5)
SWEEP_BATCH = 500
SWEEP_CLAIM = timedelta(minutes=1)
# A publication stands in the way of the caller's answer, and the sweep repeats it: short pauses, 0.4 s and 0.8 s.
RETRIES = {"retry_total": 2, "retry_backoff_factor": 0.2}


class Publisher:
    """Keeps one client and one sender per queue open; a new link costs half a second. Safe from several threads."""

    def __init__(self) -> None:
        self._opening = threading.Lock()
        self._client: ServiceBusClient | None = None
        self._senders: dict[str, Any] = {}
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def publish(self, queue: str, messages: Sequence[Message]) -> None:
        """Send all messages to `queue`, in as many batches as the service's size limit asks for."""
        with self._sending(queue) as sender:
            batch = sender.create_message_batch()
            for message in messages:
                letter = _letter(message)
                try:
                    batch.add_message(letter)
                except ValueError:  # the batch is full
                    sender.send_messages(batch)
                    batch = sender.create_message_batch()
                    batch.add_message(letter)
            if len(batch):
                sender.send_messages(batch)

    def probe(self, queue: str) -> None:
        """Open a link to `queue` and ask for its limits; raises the SDK's error when the bus does not answer."""
        with self._sending(queue) as sender:
            sender.create_message_batch()

    @contextmanager
    def _sending(self, queue: str) -> Iterator[Any]:
        with self._locks[queue]:
            sender = self._sender(queue)
            try:
                yield sender
            except Exception:
                # A broken link stays broken: the next call opens a new one. The rows stay in the outbox.
                self._senders.pop(queue, None)
                raise

    def _sender(self, queue: str) -> Any:
        with self._opening:
            if queue not in self._senders:
                self._senders[queue] = self._connect().get_queue_sender(queue)
            return self._senders[queue]

    def _connect(self) -> ServiceBusClient:
        if self._client is None:
            from azure.servicebus import ServiceBusClient

            known = settings()
            if known.service_bus:
                self._client = ServiceBusClient.from_connection_string(known.service_bus.reveal(), **RETRIES)
            else:
                from azure.identity import DefaultAzureCredential

                self._client = ServiceBusClient(known.service_bus_namespace, DefaultAzureCredential(), **RETRIES)
        return self._client


def _letter(message: Message) -> Any:
    from azure.servicebus import ServiceBusMessage

    return ServiceBusMessage(
        message.body,
        message_id=message.message_id,
        correlation_id=message.correlation_id or None,
        content_type="application/json",
        application_properties=_trace_properties(message.trace_parent),
    )


def _trace_properties(trace_parent: str) -> dict[str | bytes, Any] | None:
    """The sender's trace by its standard name, and by the one that the platform's host and the SDKs read."""
    return {"traceparent": trace_parent, "Diagnostic-Id": trace_parent} if trace_parent else None


@cache
def publisher() -> Publisher:
    """The publisher of this process."""
    return Publisher()


@contextmanager
def unit_of_work() -> Iterator[UnitOfWork]:
    """A write transaction whose outgoing messages are published as soon as it has committed."""
    with transaction() as work:
        yield work
    publish_quietly(work.messages)


def publish_quietly(messages: Sequence[Message]) -> int:
    """Publish committed messages; returns how many. Nothing is raised: the sweep sends what was not sent or marked."""
    by_queue: dict[str, list[Message]] = {}
    for message in messages:
        by_queue.setdefault(message.queue, []).append(message)
    return sum(_publish_quietly(queue, part) for queue, part in by_queue.items())


def _publish_quietly(queue: str, part: Sequence[Message]) -> int:
    where: dict[str, telemetry.Value] = {
        "messaging.system": "servicebus",
        "messaging.operation.name": "send",
        "messaging.destination.name": queue,
    }
    with telemetry.span(f"send {queue}", "producer", "", **where) as span:
        span.set("messaging.batch.message_count", len(part))
        try:
            publisher().publish(queue, part)
            _mark_published([message.message_id for message in part])
        except Exception as fault:
            span.fail(type(fault).__name__)
            log.warning("queue %s is out of reach; %d messages wait in the outbox", queue, len(part), exc_info=True)
            return 0
    telemetry.count("messaging.client.sent.messages", len(part), **where)
    return len(part)


def _mark_published(ids: Sequence[str]) -> None:
    with transaction() as work:
        for start in range(0, len(ids), 1000):
            part = ids[start : start + 1000]
            work.connection.execute(
                outbox.update().where(outbox.c.message_id.in_(part)).values(published_at=clock.now())
            )


def sweep() -> int:
    """Publish what an earlier process wrote but did not send. Run by a timer. Returns how many were sent."""
    rows = claim_waiting()
    telemetry.gauge("powerbill.outbox.waiting", len(rows), "{message}")  # SWEEP_BATCH at most
    oldest = (clock.now() - rows[0].created_at).total_seconds() if rows else 0.0
    telemetry.gauge("powerbill.outbox.age", oldest, "s")
    sent = publish_quietly([Message(*row[:5]) for row in rows])
    if sent < len(rows):
        _release([row.message_id for row in rows])
    return sent


def claim_waiting() -> Sequence[AnyRow]:
    """The oldest rows that wait for publication, claimed: other instances pass them over for SWEEP_CLAIM.

    The claim is written down, since a lock would have to be held while the bus is spoken to. It ends by itself when
    this process dies.
    """
    instant = clock.now()
    c = outbox.c
    waiting = (
        sa.select(
            c.message_id,
            c.queue,
            c.body,
            c.correlation_id,
            sa.func.coalesce(c.trace_parent, "").label("trace_parent"),
            c.created_at,
        )
        .where(
            c.published_at.is_(None),
            c.created_at < instant - SWEEP_AFTER,
            sa.or_(c.claimed_until.is_(None), c.claimed_until < instant),
        )
        .order_by(c.created_at, c.message_id)
        .limit(SWEEP_BATCH)
    )
    with transaction() as work:
        rows = work.connection.execute(claimed(waiting, outbox)).all()
        if rows:
            mine = c.message_id.in_([row.message_id for row in rows])
            work.connection.execute(outbox.update().where(mine).values(claimed_until=instant + SWEEP_CLAIM))
    return rows


def _release(ids: Sequence[str]) -> None:
    """Give back what was claimed and could not be sent, so that the next sweep takes it."""
    with transaction() as work:
        work.connection.execute(
            outbox.update()
            .where(outbox.c.message_id.in_(ids), outbox.c.published_at.is_(None))
            .values(claimed_until=None)
        )
