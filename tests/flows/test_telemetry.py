"""Telemetry on real parts: the storage emulator, the local bus through the official SDK, and a collector over HTTP."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.servicebus import ServiceBusClient
from opentelemetry.trace import SpanKind, StatusCode

from localhost.processes import Azurite, Bus
from shared_code.foundation import blobs, bus, clock, database, telemetry
from shared_code.foundation.database import Message, transaction
from shared_code.foundation.queues import RUN_PROGRESS
from shared_code.foundation.sending import publisher
from shared_code.foundation.settings import settings
from tests.unit.foundation.exported import Exported, attributes, exporting, id_of

pytestmark = pytest.mark.flow

ROOT = Path(__file__).parents[2]
CACHED = (settings, database.engine, publisher, blobs.service, blobs.ensure_container)


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Settings of the test's own; every client of the process is made anew."""
    monkeypatch.setenv("OPERATOR_NAME", "Example Parking")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/app.sqlite")
    monkeypatch.setenv("TELEMETRY_STRICT", "true")
    for cached in CACHED:
        cached.cache_clear()
    yield monkeypatch
    clock.set_clock(None)
    for cached in CACHED:
        cached.cache_clear()


@pytest.fixture
def exported(configured: pytest.MonkeyPatch) -> Iterator[Exported]:
    with exporting() as found:
        yield found


def test_blobs_are_spans_with_their_container_and_without_their_name(
    exported: Exported, configured: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Azurite(tmp_path) as azurite:
        configured.setenv("BillingStorage", azurite.connection_string)
        with telemetry.span("work"):
            blobs.put("statements", "2026-10/Harbor Lot.pdf", b"12345", "application/pdf")
            assert blobs.get("statements", "2026-10/Harbor Lot.pdf") == b"12345"
            with pytest.raises(ResourceNotFoundError):
                blobs.get("statements", "2026-10/Nobody.pdf")

    put, got, missed = exported.spans()[:3]
    said = {"powerbill.dependency": "blob", "powerbill.container": "statements", "powerbill.blob.bytes": 5}
    assert attributes(put) == said | {"powerbill.operation": "put"}
    assert attributes(got) == said | {"powerbill.operation": "get"}
    assert (attributes(missed)["error.type"], missed.status.status_code) == ("ResourceNotFoundError", StatusCode.ERROR)
    assert {span.kind for span in (put, got, missed)} == {SpanKind.CLIENT}
    assert len(exported.spans()) == 4  # the storage library adds none, with addresses in them
    assert "Harbor" not in "".join(span.to_json() for span in exported.spans())


def received(connection_string: str) -> dict[str, tuple[Any, ...]]:
    """By message id: the trace properties that arrived through the official SDK."""
    with (
        ServiceBusClient.from_connection_string(connection_string) as client,
        client.get_queue_receiver(RUN_PROGRESS, max_wait_time=10) as receiver,
    ):
        found: dict[str, tuple[Any, ...]] = {}
        while len(found) < 2:
            for message in receiver.receive_messages(2):
                properties = message.application_properties or {}
                found[str(message.message_id)] = (properties.get(b"traceparent"), properties.get(b"Diagnostic-Id"))
                receiver.complete_message(message)
        return found


def test_a_message_carries_its_trace_over_the_bus_and_through_the_sweep(
    exported: Exported, configured: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Bus(tmp_path) as queues:
        configured.setenv("BillingServiceBus", queues.connection_string)
        with database.engine().begin() as connection:
            database.metadata.create_all(connection, [database.outbox, database.inbox])
        with telemetry.span("POST statement-runs", "server"):
            carried = telemetry.trace_parent().encode()
            with bus.unit_of_work() as work:
                work.send([Message("m-1", RUN_PROGRESS, "{}")])
            with transaction() as work:  # and the process dies before it publishes
                work.send([Message("m-2", RUN_PROGRESS, "{}")])
        later = clock.now() + timedelta(minutes=5)
        clock.set_clock(lambda: later)
        with telemetry.span("sweep"):
            assert bus.sweep() == 1
        arrived = received(queues.connection_string)

    assert id_of(exported.span("POST statement-runs")).encode() in carried
    assert arrived == {"m-1": (carried, carried), "m-2": (carried, carried)}
    sent = [span for span in exported.spans() if span.kind == SpanKind.PRODUCER]
    assert [(span.name, attributes(span)["messaging.batch.message_count"]) for span in sent] == [
        (f"send {RUN_PROGRESS}", 1)
    ] * 2
    [waiting] = exported.points("powerbill.outbox.waiting")
    assert vars(waiting)["value"] == 1


def test_a_publication_that_fails_says_so_and_its_messages_wait(
    exported: Exported, configured: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Bus(tmp_path) as queues:
        gone = queues.connection_string
    configured.setenv("BillingServiceBus", gone)

    assert bus.publish_quietly([Message("m-1", RUN_PROGRESS, "{}")]) == 0

    failed = exported.span(f"send {RUN_PROGRESS}")
    assert failed.status.status_code == StatusCode.ERROR
    assert attributes(failed)["error.type"] == "ServiceBusConnectionError"
    assert exported.points("messaging.client.sent.messages") == []


class Collector(BaseHTTPRequestHandler):
    """Takes what exporters post and answers as Application Insights does."""

    posts: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.posts.append(
            (self.path, gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        )
        answer = b'{"itemsReceived":1,"itemsAccepted":1,"errors":[]}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, template: str, *args: Any) -> None:
        return


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """An address, and what was posted to it."""
    posts: list[tuple[str, bytes]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Posts", (Collector,), {"posts": posts}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", posts
    server.shutdown()
    thread.join()
    server.server_close()


REQUEST = """
from shared_code.foundation import telemetry
with telemetry.span("GET sites", "server", http_request_method="GET", http_route="sites") as span:
    span.set("http.response.status_code", 200)
"""


def ask_once(**environment: str) -> None:
    """One request in a process of its own, which sends at its end what it has."""
    known = {**os.environ, "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true", **environment}
    done = subprocess.run(
        [sys.executable, "-c", REQUEST], cwd=ROOT, env=known, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""


def test_a_request_arrives_at_application_insights(collector: tuple[str, list[tuple[str, bytes]]]) -> None:
    address, posts = collector
    key = "00000000-0000-0000-0000-000000000001"

    ask_once(APPLICATIONINSIGHTS_CONNECTION_STRING=f"InstrumentationKey={key};IngestionEndpoint={address}/")

    items = [item for path, body in posts if path == "/v2.1/track" for item in json.loads(body)]
    [request] = [item for item in items if item["data"]["baseType"] == "RequestData"]
    assert request["tags"]["ai.cloud.role"] == "powerbill-functions"
    said = request["data"]["baseData"]
    assert (said["name"], said["responseCode"], said["success"]) == ("GET sites", "200", True)
    names = {metric["name"] for item in items for metric in item["data"]["baseData"].get("metrics", ())}
    assert "http.server.request.duration" in names


def test_a_request_arrives_at_any_collector(collector: tuple[str, list[tuple[str, bytes]]]) -> None:
    address, posts = collector

    ask_once(OTEL_EXPORTER_OTLP_ENDPOINT=address, OTEL_SERVICE_NAME="billing-test")

    arrived = dict(posts)
    assert b"GET sites" in arrived["/v1/traces"]
    assert b"http.server.request.duration" in arrived["/v1/metrics"]
    assert all(b"billing-test" in body for body in arrived.values())
