"""Azurite, the local bus and the local host as processes: on free ports, over a state folder.

Each is a context manager with `start`, `stop` (SIGTERM, orderly) and `kill9`, and can be started again on
the same port and state. `wait_until` polls a condition and shows the ends of the logs when it never holds.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx
import psutil  # type: ignore[import-untyped]  # ships no types

ROOT = Path(__file__).resolve().parents[1]
AZURITE = ROOT / "node_modules" / ".bin" / "azurite"
# The storage emulator's published account; it opens nothing but an emulator.
AZURITE_ACCOUNT = "devstoreaccount1"
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class ProcessError(RuntimeError):
    """A process did not start, did not serve or did not end; the message carries the end of its log."""


START_SECONDS = 30.0
STOP_SECONDS = 20.0
LOG_TAIL = 4000


# Below what Linux, macOS and Windows give to outgoing connections: such a port stays free until it is used.
PORTS = range(20_000, 32_768)


def reserve_port() -> tuple[int, socket.socket]:
    """A TCP port that is free now, and the token that keeps others who ask here from taking it: close it at the end.

    The token is the UDP port of the same number, which one process at a time can have, and none after its death.
    """
    for port in random.SystemRandom().sample(PORTS, min(len(PORTS), 1_000)):
        token = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            token.bind(("127.0.0.1", port))
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            token.close()
            continue
        return port, token
    raise ProcessError(f"no port from {PORTS.start} to {PORTS.stop - 1} is free")


def wait_until[T](condition: Callable[[], T], *processes: "Process", seconds: float = START_SECONDS) -> T:
    """Poll until the condition is true and return its value.

    Raises ProcessError with the ends of the processes' logs when it stays false.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise ProcessError("\n".join(["the condition never held", *(p.tail() for p in processes)]))
        time.sleep(0.05)


class Process(ABC):
    """One process with its state folder and its log in it."""

    name = "process"

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.environment = dict(environment or {})
        self.root = ROOT  # whose packages `python -m` finds
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / f"{self.name}.out"
        self._log_start = 0  # of this start; the file keeps earlier ones

    def _reserve_port(self) -> int:
        """A port that nobody takes while this object lives, between its starts too."""
        port, token = reserve_port()
        weakref.finalize(self, token.close)
        return port

    @abstractmethod
    def command(self) -> Sequence[str]:
        """The command line."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether the started process serves."""

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the process without waiting for it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._end_orphan()
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.root,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the one who started it, and that one stops the parts in order
            )
        self._pid_file.write_text(f"{self.process.pid} {os.getpid()}")
        return self.process

    @property
    def _pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def _end_orphan(self) -> None:
        """End what a killed run has left over the same state. Raises ProcessError while another run is using it."""
        try:
            number, owner = map(int, self._pid_file.read_text().split())
            left = psutil.Process(number)
            ours = any(str(self.folder) in part for part in left.cmdline())
            owned = left.ppid() == owner
        except (FileNotFoundError, ValueError, psutil.Error):
            return
        if not ours or owner == os.getpid():
            return  # the number belongs to somebody else by now, or we started it ourselves and it guards its folder
        if owned:
            raise ProcessError(f"{self.folder} is in use by the run with process id {owner}; end that one first")
        for process in (*left.children(recursive=True), left):
            with suppress(psutil.NoSuchProcess):
                process.kill()
                process.wait(STOP_SECONDS)

    def start(self) -> Self:
        """Start and wait until it serves.

        Raises ProcessError with the end of its log when it ends first or takes too long.
        """
        process = self.launch()

        def ready() -> bool:
            if process.poll() is not None:
                raise ProcessError(f"{self.name} ended with {process.returncode}\n{self.tail()}")
            return self.is_ready()

        try:
            wait_until(ready, self)
        except BaseException:
            self.kill9()
            raise
        return self

    @property
    def pid(self) -> int:
        """The process id."""
        if self.process is None:
            raise ProcessError(f"{self.name} was not started")
        return self.process.pid

    @property
    def alive(self) -> bool:
        """Whether the started process is still there."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> int:
        """SIGTERM, then wait; the exit code. A process that does not end is killed, which is an error."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise ProcessError(f"{self.name} ignored SIGTERM\n{self.tail()}") from None

    def kill9(self) -> None:
        """SIGKILL, then wait."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def tail(self) -> str:
        """The end of this start's log, for messages."""
        written = self.log.read_bytes()[self._log_start :] if self.log.exists() else b"(no log)"
        text = written.decode(errors="replace")[-LOG_TAIL:]
        return f"--- {self.name}: {self.log}\n{text}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, ProcessError):
            print(self.tail())
        self.stop()


