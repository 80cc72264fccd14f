"""What the tests of the local bus through the official SDK share: a bus in a process, and ends that stay open.

New links cost half a second each, so senders and receivers are shared within a module. The lock of most queues
lasts a second and a half, which is what the waits are about.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient as AsyncServiceBusClient

LOCK_SECONDS = 1.5
PATIENCE = 10.0


def queue(name: str, **properties: Any) -> dict[str, Any]:
    return {"Name": name, "Properties": {"LockDuration": "PT1.5S", "MaxDeliveryCount": 3, **properties}}


QUEUES = [
    queue("orders"),
    queue("patient", LockDuration="PT1M"),
    queue("unique", RequiresDuplicateDetection=True, DuplicateDetectionHistoryTimeWindow="PT5M"),
    queue("fleeting", DefaultMessageTimeToLive="PT1S", DeadLetteringOnMessageExpiration=True),
    queue("talks", LockDuration="PT1M", RequiresSession=True),
    queue("brief-talks", RequiresSession=True),
]


@dataclass
class BusProcess:
    """A bus in a process of its own, as `make` starts it."""

    state: Path
    config: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--state", str(self.state), "--port", str(self.port), "--config", str(self.config)]
        self.process = subprocess.Popen([sys.executable, "-m", "localhost.bus", *options])
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            assert self.process.poll() is None, "the bus ended at once"
            stated = self.announcement()
            if stated.get("pid") == self.process.pid:
                self.port = stated["port"]
                return
            time.sleep(0.02)
        raise AssertionError("the bus did not announce itself")

    def announcement(self) -> dict[str, Any]:
        try:
            stated: dict[str, Any] = json.loads((self.state / "bus.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return stated

    def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)

    def client(self, retries: int = 0) -> ServiceBusClient:
        text = self.announcement()["connectionString"]
        return ServiceBusClient.from_connection_string(text, retry_total=retries, retry_backoff_factor=0.1)


@pytest.fixture
def own_bus(tmp_path: Path) -> Iterator[BusProcess]:
    yield from a_bus(tmp_path)


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BusProcess]:
    yield from a_bus(tmp_path_factory.mktemp("bus"))


def a_bus(folder: Path) -> Iterator[BusProcess]:
    config = folder / "queues.json"
    shape = {"UserConfig": {"Namespaces": [{"Name": "sbemulatorns", "Queues": QUEUES}]}}
    config.write_text(json.dumps(shape), encoding="utf-8")
    started = BusProcess(folder / "state", config)
    started.start()
    try:
        yield started
    finally:
        if started.process is not None and started.process.poll() is None:
            started.process.kill()
            started.process.wait()


@dataclass
class Ends:
    """Shared senders and receivers of one client, opened when they are first used."""

    client: ServiceBusClient
    opened: dict[tuple[str, str], Any] = field(default_factory=dict)

    def sender(self, name: str) -> Any:
        return self._once((name, "sender"), lambda: self.client.get_queue_sender(name))

    def receiver(self, name: str, which: str = "receiver") -> Any:
        return self._once((name, which), lambda: self.client.get_queue_receiver(name))

    def graves(self, name: str) -> Any:
        dead = ServiceBusSubQueue.DEAD_LETTER
        return self._once((name, "graves"), lambda: self.client.get_queue_receiver(name, sub_queue=dead))

    def _once(self, key: tuple[str, str], opening: Callable[[], Any]) -> Any:
        if key not in self.opened:
            self.opened[key] = opening()
        return self.opened[key]


@pytest.fixture(scope="module")
def ends(bus: BusProcess) -> Iterator[Ends]:
    with bus.client() as client:
        shared = Ends(client)
        yield shared
        with ThreadPoolExecutor(len(shared.opened)) as pool:
            list(pool.map(lambda each: each.close(), shared.opened.values()))


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def run[T](self, awaitable: Awaitable[T]) -> T:
        async def wait() -> T:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(wait(), self._loop).result(PATIENCE * 2)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Blocking:
    """A client, sender, receiver or session of the asynchronous SDK that is used as if it were a synchronous one."""

    def __init__(self, target: Any, loop: Loop) -> None:
        self._target = target
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        return self._shown(getattr(self._target, name))

    def _shown(self, value: Any) -> Any:
        if inspect.ismethod(value):
            return lambda *arguments, **options: self._call(value, arguments, options)
        return Blocking(value, self._loop) if type(value).__module__.startswith("azure.servicebus.aio") else value

    def _call(self, method: Callable[..., Any], arguments: Any, options: Any) -> Any:
        async def call() -> Any:
            # In the loop's thread: the SDK looks for a running loop.
            value = method(*arguments, **options)
            return await value if inspect.isawaitable(value) else value

        return self._shown(self._loop.run(call()))

    def __enter__(self) -> Blocking:
        self._call(self._target.__aenter__, (), {})
        return self

    def __exit__(self, *failure: Any) -> None:
        self._call(self._target.__aexit__, failure, {})


@pytest.fixture(scope="module", params=["sync", "async"])
def either(request: pytest.FixtureRequest, bus: BusProcess) -> Iterator[Any]:
    """The synchronous client, and then the asynchronous one with the same face."""
    if request.param == "sync":
        with bus.client() as client:
            yield client
        return
    loop = Loop()
    text = bus.announcement()["connectionString"]
    try:
        with Blocking(AsyncServiceBusClient.from_connection_string(text, retry_total=0), loop) as client:
            yield client
    finally:
        loop.close()


def take(receiver: Any, count: int = 1, patience: float = PATIENCE) -> list[Any]:
    """Exactly `count` messages, or as many as come within `patience` seconds."""
    until = time.monotonic() + patience
    found: list[Any] = []
    while len(found) < count and (left := until - time.monotonic()) > 0:
        found += receiver.receive_messages(max_message_count=count - len(found), max_wait_time=left)
    return found


def settle_all(receiver: Any, messages: list[Any]) -> None:
    for message in messages:
        receiver.complete_message(message)
