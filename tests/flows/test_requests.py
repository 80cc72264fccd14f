"""What a request must be to come in: headers, bodies, parameters and preconditions, on the running app."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator

import httpx
import pytest

from shared_code.access.tables import app_user
from shared_code.foundation import clock
from tests.flows.conftest import App, as_bytes, error_of, fixed_fees, running_app, site_master
from tests.flows.way_support import SITES, at_once, put_user, rows, user

pytestmark = pytest.mark.flow

LEGACY = "application/vnd.powerbill.legacy+json"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app with two sites."""
    with running_app(tmp_path_factory.mktemp("requests")) as app:
        app.take_in({"site_master/2026-10/sites.csv": site_master(*SITES)})
        yield app


# -- headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "me", 200),
        ("HEAD", "me", 200),
        ("GET", "users/nobody@example.com", 404),
        ("GET", "users?limt=1", 400),
        ("PUT", "users/x@example.com", 415),
        ("GET", "statements", 403),
        ("GET", "errors/FORBIDDEN", 200),
        ("GET", "health/live", 200),
    ],
)
def test_every_answer_says_which_request_it_is_and_is_kept_by_nobody(
    app: App, method: str, path: str, status: int
) -> None:
    answer = app.call(method, path, "systemAdmin")

    assert answer.status_code == status
    assert len(answer.headers["X-Request-ID"]) == len(answer.headers["X-Correlation-ID"]) == 32
    assert answer.headers["X-API-Version"] == "1.0"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    if status >= 400:
        ids = (answer.headers["X-Request-ID"], answer.headers["X-Correlation-ID"])
        assert (error_of(answer)["requestId"], error_of(answer)["correlationId"]) == ids


@pytest.mark.parametrize("given", ["flow-7", "a" * 64, "08585426~[Send] {x}"])
def test_a_correlation_id_comes_back(app: App, given: str) -> None:
    assert app.call("GET", "me", headers={"X-Correlation-ID": given}).headers["X-Correlation-ID"] == given


@pytest.mark.parametrize("given", [b"a" * 65, b"a\tb", b"a\x7fb", b"Zo\xc3\xab"])
def test_a_correlation_id_that_no_log_should_hold_is_replaced(app: App, given: bytes) -> None:
    carried = app.call("GET", "me", headers={b"X-Correlation-ID": given}).headers["X-Correlation-ID"]

    assert len(carried) == 32 and carried.isalnum()


def test_the_address_of_what_was_made_is_fit_for_a_header_and_leads_there(app: App) -> None:
    made = app.call("PUT", "users/Zo%C3%AB%20%E2%82%AC%2Fnight", "systemAdmin", json=user("Zoë"))
    found = httpx.get(made.headers["Location"], headers=app.stack.headers("systemAdmin"))

    assert (made.status_code, found.status_code) == (201, 200)
    assert found.json()["userId"] == "Zoë €/night"


# -- bodies and parameters --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "media", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx", LEGACY]
)
def test_a_body_of_another_type_is_refused(app: App, media: str | None) -> None:
    headers = {"Content-Type": media} if media else {}
    answer = app.call("PUT", "users/x@example.com", "systemAdmin", content=json.dumps(user()), headers=headers)

    assert (answer.status_code, error_of(answer)["code"]) == (415, "MEDIA_TYPE_UNKNOWN")
    assert "application/json" in error_of(answer)["message"]


@pytest.mark.parametrize(("size", "status"), [(10_000_000, 201), (10_000_001, 413)])
def test_a_body_has_ten_megabytes_at_most(app: App, size: int, status: int) -> None:
    body = json.dumps(user()).encode()
    answer = app.call(
        "PUT",
        f"users/large-{size}@example.com",
        "systemAdmin",
        content=body + b" " * (size - len(body)),
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code == status
    assert status == 201 or error_of(answer)["code"] == "BODY_TOO_LARGE"


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"\xef\xbb\xbf" + as_bytes(user()), 201, None),
        (json.dumps(user()).encode("utf-16"), 400, "BODY_MALFORMED"),
        (b'{"name":"\\ud800","reason":"for a test"}', 400, "BODY_MALFORMED"),
        (b"[" * 100_000 + b"]" * 100_000, 400, "BODY_MALFORMED"),
        (b'{"name":"Ann","name":"Bob","reason":"for a test"}', 400, "BODY_MALFORMED"),
        (b'{"name":NaN,"reason":"for a test"}', 400, "BODY_MALFORMED"),
        (b"", 400, "BODY_MALFORMED"),
        (b'{"nam":"Pat","reason":"for a test"}', 400, "BODY_INVALID"),
    ],
    ids=["byte order mark", "UTF-16", "half a character", "deep", "stated twice", "NaN", "empty", "misspelt"],
)
def test_a_body_says_one_thing_only_or_is_refused(app: App, raw: bytes, status: int, code: str | None) -> None:
    headers = {"Content-Type": "application/json"}
    answer = app.call("PUT", f"users/{clock.new_id()}@example.com", "systemAdmin", content=raw, headers=headers)

    assert answer.status_code == status, answer.text
    assert code is None or error_of(answer)["code"] == code


