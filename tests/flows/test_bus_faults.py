"""Faults that tests ask the local bus for, as the official SDK meets them."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.exceptions import MessageLockLostError, SessionLockLostError

from localhost.bus.faults import FaultError, inject
from tests.flows import bus_support
from tests.flows.bus_support import BusProcess, Ends, settle_all, take

pytestmark = pytest.mark.flow

bus, own_bus, ends = bus_support.bus, bus_support.own_bus, bus_support.ends


def test_delayed_deliveries_come_later(bus: BusProcess, ends: Ends) -> None:
    receiver = ends.receiver("patient")
    assert inject(bus.state, "delay", queue="patient", seconds=60) == 1
    ends.sender("patient").send_messages(ServiceBusMessage("late"))
    assert take(receiver, patience=0.5) == []
    assert [str(message) for message in receiver.peek_messages(sequence_number=1)] == ["late"]
    inject(bus.state, "delay", queue="PATIENT", seconds=0.5)
    settle_all(receiver, take(receiver))
    assert receiver.peek_messages(sequence_number=1) == []


def test_a_duplicate_is_a_message_of_its_own_with_the_same_id(bus: BusProcess, ends: Ends) -> None:
    receiver = ends.receiver("unique")
    effect = uuid.uuid4().hex
    inject(bus.state, "duplicate", queue="unique", count=1)
    ends.sender("unique").send_messages(ServiceBusMessage("once", message_id=effect))
    got = take(receiver, 2)
    assert [(str(message), message.message_id, message.delivery_count) for message in got] == [("once", effect, 0)] * 2
    assert len({message.sequence_number for message in got}) == 2
    settle_all(receiver, got)
    ends.sender("unique").send_messages(ServiceBusMessage("only once", message_id=uuid.uuid4().hex))
    settle_all(receiver, take(receiver))
    assert receiver.peek_messages(sequence_number=1) == []


def test_a_lost_lock_passes_the_message_on_and_refuses_its_holder(bus: BusProcess, ends: Ends) -> None:
    holder, other = ends.receiver("patient"), ends.receiver("patient", "second receiver")
    ends.sender("patient").send_messages(ServiceBusMessage("work"))
    [held] = take(holder)
    assert inject(bus.state, "lose-locks", queue="patient") == 1
    [again] = take(other)
    assert (str(again), again.delivery_count) == ("work", 1)
    with pytest.raises(MessageLockLostError):
        holder.complete_message(held)
    other.complete_message(again)


def test_a_lost_session_goes_to_the_next_receiver(bus: BusProcess, ends: Ends) -> None:
    session_id = uuid.uuid4().hex
    ends.sender("talks").send_messages(ServiceBusMessage("work", session_id=session_id))
    with ends.client.get_queue_receiver("talks", session_id=session_id) as holder:
        [held] = take(holder)
        assert inject(bus.state, "lose-locks", queue="talks") == 2
        with ends.client.get_queue_receiver("talks", session_id=session_id) as other:
            [again] = take(other)
            assert again.delivery_count == 1
            with pytest.raises(SessionLockLostError):
                holder.complete_message(held)
            other.complete_message(again)


def test_dropped_connections_keep_locks_of_messages_and_give_sessions_back(own_bus: BusProcess) -> None:
    session_id = uuid.uuid4().hex
    with (
        own_bus.client(retries=3) as client,
        client.get_queue_sender("orders") as sender,
        client.get_queue_sender("talks") as talks,
        client.get_queue_receiver("orders") as receiver,
        client.get_queue_receiver("talks", session_id=session_id) as holder,
    ):
        sender.send_messages(ServiceBusMessage("held"))
        talks.send_messages(ServiceBusMessage("said", session_id=session_id))
        assert [str(message) for message in take(receiver) + take(holder)] == ["held", "said"]
        assert inject(own_bus.state, "drop-connections") >= 1
        [state] = receiver.peek_messages(sequence_number=1)
        assert (str(state), state.delivery_count) == ("held", 1)
        with client.get_queue_receiver("talks", session_id=session_id) as other:
            settle_all(other, take(other))
        [again] = take(receiver)
        assert (str(again), again.delivery_count) == ("held", 1)
        receiver.complete_message(again)
        sender.send_messages(ServiceBusMessage("after it"))
        settle_all(receiver, take(receiver))


def test_what_is_armed_can_be_cleared(bus: BusProcess, ends: Ends) -> None:
    inject(bus.state, "delay", queue="patient", seconds=60)
    inject(bus.state, "duplicate", queue="patient/$DeadLetterQueue", count=3)
    assert inject(bus.state, "clear") == 2
    assert inject(bus.state, "clear") == 0
    ends.sender("patient").send_messages(ServiceBusMessage("x"))
    settle_all(ends.receiver("patient"), take(ends.receiver("patient")))


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        ({"fault": "earthquake", "queue": "patient"}, "no fault 'earthquake'"),
        ({"fault": "delay", "queue": "nowhere", "seconds": 1}, "no queue 'nowhere'"),
        ({"fault": "delay", "queue": "patient"}, "seconds"),
        ({"fault": "delay", "queue": "patient", "seconds": "soon"}, "soon"),
        ({"fault": "lose-locks"}, "queue"),
    ],
)
def test_what_is_no_fault_is_refused(bus: BusProcess, request_: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FaultError, match=complaint):
        inject(bus.state, **request_)


def test_where_no_bus_has_announced_itself_there_is_nobody_to_ask(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        inject(tmp_path, "clear")
