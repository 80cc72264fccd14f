"""Service Bus triggers through the official SDK: one receiver per queue, peek-lock, settled after the outcome.

One coroutine owns each receiver. It receives only for free slots and settles between receives, one message
after the other: the SDK serialises reading and writing of a link, so settlements that compete with a
waiting receive would each cost its socket wait. A queue with few messages is asked for one at a time
(answered at once); while requests are filled at once they double, so that bursts come in batches.

Locks are renewed for `maxAutoLockRenewalDuration` from the receipt of a message. A function that takes longer loses
its lock: the message comes again, here or elsewhere, while the first run still goes on, and the first one's
settlement is refused, which the log tells. At no moment more than `maxConcurrentCalls` functions run per trigger and
instance, the late ones included. A retry policy has no effect here: a failed message is abandoned, comes again, and is
a dead letter after the queue's `MaxDeliveryCount`.

Queues with sessions are in `sessions`.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from azure.servicebus import ServiceBusSubQueue
from azure.servicebus.aio import AutoLockRenewer, ServiceBusClient
from azure.servicebus.exceptions import MessageLockLostError
from azure_functions_runtime.bindings.datumdef import Datum

from localhost.host.catalog import Function, QueueTrigger
from localhost.host.faults import FaultyWorker, Kind
from localhost.host.messages import application_properties, delivery_count, message_body, trigger_metadata
from localhost.host.settings import HostSettings, connection_setting
from localhost.host.worker import Invocation, Outcome

_log = logging.getLogger(__name__)

IDLE_WAIT = 1.0
BUSY_WAIT = 0.2
AT_ONCE = 0.01
FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 5.0
AFTER_LOCK = 0.1


@dataclass(frozen=True, slots=True)
class _Delivery:
    message: Any
    link: int  # which connection it came over; a lock dies with its link


class QueuePump:
    """Takes the messages of one queue through one function."""

    def __init__(self, function: Function, trigger: QueueTrigger, settings: HostSettings, worker: FaultyWorker) -> None:
        self._function = function
        self._trigger = trigger
        self._queue = trigger.source
        self._settings = settings
        self._worker = worker
        self._running: dict[asyncio.Task[Outcome], _Delivery] = {}
        self._links = 0
        self._stopping = asyncio.Event()
        self.connected = False

    def stop(self) -> None:
        """Receive nothing more; what runs is finished and settled."""
        self._stopping.set()

    async def run(self) -> None:
        """Receive until stopped, reconnecting with growing pauses when the bus is away."""
        backoff = FIRST_BACKOFF
        while not self._stopping.is_set():
            try:
                await self._serve()
            except Exception as error:
                # A broken connection shows as whatever the SDK trips over, not only as its own errors.
                backoff = FIRST_BACKOFF if self.connected else min(backoff * 2, LONGEST_BACKOFF)
                _log.warning("queue %s: %s; trying again in %.1f s", self._queue, describe(error), backoff)
                self.connected = False
                await self._pause(backoff)
        await self._finish_unlinked()

    async def _serve(self) -> None:
        """One connection's life: open, take messages, settle; ends when stopping, raises when it breaks."""
        self._links += 1
        client = bus_client(self._trigger)
        renewer = lock_renewer(self._settings)
        receiver = client.get_queue_receiver(
            self._trigger.queue,
            sub_queue=ServiceBusSubQueue.DEAD_LETTER if self._trigger.dead_letters else None,
            prefetch_count=self._settings.prefetch_count,
        )
        try:
            await receiver.__aenter__()
            self.connected = True
            _log.info("queue %s: receiving", self._queue)
            await self._take(receiver, renewer)
        finally:
            await close_quietly(renewer, receiver, client)

    async def _take(self, receiver: Any, renewer: Any) -> None:
        wanted = 1
        while not self._stopping.is_set():
            await self._settle_finished(receiver)
            free = self._settings.max_concurrent_calls - len(self._running)
            if free <= 0:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                continue
            asked = min(wanted, free)
            messages, backlog = await self._receive(receiver, asked)
            for message in messages:
                self._start(message, receiver, renewer)
            wanted = min(asked * 2, self._settings.max_concurrent_calls) if backlog else 1
            if not messages and self._running:
                await asyncio.wait(self._running, timeout=BUSY_WAIT, return_when=asyncio.FIRST_COMPLETED)
        while self._running:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            await self._settle_finished(receiver)

    async def _receive(self, receiver: Any, asked: int) -> tuple[list[Any], bool]:
        """Up to `asked` messages, and whether more seem to wait: all asked for were there at once."""
        started = time.monotonic()
        wait = BUSY_WAIT if self._running else IDLE_WAIT
        messages = await receiver.receive_messages(max_message_count=asked, max_wait_time=wait)
        return messages, len(messages) == asked and time.monotonic() - started < AT_ONCE

    def _start(self, message: Any, receiver: Any, renewer: Any) -> None:
        invocation = invocation_of(self._function, self._queue, message)
        unlocked = self._asked("lose-lock", invocation)
        if renewer is not None and not unlocked:
            renewer.register(receiver, message)
        run = self._run_unlocked(message, invocation) if unlocked else self._worker.invoke(invocation)
        self._running[asyncio.create_task(run)] = _Delivery(message, self._links)
        if self._asked("drop-connection", invocation):
            raise ConnectionAbortedError("a fault that was asked for")

    def _asked(self, do: Kind, invocation: Invocation) -> bool:
        return self._worker.faults.take(do, self._function.name, invocation.log_fields) is not None

    async def _run_unlocked(self, message: Any, invocation: Invocation) -> Outcome:
        """Start the function when the message's lock has ended."""
        left = message.locked_until_utc - datetime.now(UTC)
        await asyncio.sleep(max(0.0, left.total_seconds()) + AFTER_LOCK)
        return await self._worker.invoke(invocation)

    async def _settle_finished(self, receiver: Any) -> None:
        for task in [task for task in self._running if task.done()]:
            delivery = self._running.pop(task)
            if delivery.link != self._links:
                _log.warning(
                    "queue %s: the connection of message %s is gone; it will come again",
                    self._queue,
                    delivery.message.message_id,
                )
                continue
            succeeded = not task.cancelled() and task.result().ok
            settle = receiver.complete_message if succeeded else receiver.abandon_message
            try:
                await settle(delivery.message)
            except MessageLockLostError:
                _log.warning(
                    "queue %s: the lock of message %s was lost; it will come again",
                    self._queue,
                    delivery.message.message_id,
                )

    async def _finish_unlinked(self) -> None:
        """Stopping while the bus is away: let the functions end, their messages come again."""
        if self._running:
            await asyncio.wait(self._running)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return


