"""Sessions of the local bus as the official SDK sees them: one receiver at a time, order, locks, waiting."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusClient, ServiceBusMessage
from azure.servicebus.exceptions import OperationTimeoutError, SessionLockLostError

from tests.flows import bus_support
from tests.flows.bus_support import LOCK_SECONDS, PATIENCE, BusProcess, Ends, settle_all, take

pytestmark = pytest.mark.flow

bus, own_bus, ends = bus_support.bus, bus_support.own_bus, bus_support.ends

LONG, SHORT, OTHERS = 1000, 200, 3


@pytest.fixture
def session_id() -> str:
    return uuid.uuid4().hex


def send(ends: Ends, queue: str, session_id: str, *texts: str) -> None:
    ends.sender(queue).send_messages([ServiceBusMessage(text, session_id=session_id) for text in texts])


def drain(receiver: Any) -> list[str]:
    """Receive and complete, one after the other, until nothing is left."""
    found = []
    while got := receiver.receive_messages(max_message_count=50, max_wait_time=1):
        for message in got:
            receiver.complete_message(message)
            found.append(str(message))
    return found


class TestHolding:
    def test_several_sessions_are_served_at_a_time_each_by_one_receiver(self, ends: Ends) -> None:
        sessions = [uuid.uuid4().hex for _ in range(3)]
        for session_id in sessions:
            send(ends, "talks", session_id, *(f"{session_id}:{number}" for number in range(5)))
        together = threading.Barrier(len(sessions), timeout=PATIENCE)

        def serve(_: int) -> tuple[str, list[str]]:
            with ends.client.get_queue_receiver(
                "talks", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=PATIENCE
            ) as receiver:
                together.wait()  # all three are held now
                got = take(receiver, 5)
                settle_all(receiver, got)
                return receiver.session.session_id, [str(message) for message in got]

        with ThreadPoolExecutor(len(sessions)) as pool:
            served = dict(pool.map(serve, range(len(sessions))))
        assert served == {session_id: [f"{session_id}:{number}" for number in range(5)] for session_id in sessions}

    def test_a_receiver_that_closes_gives_the_session_back_with_its_messages_uncounted(
        self, ends: Ends, session_id: str
    ) -> None:
        send(ends, "talks", session_id, "1", "2", "3")
        with ends.client.get_queue_receiver("talks", session_id=session_id) as first:
            got = take(first, 2)
            first.complete_message(got[0])
        with ends.client.get_queue_receiver("talks", session_id=session_id) as second:
            rest = take(second, 2)
            assert [(str(message), message.delivery_count) for message in rest] == [("2", 0), ("3", 0)]
            settle_all(second, rest)

    def test_the_next_session_is_waited_for(self, ends: Ends, session_id: str) -> None:
        with ThreadPoolExecutor(1) as pool:
            receiver = ends.client.get_queue_receiver(
                "talks", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=PATIENCE
            )
            waiting = pool.submit(receiver.__enter__)
            send(ends, "talks", session_id, "at last")
            with waiting.result(PATIENCE * 2):
                assert receiver.session.session_id == session_id
                settle_all(receiver, take(receiver))

    def test_where_no_session_comes_the_wait_ends(self, ends: Ends) -> None:
        with (
            pytest.raises(OperationTimeoutError),
            ends.client.get_queue_receiver("talks", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=1) as receiver,
        ):
            receiver.receive_messages(max_wait_time=PATIENCE)

    def test_a_look_at_a_session_shows_nothing_of_others_and_sessions_can_be_listed(
        self, ends: Ends, session_id: str
    ) -> None:
        other = uuid.uuid4().hex
        send(ends, "talks", session_id, "ours")
        send(ends, "talks", other, "theirs")
        assert {session_id, other} <= set(ends.client.list_queue_sessions("talks"))
        for name, text in ((session_id, "ours"), (other, "theirs")):
            with ends.client.get_queue_receiver("talks", session_id=name) as receiver:
                assert [str(each) for each in receiver.peek_messages(9, sequence_number=1)] == [text]
                settle_all(receiver, take(receiver))
        assert not {session_id, other} & set(ends.client.list_queue_sessions("talks"))


class TestLocks:
    def test_a_lock_that_ends_passes_the_session_on_and_refuses_the_first_holder(
        self, ends: Ends, session_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send(ends, "brief-talks", session_id, "1", "2")
        with (
            ends.client.get_queue_receiver("brief-talks", session_id=session_id) as first,
            ends.client.get_queue_receiver(
                "brief-talks", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=PATIENCE
            ) as second,
        ):
            # The second one could be opened because the lock of the first one had ended.
            assert second.session.session_id == session_id
            got = take(second, 2)
            assert [str(message) for message in got] == ["1", "2"]
            # The SDK would refuse by its own clock; here it is the bus that has to.
            monkeypatch.setattr(type(first.session), "_lock_expired", False)
            with pytest.raises(SessionLockLostError):
                first.session.renew_lock()
            settle_all(second, got)

    def test_the_attempts_of_a_lost_session_count(self, ends: Ends, session_id: str) -> None:
        send(ends, "brief-talks", session_id, "slow")
        with ends.client.get_queue_receiver("brief-talks", session_id=session_id) as first:
            [held] = take(first)
            with ends.client.get_queue_receiver(
                "brief-talks", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=PATIENCE
            ) as second:
                [again] = take(second)
                assert (str(again), held.delivery_count, again.delivery_count) == ("slow", 0, 1)
                with pytest.raises(SessionLockLostError):
                    first.complete_message(held)
                second.complete_message(again)

    def test_a_renewed_lock_outlasts_the_lock_duration(self, ends: Ends, session_id: str) -> None:
        send(ends, "brief-talks", session_id, "long work")
        with ends.client.get_queue_receiver("brief-talks", session_id=session_id) as receiver:
            [held] = take(receiver)
            for _ in range(3):
                time.sleep(LOCK_SECONDS * 0.6)
                receiver.session.renew_lock()
            receiver.complete_message(held)
            assert receiver.peek_messages(sequence_number=held.sequence_number) == []


VICTIM = """
import sys
from azure.servicebus import ServiceBusClient
client = ServiceBusClient.from_connection_string(sys.argv[1])
receiver = client.get_queue_receiver("talks", session_id=sys.argv[2])
while True:
    for message in receiver.receive_messages(max_message_count=20, max_wait_time=10):
        receiver.complete_message(message)
        print(message, flush=True)