@pytest.mark.parametrize("raw", [b'{"id":"a","id":"b"}', b'{"site":{"number":"0901","number":"0902"}}'])
def test_a_contract_does_not_state_a_field_twice_either(app: App, raw: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = app.call("PUT", "sites/0901/contract?dryRun=true", "contractAdmin", content=raw, headers=headers)

    assert (answer.status_code, error_of(answer)["code"]) == (400, "CONTRACT_DUPLICATE_KEY")


@pytest.mark.parametrize(
    ("path", "code", "text"),
    [
        ("users?limt=5", "PARAMETER_UNKNOWN", "did you mean limit?"),
        ("users?Role=auditor", "PARAMETER_UNKNOWN", "did you mean role?"),
        ("users/auditor@example.com?limit=5", "PARAMETER_UNKNOWN", "takes no parameters"),
        ("users?active=yes", "PARAMETER_INVALID", "active is true or false"),
        ("users?role=king", "PARAMETER_INVALID", "role is one of billingAdmin"),
        ("users?limit=0", "PARAMETER_INVALID", "from 1 to 1000"),
        ("users?limit=1001", "PARAMETER_INVALID", "from 1 to 1000"),
        ("users?limit=5&limit=6", "PARAMETER_INVALID", "from 1 to 1000"),
        ("operations/audit?to=9999-12-31", "PARAMETER_INVALID", "YYYY-MM-DD"),
        ("operations/audit?from=20261103", "PARAMETER_INVALID", "YYYY-MM-DD"),
        ("imports?period=2026-13", "PERIOD_INVALID", "2026-13"),
    ],
)
def test_a_parameter_that_is_wrong_is_refused_and_never_ignored(app: App, path: str, code: str, text: str) -> None:
    answer = app.call("GET", path, "systemAdmin")

    assert (answer.status_code, error_of(answer)["code"]) == (400, code)
    assert text in error_of(answer)["message"]


@pytest.mark.parametrize(
    ("query", "items"), [("limit=1", 1), ("limit=1000", 2), ("active=FALSE", 0), ("limit=&role=", 2)]
)
def test_a_parameter_that_is_right_counts(app: App, query: str, items: int) -> None:
    found = app.call("GET", f"users?{query}", "systemAdmin").json()["items"]

    assert len(found) == items if items < 2 else len(found) >= items


# -- preconditions ----------------------------------------------------------------------------------------------------


def change_user(app: App, number: int, **headers: str) -> httpx.Response:
    return app.call("PUT", "users/etag@example.com", "systemAdmin", json=user(f"Pat {number}"), headers=headers)


def change_settings(app: App, number: int, **headers: str) -> httpx.Response:
    body = {"changes": {"runPatienceMinutes": 20 + number}, "reason": "for a test"}
    return app.call("PATCH", "settings", "systemAdmin", json=body, headers=headers)


def change_contract(app: App, number: int, **headers: str) -> httpx.Response:
    document = fixed_fees(SITES[1], (f"{number}.00", 1))
    return app.call("PUT", f"sites/{SITES[1]}/contract", "contractAdmin", json=document, headers=headers)


GUARDED = [
    (change_user, "users/etag@example.com", "systemAdmin", "USER_CHANGED"),
    (change_settings, "settings", "systemAdmin", "SETTINGS_CHANGED"),
    (change_contract, f"sites/{SITES[1]}/contract", "contractAdmin", "CONTRACT_CHANGED"),
]
Change = Callable[..., httpx.Response]


@pytest.mark.parametrize(("change", "path", "role", "code"), GUARDED, ids=["user", "settings", "contract"])
def test_a_change_says_which_state_it_has_read(app: App, change: Change, path: str, role: str, code: str) -> None:
    change(app, 100, **({"If-Match": "*"} if change is change_settings else {}))
    read = app.call("GET", path, role).headers["ETag"]

    first = change(app, 101, **{"If-Match": read})
    stale = change(app, 102, **{"If-Match": read})
    newer = app.call("GET", path, role).headers["ETag"]
    weak = change(app, 103, **{"If-Match": f"W/{newer}"})
    bare = change(app, 103, **{"If-Match": newer.strip('"')})
    anyhow = change(app, 104, **{"If-Match": "*"})

    assert [a.status_code for a in (first, stale, weak, bare, anyhow)] == [200, 412, 412, 412, 200]
    assert {error_of(answer)["code"] for answer in (stale, weak, bare)} == {code}
    assert read != newer
    assert read.startswith('"') and read.endswith('"')


@pytest.mark.parametrize("change", [change_settings, change_contract])
def test_without_the_state_that_was_read_nothing_is_overwritten(app: App, change: Change) -> None:
    change(app, 200, **{"If-Match": "*"})

    answer = change(app, 201)

    assert (answer.status_code, error_of(answer)["code"]) == (400, "IF_MATCH_REQUIRED")


def test_a_precondition_never_holds_for_a_user_that_there_is_not(app: App) -> None:
    answers = [put_user(app, "absent", if_match=given) for given in ("*", '"anything"')]

    assert [answer.status_code for answer in answers] == [412, 412]
    assert rows(app, app_user, app_user.c.user_id == "absent@example.com") == 0


@pytest.mark.parametrize(("change", "path", "role", "_code"), GUARDED, ids=["user", "settings", "contract"])
def test_of_ten_who_have_read_the_same_state_one_changes_it(
    app: App, change: Change, path: str, role: str, _code: str
) -> None:
    change(app, 300, **{"If-Match": "*"})
    read = app.call("GET", path, role).headers["ETag"]

    answers = at_once(10, lambda number: change(app, 301 + number, **{"If-Match": read}))

    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[200] == 1
    assert statuses[412] + statuses[409] == 9, statuses  # 409: the database said so, not the ETag
