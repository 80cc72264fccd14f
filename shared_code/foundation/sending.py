"""Speaks to the bus from one thread for each queue, so that nobody who sends waits for it without end.

The SDK opens a connection without a time-out on what it reads: a bus that takes the connection and then says nothing
holds its thread for ever. Callers therefore wait for the thread, and only for so long; a thread that is held for
GIVE_UP_SECONDS loses its connection and is replaced. The threads end with the process and keep it from nothing.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import cache
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from shared_code.foundation.settings import settings

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusClient

    from shared_code.foundation.database import Message

log = logging.getLogger(__name__)
GIVE_UP_SECONDS = 30.0
# The link makes its own second try (`Link._twice`): it can be told to stop, the SDK's retries cannot.
OPTIONS: dict[str, Any] = {"retry_total": 0, "try_timeout": 10}
_PAUSE = 0.3
_TO_THE_SOCKET = ("_handler", "_connection", "_transport", "sock")


class BusSilentError(Exception):
    """The bus has not answered in time. `under_way`: what was asked of it may still happen."""

    def __init__(self, queue: str, *, under_way: bool) -> None:
        super().__init__(f"the bus has not answered in time for queue {queue}")
        self.under_way = under_way


class Link:
    """A sender of one queue that is kept open, since a new one costs half a second. For one thread, but for `cut`."""

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._client: ServiceBusClient | None = None
        self._sender: Any = None
        self._is_cut = False

    def open(self) -> None:
        """Open the link and ask for its limits; raises the SDK's error when the bus refuses or is away."""
        self._batch()

    def send(self, messages: Sequence[Message], sent: Callable[[Sequence[Message]], None]) -> list[Message]:
        """Send in as many batches as the service's limit asks for, and call `sent` after each.

        Returns the messages that alone are larger than the bus takes; the others go on without them.
        """
        too_large: list[Message] = []
        batch = self._batch()
        inside: list[Message] = []
        for message in messages:
            sealed = letter(message)
            fits = _added(batch, sealed)
            if not fits and inside:
                self._ship(batch, inside, sent)
                batch, inside = self._batch(), []
                fits = _added(batch, sealed)
            (inside if fits else too_large).append(message)
        if inside:
            self._ship(batch, inside, sent)
        return too_large

    def _ship(self, batch: Any, inside: Sequence[Message], sent: Callable[[Sequence[Message]], None]) -> None:
        self._twice(lambda sender: sender.send_messages(batch))
        sent(inside)

    def _batch(self) -> Any:
        return self._twice(lambda sender: sender.create_message_batch())

    def _twice(self, use: Callable[[Any], Any]) -> Any:
        """A link that was idle is closed by the service, which its next use finds out: that one is repeated."""
        try:
            return use(self._opened())
        except Exception:
            self.close()
            if self._is_cut:
                raise
            log.info("the link to queue %s is opened anew", self._queue, exc_info=True)
        time.sleep(_PAUSE)
        try:
            return use(self._opened())
        except Exception:
            self.close()
            raise

    def _opened(self) -> Any:
        if self._sender is None:
            self._client = _client()
            self._sender = self._client.get_queue_sender(self._queue)
        return self._sender

    def close(self) -> None:
        """Close quietly; the next use opens it again."""
        client, self._client, self._sender = self._client, None, None
        if client is not None:
            try:
                client.close()
            except Exception:
                log.info("a broken link to queue %s did not close", self._queue, exc_info=True)

    def cut(self) -> None:
        """End the connection under the thread that waits for it, from another thread; the link is not used again.

        The SDK cannot close a connection that it is opening, so this reaches for the socket itself.
        """
        self._is_cut = True
        found = self._sender
        for name in _TO_THE_SOCKET:
            found = getattr(found, name, None)
        if isinstance(found, socket.socket):
            with suppress(OSError):  # it has ended by itself
                found.shutdown(socket.SHUT_RDWR)


