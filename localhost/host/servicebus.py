"""Service Bus triggers through the official SDK: one receiver per queue, peek-lock, settled after the outcome.

One coroutine owns each receiver. It receives only for free slots and settles between receives, one message
after the other: the SDK serialises reading and writing of a link, so settlements that compete with a
waiting receive would each cost its socket wait. A queue with few messages is asked for one at a time
(answered at once); while requests are filled at once they double, so that bursts come in batches.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

from azure.servicebus.aio import AutoLockRenewer, ServiceBusClient
from azure.servicebus.exceptions import MessageLockLostError
from azure_functions_runtime.bindings.datumdef import Datum

from localhost.host.catalog import Function, QueueTrigger
from localhost.host.messages import application_properties, delivery_count, message_body, trigger_metadata
from localhost.host.settings import HostSettings, connection_setting
from localhost.host.worker import Invocation, Outcome, Worker

_log = logging.getLogger(__name__)

IDLE_WAIT = 1.0
BUSY_WAIT = 0.2
AT_ONCE = 0.01
FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 5.0


@dataclass(frozen=True, slots=True)
class _Delivery:
    message: Any
    link: int  # which connection it came over; a lock dies with its link


class QueuePump:
    """Takes the messages of one queue through one function."""

    def __init__(self, function: Function, trigger: QueueTrigger, settings: HostSettings, worker: Worker) -> None:
        self._function = function
        self._queue = trigger.queue
        self._connection = trigger.connection
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
                _log.warning("queue %s: %s; trying again in %.1f s", self._queue, _describe(error), backoff)
                self.connected = False
                await self._pause(backoff)
        await self._finish_unlinked()

    async def _serve(self) -> None:
        """One connection's life: open, take messages, settle; ends when stopping, raises when it breaks."""
        self._links += 1
        client = ServiceBusClient.from_connection_string(
            connection_setting(self._connection), retry_total=1, retry_backoff_factor=0.2
        )
        # No renewer limit of 0 exists in the SDK; 0 means that the lock is never renewed.
        renewal = self._settings.max_lock_renewal
        renewer = AutoLockRenewer(max_lock_renewal_duration=renewal) if renewal > 0 else None
        receiver = client.get_queue_receiver(self._queue, prefetch_count=self._settings.prefetch_count)
        try:
            await receiver.__aenter__()
            self.connected = True
            _log.info("queue %s: receiving", self._queue)
            await self._take(receiver, renewer)
        finally:
            await _close_quietly(renewer, receiver, client)

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
        if renewer is not None:
            renewer.register(receiver, message)
        properties = application_properties(message)
        invocation = Invocation(
            self._function,
            "new message",
            datum=Datum(message_body(message), "bytes"),
            metadata=trigger_metadata(message),
            trace_parent=str(properties.get("traceparent") or properties.get("Diagnostic-Id") or ""),
            log_fields={
                "queue": self._queue,
                "messageId": message.message_id,
                "deliveryCount": delivery_count(message),
                "correlationId": message.correlation_id,
            },
        )
        task = asyncio.create_task(self._worker.invoke(invocation))
        self._running[task] = _Delivery(message, self._links)

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


async def _close_quietly(*parts: Any) -> None:
    """Close in order; the connection may be broken already, which is why we are here."""
    for part in parts:
        if part is None:
            continue
        try:
            await asyncio.wait_for(part.close(), 5)
        except Exception as error:
            _log.info("closing a broken Service Bus connection: %s", _describe(error))


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no text'}"
