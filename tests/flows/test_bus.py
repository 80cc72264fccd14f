"""The local bus as the official SDK sees it. Nothing here knows how the bus is made.

One bus serves the module; new links cost half a second each, so senders and receivers are shared. The lock
of most queues lasts a second and a half, which is what the waits are about.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import (
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusMessageState,
    ServiceBusReceiveMode,
    ServiceBusSubQueue,
)
from azure.servicebus.aio import ServiceBusClient as AsyncServiceBusClient
from azure.servicebus.exceptions import (
    MessageLockLostError,
    MessageNotFoundError,
    MessageSizeExceededError,
    MessagingEntityNotFoundError,
    ServiceBusError,
)

pytestmark = pytest.mark.flow

LOCK_SECONDS = 1.5
PATIENCE = 10.0
MANY = 100
AHEAD = 200


def queue(name: str, **properties: Any) -> dict[str, Any]:
    return {"Name": name, "Properties": {"LockDuration": "PT1.5S", "MaxDeliveryCount": 3, **properties}}


QUEUES = [
    queue("orders"),
    queue("patient", LockDuration="PT1M"),
    queue("unique", RequiresDuplicateDetection=True, DuplicateDetectionHistoryTimeWindow="PT5M"),
    queue("fleeting", DefaultMessageTimeToLive="PT1S", DeadLetteringOnMessageExpiration=True),
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


class TestSendingAndReceiving:
    def test_a_message_arrives_as_it_was_sent(self, ends: Ends) -> None:
        sent = ServiceBusMessage(
            b'{"chunk": 7}',
            message_id="run-1:7",
            subject="statement-chunk",
            content_type="application/json",
            correlation_id="run-1",
            application_properties={"attempt": 1, "dry": False},
        )
        before = datetime.now(UTC) - timedelta(seconds=1)
        ends.sender("orders").send_messages(sent)
        [got] = take(ends.receiver("orders"))
        assert b"".join(got.body) == b'{"chunk": 7}'
        assert (got.message_id, got.subject, got.content_type) == ("run-1:7", "statement-chunk", "application/json")
        assert got.correlation_id == "run-1"
        assert got.application_properties == {b"attempt": 1, b"dry": False}
        assert (got.delivery_count, got.dead_letter_reason) == (0, None)
        assert before < got.enqueued_time_utc < got.locked_until_utc
        settle_all(ends.receiver("orders"), [got])

    def test_a_batch_arrives_as_its_messages_in_order(self, ends: Ends) -> None:
        batch = ends.sender("orders").create_message_batch()
        for number in range(MANY):
            batch.add_message(ServiceBusMessage(str(number), message_id=f"m{number}"))
        ends.sender("orders").send_messages(batch)
        got = take(ends.receiver("orders"), MANY)
        assert [str(message) for message in got] == [str(number) for number in range(MANY)]
        assert [message.message_id for message in got] == [f"m{number}" for number in range(MANY)]
        numbers = [message.sequence_number for message in got]
        assert numbers == sorted(set(numbers))
        settle_all(ends.receiver("orders"), got)
        assert ends.receiver("orders").peek_messages(1) == []

    def test_receivers_of_a_queue_share_its_messages(self, ends: Ends) -> None:
        ends.sender("patient").send_messages([ServiceBusMessage(str(number)) for number in range(20)])
        receivers = [ends.receiver("patient"), ends.receiver("patient", "second receiver")]
        with ThreadPoolExecutor(2) as pool:
            shares = list(pool.map(lambda receiver: take(receiver, 10), receivers))
        assert sorted(int(str(message)) for share in shares for message in share) == list(range(20))
        for receiver, share in zip(receivers, shares, strict=True):
            settle_all(receiver, share)

    def test_receive_and_delete_leaves_nothing(self, ends: Ends) -> None:
        ends.sender("patient").send_messages(ServiceBusMessage("once"))
        mode = ServiceBusReceiveMode.RECEIVE_AND_DELETE
        with ends.client.get_queue_receiver("patient", receive_mode=mode) as receiver:
            assert [str(message) for message in take(receiver)] == ["once"]
        assert ends.receiver("patient").peek_messages(1) == []

    def test_a_receiver_that_closes_gives_its_prefetched_messages_back_uncounted(self, ends: Ends) -> None:
        ends.sender("patient").send_messages([ServiceBusMessage(str(number)) for number in range(5)])
        with ends.client.get_queue_receiver("patient", prefetch_count=5) as greedy:
            [first] = take(greedy)
            greedy.complete_message(first)
        rest = take(ends.receiver("patient"), 4)
        assert [(str(message), message.delivery_count) for message in rest] == [(str(n), 0) for n in (1, 2, 3, 4)]
        settle_all(ends.receiver("patient"), rest)

    def test_the_asynchronous_client_does_the_same(self, bus: BusProcess) -> None:
        async def there_and_back() -> list[str]:
            text = bus.announcement()["connectionString"]
            async with AsyncServiceBusClient.from_connection_string(text, retry_total=0) as client:
                sender, receiver = client.get_queue_sender("patient"), client.get_queue_receiver("patient")
                async with sender, receiver:
                    await sender.send_messages([ServiceBusMessage(str(number)) for number in range(3)])
                    got = await receiver.receive_messages(max_message_count=3, max_wait_time=5)
                    await receiver.renew_message_lock(got[0])
                    for message in got:
                        await receiver.complete_message(message)
                    assert await receiver.peek_messages() == []
                    return [str(message) for message in got]

        assert asyncio.run(there_and_back()) == ["0", "1", "2"]


class TestSettlement:
    def test_abandoned_messages_come_back_counted_and_die_of_it(self, ends: Ends) -> None:
        ends.sender("patient").send_messages(ServiceBusMessage("poison"))
        counts = []
        for _ in range(3):
            [message] = take(ends.receiver("patient"))
            counts.append(message.delivery_count)
            ends.receiver("patient").abandon_message(message)
        assert counts == [0, 1, 2]
        [dead] = take(ends.graves("patient"))
        assert (str(dead), dead.dead_letter_reason) == ("poison", "MaxDeliveryCountExceeded")
        ends.graves("patient").complete_message(dead)
        assert ends.graves("patient").peek_messages() == []

    def test_a_dead_letter_carries_its_reason_and_description(self, ends: Ends) -> None:
        ends.sender("patient").send_messages(ServiceBusMessage("x", application_properties={"site": "0042"}))
        [message] = take(ends.receiver("patient"))
        ends.receiver("patient").dead_letter_message(message, reason="NO_SITE", error_description="no such site")
        [dead] = take(ends.graves("patient"))
        assert (dead.dead_letter_reason, dead.dead_letter_error_description) == ("NO_SITE", "no such site")
        assert dead.application_properties[b"site"] == b"0042"
        ends.graves("patient").abandon_message(dead)
        [again] = take(ends.graves("patient"))
        ends.graves("patient").complete_message(again)

    def test_a_lock_that_ends_passes_the_message_on_and_refuses_the_first_holder(
        self, ends: Ends, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = ends.receiver("orders"), ends.receiver("orders", "second receiver")
        ends.sender("orders").send_messages(ServiceBusMessage("slow"))
        [held] = take(first)
        [passed_on] = take(second)
        assert (str(passed_on), passed_on.delivery_count) == ("slow", 1)
        assert passed_on.enqueued_time_utc == held.enqueued_time_utc
        with pytest.raises(MessageLockLostError):
            first.renew_message_lock(held)
        # The SDK would refuse by its own clock; here it is the bus that has to.
        monkeypatch.setattr(type(held), "_lock_expired", False)
        with pytest.raises(MessageLockLostError):
            first.complete_message(held)
        second.complete_message(passed_on)
        assert second.peek_messages(sequence_number=held.sequence_number) == []

    def test_a_renewed_lock_outlasts_the_lock_duration(self, ends: Ends) -> None:
        holder, other = ends.receiver("orders"), ends.receiver("orders", "second receiver")
        ends.sender("orders").send_messages(ServiceBusMessage("long work"))
        [held] = take(holder)
        for _ in range(2):
            time.sleep(LOCK_SECONDS * 0.6)
            until = held.locked_until_utc
            assert holder.renew_message_lock(held) > until
        assert take(other, patience=0.3) == []
        holder.complete_message(held)

    def test_a_client_that_dies_keeps_its_lock_until_it_ends(self, bus: BusProcess, ends: Ends) -> None:
        script = (
            "import sys; from azure.servicebus import ServiceBusClient\n"
            "client = ServiceBusClient.from_connection_string(sys.argv[1])\n"
            "print(client.get_queue_receiver('orders').receive_messages(max_wait_time=10)[0], flush=True)\n"
            "sys.stdin.read()"
        )
        ends.sender("orders").send_messages(ServiceBusMessage("orphan"))
        command = [sys.executable, "-c", script, bus.announcement()["connectionString"]]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as victim:
            assert victim.stdout is not None
            assert victim.stdout.readline() == b"orphan\n"
            victim.kill()
        [state] = ends.receiver("orders").peek_messages(sequence_number=1)
        assert state.delivery_count == 1
        [found] = take(ends.receiver("orders"))
        assert (str(found), found.delivery_count) == ("orphan", 1)
        ends.receiver("orders").complete_message(found)


class TestTime:
    def test_scheduled_messages_wait_can_be_seen_and_can_be_withdrawn(self, ends: Ends) -> None:
        due = datetime.now(UTC) + timedelta(seconds=1.5)
        kept, withdrawn = ends.sender("patient").schedule_messages(
            [ServiceBusMessage("kept"), ServiceBusMessage("withdrawn")], due
        )
        ends.sender("patient").send_messages(ServiceBusMessage("by property", scheduled_enqueue_time_utc=due))
        ends.sender("patient").cancel_scheduled_messages(withdrawn)
        seen = ends.receiver("patient").peek_messages(5, sequence_number=kept)
        assert [(str(message), message.state) for message in seen] == [
            ("kept", ServiceBusMessageState.SCHEDULED),
            ("by property", ServiceBusMessageState.SCHEDULED),
        ]
        got = take(ends.receiver("patient"), 2)
        assert {str(message) for message in got} == {"kept", "by property"}
        assert all(message.enqueued_time_utc >= due - timedelta(milliseconds=2) for message in got)
        settle_all(ends.receiver("patient"), got)
        with pytest.raises(MessageNotFoundError):
            ends.sender("patient").cancel_scheduled_messages(withdrawn)

    def test_what_outlives_its_time_is_found_among_the_dead_letters(self, ends: Ends) -> None:
        ends.sender("fleeting").send_messages(ServiceBusMessage("late"))
        [dead] = take(ends.graves("fleeting"))
        assert (str(dead), dead.dead_letter_reason) == ("late", "TTLExpiredException")
        ends.graves("fleeting").complete_message(dead)

    def test_a_message_id_is_accepted_once_within_the_window(self, ends: Ends) -> None:
        for text in ("first", "repeated"):
            ends.sender("unique").send_messages(ServiceBusMessage(text, message_id="effect-1"))
        ends.sender("unique").send_messages(ServiceBusMessage("other", message_id="effect-2"))
        got = take(ends.receiver("unique"), 2)
        settle_all(ends.receiver("unique"), got)
        ends.sender("unique").send_messages(ServiceBusMessage("after it was done", message_id="effect-1"))
        assert [str(message) for message in got] == ["first", "other"]
        assert ends.receiver("unique").peek_messages(sequence_number=1) == []


class TestRefusals:
    def test_a_queue_that_is_not_declared_is_named(self, ends: Ends) -> None:
        with (
            pytest.raises(MessagingEntityNotFoundError, match="nowhere"),
            ends.client.get_queue_sender("nowhere") as sender,
        ):
            sender.send_messages(ServiceBusMessage("x"))
        with (
            pytest.raises(MessagingEntityNotFoundError, match="nowhere"),
            ends.client.get_queue_receiver("nowhere") as receiver,
        ):
            receiver.receive_messages(max_wait_time=2)

    def test_a_message_over_256_kilobytes_is_refused_and_the_link_goes_on(self, ends: Ends) -> None:
        with pytest.raises(MessageSizeExceededError):
            ends.sender("patient").send_messages(ServiceBusMessage("x" * 262_145))
        ends.sender("patient").send_messages(ServiceBusMessage("x" * 262_000))
        [large] = take(ends.receiver("patient"))
        assert len(str(large)) == 262_000
        ends.receiver("patient").complete_message(large)

    def test_sessions_and_deferral_are_refused_by_name(self, ends: Ends) -> None:
        with (
            pytest.raises(ServiceBusError, match="sessions are not supported"),
            ends.client.get_queue_receiver("patient", session_id="contract-1") as receiver,
        ):
            receiver.receive_messages(max_wait_time=2)
        ends.sender("patient").send_messages(ServiceBusMessage("later"))
        [message] = take(ends.receiver("patient"))
        with pytest.raises(ServiceBusError, match="deferral is not supported"):
            ends.receiver("patient").defer_message(message)
        with pytest.raises(ServiceBusError, match="does not support receive-by-sequence-number"):
            ends.receiver("patient").receive_deferred_messages(message.sequence_number)
        [still_there] = ends.receiver("patient").peek_messages(sequence_number=message.sequence_number)
        assert str(still_there) == "later"
        ends.receiver("patient").complete_message(message)

    def test_a_stranger_on_the_port_disturbs_nobody(self, bus: BusProcess, ends: Ends) -> None:
        for noise in (b"GET / HTTP/1.1\r\n\r\n", b"AMQP\x00\x01\x00\x00" + b"\xff" * 64, b""):
            with socket.create_connection(("127.0.0.1", bus.port)) as stranger:
                stranger.sendall(noise)
        ends.sender("patient").send_messages(ServiceBusMessage("still here"))
        settle_all(ends.receiver("patient"), take(ends.receiver("patient")))


@dataclass
class Traffic:
    """What clients were told while the bus was killed under them.

    Of a completion that was asked for and not answered nobody can say whether it happened: it is in doubt.
    """

    accepted: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    completed: set[str] = field(default_factory=set)
    killed: threading.Event = field(default_factory=threading.Event)

    def send(self, client: ServiceBusClient, name: str) -> None:
        """Send batches of ten until the bus is gone."""
        sender = client.get_queue_sender("orders")
        try:
            for batch in range(10_000):
                texts = [f"{name}-{batch}-{number}" for number in range(10)]
                sender.send_messages([ServiceBusMessage(text) for text in texts])
                self.accepted.update(texts)
                while len(self.accepted) > len(self.completed) + AHEAD and not self.killed.is_set():
                    time.sleep(0.001)
        except (ServiceBusError, OSError):
            return

    def receive(self, client: ServiceBusClient) -> None:
        """Receive and complete until the bus is gone."""
        receiver = client.get_queue_receiver("orders")
        try:
            while True:
                for message in receiver.receive_messages(max_message_count=20, max_wait_time=PATIENCE):
                    self.asked.add(str(message))
                    receiver.complete_message(message)
                    self.completed.add(str(message))
        except (ServiceBusError, OSError):
            return


class TestCrashes:
    def test_a_kill_loses_nothing_accepted_and_brings_nothing_completed_back(self, own_bus: BusProcess) -> None:
        traffic = Traffic()
        for round_ in range(2):
            with own_bus.client() as sending, own_bus.client() as receiving:
                threads = [
                    threading.Thread(target=traffic.send, args=(sending, f"round{round_}")),
                    threading.Thread(target=traffic.receive, args=(receiving,)),
                ]
                for thread in threads:
                    thread.start()
                enough = 150 * (round_ + 1)
                until = time.monotonic() + PATIENCE
                while len(traffic.completed) < enough and time.monotonic() < until:
                    time.sleep(0.01)
                own_bus.end(signal.SIGKILL)
                traffic.killed.set()
                for thread in threads:
                    thread.join(PATIENCE * 3)
                    assert not thread.is_alive()
            own_bus.start()
            traffic.killed.clear()
            assert len(traffic.completed) >= enough
        with own_bus.client() as client, client.get_queue_receiver("orders") as receiver:
            left: set[str] = set()
            while found := receiver.receive_messages(max_message_count=500, max_wait_time=LOCK_SECONDS):
                for message in found:
                    receiver.complete_message(message)
                left.update(map(str, found))
            with client.get_queue_receiver("orders", sub_queue=ServiceBusSubQueue.DEAD_LETTER) as graves:
                assert graves.peek_messages() == []
        in_doubt = traffic.asked - traffic.completed
        assert traffic.accepted - traffic.completed - in_doubt - left == set(), "accepted, and lost"
        assert traffic.completed & left == set(), "completed, and back"
        assert len(in_doubt) <= 2, "one receiver asks for one at a time, and there were two kills"

    def test_a_restart_keeps_the_count_drops_the_lock_and_refuses_its_holder(self, own_bus: BusProcess) -> None:
        with own_bus.client(retries=3) as client:
            sender, receiver = client.get_queue_sender("patient"), client.get_queue_receiver("patient")
            sender.send_messages(ServiceBusMessage("work"))
            [held] = take(receiver)
            own_bus.end(signal.SIGKILL)
            own_bus.start()
            with pytest.raises(MessageLockLostError):
                receiver.complete_message(held)
            [again] = take(receiver)
            assert (str(again), again.delivery_count, again.sequence_number) == ("work", 1, held.sequence_number)
            receiver.complete_message(again)

    def test_an_orderly_end_leaves_the_port_the_messages_and_no_announcement(self, own_bus: BusProcess) -> None:
        with own_bus.client() as client:
            client.get_queue_sender("patient").send_messages(ServiceBusMessage("kept"))
            port = own_bus.port
            assert own_bus.end(signal.SIGTERM) == 0
            assert own_bus.announcement() == {}
        own_bus.start()
        assert own_bus.port == port
        with own_bus.client() as client, client.get_queue_receiver("patient") as receiver:
            assert [str(message) for message in receiver.peek_messages()] == ["kept"]

    def test_a_second_bus_on_the_folder_or_the_port_says_why_it_does_not_start(
        self, bus: BusProcess, tmp_path: Path
    ) -> None:
        cases = [(bus.state, 0, "another bus"), (tmp_path / "other", bus.port, "in use")]
        for state, port, complaint in cases:
            command = [sys.executable, "-m", "localhost.bus", "--state", str(state), "--port", str(port)]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
            assert (ended.returncode, complaint in ended.stderr) == (2, True), ended.stderr
        assert bus.process is not None
        assert bus.process.poll() is None
        assert bus.announcement()["port"] == bus.port
