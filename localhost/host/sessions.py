"""Service Bus triggers on queues with sessions: messages of one session in order, several sessions at a time.

Up to `maxConcurrentSessions` sessions are held, each by a receiver of its own that runs one message after the other.
A further receiver waits for the next session that is free. A session without a message for `sessionIdleTimeout` is
given back. The lock is the session's, and `maxAutoLockRenewalDuration` bounds it from the moment the session was taken:
a session that is held longer is lost, its messages come again, here or elsewhere, and what still runs is not settled.
A failed message is abandoned and comes again before its successors.
"""

import asyncio
import logging
from typing import Any

from azure.servicebus import NEXT_AVAILABLE_SESSION
from azure.servicebus.exceptions import OperationTimeoutError, SessionLockLostError

from localhost.host.catalog import Function, QueueTrigger
from localhost.host.faults import FaultyWorker
from localhost.host.servicebus import (
    FIRST_BACKOFF,
    IDLE_WAIT,
    LONGEST_BACKOFF,
    bus_client,
    close_quietly,
    describe,
    invocation_of,
    lock_renewer,
)
from localhost.host.settings import HostSettings

_log = logging.getLogger(__name__)

# How long one attempt to take a session waits before the connection is made anew.
ACCEPT_SECONDS = 30.0


class SessionPump:
    """Takes the messages of one queue with sessions through one function."""

    def __init__(self, function: Function, trigger: QueueTrigger, settings: HostSettings, worker: FaultyWorker) -> None:
        self._function = function
        self._trigger = trigger
        self._settings = settings
        self._worker = worker
        self._sessions: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self.connected = False

    def stop(self) -> None:
        """Take no further session and no further message; what runs is finished and settled."""
        self._stopping.set()

    async def run(self) -> None:
        """Take sessions until stopped, reconnecting with growing pauses when the bus is away."""
        accepting = asyncio.create_task(self._accept())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({accepting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if accepting.done():
                accepting.result()
            accepting.cancel()
            await asyncio.gather(accepting, return_exceptions=True)
            if self._sessions:
                await asyncio.wait(self._sessions)
        finally:
            unfinished = [accepting, stopping, *self._sessions]
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def _accept(self) -> None:
        backoff = FIRST_BACKOFF
        while True:
            if len(self._sessions) >= self._settings.max_concurrent_sessions:
                await asyncio.wait(self._sessions, return_when=asyncio.FIRST_COMPLETED)
                continue
            try:
                await self._take_next()
                backoff = FIRST_BACKOFF
            except Exception as error:
                # A broken connection shows as whatever the SDK trips over, not only as its own errors.
                _log.warning("queue %s: %s; trying again in %.1f s", self._trigger.queue, describe(error), backoff)
                self.connected = False
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF)

    async def _take_next(self) -> None:
        """Wait for a free session and start to serve it; return without one when none came."""
        client = bus_client(self._trigger)
        receiver = client.get_queue_receiver(
            self._trigger.queue, session_id=NEXT_AVAILABLE_SESSION, max_wait_time=ACCEPT_SECONDS
        )
        opening = asyncio.create_task(receiver.__aenter__())
        try:
            await asyncio.wait({opening}, timeout=FIRST_BACKOFF)
            # A refusal comes at once; a receiver that waits has found the bus and its queue.
            self.connected = not opening.done() or opening.exception() is None
            await opening
        except OperationTimeoutError:
            self.connected = True
            await close_quietly(receiver, client)
        except BaseException:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            await close_quietly(receiver, client)
            raise
        else:
            serving = asyncio.create_task(self._serve(client, receiver))
            self._sessions.add(serving)
            serving.add_done_callback(self._sessions.discard)

    async def _serve(self, client: Any, receiver: Any) -> None:
        """One session's life: its messages in order, until it is idle, lost, or the host stops."""
        renewer = lock_renewer(self._settings)
        session = receiver.session
        try:
            if renewer is not None:
                renewer.register(receiver, session)
            while (message := await self._next_message(receiver)) is not None:
                outcome = await self._worker.invoke(invocation_of(self._function, self._trigger.queue, message))
                await (receiver.complete_message if outcome.ok else receiver.abandon_message)(message)
        except SessionLockLostError:
            text = "queue %s: the lock of session %s was lost; its messages will come again"
            _log.warning(text, self._trigger.queue, session.session_id)
        except Exception as error:
            _log.warning("queue %s, session %s: %s", self._trigger.queue, session.session_id, describe(error))
        finally:
            await close_quietly(renewer, receiver, client)

    async def _next_message(self, receiver: Any) -> Any:
        """The session's next message; None when it was idle for too long, or the host stops."""
        loop = asyncio.get_running_loop()
        idle_until = loop.time() + self._settings.session_idle_seconds
        while not self._stopping.is_set() and (left := idle_until - loop.time()) > 0:
            messages = await receiver.receive_messages(max_message_count=1, max_wait_time=min(IDLE_WAIT, left))
            if messages:
                return messages[0]
        return None
