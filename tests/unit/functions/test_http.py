"""What a declaration promises, and what a door's body may ask of its call."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import azure.functions as func
import pytest

from functions.declarations import Answer, Body, DeclarationError, Query, Route, declare, routes
from functions.http import Call, Reply, _fingerprint
from functions.invocation import correlation_of
from shared_code.access.model import Caller
from shared_code.foundation.errors import BillingError
from shared_code.foundation.settings import settings
from shared_code.foundation.shapes import WithReason

ADDRESS = "http://app.example/api/v1/things/7"
REASON = Body("shared_code.foundation.shapes:WithReason")
CHANGE = Route(
    "change_thing",
    "PUT",
    "things/{thing_id}",
    (Answer(200),),
    resource="settings",
    access="write",
    query=(
        Query("state", "a choice", choices=("Open", "Replayed")),
        Query("dryRun", "a flag", kind="flag"),
        Query("to", "a day", kind="date"),
        Query("limit", "how many"),
    ),
    body=REASON,
    idempotency="optional",
    summary="Change a thing.",
)


def call_of(
    *, url: str = ADDRESS, body: bytes = b"", checked: object = None, query: str = "", thing: str = "7", **headers: str
) -> Call:
    params = dict(part.split("=", 1) for part in query.split("&") if part)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = func.HttpRequest("PUT", url, headers=named, params=params, route_params={"thing_id": thing}, body=body)
    return Call(CHANGE, request, Caller("ann", "Ann"), None, checked)


# -- declarations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"summary": ""}, "no summary"),
        ({"answers": ()}, "no answer"),
        ({"resource": ""}, "names its resource"),
        ({"method": "GET", "idempotency": "none"}, "a GET has no body"),
        ({"method": "GET", "body": None}, "bears repetition"),
        ({"idempotency": "none"}, "bears repetition"),
        ({"method": "DELETE", "idempotency": "none"}, "bears repetition"),
        ({"body": Body("shapes.WithReason")}, "package.module:Name"),
        ({"answers": (Answer(200, "WithReason"),)}, "package.module:Name"),
        ({"answers": (Answer(200, alternative="nothing"),)}, "package.module:Name"),
    ],
)
def test_a_route_that_does_not_say_all_of_itself_is_not_declared(changes: dict[str, object], fault: str) -> None:
    with pytest.raises(DeclarationError, match=fault):
        declare(replace(CHANGE, **changes))  # type: ignore[arg-type]  # each changes fields to their own types

    assert CHANGE.name not in routes()


def test_every_fault_of_a_declaration_is_named_at_once() -> None:
    with pytest.raises(DeclarationError) as refusal:
        declare(replace(CHANGE, summary="", answers=(), resource=""))

    assert str(refusal.value).count(";") == 2


@pytest.mark.parametrize(
    ("again", "fault"),
    [
        (CHANGE, "its name is taken; its method and path are taken"),
        (replace(CHANGE, path="others/{id}"), "its name is taken"),
        (replace(CHANGE, name="other", path="things/{id}"), "its method and path are taken"),
    ],
)
def test_a_name_and_a_path_belong_to_one_route(monkeypatch: pytest.MonkeyPatch, again: Route, fault: str) -> None:
    monkeypatch.setattr("functions.declarations._routes", {})
    declare(CHANGE)
    declare(replace(CHANGE, name="change_part", path="things/{thing_id}/part"))

    with pytest.raises(DeclarationError, match=fault):
        declare(again)


# -- what a door asks of its call -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"), [("", None), ("state=", None), ("state=Open", "Open"), ("state=rePLAYED", "Replayed")]
)
def test_a_choice_is_spelt_as_it_was_declared(query: str, found: str | None) -> None:
    assert call_of(query=query).choice("state") == found


@pytest.mark.parametrize(
    ("query", "found"), [("", False), ("dryRun=", False), ("dryRun=false", False), ("dryRun=TRUE", True)]
)
def test_a_flag_that_is_absent_is_false(query: str, found: bool) -> None:
    assert call_of(query=query).flag("dryRun") is found


@pytest.mark.parametrize(
    ("query", "days", "found"),
    [
        ("", 0, None),
        ("to=", 1, None),
        ("to=2026-12-31", 0, datetime(2026, 12, 31, tzinfo=UTC)),
        ("to=2026-12-31", 1, datetime(2027, 1, 1, tzinfo=UTC)),
        ("to=9999-12-30", 1, datetime(9999, 12, 31, tzinfo=UTC)),
    ],
)
def test_a_day_becomes_its_first_instant(query: str, days: int, found: datetime | None) -> None:
    assert call_of(query=query).instant("to", days=days) == found


def test_a_door_cannot_ask_for_what_its_route_does_not_declare() -> None:
    call = call_of(query="sort=name")

    with pytest.raises(KeyError, match="does not declare the parameter sort"):
        call.query("sort")
    with pytest.raises(TypeError, match="declares another body than"):
        call.body(WithReason)
    with pytest.raises(TypeError, match="names no resource"):
        _ = call.permission


def test_a_body_is_the_model_that_was_checked() -> None:
    wish = WithReason(reason="for a test")

    assert call_of(checked=wish).body(WithReason) is wish


@pytest.mark.parametrize("given", ["*", '"abc"'])
def test_a_precondition_is_passed_on_as_it_came(given: str) -> None:
    assert call_of(if_match=given).required_match == given


def test_without_the_precondition_a_change_is_refused() -> None:
    with pytest.raises(BillingError) as refusal:
        _ = call_of().required_match

    assert (refusal.value.code, refusal.value.kind.status) == ("IF_MATCH_REQUIRED", 400)
    assert [detail.field for detail in refusal.value.details] == ["If-Match"]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("application/json", "application/json"),
        (" Application/JSON ; charset=utf-8", "application/json"),
        ("", ""),
    ],
)
def test_a_media_type_is_read_without_its_parameters(given: str, found: str) -> None:
    assert call_of(content_type=given).content_type == found


@pytest.mark.parametrize(
    ("public", "parts", "address"),
    [
        ("", ("things", "7"), "http://app.example/api/v1/things/7"),
        ("https://billing.example/", ("things", "7"), "https://billing.example/api/v1/things/7"),
        ("", ("users", "ann@app.example"), "http://app.example/api/v1/users/ann@app.example"),
        ("", ("users", "Zoë €/\r\n?"), "http://app.example/api/v1/users/Zo%C3%AB%20%E2%82%AC%2F%0D%0A%3F"),
    ],
)
def test_an_address_is_absolute_and_fit_for_a_header(
    monkeypatch: pytest.MonkeyPatch, public: str, parts: tuple[str, ...], address: str
) -> None:
    monkeypatch.setenv("OPERATOR_NAME", "Example Parking")
    monkeypatch.setenv("PUBLIC_URL", public)
    settings.cache_clear()

    assert call_of().url(*parts) == address
    settings.cache_clear()


# -- repetitions ------------------------------------------------------------------------------------------------------

ONE = call_of(body=b"{}", if_match='"1"', content_type="application/json")


@pytest.mark.parametrize(
    "same",
    [
        call_of(body=b"{}", if_match='"1"', content_type="application/json"),
        call_of(body=b"{}", if_match='"1"', content_type="application/json; charset=utf-8"),
        call_of(body=b"{}", if_match='"1"', content_type="application/json", x_correlation_id="another"),
        call_of(body=b"{}", if_match='"1"', content_type="application/json", authorization="Bearer renewed"),
        call_of(body=b"{}", if_match='"1"', content_type="application/json", url=f"https:{ADDRESS[5:]}"),
        call_of(body=b"{}", if_match='"1"', content_type="application/json", url=ADDRESS.replace("/api/", "/API/")),
        call_of(body=b"{}", if_match='"1"', content_type="application/json", query="code=the-key-of-the-function"),
    ],
)
def test_a_retry_is_the_same_request(same: Call) -> None:
    assert _fingerprint(same) == _fingerprint(ONE)


@pytest.mark.parametrize(
    "other",
    [
        call_of(body=b"{ }", if_match='"1"', content_type="application/json"),
        call_of(body=b"{}", if_match='"2"', content_type="application/json"),
        call_of(body=b"{}", content_type="application/json"),
        call_of(body=b"{}", if_match='"1"', content_type="application/vnd.powerbill.legacy+json"),
        call_of(body=b"{}", if_match='"1"', content_type="application/json", query="dryRun=true"),
        call_of(body=b"{}", if_match='"1"', content_type="application/json", thing="71"),
        call_of(body=b"{}", if_match='"1"', content_type="application/json", thing="71", url=f"{ADDRESS}1"),
        replace(ONE, route=replace(CHANGE, name="patch_thing", method="PATCH")),
    ],
)
def test_another_body_address_method_precondition_or_type_is_another_request(other: Call) -> None:
    assert _fingerprint(other) != _fingerprint(ONE)


@pytest.mark.parametrize("given", ["flow-7", "a" * 64, "08585-42~[Send] {x}", "  flow-7 "])
def test_a_correlation_id_that_is_fit_for_a_log_line_is_kept(given: str) -> None:
    assert correlation_of(given) == given.strip()


@pytest.mark.parametrize("given", [None, "", "   ", "a" * 65, "a\tb", "a\nb", "a\x7fb", "Zoë", "a\u202eb"])
def test_any_other_correlation_id_is_replaced_by_a_new_one(given: str | None) -> None:
    first, second = correlation_of(given), correlation_of(given)

    assert first != second
    assert all(len(made) == 32 and made.isalnum() for made in (first, second))


def test_a_reply_is_json_with_status_200_unless_it_says_otherwise() -> None:
    assert (Reply().status, Reply().content_type, Reply().headers) == (200, "application/json", {})
