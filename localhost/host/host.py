"""Assembles the host: index, listen, fire, drain, recycle.

SIGTERM drains: nothing new is taken, running invocations have the drain time to end and are settled, the rest is cut
off and its events come again. When a function does not end after its timeout the process recycles: as on the platform
everything that runs is cut off, and `__main__` replaces the process by a new one with the same id, arguments and port.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO, Any, Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from localhost.host.admin import Admin
from localhost.host.blobs import ContainerPoller
from localhost.host.catalog import BlobTrigger, Function, QueueTrigger, TimerTrigger
from localhost.host.faults import Faults, FaultyWorker
from localhost.host.http import HttpFront
from localhost.host.keys import DEFAULT, Keys, load_keys, write_private_json
from localhost.host.scale import ScaledOut, watch_parent
from localhost.host.servicebus import QueuePump
from localhost.host.sessions import SessionPump
from localhost.host.settings import HostSettings, SettingsError, load_settings
from localhost.host.state import StateStore
from localhost.host.timers import Timer

_log = logging.getLogger(__name__)

EXIT_INTERRUPTED = 130
# After the drain: how long the callers of requests that were cut off have to take their answers.
ANSWER_SECONDS = 2
ANY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "QUERY"]


class Listener(Protocol):
    """A source of events: `run` ends after `stop`, once what it started is finished and settled."""

    async def run(self) -> None: ...

    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Options:
    """The command line. `instance` is 0 for the host itself, the number of a scaled-out child otherwise."""

    app_dir: Path
    state_dir: Path
    port: int
    scale_out: int
    instance: int


class Ending(Enum):
    """How a host ended: all done, with a function still running somewhere, or to be started again in its place."""

    ORDERLY = "orderly"
    WORK_LEFT = "work left"
    RECYCLE = "recycle"


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own: the host decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def lock_state(state_dir: Path) -> IO[str]:
    """Hold the state folder for this process; the operating system frees it when the process ends.

    Raises SettingsError when another host holds it.
    """
    file = (state_dir / "host.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise SettingsError(f"another host uses the state folder {state_dir}") from None
    return file


def bind(port: int) -> socket.socket:
    """A listening socket on the loopback address.

    Raises SettingsError when the port is taken.
    """
    # Without the explicit protocol asyncio does not recognise TCP and leaves Nagle's delay on.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise SettingsError(f"port {port} cannot be used: {error.strerror}") from None
    return listener


def function_table(functions: list[Function]) -> str:
    """The functions as an aligned table."""
    rows = [("function", "trigger", "source", "auth"), *(f.summary() for f in functions)]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)


class Host:
    """One running host: the whole of it, or a scaled-out instance that only listens to queues."""

    def __init__(self, options: Options, settings: HostSettings) -> None:
        self._options = options
        self._settings = settings
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._timers: dict[str, Timer] = {}
        self._pollers: list[ContainerPoller] = []
        self._pumps: dict[str, QueuePump | SessionPump] = {}
        self._listeners: list[Listener] = []
        self._scaled: ScaledOut | None = None
        self._functions: list[Function] = []
        self._failure: BaseException | None = None
        self._port = options.port
        self._told_to_stop = False
        faults = Faults(options.state_dir)
        self.worker = FaultyWorker(faults, settings.function_timeout, settings.recycle_seconds)

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then drain.

        Raises IndexingError and SettingsError before anything is served, RuntimeError when a listener died.
        """
        self._catch_signals()
        watching = asyncio.create_task(self._stop_when_stuck())
        self._functions = await self.worker.index(self._options.app_dir)
        if self._options.instance:
            watch_parent(self._stop)
            self._start_pumps()
            await self._stopping.wait()
            await self._drain()
        else:
            await self._run_main()
        watching.cancel()
        _log.info("stopped")
        if self._failure is not None:
            raise RuntimeError("a listener died") from self._failure

    @property
    def ending(self) -> Ending:
        """How the host that has run ended."""
        if self.worker.stuck.is_set() and not self._told_to_stop:
            return Ending.RECYCLE
        return Ending.WORK_LEFT if self.worker.leaves_work else Ending.ORDERLY

    @property
    def port(self) -> int:
        """Where HTTP is served, once it is."""
        return self._port

    async def _stop_when_stuck(self) -> None:
        await self.worker.stuck.wait()
        self._stopping.set()

    async def _run_main(self) -> None:
        state_dir = self._options.state_dir
        keys = load_keys(state_dir, [function.name for function in self._functions], os.environ)
        store = StateStore(state_dir / "host.sqlite")
        front = HttpFront(self._functions, self._settings, keys, self.worker)
        listener = bind(self._options.port)
        self._port = listener.getsockname()[1]
        server = self._server(front, keys, store)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await self._started(server, serving)
        print(function_table(self._functions), flush=True)
        self._start_listeners(store)
        self._announce(keys)
        try:
            stopped = asyncio.create_task(self._stopping.wait())
            await asyncio.wait({stopped, serving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            (state_dir / "host.json").unlink(missing_ok=True)
            server.should_exit = True
            await self._drain()
            await asyncio.wait({serving}, timeout=ANSWER_SECONDS)
            store.close()

    def _server(self, front: HttpFront, keys: Keys, store: StateStore) -> _Server:
        admin = Admin(
            self._functions,
            self._settings,
            keys,
            self.worker,
            status=lambda: self._status(store),
            fire_timer=lambda function: self._timers[function.name].fire("by hand"),
            fire_blob=lambda function, name: self._poller_of(function).run_by_hand(function, name),
        )
        app = Starlette(
            routes=[
                Route("/admin/host/status", admin.host_status, methods=["GET"]),
                Route("/admin/functions", admin.list_functions, methods=["GET"]),
                Route("/admin/functions/{name}", admin.fire, methods=["POST"]),
                Route("/{path:path}", front.handle, methods=ANY_METHOD),
            ]
        )
        config = uvicorn.Config(
            app,
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=int(self._settings.drain_seconds) + ANSWER_SECONDS,
        )
        return _Server(config)

    @staticmethod
    async def _started(server: _Server, serving: asyncio.Task[None]) -> None:
        while not server.started:
            if serving.done():
                serving.result()
                raise SettingsError("the HTTP server did not start")
            await asyncio.sleep(0.01)

    def _start_listeners(self, store: StateStore) -> None:
        self._start_pumps()
        slots = asyncio.Semaphore(self._settings.blob_parallelism)
        watched: dict[tuple[str, str], list[Function]] = {}
        for function in self._functions:
            match function.trigger:
                case TimerTrigger():
                    self._timers[function.name] = Timer(function, function.trigger, self.worker, store)
                case BlobTrigger(path=path, connection=connection):
                    watched.setdefault((connection, path.strip("/").partition("/")[0]), []).append(function)
        for functions in watched.values():
            self._pollers.append(ContainerPoller(functions, self._settings, self.worker, store, slots))
        listeners: list[Listener] = [*self._timers.values(), *self._pollers]
        for listener in listeners:
            self._spawn(listener)
        if self._options.scale_out:
            self._scaled = ScaledOut(
                self._options.scale_out, self._options.app_dir, self._options.state_dir, self._settings.drain_seconds
            )
            self._scaled.start()

    def _start_pumps(self) -> None:
        for function in self._functions:
            if isinstance(function.trigger, QueueTrigger):
                kind = SessionPump if function.trigger.sessions else QueuePump
                pump = kind(function, function.trigger, self._settings, self.worker)
                self._pumps[function.name] = pump
                self._spawn(pump)

    def _spawn(self, listener: Listener) -> None:
        task = asyncio.create_task(listener.run())
        self._listeners.append(listener)
        self._tasks.append(task)
        task.add_done_callback(self._listener_ended)

    def _listener_ended(self, task: asyncio.Task[None]) -> None:
        """A listener ends only when the host stops; anything else is a defect and must not pass unseen."""
        if task.cancelled() or task.exception() is None:
            return
        _log.critical("a listener died; the host stops", exc_info=task.exception())
        self._failure = task.exception()
        self._stopping.set()

    async def _drain(self) -> None:
        """Take in nothing new, let running invocations end within the grace, settle, stop the rest."""
        _log.info("stopping")
        scaled = asyncio.create_task(self._scaled.stop()) if self._scaled else None
        for listener in self._listeners:
            listener.stop()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (0.0 if self.worker.stuck.is_set() else self._settings.drain_seconds)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=max(0.0, deadline - loop.time()))
        if not await self.worker.drain(max(0.0, deadline - loop.time())):
            _log.warning("%d invocations did not end in time; they will come again", self.worker.running)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Listeners were cancelled: what they had comes again. Requests are left, and their callers are told.
        self.worker.cut_off()
        if scaled:
            await scaled

    def _announce(self, keys: Keys) -> None:
        url = f"http://127.0.0.1:{self._port}"
        document = {
            "port": self._port,
            "pid": os.getpid(),
            "url": url,
            "masterKey": keys.master,
            "hostKey": keys.host[DEFAULT],
            "functionKeys": {name: named[DEFAULT] for name, named in keys.functions.items() if DEFAULT in named},
        }
        write_private_json(self._options.state_dir / "host.json", document)
        print(f"\nListening on {url}", flush=True)
        _log.info("ready on %s", url)

    def _status(self, store: StateStore) -> dict[str, Any]:
        return {
            "state": "Stopping" if self._stopping.is_set() else "Running",
            "pid": os.getpid(),
            "running": self.worker.running,
            "instances": self._scaled.pids if self._scaled else [],
            "queuesConnected": {name: pump.connected for name, pump in self._pumps.items()},
            "poisonBlobs": store.poison_blobs(),
        }

    def _poller_of(self, function: Function) -> ContainerPoller:
        return next(poller for poller in self._pollers if poller.watches(function))

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_signal_handler(signal.SIGINT, self._interrupted)

    def _interrupted(self) -> None:
        """Ctrl-C drains; a second one ends at once, as a kill would: nothing is settled that did not succeed."""
        if self._stopping.is_set():
            os._exit(EXIT_INTERRUPTED)
        self._stop()

    def _stop(self) -> None:
        """End for good, also when the host was about to recycle."""
        self._told_to_stop = True
        self._stopping.set()


async def serve(options: Options) -> tuple[Ending, int]:
    """Run a host until it is told to stop. Returns how it ended, and the port that it has used.

    Raises IndexingError and SettingsError with a text for people.
    """
    host = Host(options, load_settings(options.app_dir, os.environ))
    await host.run()
    return host.ending, host.port