"""


class TestOrder:
    def test_a_thousand_messages_stay_in_order_although_their_receiver_is_killed(self, own_bus: BusProcess) -> None:
        """A session of a thousand between three shorter ones; each message is done once, in the order of its session.

        Of the completion during which the receiver died nobody can say whether it happened.
        """
        sizes = {"long": LONG, **{f"short-{number}": SHORT for number in range(OTHERS)}}
        with own_bus.client() as client:
            with client.get_queue_sender("talks") as sender:
                for start in range(0, LONG, 100):
                    numbers = range(start, start + 100)
                    sender.send_messages(
                        [
                            ServiceBusMessage(f"{name}:{number}", session_id=name)
                            for number in numbers
                            for name, size in sizes.items()
                            if number < size
                        ]
                    )
            done: dict[str, list[str]] = defaultdict(list)
            done["long"] = self.until_killed(own_bus, "long", count=300)
            assert len(done["long"]) < LONG
            with ThreadPoolExecutor(len(sizes)) as pool:
                for name, texts in pool.map(lambda name: (name, self.the_rest(client, name)), sizes):
                    done[name] += texts
        for name, size in sizes.items():
            order = [int(text.partition(":")[2]) for text in done[name]]
            missing = set(range(size)) - set(order)
            assert order == sorted(set(order)), name
            assert len(missing) <= (1 if name == "long" else 0), missing

    @staticmethod
    def until_killed(bus: BusProcess, session_id: str, count: int) -> list[str]:
        """What a receiver in a process of its own had completed when it was killed."""
        command = [sys.executable, "-c", VICTIM, bus.announcement()["connectionString"], session_id]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
            assert victim.stdout is not None
            first = [victim.stdout.readline().strip() for _ in range(count)]
            victim.kill()
            last = [line.strip() for line in victim.stdout if re.fullmatch(rf"{session_id}:\d+\n", line)]
        return first + last

    @staticmethod
    def the_rest(client: ServiceBusClient, session_id: str) -> list[str]:
        with client.get_queue_receiver("talks", session_id=session_id) as receiver:
            return drain(receiver)
