"""What the local bus refuses, each by its name: limits, sessions where there are none, transactions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import proton
import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.amqp import AmqpAnnotatedMessage, AmqpMessageProperties
from azure.servicebus.exceptions import MessageSizeExceededError, ServiceBusError
from proton.handlers import MessagingHandler, TransactionHandler
from proton.reactor import Container

from tests.flows import bus_support
from tests.flows.bus_support import PATIENCE, BusProcess, Ends, settle_all, take

pytestmark = pytest.mark.flow

bus, ends = bus_support.bus, bus_support.ends


class TestLimits:
    @pytest.mark.parametrize(
        "message",
        [
            ServiceBusMessage("x" * 262_145),
            ServiceBusMessage("x" * 200_000, application_properties={"note": "y" * 62_500}),
            ServiceBusMessage("x", application_properties={"note": "y" * 65_600}),
            ServiceBusMessage("x", application_properties={f"n{number}": "y" * 1000 for number in range(70)}),
        ],
        ids=["body", "body and properties", "one property", "all properties"],
    )
    def test_what_is_too_large_is_refused_and_the_link_goes_on(self, ends: Ends, message: ServiceBusMessage) -> None:
        with pytest.raises(MessageSizeExceededError):
            ends.sender("patient").send_messages(message)
        ends.sender("patient").send_messages(ServiceBusMessage("after it"))
        [got] = take(ends.receiver("patient"))
        assert str(got) == "after it"
        ends.receiver("patient").complete_message(got)

    def test_a_list_that_is_no_batch_any_more_is_refused(self, ends: Ends) -> None:
        with pytest.raises(MessageSizeExceededError):
            ends.sender("patient").send_messages([ServiceBusMessage("x" * 10_000) for _ in range(30)])
        assert ends.receiver("patient").peek_messages(sequence_number=1) == []

    @pytest.mark.parametrize("name", ["message_id", "group_id"])
    def test_ids_have_128_characters_at_most(self, ends: Ends, name: str) -> None:
        def message(length: int) -> AmqpAnnotatedMessage:
            properties = AmqpMessageProperties(**{name: "i" * length})
            return AmqpAnnotatedMessage(data_body=b"x", properties=properties)

        with pytest.raises(ServiceBusError, match="129 characters"):
            ends.sender("patient").send_messages(message(129))
        ends.sender("patient").send_messages(message(128))
        settle_all(ends.receiver("patient"), take(ends.receiver("patient")))
        assert ends.receiver("patient").peek_messages(sequence_number=1) == []

    def test_one_bad_message_refuses_its_batch(self, ends: Ends) -> None:
        bad = AmqpAnnotatedMessage(data_body=b"bad", properties=AmqpMessageProperties(message_id="i" * 129))
        with pytest.raises(ServiceBusError, match="129 characters"):
            ends.sender("patient").send_messages([ServiceBusMessage("good"), bad])
        assert ends.receiver("patient").peek_messages(sequence_number=1) == []

    def test_a_sessions_state_is_no_larger_than_a_message(self, ends: Ends) -> None:
        with ends.client.get_queue_receiver("talks", session_id="large") as receiver:
            receiver.session.set_state(b"s" * 200_000)
            with pytest.raises(MessageSizeExceededError):
                receiver.session.set_state(b"s" * 262_145)
            assert len(receiver.session.get_state()) == 200_000
            receiver.session.set_state(None)


class TestSessions:
    @pytest.mark.parametrize(
        ("queue", "session_id", "complaint"),
        [("talks", None, "requires sessions"), ("patient", "contract-1", "has no sessions")],
    )
    def test_a_receiver_of_the_wrong_kind_is_refused(
        self, ends: Ends, queue: str, session_id: str | None, complaint: str
    ) -> None:
        with (
            pytest.raises(ServiceBusError, match=f"{queue} {complaint}"),
            ends.client.get_queue_receiver(queue, session_id=session_id) as receiver,
        ):
            receiver.receive_messages(max_wait_time=2)

    def test_a_message_without_a_session_is_refused_and_its_batch_with_it(self, ends: Ends) -> None:
        with pytest.raises(ServiceBusError, match="has no session id"):
            ends.sender("talks").send_messages(ServiceBusMessage("x"))
        with pytest.raises(ServiceBusError, match="has no session id"):
            ends.sender("talks").send_messages([ServiceBusMessage("a", session_id="s"), ServiceBusMessage("b")])
        with ends.client.get_queue_receiver("talks", session_id="s") as receiver:
            assert receiver.peek_messages(sequence_number=1) == []

    def test_nothing_is_sent_to_the_dead_letters(self, ends: Ends) -> None:
        with (
            pytest.raises(ServiceBusError, match="nothing is sent to"),
            ends.client.get_queue_sender("patient/$DeadLetterQueue") as sender,
        ):
            sender.send_messages(ServiceBusMessage("x"))


ACCEPTED_IN_TRANSACTION = [b"tx-1", proton.Described(proton.ulong(0x24), [])]
TRANSACTIONAL_STATE = 0x34


@dataclass
class Attempt(MessagingHandler, TransactionHandler):  # type: ignore[misc]  # the library has no types
    """A client that wants transactions. The SDK for Python has none, so this one speaks AMQP by itself."""

    address: str
    what: str
    refused: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        MessagingHandler.__init__(self, prefetch=1, auto_accept=False, auto_settle=False)

    def on_start(self, event: Any) -> None:
        self.connection = event.container.connect(self.address, reconnect=False, allowed_mechs="ANONYMOUS")
        self.patience = event.container.schedule(PATIENCE, self)
        if self.what == "declare":
            event.container.declare_transaction(self.connection, handler=self)
        elif self.what == "send":
            event.container.create_sender(self.connection, "patient")
        else:
            event.container.create_receiver(self.connection, "patient")

    def on_sendable(self, event: Any) -> None:
        if self.what == "send":
            delivery = event.sender.delivery("1")
            delivery.local.data = ACCEPTED_IN_TRANSACTION[:1]
            delivery.update(TRANSACTIONAL_STATE)
            event.sender.stream(proton.Message(body="x").encode())
            event.sender.advance()

    def on_message(self, event: Any) -> None:
        event.delivery.local.data = ACCEPTED_IN_TRANSACTION
        event.delivery.update(TRANSACTIONAL_STATE)

    def on_delivery(self, event: Any) -> None:
        if event.delivery.updated and event.delivery.remote_state == proton.Delivery.REJECTED and not self.refused:
            self.on_transaction_declare_failed(event)

    def on_transaction_declare_failed(self, event: Any) -> None:
        self.refused.append(event.delivery.remote.condition)
        self.connection.close()
        self.patience.cancel()

    def on_timer_task(self, event: Any) -> None:
        self.connection.close()


class TestTransactions:
    @pytest.mark.parametrize("what", ["declare", "send", "settle"])
    def test_a_transaction_is_refused_and_never_left_hanging(self, bus: BusProcess, ends: Ends, what: str) -> None:
        if what == "settle":
            ends.sender("patient").send_messages(ServiceBusMessage("x"))
        attempt = Attempt(f"127.0.0.1:{bus.port}", what)
        Container(attempt).run()
        [condition] = attempt.refused
        assert (condition.name, "no transactions" in condition.description) == ("amqp:not-implemented", True)
        left = ends.receiver("patient").peek_messages(sequence_number=1)
        assert [str(message) for message in left] == (["x"] if what == "settle" else [])
