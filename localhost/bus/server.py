"""The broker: one single-threaded event loop over all connections.

A turn of the loop ends when no event is left. Then due locks end, messages go out to receivers with credit,
everything that changed is committed to disk in one transaction, and only after that are the answers told.
Nothing reaches a socket between: bytes are written in the next turn.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from proton import Handler
from proton.reactor import Container

from localhost.bus import links, management
from localhost.bus.config import QUEUES_FILE, QueueSettings, load
from localhost.bus.queue import Namespace, Queue
from localhost.bus.store import Store
from localhost.bus.wakeup import Wakeup

HOST: Final = "127.0.0.1"
_LONGEST_SLEEP: Final = 30.0
_CLOSING_SECONDS: Final = 0.3
_LOGGER = logging.getLogger(__name__)


def connection_string(port: int) -> str:
    """What a client needs: the well-known form of the Service Bus emulator, for plain TCP on this machine."""
    return (
        f"Endpoint=sb://{HOST}:{port};SharedAccessKeyName=RootManageSharedAccessKey;"
        "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"
    )


class Bus(Handler):  # type: ignore[misc]  # the library has no types
    """A broker on `HOST`, its messages in `state / "bus.sqlite"`.

    The constructor binds the port (0 takes a free one); `run` serves until `stop`. Raises `OSError` when the
    port is taken and `StoreError` when another bus has the folder.
    """

    def __init__(
        self,
        state: Path,
        queues: Sequence[QueueSettings],
        port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._store = Store(state / "bus.sqlite")
        self._namespace = Namespace(queues, self._store, self._store.sequencer)
        self._store.restore(self._namespace, clock())
        self._store.commit()
        self._consumers: dict[Queue, deque[links.Consumer]] = defaultdict(deque)
        self._untold: list[Callable[[], None]] = []
        self._leaving: list[Any] = []
        self._connections: set[Any] = set()
        self._closing_until: float | None = None
        self._container = Container(self)
        try:
            self._acceptor = self._container.acceptor(HOST, port)
        except OSError:
            self._store.close()
            raise
        # The library keeps the bound port to itself.
        self.port: int = self._acceptor._selectable.getsockname()[1]
        self._wakeup = Wakeup(self._container, self._begin_closing)

    def run(self) -> None:
        """Serve until `stop`; then close connections in an orderly way, commit and close the store."""
        try:
            self._container.start()
            while self._container.process():
                pass
            self._container.stop()
            self._container.process()
        finally:
            self._wakeup.close()
            self._store.close()

    def stop(self) -> None:
        """Ask `run` to end. May be called from any thread and from a signal handler."""
        self._wakeup.trigger()

    def _begin_closing(self) -> None:
        if self._closing_until is not None:
            return
        self._closing_until = self._clock() + _CLOSING_SECONDS
        self._acceptor.close()
        for connection in self._connections:
            connection.close()

    # Connections and sessions

    def on_connection_remote_open(self, event: Any) -> None:
        self._connections.add(event.connection)
        event.connection.container = "local-bus"
        event.connection.open()

    def on_connection_remote_close(self, event: Any) -> None:
        event.connection.close()

    def on_session_remote_open(self, event: Any) -> None:
        event.session.open()

    def on_session_remote_close(self, event: Any) -> None:
        event.session.close()
        self._leaving.append(event.session)

    def on_transport_closed(self, event: Any) -> None:
        connection = event.connection
        if connection is None:
            return
        self._connections.discard(connection)
        for consumers in self._consumers.values():
            for consumer in [each for each in consumers if each.link.connection == connection]:
                consumers.remove(consumer)
        self._leaving.append(connection)

    # Links

    def on_link_remote_open(self, event: Any) -> None:
        link = event.link
        # Exactly as asked: the SDK compares addresses and settle modes.
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        link.snd_settle_mode = link.remote_snd_settle_mode
        link.rcv_settle_mode = link.remote_rcv_settle_mode
        link.max_message_size = management.LARGEST_MESSAGE
        link.open()
        terminus = link.remote_source if link.is_sender else link.remote_target
        problem = self._attach(link, links.read_address(terminus.address))
        if problem is None:
            return
        if link.is_receiver:
            link.end = links.RefusedProducer(link, problem)
        else:
            link.condition = problem
            link.close()

    def _attach(self, link: Any, address: links.Address) -> Any:
        """Give the link its end; an error condition when the address is not served."""
        if not address.management and address.node.lower() == links.CLAIMS_NODE:
            self._attach_requests(link, management.authorize)
            return None
        queue = self._namespace.find(address.node)
        if queue is None:
            text = f"The messaging entity '{address.node}' could not be found: the local bus has no such queue."
            return links.refusal("amqp:not-found", text)
        if address.management:
            self._attach_requests(link, lambda raw: management.manage(raw, queue, self._clock()))
            return None
        return self._attach_consumer(link, queue) if link.is_sender else self._attach_producer(link, queue)

    def _attach_requests(self, link: Any, answer: Callable[[bytes], bytes]) -> None:
        session = link.session
        if link.is_sender:
            link.end = links.ReplyLink(link)
            _reply_links(session)[str(link.remote_source.address)] = link.end
            return
        address = str(link.remote_target.address)

        def reply(encoded: bytes) -> None:
            end = _reply_links(session).get(address)
            if end is not None:
                self._untold.append(partial(end.send, encoded))

        link.end = links.RequestLink(link, answer, reply)

    def _attach_consumer(self, link: Any, queue: Queue) -> Any:
        if links.asks_for_session(link):
            return links.refusal(management.NOT_IMPLEMENTED, "sessions are not supported by the local bus")
        link.end = links.Consumer(link, queue, self._clock)
        self._consumers[queue].append(link.end)
        return None

    def _attach_producer(self, link: Any, queue: Queue) -> Any:
        if queue.is_dead_letter:
            return links.refusal("amqp:not-allowed", f"nothing is sent to {queue.name}")
        link.end = links.Producer(link, queue, self._clock)
        return None

    def on_link_remote_close(self, event: Any) -> None:
        link = event.link
        end = getattr(link, "end", None)
        if isinstance(end, links.Consumer) and end in self._consumers[end.queue]:
            self._consumers[end.queue].remove(end)
        if isinstance(end, links.ReplyLink):
            _reply_links(link.session).pop(str(link.remote_source.address), None)
        link.end = None
        link.close()
        self._leaving.append(link)

    def on_link_remote_detach(self, event: Any) -> None:
        self.on_link_remote_close(event)

    def on_delivery(self, event: Any) -> None:
        delivery = event.delivery
        end: links.LinkEnd | None = getattr(delivery.link, "end", None)
        outcome = end.on_delivery(delivery) if end is not None else None
        if outcome is not None:
            self._untold.append(outcome.tell)

    # The end of a turn

    def on_reactor_quiesced(self, event: Any) -> None:
        now = self._clock()
        self._namespace.tick(now)
        for consumers in self._consumers.values():
            _hand_out(consumers, now)
        self._store.commit()
        untold, self._untold = self._untold, []
        for tell in untold:
            tell()
        leaving, self._leaving = self._leaving, []
        for endpoint in leaving:
            endpoint.free()
        self._container.timeout = self._sleep(now)

    def _sleep(self, now: float) -> float:
        if self._closing_until is not None:
            if not self._connections or now >= self._closing_until:
                self._container.stop()
            return 0.05
        due = self._namespace.next_due()
        return _LONGEST_SLEEP if due is None else min(max(due - now, 0.0), _LONGEST_SLEEP)


def _hand_out(consumers: deque[links.Consumer], now: float) -> None:
    """Deal a queue's available messages out in turn to its receivers that have credit."""
    waiting = deque(consumer for consumer in consumers if consumer.credit > 0)
    while waiting and waiting[0].deliver(now):
        consumer = waiting.popleft()
        if consumer.credit > 0:
            waiting.append(consumer)
    for consumer in consumers:
        if consumer.link.drain_mode:
            consumer.link.drained()
    consumers.rotate(-1)


def _reply_links(session: Any) -> dict[str, links.ReplyLink]:
    """The answer links of a session, by address; kept with the session and gone with it."""
    if not hasattr(session, "reply_links"):
        session.reply_links = {}
    known: dict[str, links.ReplyLink] = session.reply_links
    return known


def serve(state: Path, port: int = 0, config: Path = QUEUES_FILE) -> None:
    """Run a bus in this process until SIGTERM or SIGINT; `state / "bus.json"` says where it listens.

    The file appears, complete, once connections are accepted, and goes away with an orderly end. Raises
    `ConfigError`, `OSError` (port taken) and `StoreError`. For the main thread only.
    """
    bus = Bus(state, load(config), port)
    announcement = state / "bus.json"
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: bus.stop())
    _announce(announcement, bus.port)
    print(f"Service Bus on {HOST}:{bus.port}, state in {state}", flush=True)
    try:
        bus.run()
    finally:
        announcement.unlink(missing_ok=True)


def _announce(path: Path, port: int) -> None:
    stated = {"port": port, "pid": os.getpid(), "connectionString": connection_string(port)}
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps(stated), encoding="utf-8")
    draft.replace(path)