class Azurite(Process):
    """The storage emulator: blobs, and queues for what the host gives up. Its table service runs unused."""

    name = "azurite"

    def __init__(self, folder: Path, port: int | None = None, queue_port: int | None = None) -> None:
        super().__init__(folder)
        self.port = port or self._reserve_port()
        self.queue_port = queue_port or self._reserve_port()

    @property
    def connection_string(self) -> str:
        """For the storage SDK and for connection settings."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={AZURITE_ACCOUNT};AccountKey={AZURITE_KEY};"
            f"BlobEndpoint=http://127.0.0.1:{self.port}/{AZURITE_ACCOUNT};"
            f"QueueEndpoint=http://127.0.0.1:{self.queue_port}/{AZURITE_ACCOUNT};"
        )

    def command(self) -> Sequence[str]:
        flags = ["--skipApiVersionCheck", "--disableTelemetry", "--silent", "--blobHost", "127.0.0.1"]
        ports = ["--blobPort", str(self.port), "--queuePort", str(self.queue_port), "--tablePort", "0"]
        return [str(AZURITE), *flags, "--queueHost", "127.0.0.1", "--location", str(self.folder), *ports]

    def is_ready(self) -> bool:
        return all(_listens(port) for port in (self.port, self.queue_port))


class Bus(Process):
    """The local Service Bus."""

    name = "bus"

    def __init__(self, folder: Path, port: int | None = None, config: Path | None = None) -> None:
        super().__init__(folder)
        self.port = port or self._reserve_port()
        self.config = config

    @property
    def connection_string(self) -> str:
        """For the Service Bus SDK and for connection settings; known once the bus has run."""
        return str(json.loads((self.folder / "bus.json").read_text())["connectionString"])

    def command(self) -> Sequence[str]:
        config = ["--config", str(self.config)] if self.config else []
        return [sys.executable, "-m", "localhost.bus", "--state", str(self.folder), "--port", str(self.port), *config]

    def is_ready(self) -> bool:
        return _announced_pid(self.folder / "bus.json") == self.pid


class Host(Process):
    """The local Functions host."""

    name = "host"

    def __init__(
        self,
        app: Path,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        scale_out: int = 0,
        port: int | None = None,
    ) -> None:
        super().__init__(folder, environment)
        self.app = app
        self.scale_out = scale_out
        self.port = port or self._reserve_port()

    def command(self) -> Sequence[str]:
        where = ["--app", str(self.app), "--state", str(self.folder), "--port", str(self.port)]
        return [sys.executable, "-m", "localhost.host", *where, "--scale-out", str(self.scale_out)]

    def is_ready(self) -> bool:
        return _announced_pid(self.folder / "host.json") == self.pid

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def master_key(self) -> str:
        """Opens everything."""
        return str(self._announced()["masterKey"])

    @property
    def function_key(self) -> str:
        """The host key named default: opens every route of level function."""
        return str(self._announced()["hostKey"])

    def key_of(self, function: str) -> str:
        """The key named default of one function: opens this one only."""
        return str(self._announced()["functionKeys"][function])

    def _announced(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "host.json").read_text())
        return document

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One HTTP request to the host."""
        return httpx.request(method, self.url + path, timeout=30, **options)

    def status(self) -> dict[str, Any]:
        """/admin/host/status."""
        response = self.request("GET", "/admin/host/status", headers={"x-functions-key": self.master_key})
        response.raise_for_status()
        document: dict[str, Any] = response.json()
        return document

    def fire(self, function: str, value: Any = "") -> None:
        """Fire a trigger by hand; the function runs in the background."""
        headers = {"x-functions-key": self.master_key}
        self.request("POST", f"/admin/functions/{function}", json={"input": value}, headers=headers).raise_for_status()

    def records(self) -> list[dict[str, Any]]:
        """All structured log records so far."""
        path = self.folder / "logs" / "host.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def invocations(self, function: str, outcome: str | None = None) -> list[dict[str, Any]]:
        """The log lines of a function's ended invocations."""
        return [
            record
            for record in self.records()
            if record.get("function") == function and "durationMs" in record and outcome in (None, record["outcome"])
        ]


def _listens(port: int) -> bool:
    """Whether somebody accepts connections on a port of the loopback address."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _announced_pid(path: Path) -> int | None:
    """The pid in the file a server writes when it is ready; None before."""
    try:
        return int(json.loads(path.read_text())["pid"])
    except FileNotFoundError:
        return None
