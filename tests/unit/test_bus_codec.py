"""The local bus's messages as bytes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import proton
import pytest
from hypothesis import given, settings

from localhost.bus import codec
from tests.unit.bus_support import LOCK, NOON, a_message, text_of


def bodies() -> Iterator[Any]:
    yield from ("text", b"bytes", 7, {"a": [1, 2.5, None, True]}, ["x"], None, uuid.UUID(int=1))


class TestCodec:
    @pytest.mark.parametrize("body", list(bodies()), ids=lambda body: type(body).__name__)
    def test_the_bare_message_is_kept_byte_for_byte(self, body: Any) -> None:
        original = proton.Message(body=body, id="K1", properties={"n": 1}, priority=9, durable=True, ttl=60)
        original.annotations = {"x-opt-partition-key": "p"}
        raw = bytes(original.encode())
        message = codec.parse(raw)
        assert raw.endswith(message.bare)
        assert (message.priority, message.durable, message.time_to_live) == (9, True, 60.0)
        assert message.message_id == "str:K1"
        again = proton.Message()
        again.decode(message.delivered(4, *codec.broker_annotations(12, NOON, locked_until=NOON + LOCK)))
        assert (again.body, again.delivery_count, again.properties) == (original.body, 4, {"n": 1})
        assert again.annotations == {
            "x-opt-partition-key": "p",
            "x-opt-sequence-number": 12,
            "x-opt-enqueued-time": NOON * 1000,
            "x-opt-locked-until": (NOON + LOCK) * 1000,
        }

    def test_what_is_stored_reads_back_as_it_was(self) -> None:
        message = a_message("later", id="K1", scheduled_for=NOON, lifetime=5.0)
        assert codec.parse(message.encoded()) == message

    def test_a_resent_message_does_not_bring_its_old_delivery_along(self) -> None:
        message = a_message("again")
        received = message.delivered(2, *codec.broker_annotations(12, NOON, locked_until=NOON, state=0))
        assert codec.parse(received) == message

    def test_dead_letter_properties_keep_the_types_of_the_others(self) -> None:
        properties = {
            "text": "ü",
            "int": proton.int32(-5),
            "long": 2**40,
            "float": 0.5,
            "bool": True,
            "uuid": uuid.UUID(int=7),
            "time": proton.timestamp(1_700_000_000_000),
            "bytes": b"\x00\x01",
            "nothing": None,
        }
        message = a_message(properties=properties).dead_lettered("why", "").dead_lettered("again", "text")
        decoded = proton.Message()
        decoded.decode(message.encoded())
        found = dict(decoded.properties)
        assert (found.pop("DeadLetterReason"), found.pop("DeadLetterErrorDescription")) == ("again", "text")
        assert found == properties
        assert type(found["int"]) is proton.int32
        assert decoded.body == "hello"

    def test_properties_that_cannot_be_read_do_not_save_a_message_from_its_death(self) -> None:
        poison = codec.parse(b"\x00\x53\x74\xc1\x03\x02\xa1\x09\x00\x53\x77\x40")
        assert codec.parse(poison.dead_lettered("why", "").encoded()).bare.endswith(b"\xa1\x03why\x00\x53\x77\x40")

    def test_a_batch_is_its_messages(self) -> None:
        inner = [bytes(proton.Message(body=text).encode()) for text in ("a", "b")]
        raw = b"".join(b"\x00\x53\x75\xb0" + len(each).to_bytes(4) + each for each in inner)
        assert [text_of(message) for message in codec.unpack(raw)] == ["a", "b"]

    @pytest.mark.parametrize("body", [b"", b"plain", b"\x00Sp", b"\x00Su\xa0\x05abc", b'{"json": 1}'])
    def test_a_body_of_bytes_is_no_batch(self, body: bytes) -> None:
        raw = bytes(proton.Message(body=body, inferred=True).encode())
        assert len(codec.unpack(raw)) == 1

    @pytest.mark.parametrize(
        ("raw", "complaint"),
        [
            (b"", "without a section"),
            (b"GET / HTTP/1.1", "described type"),
            (b"\x00\x53\x99\x40", "descriptor"),
            (b"\x00\x53\x75\xb0\x00\x00\xff\xff", "ends inside"),
            (b"\x00\x53\x77\x11", "constructor"),
            (b"\x00\x53\x77\x40\x00\x53\x73\x45", "out of order"),
            (b"\x00\x53\x77" + b"\x00" * 100, "nested"),
            (b"\x00\x53\x70\x54\x07", "no list"),
            (b"\x00\x53\x72\x54\x07", "no dict"),
            (b"\x00\x53\x70\xc0\x07\x02\x40\x71\xff\xff\xff\xff", "number"),
        ],
        ids=[
            "nothing",
            "http",
            "unknown section",
            "cut off",
            "unknown type",
            "order",
            "nesting",
            "header",
            "annotations",
            "priority",
        ],
    )
    def test_what_is_no_message_is_refused(self, raw: bytes, complaint: str) -> None:
        with pytest.raises(codec.CodecError, match=complaint):
            codec.unpack(raw)

    @given(st.binary(max_size=60))
    @settings(max_examples=200, deadline=None)
    def test_no_bytes_break_it(self, tail: bytes) -> None:
        for raw in (tail, b"\x00\x53\x70" + tail, b"\x00\x53\x72" + tail + b"\x00\x53\x77\x40"):
            try:
                codec.unpack(raw)
            except codec.CodecError:
                continue
