"""The small app of `tests/fixtures/host_app` under the local host, with a bus and storage of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSubQueue
from azure.storage.blob import BlobServiceClient

from localhost.processes import ROOT, Azurite, Bus, Host, wait_until

FIXTURES = ROOT / "tests" / "fixtures"
APP = FIXTURES / "host_app"
LOCK = "PT3S"
"""Locks of the queues: the shortest that the SDK's renewer keeps up with."""
QUEUES = {
    # queue: (deliveries before a message is dead, sessions)
    "work": (3, False),
    "sync-work": (3, False),
    "retried": (2, False),
    "ordered": (3, True),
}


def host_json(**entries: object) -> dict[str, str]:
    """App settings that replace entries of host.json, as on the platform: `serviceBus__maxConcurrentCalls=1`."""
    places = {"serviceBus": "extensions__", "http": "extensions__", "blobs": "extensions__"}
    return {
        f"AzureFunctionsJobHost__{places.get(name.partition('__')[0], '')}{name}": str(value)
        for name, value in entries.items()
    }


@dataclass(slots=True)
class Stage:
    """The processes of a test module and what the app noted."""

    azurite: Azurite
    bus: Bus
    host: Host
    events_file: Path

    def all_events(self) -> list[dict[str, Any]]:
        """Every note of the app, in order."""
        if not self.events_file.exists():
            return []
        return [json.loads(line) for line in self.events_file.read_text().splitlines()]

    def events(self, kind: str, **values: Any) -> list[dict[str, Any]]:
        """The notes of one kind, those with the given values."""
        return [
            note
            for note in self.all_events()
            if note["kind"] == kind and all(note.get(name) == value for name, value in values.items())
        ]

    def ids(self, kind: str) -> list[str]:
        return [note["id"] for note in self.events(kind)]

    def names(self, kind: str) -> list[str]:
        return [note["name"] for note in self.events(kind)]

    def upload(self, container: str, name: str, data: bytes = b"a,b\n1,2\n") -> None:
        service = BlobServiceClient.from_connection_string(self.azurite.connection_string)
        with service, service.get_blob_client(container, name) as client:
            client.upload_blob(data, overwrite=True)

    def send(self, queue: str, *bodies: Mapping[str, Any], **properties: Any) -> None:
        with (
            ServiceBusClient.from_connection_string(self.bus.connection_string) as client,
            client.get_queue_sender(queue) as sender,
        ):
            sender.send_messages([ServiceBusMessage(json.dumps(body), **properties) for body in bodies])

    def left(self, queue: str, *, dead: bool = False) -> list[str]:
        """The ids of messages in a queue or among its dead letters, locked ones included."""
        part = ServiceBusSubQueue.DEAD_LETTER if dead else None
        with (
            ServiceBusClient.from_connection_string(self.bus.connection_string) as client,
            client.get_queue_receiver(queue, sub_queue=part) as receiver,
        ):
            return [json.loads(str(message))["id"] for message in receiver.peek_messages(max_message_count=100)]

    def call(self, path: str, **options: Any) -> httpx.Response:
        """A GET with the host key."""
        return self.host.request("GET", path, headers={"x-functions-key": self.host.function_key}, **options)

    def lines(self, text: str) -> list[dict[str, Any]]:
        """The host's log lines that hold a text."""
        return [record for record in self.host.records() if text in record["message"]]

    def wait(self, condition: Callable[[], Any], seconds: float = 30.0) -> Any:
        return wait_until(condition, self.host, self.bus, self.azurite, seconds=seconds)

    def wait_until_connected(self) -> None:
        """Wait until the host receives from all queues."""
        self.wait(lambda: all(self.host.status()["queuesConnected"].values()))


def bus_config(folder: Path) -> Path:
    queues = [
        {
            "Name": name,
            "Properties": {
                "LockDuration": LOCK,
                "MaxDeliveryCount": deliveries,
                "RequiresDuplicateDetection": False,
                "RequiresSession": sessions,
                "DefaultMessageTimeToLive": "PT1H",
            },
        }
        for name, (deliveries, sessions) in QUEUES.items()
    ]
    path = folder / "queues.json"
    path.write_text(json.dumps({"UserConfig": {"Namespaces": [{"Name": "sbemulatorns", "Queues": queues}]}}))
    return path


def app_environment(azurite: Azurite, bus: Bus, events: Path) -> dict[str, str]:
    return {
        "BillingStorage": azurite.connection_string,
        "BillingServiceBus": bus.connection_string,
        "EVENTS": str(events),
        "YEARLY": "0 0 0 1 1 *",
        "MONTHLY": "0 0 0 1 * *",
        "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "100000",
        "LOCALHOST_BLOB_POLL_SECONDS": "0.2",
        "LOCALHOST_DRAIN_SECONDS": "5",
    }


@contextmanager
def running_stage(folder: Path, **settings: str) -> Iterator[Stage]:
    """Storage, bus and host over a folder; `settings` are app settings of the host."""
    events = folder / "events.jsonl"
    with Azurite(folder / "azurite") as azurite, Bus(folder / "bus", config=bus_config(folder)) as bus:
        host = Host(APP, folder / "state", {**app_environment(azurite, bus, events), **settings})
        with host:
            staged = Stage(azurite, bus, host, events)
            staged.wait_until_connected()
            yield staged


def exit_code(host: Host) -> int:
    """The exit code of a host that is expected to end by itself."""
    try:
        return host.launch().wait(30)
    finally:
        host.kill9()


def most_at_once(events: list[dict[str, Any]], start: str, end: str) -> int:
    """How many were inside at the same time at most, by the order of the notes."""
    inside = most = 0
    for note in events:
        inside += (note["kind"] == start) - (note["kind"] == end)
        most = max(most, inside)
    return most
