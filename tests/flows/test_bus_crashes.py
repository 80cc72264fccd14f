"""The local bus is killed, ended and started again under clients of the official SDK."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSubQueue
from azure.servicebus.exceptions import MessageLockLostError, ServiceBusError

from tests.flows import bus_support
from tests.flows.bus_support import LOCK_SECONDS, PATIENCE, BusProcess, take

pytestmark = pytest.mark.flow

bus, own_bus = bus_support.bus, bus_support.own_bus

AHEAD = 200


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

    def test_what_was_deferred_and_what_sessions_remember_survives_a_kill(self, own_bus: BusProcess) -> None:
        with own_bus.client() as client:
            with client.get_queue_sender("patient") as sender, client.get_queue_receiver("patient") as receiver:
                sender.send_messages(ServiceBusMessage("aside"))
                [aside] = take(receiver)
                receiver.defer_message(aside)
            with client.get_queue_sender("talks") as sender:
                sender.send_messages([ServiceBusMessage(text, session_id="s") for text in "123"])
            with client.get_queue_receiver("talks", session_id="s") as receiver:
                [first, _] = take(receiver, 2)
                receiver.complete_message(first)
                receiver.session.set_state(b"1 is done")
                own_bus.end(signal.SIGKILL)
        own_bus.start()
        with own_bus.client() as client:
            with client.get_queue_receiver("patient") as receiver:
                [found] = receiver.receive_deferred_messages(aside.sequence_number)
                assert (str(found), found.delivery_count) == ("aside", 1)
                receiver.complete_message(found)
            with client.get_queue_receiver("talks", session_id="s") as receiver:
                assert receiver.session.get_state() == b"1 is done"
                rest = take(receiver, 2)
                assert [(str(message), message.delivery_count) for message in rest] == [("2", 1), ("3", 0)]

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
