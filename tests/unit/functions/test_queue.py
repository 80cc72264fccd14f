"""A message becomes a letter whose effect has a key, or is told apart as one that can never succeed."""

from __future__ import annotations

import json

import azure.functions as func
import pytest
from azure.functions.servicebus import ServiceBusMessage
from hypothesis import given
from hypothesis import strategies as st

from functions.queue import Letter, _attributes, _letter, _MalformedError, consumer, id_of, pause_before_retry
from shared_code.edw.messages import ImportWork
from shared_code.foundation import clock, context, queues
from shared_code.foundation.dead_letters import effect_of
from shared_code.foundation.errors import CONCURRENT_CHANGE, BillingError
from shared_code.foundation.settings import settings
from shared_code.statements.messages import ChunkWork, DocumentsWork, RunProgress

CHUNK = "shared_code.statements.messages:ChunkWork"
OUTBOX_ID_LENGTH = 64


def message(
    body: bytes = b'{"run":"r","chunk":0}', message_id: str | None = "m-1", **values: object
) -> ServiceBusMessage:
    return ServiceBusMessage(
        body=body,
        message_id=message_id,  # type: ignore[arg-type]  # a sender may leave it out
        application_properties={},
        user_properties={},
        **values,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("model", "body", "content"),
    [
        (CHUNK, {"run": "r", "chunk": 3}, ChunkWork(run="r", chunk=3)),
        (CHUNK, {"run": "r", "chunk": 3, "newer": True}, ChunkWork(run="r", chunk=3)),  # of a newer instance
        ("shared_code.statements.messages:RunProgress", {"run": "r"}, RunProgress(run="r")),
        (
            "shared_code.statements.messages:DocumentsWork",
            {"run": "r", "statements": []},
            DocumentsWork(run="r", statements=[]),
        ),
        ("shared_code.edw.messages:ImportWork", {"batch": "b"}, ImportWork(batch="b")),
    ],
)
def test_a_message_is_what_its_queue_carries(model: str, body: dict[str, object], content: object) -> None:
    letter = _letter("q", model, message(json.dumps(body).encode()))

    assert letter.body(type(content)) == content


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"run",
        b"\xff\xfe",
        b"{",
        b"{}",
        b'{"run":"r"}',
        b'{"run":"r","chunk":"x"}',
        b'{"run":7,"chunk":0}',
        b'{"run":"\\ud800","chunk":0}',
        b"[" * 100_000,
    ],
)
def test_what_its_queue_does_not_carry_is_malformed_with_the_place(body: bytes) -> None:
    with pytest.raises(_MalformedError, match="not what the queue carries"):
        _letter("q", CHUNK, message(body))


def test_a_consumer_cannot_ask_for_another_message_than_it_declares() -> None:
    with pytest.raises(TypeError, match="another message than RunProgress"):
        Letter("m", "m", "c", 1, ChunkWork(run="r", chunk=0)).body(RunProgress)


def test_a_message_without_an_id_has_the_same_one_at_every_delivery_and_another_than_its_neighbour() -> None:
    def named(sequence_number: int, delivery: int = 1, body: bytes = b"{}", queue: str = "q") -> str:
        sent = message(body, None, sequence_number=sequence_number, delivery_count=delivery)
        return id_of(queue, sent)

    assert named(7) == named(7, delivery=2)
    assert len({named(7), named(8), named(7, body=b"[]"), named(7, queue="p")}) == 4
    assert id_of("q", message()) == "m-1"


printable = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, blacklist_characters="~"), min_size=1)


@given(printable.filter(lambda text: len(text) <= 128))
def test_a_replay_asks_for_the_same_effect_and_fits_the_outbox(message_id: str) -> None:
    replayed = f"{effect_of(message_id)}~0123abcd"

    assert effect_of(replayed) == effect_of(message_id) == effect_of(f"{effect_of(replayed)}~99999999")
    assert len(replayed) <= OUTBOX_ID_LENGTH
    assert replayed != message_id


def test_an_id_of_our_own_is_the_key_of_its_effect() -> None:
    made = clock.derived_id("chunk", "r", 0)

    assert effect_of(made) == made


def taken(letter: ServiceBusMessage, handle: object) -> None:
    """Hand a message to a consumer as the platform does."""
    blueprint = func.Blueprint()  # type: ignore[no-untyped-call]  # the library's own
    consumer(blueprint, queues.STATEMENT_CHUNKS, CHUNK)(handle)  # type: ignore[arg-type]
    [builder] = blueprint._function_builders
    function = builder.build()
    function.get_user_function()(letter)


@pytest.mark.parametrize(
    ("sent", "carried"), [("flow-7", "flow-7"), (" flow-7 ", "flow-7"), ("x" * 65, None), ("a\nb", None), (None, None)]
)
def test_a_consumer_acts_as_its_queue_under_the_correlation_of_the_message(
    sent: str | None, carried: str | None
) -> None:
    seen: list[tuple[Letter, context.Context]] = []

    def bill(letter: Letter) -> None:
        seen.append((letter, context.current()))

    taken(message(correlation_id=sent, delivery_count=2), bill)

    [(letter, known)] = seen
    assert (known.actor_id, known.actor_name, known.actor_kind) == ("queue:statement-chunks", "bill", "system")
    assert letter.correlation_id == known.correlation_id  # what is sent on carries what the log shows
    assert known.correlation_id == carried or (carried is None and len(known.correlation_id) == 32)
    assert (letter.message_id, letter.effect, letter.delivery) == ("m-1", "m-1", 2)
    assert context.current() == context.NOBODY


@pytest.mark.parametrize("message_id", [None, "f" * 32, "f" * 32 + "~0123abcd", "Ann Lee <ann@example.com>", "x" * 128])
def test_telemetry_is_told_no_id_that_a_stranger_chose(message_id: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A strange id is no reason to fail, and none to be exported."""
    monkeypatch.setenv("TELEMETRY_STRICT", "true")
    seen: list[Letter] = []

    taken(message(message_id=message_id), seen.append)

    assert len(seen) == 1
    told = _attributes("q", message(message_id=message_id)).get("messaging.message.id")
    assert told is None or (len(told) == 32 and told.isalnum())


@pytest.mark.parametrize("fault", [BillingError(CONCURRENT_CHANGE, "somebody was first"), OSError("away")])
def test_what_may_succeed_later_is_raised_so_that_the_bus_delivers_it_again(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPERATOR_NAME", "Example Parking")
    monkeypatch.setenv("CONSUMER_PAUSE_SECONDS", "0")
    settings.cache_clear()

    def bill(_letter: Letter) -> None:
        raise fault

    with pytest.raises(type(fault)) as raised:
        taken(message(), bill)

    assert raised.value is fault


@pytest.mark.parametrize(
    ("delivery", "longest", "pause"),
    [(1, 30, 0.5), (2, 30, 1), (3, 30, 2), (6, 30, 16), (7, 30, 30), (9, 30, 30), (9, 0, 0), (500, 30, 30)],
)
def test_a_delivery_that_failed_is_followed_by_a_pause_that_grows(delivery: int, longest: float, pause: float) -> None:
    assert pause_before_retry(delivery, longest) == pause


def test_nine_deliveries_outlast_a_failover_of_the_database() -> None:
    assert sum(pause_before_retry(delivery, 30) for delivery in range(1, queues.MAX_DELIVERIES - 1)) > 80