def bus_client(trigger: QueueTrigger) -> ServiceBusClient:
    """A client for the trigger's connection that reports a broken one soon: the pumps try again by themselves."""
    return ServiceBusClient.from_connection_string(
        connection_setting(trigger.connection), retry_total=1, retry_backoff_factor=0.2
    )


def lock_renewer(settings: HostSettings) -> AutoLockRenewer | None:
    """Renews locks as long as host.json says; None when they are never renewed (the SDK knows no limit of 0)."""
    renewal = settings.max_lock_renewal
    return AutoLockRenewer(max_lock_renewal_duration=renewal) if renewal > 0 else None


def invocation_of(function: Function, queue: str, message: Any) -> Invocation:
    """The invocation for a received message."""
    properties = application_properties(message)
    return Invocation(
        function,
        "new message",
        datum=Datum(message_body(message), "bytes"),
        metadata=trigger_metadata(message),
        trace_parent=str(properties.get("traceparent") or properties.get("Diagnostic-Id") or ""),
        correlation_id=message.correlation_id or "",
        log_fields={
            "queue": queue,
            "messageId": message.message_id,
            "deliveryCount": delivery_count(message),
            "sessionId": message.session_id,
        },
    )


async def close_quietly(*parts: Any) -> None:
    """Close in order; the connection may be broken already, which is why we are here."""
    for part in parts:
        if part is None:
            continue
        try:
            await asyncio.wait_for(part.close(), 5)
        except Exception as error:
            _log.info("closing a broken Service Bus connection: %s", describe(error))


def describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no text'}"
