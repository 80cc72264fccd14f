"""The whole app as its users see it: HTTP with a role, files dropped into containers, and the database behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.servicebus import ServiceBusClient, ServiceBusSubQueue
from azure.storage.blob import BlobServiceClient
from sqlalchemy.engine import Connection

from functions.http import API
from localhost.bus.config import QUEUES_FILE
from localhost.processes import wait_until
from localhost.stack import ROOT, Stack
from shared_code.documents.paths import CONTAINERS, CONTRACT_DROPS, EDW_DROPS
from shared_code.foundation import queues
from shared_code.foundation.database import create_database
from tests.flows.conformance import Conformance

PERIOD = "2026-10"
FINAL_STATES = ("current", "duplicate", "rejected", "held")
# Tests poll often and ask fast; the limits of callers have tests of their own.
QUICK = {
    "LOCALHOST_BLOB_POLL_SECONDS": "0.2",
    "PERSON_CALLS_PER_MINUTE": "1000000",
    "PERSON_CALLS_BURST": "1000000",
    "SERVICE_CALLS_PER_MINUTE": "1000000",
    "SERVICE_CALLS_BURST": "1000000",
    "TELEMETRY_STRICT": "true",
    "CONSUMER_PAUSE_SECONDS": "0",  # outages have a test of their own
}
MASTER_HEADER = (
    "SITE,NAME,DISTRICT,STREET,CITY,STATE,ZIP,CONTRACT_TYPE,FIRST_WORKED_DATE,DEPOSIT_FLAG,GL_STRING,"
    "MANAGER_FIRST,MANAGER_LAST,MANAGER_ID,BILLING_EMAIL,TOTAL_ROOMS,TOTAL_SPACES"
)


@dataclass(slots=True)
class Polled:
    """A run as a poller met it: the answer to its POST, every answer of the status address, and the final body."""

    started: httpx.Response
    answers: list[httpx.Response] = field(default_factory=list)
    run: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.run["id"])


class App:
    """Drives one running stack from outside. JSON numbers are read as exact decimals."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.http = httpx.Client(base_url=f"{stack.host.url}/api/{API}/", timeout=30)
        self.storage = BlobServiceClient.from_connection_string(stack.azurite.connection_string)

    def close(self) -> None:
        self.http.close()
        self.storage.close()

    def call(self, method: str, path: str, role: str = "billingAdmin", **options: Any) -> httpx.Response:
        """One request of a made-up user with `role`. Whatever comes back is what the API's document announces."""
        headers = {**self.stack.headers(role), **options.pop("headers", {})}
        answer = self.http.request(method, path.lstrip("/"), headers=headers, **options)
        self.conformance.check(answer)
        return answer

    @cached_property
    def conformance(self) -> Conformance:
        """The document that the running app serves."""
        return Conformance(f"/api/{API}", self.http.get("openapi.json").json())

    def get(self, path: str, role: str = "billingAdmin", **query: Any) -> Any:
        """The body of a GET that succeeds."""
        answer = self.call("GET", path, role, params=query)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return exact(answer)

    def every(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        found: list[dict[str, Any]] = []
        page = self.get(path, **query)
        while True:
            found.extend(page["items"])
            if not page["nextCursor"]:
                return found
            page = self.get(path, **query, cursor=page["nextCursor"])

    def drop(self, container: str, name: str, data: bytes) -> None:
        self.storage.get_blob_client(container, name).upload_blob(data, overwrite=True)

    def make_containers(self) -> None:
        """What a deployment's template does before the app starts to work."""
        for name in CONTAINERS:
            with suppress(ResourceExistsError):  # the host makes those that it watches
                self.storage.create_container(name)

    def take_in(self, files: Mapping[str, bytes], container: str = EDW_DROPS) -> dict[str, dict[str, Any]]:
        """Drop files and wait until each has come to an end. Returns the batches by file name."""
        for name, data in files.items():
            self.drop(container, name, data)
        return self.await_batches(files)

    def await_batches(self, names: Collection[str]) -> dict[str, dict[str, Any]]:
        """Wait until every named file is a batch in a final state."""

        def ended() -> dict[str, dict[str, Any]]:
            batches = {batch["sourceName"]: batch for batch in self.imports()}
            done = {name: batches[name] for name in names if name in batches}
            return done if len(done) == len(names) and all(b["state"] in FINAL_STATES for b in done.values()) else {}

        return wait_until(ended, self.stack.host, seconds=60) if names else {}

    def imports(self, **query: Any) -> list[dict[str, Any]]:
        """Import batches, newest first."""
        found: list[dict[str, Any]] = self.get("imports", limit=1000, **query)["items"]
        return found

    def blob(self, container: str, name: str) -> bytes:
        """A blob that is written soon if it is not there yet."""

        def read() -> tuple[bytes, ...]:
            try:
                return (self.storage.get_blob_client(container, name).download_blob().readall(),)
            except ResourceNotFoundError:
                return ()

        (data,) = wait_until(read, self.stack.host)
        return data

    def names(self, container: str) -> list[str]:
        client = self.storage.get_container_client(container)
        return sorted(client.list_blob_names()) if client.exists() else []

    def bill(self, period: str = PERIOD, **body: Any) -> Polled:
        """Start a run and follow its Location until it answers 200, as Power Automate and Logic Apps do."""
        polled = Polled(self.call("POST", "statement-runs", json={"period": period, **body}))
        assert polled.started.status_code == 202, polled.started.text

        def finished() -> bool:
            answer = httpx.get(polled.started.headers["Location"], headers=self.stack.headers("billingAdmin"))
            polled.answers.append(answer)
            return answer.status_code != 202

        wait_until(finished, self.stack.host, seconds=60)
        assert polled.answers[-1].status_code == 200, polled.answers[-1].text
        polled.run = exact(polled.answers[-1])
        return polled

    @contextmanager
    def database(self) -> Iterator[Connection]:
        """A write transaction on the app's database, from outside."""
        engine = create_database(self.stack.database_url)
        with engine.begin() as connection:
            yield connection
        engine.dispose()

    def left_in_queues(self) -> dict[str, int]:
        """Messages that wait or are dead, by queue; nothing where all is done."""
        parts = [(queue, part) for queue in queues.ALL for part in (None, ServiceBusSubQueue.DEAD_LETTER)]
        with ThreadPoolExecutor(len(parts)) as pool:
            counts = pool.map(self._peek, parts)
        named = (f"{queue}{'/dead' if part else ''}" for queue, part in parts)
        return {name: count for name, count in zip(named, counts, strict=True) if count}

    def _peek(self, place: tuple[str, ServiceBusSubQueue | None]) -> int:
        queue, part = place
        with (
            ServiceBusClient.from_connection_string(self.stack.bus.connection_string) as client,
            client.get_queue_receiver(queue, sub_queue=part) as receiver,
        ):
            return len(receiver.peek_messages(max_message_count=50))


@pytest.fixture(scope="session")
def short_locks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app's queues with locks of three seconds: the message of a consumer that was killed comes again soon."""
    path = tmp_path_factory.mktemp("queues") / "queues.json"
    path.write_text(QUEUES_FILE.read_text().replace('"PT1M"', '"PT3S"'))
    return path


@contextmanager
def running_app(
    state: Path, root: Path = ROOT, scale_out: int = 0, /, *, queues: Path | None = None, **settings: str
) -> Iterator[App]:
    """The app in `root` on free ports, its containers made. No statement of it is one for SQLite alone.

    `scale_out`: how many further processes take messages.
    """
    refused = state / "refused-by-sql-server.jsonl"
    watched = {"LOCALHOST_SQL_CHECK": str(refused)}
    environment = {**QUICK, **watched, **settings}
    with Stack(state, environment=environment, queues=queues, scale_out=scale_out, root=root) as stack:
        app = App(stack)
        app.make_containers()
        try:
            yield app
        finally:
            app.close()
            assert not refused.exists() or not refused.read_text()
            assert_invariants(stack.database_url, root)


def assert_invariants(database_url: str, root: Path = ROOT) -> None:
    """Whatever a test has done, what must always be true of the database is true."""
    environment = {**os.environ, "OPERATOR_NAME": "Example Parking", "DATABASE_URL": database_url}
    command = [sys.executable, "-m", "shared_code.operations.invariants"]
    checked = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def exact(answer: httpx.Response) -> Any:
    """A JSON body with its numbers as exact decimals."""
    return json.loads(answer.text, parse_float=Decimal)


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The error of a refusal, after a look at its form (http-api, errors)."""
    error: dict[str, Any] = answer.json()["error"]
    form = {"code", "number", "message", "details", "suggestions", "retryable", "requestId", "correlationId"}
    assert set(error) == form
    assert error["message"] and all(error["suggestions"])
    assert not any(trace in answer.text for trace in ("Traceback", "SELECT ", "sqlalchemy", "site-packages"))
    return error


def site_master(*numbers: str) -> bytes:
    """A site master of invented sites."""
    rows = [
        f"{n},Hotel {n},East,{n} Main St,Sampleton,OH,00000,Fixed,2020-01-01,N,01-02-{n}-,Ann,Lee,M1,a@b.example,90,80"
        for n in numbers
    ]
    return csv_file(MASTER_HEADER, rows)


def csv_file(header: str, rows: Sequence[str]) -> bytes:
    return ("\n".join([header, *rows]) + "\n").encode()


def fixed_fees(site: str, *fees: tuple[str, int], **changes: Any) -> dict[str, Any]:
    """Our own contract document: monthly fees, each with its invoice group, due in 30 days."""
    groups = sorted({group for _, group in fees})
    lines = [
        {
            "id": f"fee-{i}",
            "name": f"Service {i}",
            "code": "4700",
            "displayName": f"Service {i}",
            "fee": fee,
            "group": g,
        }
        for i, (fee, g) in enumerate(fees, start=1)
    ]
    return {
        "schemaVersion": "1",
        "id": f"contract-{site}",
        "site": {"number": site, "customerName": f"Hotel {site}"},
        "paymentTerms": {"kind": "net_days", "days": 30},
        "groupingEnabled": True,
        "groups": [{"id": f"g{group}", "number": group} for group in groups],
        "components": [{"kind": "fixedFee", "enabled": True, "lines": lines}],
        **changes,
    }


def room_charge(site: str, rate: str) -> dict[str, Any]:
    """Our own contract document: a charge per occupied room, which needs the month's statistics."""
    component = {"kind": "perOccupiedRoom", "enabled": True, "roomRate": rate}
    return fixed_fees(site) | {"groupingEnabled": False, "components": [component]}


def as_bytes(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode()


def contract_files(*documents: Mapping[str, Any]) -> dict[str, bytes]:
    """Contract documents as files to drop, named after their sites."""
    return {f"{document['site']['number']}.json": as_bytes(document) for document in documents}


def sample_files(drops: Path, datasets: Collection[str]) -> dict[str, dict[str, bytes]]:
    """The files of a generated set by container: all contracts, and the named datasets."""
    found: dict[str, dict[str, bytes]] = {CONTRACT_DROPS: {}, EDW_DROPS: {}}
    for container, files in found.items():
        for path in sorted((drops / container).rglob("*.*")):
            name = path.relative_to(drops / container).as_posix()
            if container == CONTRACT_DROPS or name.partition("/")[0] in datasets:
                files[name] = path.read_bytes()
    return found
