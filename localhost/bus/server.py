"""The broker: one single-threaded event loop over all connections.

A turn of the loop ends when no event is left. Then due locks end, messages go out to receivers with credit,
everything that changed is committed to disk in one transaction, and only after that are the answers told.
Nothing reaches a socket between: bytes are written in the next turn.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from proton import Handler
from proton.reactor import Container

from localhost.bus import links, management
from localhost.bus.conditions import NO_TRANSACTIONS, NOT_ALLOWED, NOT_FOUND, NOT_IMPLEMENTED, refusal
from localhost.bus.config import QUEUES_FILE, QueueSettings, load
from localhost.bus.dispatch import Dispatcher
from localhost.bus.faults import Armed, FaultError, FaultPort
from localhost.bus.namespace import Namespace
from localhost.bus.queue import Queue
from localhost.bus.store import Store
from localhost.bus.wakeup import Wakeup

HOST: Final = "127.0.0.1"
_LONGEST_SLEEP: Final = 30.0
_CLOSING_SECONDS: Final = 0.3


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
        self._armed = Armed()
        self._dispatcher = Dispatcher(clock, self._armed)
        self._leaving: list[Any] = []
        self._untold: list[Callable[[], None]] = []
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
        self._stopping = False
        self._wakeup = Wakeup(self._container, self._note_stop)
        self._fault_port = FaultPort(self._container, self._inject)
        self.faults_port = self._fault_port.port

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
            self._fault_port.close()
            self._store.close()

    def stop(self) -> None:
        """Ask `run` to end. May be called from any thread and from a signal handler."""
        self._wakeup.trigger()

    def _note_stop(self) -> None:
        self._stopping = True

    def _begin_closing(self) -> None:
        """For the end of a turn only: a client that is just connecting would meet the acceptor closed under it."""
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
        self._dispatcher.remove_all(connection)
        self._leaving.append(connection)

    # Links

    def on_link_remote_open(self, event: Any) -> None:
        link = event.link
        links.mirror(link)
        terminus = link.remote_source if link.is_sender else link.remote_target
        address = links.read_address(terminus.address)
        wish = links.session_wish(link) if link.is_sender else None
        queue = self._namespace.find(address.node)
        if wish is not None and queue is not None and queue.requires_session and not address.management:
            self._dispatcher.seek(link, queue, wish)
            return
        problem = _problem(link, address, queue, wish)
        if problem is None:
            link.open()
            self._attach(link, address, queue)
        elif link.is_receiver:
            link.open()
            link.end = links.RefusedProducer(link, problem)
        else:
            links.refuse(link, problem)

    def _attach(self, link: Any, address: links.Address, queue: Queue | None) -> None:
        """Give the link its end."""
        if queue is None:  # the claims node
            self._attach_requests(link, management.authorize)
        elif address.management:
            connection = link.connection
            self._attach_requests(link, lambda raw: management.manage(raw, queue, self._clock(), connection))
        elif link.is_sender:
            self._dispatcher.add(link, queue)
        else:
            link.end = links.Producer(link, queue, self._clock)

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

    def on_link_remote_close(self, event: Any) -> None:
        link = event.link
        end = getattr(link, "end", None)
        self._dispatcher.remove(link)
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
        if self._stopping and self._closing_until is None:
            self._begin_closing()
        now = self._clock()
        self._namespace.tick(now)
        self._dispatcher.run(now)
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
        moments = [self._namespace.next_due(), self._dispatcher.next_due()]
        due = min((moment for moment in moments if moment is not None), default=now + _LONGEST_SLEEP)
        return min(max(due - now, 0.0), _LONGEST_SLEEP)

    # Faults

    def _inject(self, request: Mapping[str, Any]) -> int:
        """Carry out a fault. Raises `KeyError`, `TypeError`, `ValueError` and `FaultError` on what is no fault."""
        fault = request["fault"]
        if fault == "clear":
            return self._armed.clear()
        if fault == "drop-connections":
            return self._drop_connections()
        queue = self._namespace.find(str(request["queue"]))
        if queue is None:
            raise FaultError(f"no queue {request['queue']!r}")
        if fault == "lose-locks":
            return queue.lose_locks(self._clock())
        if fault == "delay":
            self._armed.hold(queue.name, self._clock() + float(request["seconds"]))
        elif fault == "duplicate":
            self._armed.repeat(queue.name, int(request.get("count", 1)))
        else:
            raise FaultError(f"no fault {fault!r}")
        return 1

    def _drop_connections(self) -> int:
        open_ = [
            connection for connection in self._connections if connection.transport and connection.transport._selectable
        ]
        for connection in open_:
            with suppress(OSError):  # the client may have gone by itself
                connection.transport._selectable.shutdown(socket.SHUT_RDWR)
        return len(open_)


def _problem(link: Any, address: links.Address, queue: Queue | None, wish: links.SessionWish | None) -> Any:
    """Why a link is not served; None when it is."""
    if links.is_coordinator(link):
        return refusal(NOT_IMPLEMENTED, NO_TRANSACTIONS)
    if not address.management and address.node.lower() == links.CLAIMS_NODE:
        return None
    if queue is None:
        text = f"The messaging entity '{address.node}' could not be found: the local bus has no such queue."
        return refusal(NOT_FOUND, text)
    if address.management:
        return None
    if link.is_receiver:
        return refusal(NOT_ALLOWED, f"nothing is sent to {queue.name}") if queue.is_dead_letter else None
    if (wish is not None) == queue.requires_session:
        return None
    needs = "requires sessions: receive from it with one" if wish is None else "has no sessions: receive without one"
    return refusal(NOT_ALLOWED, f"{queue.name} {needs}")


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
    _announce(announcement, bus)
    print(f"Service Bus on {HOST}:{bus.port}, state in {state}", flush=True)
    try:
        bus.run()
    finally:
        announcement.unlink(missing_ok=True)


def _announce(path: Path, bus: Bus) -> None:
    stated = {
        "port": bus.port,
        "pid": os.getpid(),
        "connectionString": connection_string(bus.port),
        "faultsPort": bus.faults_port,
    }
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps(stated), encoding="utf-8")
    draft.replace(path)
