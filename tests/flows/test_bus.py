"""The local bus as the official SDK sees it: sharing, locks, time, refusals. Nothing here knows how the bus is made."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusReceiveMode
from azure.servicebus.exceptions import (
    MessageLockLostError,
    MessagingEntityNotFoundError,
)

from tests.flows import bus_support
from tests.flows.bus_support import LOCK_SECONDS, BusProcess, Ends, settle_all, take

pytestmark = pytest.mark.flow

bus, ends = bus_support.bus, bus_support.ends


class TestSendingAndReceiving:
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


class TestSettlement:
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

    def test_a_stranger_on_the_port_disturbs_nobody(self, bus: BusProcess, ends: Ends) -> None:
        for noise in (b"GET / HTTP/1.1\r\n\r\n", b"AMQP\x00\x01\x00\x00" + b"\xff" * 64, b""):
            with socket.create_connection(("127.0.0.1", bus.port)) as stranger:
                stranger.sendall(noise)
        ends.sender("patient").send_messages(ServiceBusMessage("still here"))
        settle_all(ends.receiver("patient"), take(ends.receiver("patient")))