def _added(batch: Any, sealed: Any) -> bool:
    from azure.servicebus.exceptions import MessageSizeExceededError

    try:
        batch.add_message(sealed)
    except MessageSizeExceededError:
        return False
    return True


def letter(message: Message) -> Any:
    """The message as the SDK sends it."""
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


def _client() -> ServiceBusClient:
    from azure.servicebus import ServiceBusClient

    known = settings()
    if known.service_bus:
        return ServiceBusClient.from_connection_string(known.service_bus.reveal(), **OPTIONS)
    return ServiceBusClient(known.service_bus_namespace, _credential(), **OPTIONS)


@cache
def _credential() -> Any:
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


class _Lane:
    """The thread that speaks to the bus for one queue, one job after the other."""

    def __init__(self, queue: str) -> None:
        self._link = Link(queue)
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._held_since: float | None = None
        threading.Thread(target=self._work, name=f"send {queue}", daemon=True).start()

    def submit[T](self, job: Callable[[Link], T]) -> Future[T]:
        """Have `job` done in the context of the caller."""
        future: Future[T] = Future()
        around = copy_context()
        self._jobs.put((future, lambda: around.run(job, self._link)))
        return future

    def held_for(self) -> float:
        """Seconds since the present job began; 0 without one."""
        since = self._held_since
        return 0.0 if since is None else time.monotonic() - since

    def end(self) -> None:
        """Give the thread up: its connection is cut, and it ends after the present job."""
        self._jobs.put(None)
        self._link.cut()

    def _work(self) -> None:
        while (entry := self._jobs.get()) is not None:
            future, job = entry
            if future.set_running_or_notify_cancel():
                self._held_since = time.monotonic()
                try:
                    future.set_result(job())
                except BaseException as fault:  # it is raised where the result is asked for
                    future.set_exception(fault)
                self._held_since = None
        self._link.close()


class Publisher:
    """One lane for each queue. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # held for a look at the lanes, never while the bus is spoken to
        self._lanes: dict[str, _Lane] = {}

    def run[T](self, queue: str, job: Callable[[Link], T], patience: float) -> T:
        """Have `job` done with the link to `queue`, and wait at most `patience` seconds for its result.

        Raises what the job raises, and BusSilentError: at once where others have waited so long in vain already.
        """
        future = self._lane(queue, patience).submit(job)
        if not wait([future], timeout=patience).done:
            raise BusSilentError(queue, under_way=not future.cancel())
        return future.result()

    def probe(self, queue: str) -> None:
        """Open a link to `queue`; raises the SDK's error or BusSilentError when the bus does not answer."""
        self.run(queue, Link.open, settings().publish_patience_seconds)

    def _lane(self, queue: str, patience: float) -> _Lane:
        with self._lock:
            lane = self._lanes.get(queue)
            if lane is not None and lane.held_for() > GIVE_UP_SECONDS:
                log.warning("the bus has been silent for queue %s; its connection is given up", queue)
                lane.end()
                lane = None
            if lane is None:
                lane = self._lanes[queue] = _Lane(queue)
            elif lane.held_for() > patience:
                raise BusSilentError(queue, under_way=False)
            return lane


class Speaks(Protocol):
    """What takes a queue's messages: the bus, or a process that does the work itself (`handover.py`)."""

    def run[T](self, queue: str, job: Callable[[Link], T], patience: float) -> T:
        """Have `job` done with the link to `queue`."""
        ...

    def probe(self, queue: str) -> None:
        """Raise when nobody would take messages of `queue`."""
        ...


_installed: list[Speaks] = []


@cache
def publisher() -> Publisher:
    """The publisher of this process."""
    return Publisher()


def speaking() -> Speaks:
    """What takes messages at present: the bus, unless something is installed in its place."""
    return _installed[-1] if _installed else publisher()


@contextmanager
def installed(other: Speaks) -> Iterator[None]:
    """Let `other` take the messages for a while."""
    _installed.append(other)
    try:
        yield
    finally:
        _installed.remove(other)
