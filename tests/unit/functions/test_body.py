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
SITES = Body("shared_code.access.requests:AssignmentsRequest")
RUN = Body("shared_code.statements.requests:RunRequest")
SETTINGS = Body("shared_code.foundation.business_settings.requests:SettingsRequest")
REASON = Body("shared_code.foundation.shapes:WithReason")
GOOD = b'{"name":"Pat","reason":"for a test"}'


def refused(raw: bytes, wanted: Body = USER) -> BillingError:
    with pytest.raises(BillingError) as refusal:
        read_body(wanted, raw)
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


WORDS = [
    # body, place, what it says
    (REASON, {}, "reason", "this field is missing"),
    (REASON, {"reason": "x"}, "reason", "a text of 3 to 500 characters is wanted"),
    (REASON, {"reason": "x" * 501}, "reason", "a text of 3 to 500 characters is wanted"),
    (REASON, {"reason": 7}, "reason", "a text of 3 to 500 characters is wanted"),
    (REASON, {"reason": "a\x00b"}, "reason", "holds characters that do not print"),
    (REASON, {"reson": "a good one"}, "reson", "there is no such field; did you mean reason?"),
    (REASON, {"Reason": "a good one"}, "Reason", "there is no such field; did you mean reason?"),
    (REASON, {"because": "it rained"}, "because", "there is no such field; there are reason"),
    (REASON, {"reason" * 100: "a good one"}, "reason" * 100, "there is no such field"),
    (RUN, {"period": 202610}, "period", 'a text, for example "2026-10", is wanted'),
    (RUN, {"period": None}, "period", 'a text, for example "2026-10", is wanted'),
    (RUN, {"site_numbers": ["0042"]}, "site_numbers", "there is no such field; did you mean siteNumbers?"),
    (RUN, {"siteNumbers": "0042"}, "siteNumbers", "a list is wanted"),
    (RUN, {"siteNumbers": [42]}, "siteNumbers.0", "a text of 1 to 10 characters is wanted"),
    (RUN, {"siteNumbers": []}, "siteNumbers", "at least 1 entry is wanted"),
    (RUN, {"dryRun": "true"}, "dryRun", "true or false is wanted"),
    (RUN, {"source": "by hand"}, "source", "a text of the form ^[a-zA-Z0-9-]+$ is wanted"),
    (SITES, {"sites": ["1"] * 5001}, "sites", "at most 5,000 entries are wanted"),
    (SETTINGS, {"changes": 5}, "changes", 'an object, for example {"gapDays": 5}, is wanted'),
    (USER, {"kind": "robot"}, "kind", "one of person, service is wanted"),
    (USER, {"roles": "auditor"}, "roles", 'a list, for example [{"role": "billingAdmin"}], is wanted'),
    (USER, {"roles": ["auditor"]}, "roles.0", 'an object, for example {"role": "billingAdmin"}, is wanted'),
    (USER, {"roles": [{"rule": "auditor"}]}, "roles.0.rule", "there is no such field; did you mean role?"),
    (USER, {"roles": [{"role": "auditor", "validUntil": 5}]}, "roles.0.validUntil", "written YYYY-MM-DDThh:mm:ssZ"),
]


@pytest.mark.parametrize(("wanted", "body", "place", "words"), WORDS)
def test_a_fault_says_what_is_wanted_at_its_place(wanted: Body, body: object, place: str, words: str) -> None:
    error = refused(json.dumps(body).encode(), wanted)

    assert words in {detail.field: detail.message for detail in error.details}[place]
    assert "Input should" not in error.message


def test_a_body_of_nothing_but_faults_is_refused_with_guesses_for_the_first() -> None:
    error = refused(json.dumps({f"reason{number}": "x" for number in range(5_000)}).encode(), REASON)

    said = [detail.message for detail in error.details if detail.field != "reason"]
    assert (said[0], said[-1]) == ("there is no such field; did you mean reason?", "there is no such field")


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
