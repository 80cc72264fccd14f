"""Messages leave through the outbox: written with the effect, published right after the commit, swept by a timer.

A crash between commit and publication leaves the row unpublished, and the sweep sends it. A crash between
publication and the mark sends it twice, and the consumer's inbox makes the second a no-op.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import sqlalchemy as sa

from shared_code.foundation import clock, telemetry
from shared_code.foundation.database import AnyRow, Message, UnitOfWork, outbox, reading, transaction
from shared_code.foundation.dialect import claimed
from shared_code.foundation.sending import BusSilentError, Link, speaking
from shared_code.foundation.sending import publisher as publisher
from shared_code.foundation.settings import settings

log = logging.getLogger(__name__)
SWEEP_AFTER = timedelta(seconds=5)
SWEEP_BATCH = 500
SWEEP_CLAIM = timedelta(minutes=1)
SWEEP_PATIENCE = 10.0  # seconds; nobody waits for a timer's answer
MESSAGE_TOO_LARGE = "MESSAGE_TOO_LARGE"


@contextmanager
def unit_of_work() -> Iterator[UnitOfWork]:
    """A write transaction whose outgoing messages are published as soon as it has committed."""
    with transaction() as work:
        yield work
    publish_quietly(work.messages)


def publish_quietly(messages: Sequence[Message]) -> int:
    """Publish committed messages; returns how many it knows of. Nothing is raised: the sweep sends the others.

    The caller is held for PUBLISH_PATIENCE_SECONDS at most; what takes longer goes on without it.
    """
    by_queue: dict[str, list[Message]] = {}
    for message in messages:
        by_queue.setdefault(message.queue, []).append(message)
    patience = settings().publish_patience_seconds if by_queue else 0.0
    return sum(_publish_quietly(queue, part, patience).sent for queue, part in by_queue.items())


class _Published(NamedTuple):
    """How many messages are known to be sent, and whether others still may be."""

    sent: int
    under_way: bool = False


def _publish_quietly(queue: str, part: Sequence[Message], patience: float) -> _Published:
    with telemetry.span(f"send {queue}", "producer", "", **_labels(queue)) as span:
        span.set("messaging.batch.message_count", len(part))
        try:
            return _Published(speaking().run(queue, partial(_send, queue, part), patience))
        except Exception as fault:
            span.fail(type(fault).__name__)
            log.warning("queue %s is out of reach; %d messages wait in the outbox", queue, len(part), exc_info=True)
            return _Published(0, under_way=isinstance(fault, BusSilentError) and fault.under_way)


def _labels(queue: str) -> dict[str, telemetry.Value]:
    return {
        "messaging.system": "servicebus",
        "messaging.operation.name": "send",
        "messaging.destination.name": queue,
    }


def _send(queue: str, part: Sequence[Message], link: Link) -> int:
    """Send messages and mark each batch as published; returns how many were sent. Runs in the queue's own thread."""

    def sent(inside: Sequence[Message]) -> None:
        _mark_published([message.message_id for message in inside])
        telemetry.count("messaging.client.sent.messages", len(inside), **_labels(queue))

    too_large = link.send(part, sent)
    for message in too_large:
        _bury(message)
    return len(part) - len(too_large)


def _bury(message: Message) -> None:
    """Give up a message that the bus will never take, so that the others of its queue go on."""
    from shared_code.foundation.dead_letters import DeadLetter, bury  # they are replayed through this module

    log.error("message %s is larger than queue %s takes", message.message_id, message.queue)
    description = f"the message has {len(message.body.encode()):,} bytes, more than the bus takes"
    bury(
        DeadLetter(
            message.queue,
            message.message_id,
            message.body,
            message.correlation_id,
            MESSAGE_TOO_LARGE,
            description,
            deliveries=0,
        )
    )
    _mark_published([message.message_id])


_PUBLISHED = (
    outbox.update()
    .where(outbox.c.message_id.in_(sa.bindparam("ids", (), expanding=True)))
    .values(published_at=sa.bindparam("instant"))
)


def _mark_published(ids: Sequence[str]) -> None:
    with transaction() as work:
        for start in range(0, len(ids), 1000):
            part = ids[start : start + 1000]
            work.connection.execute(_PUBLISHED, {"ids": part, "instant": clock.now()})


def sweep() -> int:
    """Publish what an earlier process wrote but did not send. Run by a timer. Returns how many were sent.

    Queue by queue, so that one which is out of reach or full does not keep the others waiting.
    """
    begun = oldest = clock.now()
    waiting = sent = 0
    for queue in _waiting_queues():
        rows = claim_waiting(queue)
        waiting += len(rows)
        oldest = min([oldest, *(row.created_at for row in rows)])
        sent += _sweep(queue, rows)
    telemetry.gauge("powerbill.outbox.waiting", waiting, "{message}")  # SWEEP_BATCH of each queue at most
    telemetry.gauge("powerbill.outbox.age", (begun - oldest).total_seconds(), "s")
    return sent


def _sweep(queue: str, rows: Sequence[AnyRow]) -> int:
    published = _publish_quietly(queue, [Message(*row[:5]) for row in rows], SWEEP_PATIENCE) if rows else _Published(0)
    if published.sent < len(rows) and not published.under_way:  # else the claim ends by itself
        _release([row.message_id for row in rows])
    return published.sent


def _waiting(instant: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """What nobody has published, nobody is publishing, and has been there for a while."""
    c = outbox.c
    free = sa.or_(c.claimed_until.is_(None), c.claimed_until < instant)
    return c.published_at.is_(None), c.created_at < instant - SWEEP_AFTER, free


def _waiting_queues() -> Sequence[str]:
    chosen = sa.select(outbox.c.queue).where(*_waiting(clock.now())).distinct().order_by(outbox.c.queue)
    with reading() as connection:
        return connection.scalars(chosen).all()


def claim_waiting(queue: str) -> Sequence[AnyRow]:
    """The oldest rows of `queue` that wait for publication, claimed: other instances pass them over for SWEEP_CLAIM.

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
        .where(c.queue == queue, *_waiting(instant))
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
