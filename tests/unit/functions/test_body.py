"""A body is JSON that says one thing only; then its model checks every field."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.body import read_body
from functions.declarations import Body
from shared_code.access.requests import UserRequest
from shared_code.foundation.errors import BillingError

USER = Body("shared_code.access.requests:UserRequest")
GOOD = b'{"name":"Pat","reason":"for a test"}'


def refused(raw: bytes) -> BillingError:
    with pytest.raises(BillingError) as refusal:
        read_body(USER, raw)
    assert refusal.value.kind.status == 400
    return refusal.value


@pytest.mark.parametrize(
    "raw",
    [
        GOOD,
        b"\xef\xbb\xbf" + GOOD,  # a byte order mark, as some editors and shells write it
        b" \r\n\t" + GOOD + b"\n",
        b'{"name":"\\u0050at","reason":"for a test"}',
        b'{"name":" Pat ","reason":"for a test"}',
    ],
)
def test_the_same_said_in_other_ways(raw: bytes) -> None:
    assert read_body(USER, raw) == UserRequest(name="Pat", reason="for a test")


def test_a_character_beyond_the_basic_plane_may_be_written_as_a_pair() -> None:
    found = read_body(USER, b'{"name":"Pat \\ud83d\\ude00","reason":"for a test"}')

    assert isinstance(found, UserRequest)
    assert found.name == "Pat 😀"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "empty"),
        (b" ", "not JSON"),
        (b"name=Pat", "not JSON"),
        (GOOD[:-1], "not JSON"),
        (GOOD + GOOD, "not JSON"),
        (b"null", "a JSON object"),
        (b"[" + GOOD + b"]", "a JSON object"),
        (b'"name"', "a JSON object"),
        (b"7", "a JSON object"),
        (GOOD.decode().encode("utf-16"), "not JSON"),
        (b'{"name":"Jos\xe9","reason":"for a test"}', "not JSON"),
        (b'{"name":"\\ud800","reason":"for a test"}', "not JSON"),  # half of a character
        (b'{"\\udc00":"Pat"}', "not JSON"),
        (b'{"name":"a\nb","reason":"for a test"}', "not JSON"),  # a control character that is not escaped
        (b'{"name":NaN}', "NaN is no number"),
        (b'{"name":-Infinity}', "-Infinity is no number"),
        (b'{"name":' + b"9" * 5000 + b"}", "not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "not JSON"),
        (b'{"a":' * 400 + b"1" + b"}" * 400, "not JSON"),  # deeper than the model's reader goes
    ],
)
def test_what_is_no_json_object_is_malformed(raw: bytes, text: str) -> None:
    error = refused(raw)

    assert error.code == "BODY_MALFORMED"
    assert text in error.message


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (b'{"name":"Ann","name":"Bob","reason":"for a test"}', ["name"]),
        (b'{"name":"Ann","name":"Ann","reason":"for a test"}', ["name"]),
        (b'{"name":"Ann","n\\u0061me":"Bob","reason":"for a test"}', ["name"]),  # the same name, spelt otherwise
        (b'{"a":1,"b":2,"b":3,"a":4}', ["a", "b"]),
        (b'{"roles":[{"role":"auditor","role":"systemAdmin"}]}', ["role"]),
    ],
)
def test_a_field_that_is_stated_twice_is_refused_since_nobody_knows_which_is_meant(
    raw: bytes, fields: list[str]
) -> None:
    error = refused(raw)

    assert error.code == "BODY_MALFORMED"
    assert [detail.field for detail in error.details] == fields
    assert "stated twice" in error.message


def test_every_field_that_is_wrong_is_named_at_once() -> None:
    error = refused(b'{"nam":"Pat","reason":"x","active":"yes","roles":[{"role":"king"}]}')

    assert error.code == "BODY_INVALID"
    assert {detail.field for detail in error.details} == {"name", "nam", "reason", "active", "roles.0.role"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_taken_or_refused(raw: bytes) -> None:
    try:
        read_body(USER, raw)
    except BillingError as refusal:
        assert refusal.code in ("BODY_MALFORMED", "BODY_INVALID")
        json.dumps([refusal.message, [detail.field for detail in refusal.details]], ensure_ascii=False).encode()
