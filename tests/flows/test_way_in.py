"""The way in over HTTP: repetitions, limits of callers, headers, bodies and preconditions, on the running app."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from shared_code.access.tables import app_user
from shared_code.documents.paths import CONTRACT_DROPS
from shared_code.foundation import clock
from shared_code.foundation.idempotency.tables import idempotent_request
from shared_code.statements.tables import statement_run
from tests.flows.conftest import App, as_bytes, contract_files, error_of, fixed_fees, running_app, site_master

pytestmark = pytest.mark.flow

AT_ONCE = 20
SOON = timedelta(minutes=4)
SITES = ("0901", "0902")
LEGACY = "application/vnd.powerbill.legacy+json"
# what differs between two answers to the same request
OF_THE_CALL = {"date", "x-request-id", "x-correlation-id", "idempotent-replayed"}
OF_THE_CALL |= {f"x-ratelimit-{part}" for part in ("limit", "remaining", "reset")}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app with two sites and a contract at the first."""
    with running_app(tmp_path_factory.mktemp("way-in")) as app:
        app.take_in({"site_master/2026-10/sites.csv": site_master(*SITES)})
        app.take_in(contract_files(fixed_fees(SITES[0], ("10.00", 1))), CONTRACT_DROPS)
        yield app


def user(name: str = "Pat", **changes: Any) -> dict[str, Any]:
    return {"name": name, "reason": "for a test", **changes}


def put_user(app: App, user_id: str, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.call("PUT", f"users/{user_id}@example.com", "systemAdmin", json=body or user(), headers=named)


def rows(app: App, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
    with app.database() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table).where(*conditions)) or 0


def events(app: App, subject: str) -> list[str]:
    """What the audit says was done to a thing, oldest first."""
    return [event["action"] for event in app.every("operations/audit", subject=subject)][::-1]


def at_once(times: int, call: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """Calls that start at the same moment."""
    together = threading.Barrier(times)

    def start(number: int) -> httpx.Response:
        together.wait(30)
        return call(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(start, range(times)))


def said(answer: httpx.Response) -> tuple[int, str, dict[str, str]]:
    """What an answer says, without what belongs to the single call."""
    kept = {name: value for name, value in answer.headers.items() if name not in OF_THE_CALL}
    return answer.status_code, answer.text, kept


def replayed(answer: httpx.Response) -> bool:
    return answer.headers.get("idempotent-replayed") == "true"


# -- repetitions ------------------------------------------------------------------------------------------------------


def test_a_repetition_gets_the_first_answer_whole_and_changes_nothing(app: App) -> None:
    first = put_user(app, "one", idempotency_key="flow-1/make")
    put_user(app, "one", user("Renamed"))
    again = put_user(app, "one", idempotency_key="flow-1/make")

    assert (first.status_code, replayed(first), replayed(again)) == (201, False, True)
    assert said(again) == said(first)
    assert again.headers["Location"].endswith("/api/v1/users/one@example.com")
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert app.get("users/one@example.com", "systemAdmin")["name"] == "Renamed"
    assert events(app, "one@example.com") == ["user.created", "user.changed"]


def test_a_run_is_answered_again_with_its_location(app: App) -> None:
    def start() -> httpx.Response:
        body = {"period": "2026-09", "source": "replayed"}
        return app.call("POST", "statement-runs", json=body, headers={"Idempotency-Key": "flow-2/bill"})

    first, again = start(), start()

    assert (first.status_code, replayed(again)) == (202, True)
    assert said(again) == said(first)
    assert (again.json()["created"], again.headers["Location"]) == (True, again.json()["status"])


@pytest.mark.parametrize(
    ("path", "body", "precondition"),
    [
        ("users/two@example.com", user("Another"), "*"),
        ("users/three@example.com", user(), "*"),
        ("users/two@example.com", user(), '"another"'),
        ("users/two@example.com", user(), None),
    ],
    ids=["another body", "another path", "another precondition", "no precondition"],
)
def test_a_key_is_for_one_request(app: App, path: str, body: dict[str, Any], precondition: str | None) -> None:
    put_user(app, "two")
    put_user(app, "two", if_match="*", idempotency_key="flow-3/make")
    headers = {"Idempotency-Key": "flow-3/make"} | ({"If-Match": precondition} if precondition else {})

    answer = app.call("PUT", path, "systemAdmin", json=body, headers=headers)

    assert (answer.status_code, error_of(answer)["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert app.get("users/two@example.com", "systemAdmin")["name"] == "Pat"


def test_keys_belong_to_their_caller(app: App) -> None:
    def start(role: str, source: str) -> httpx.Response:
        body = {"period": "2026-09", "source": source}
        return app.call("POST", "statement-runs", role, json=body, headers={"Idempotency-Key": "shared-key"})

    own, others = start("billingAdmin", "ann"), start("billingManager", "bob")

    assert (own.status_code, others.status_code, replayed(others)) == (202, 202, False)
    assert own.json()["id"] != others.json()["id"]


@pytest.mark.parametrize("key", ["k" * 255, "08585426/Send_an_HTTP_request", "k"])
def test_a_key_may_have_255_characters(app: App, key: str) -> None:
    name = f"key-{len(key)}"

    assert put_user(app, name, idempotency_key=key).status_code == 201
    assert replayed(put_user(app, name, idempotency_key=key))


@pytest.mark.parametrize("key", ["k" * 256, "a\tb", "a\x7fb"])
def test_a_key_that_is_none_is_refused_before_anything_happens(app: App, key: str) -> None:
    answer = put_user(app, "keyless", idempotency_key=key)

    assert (answer.status_code, error_of(answer)["code"]) == (400, "IDEMPOTENCY_KEY_INVALID")
    assert error_of(answer)["details"][0]["field"] == "Idempotency-Key"
    assert rows(app, app_user, app_user.c.user_id == "keyless@example.com") == 0


def test_a_refusal_is_not_kept_so_the_corrected_request_passes_under_the_same_key(app: App) -> None:
    """Also of what was refused inside of the use case, under a claim: a stale precondition (decision 0017)."""
    malformed = put_user(app, "mended", {"nam": "Pat"}, idempotency_key="flow-4/make")
    made = put_user(app, "mended", idempotency_key="flow-4/make")
    stale = put_user(app, "mended", user("New"), idempotency_key="flow-5/rename", if_match='"stale"')
    renamed = put_user(app, "mended", user("New"), idempotency_key="flow-5/rename", if_match=made.headers["ETag"])

    assert [answer.status_code for answer in (malformed, made, stale, renamed)] == [400, 201, 412, 200]
    assert not any(map(replayed, (made, renamed)))


def test_who_gets_the_role_that_was_missing_repeats_the_request_under_the_same_key(app: App) -> None:
    token = app.stack.issuer.token("auditor", user="newcomer@example.com")
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "flow-6/make"}

    def ask() -> httpx.Response:
        return app.call("PUT", "users/by-newcomer@example.com", json=user(), headers=headers)

    before = ask()
    put_user(app, "newcomer", user(roles=[{"role": "systemAdmin"}]))
    after = ask()

    assert (before.status_code, after.status_code, replayed(after)) == (403, 201, False)


def test_twenty_at_once_with_a_key_have_one_effect_and_get_twenty_equal_answers(app: App) -> None:
    answers = at_once(AT_ONCE, lambda _: put_user(app, "crowd", idempotency_key="flow-7/make"))

    assert [said(answer) for answer in answers] == [said(answers[0])] * AT_ONCE
    assert answers[0].status_code == 201
    assert Counter(map(replayed, answers)) == {True: AT_ONCE - 1, False: 1}
    assert events(app, "crowd@example.com") == ["user.created"]
    assert rows(app, app_user, app_user.c.user_id == "crowd@example.com") == 1
    assert rows(app, idempotent_request, idempotent_request.c.request_key == "flow-7/make") == 1


def test_twenty_runs_at_once_without_a_key_are_one_by_their_natural_key(app: App) -> None:
    body = {"period": "2026-09", "source": "crowd"}
    answers = at_once(AT_ONCE, lambda _: app.call("POST", "statement-runs", json=body))

    assert {answer.status_code for answer in answers} == {202}
    [run_id] = {answer.json()["id"] for answer in answers}
    assert {answer.headers["Location"] for answer in answers} == {answers[0].headers["Location"]}
    assert Counter(answer.json()["created"] for answer in answers) == {True: 1, False: AT_ONCE - 1}
    assert rows(app, statement_run, statement_run.c.source == "crowd") == 1
    assert events(app, run_id).count("run.started") == 1


def test_a_finished_run_is_found_again_without_a_key(app: App) -> None:
    done = app.bill("2026-09", source="again")

    assert app.call("POST", "statement-runs", json={"period": "2026-09", "source": "again"}).json()["id"] == done.id


def test_while_the_first_one_runs_a_repetition_is_told_to_come_again(app: App) -> None:
    """The claim of a process that died is such a one until it lapses."""
    put_user(app, "claimed", idempotency_key="flow-8/make")
    mine = idempotent_request.c.request_key == "flow-8/make"
    with app.database() as connection:
        connection.execute(idempotent_request.update().where(mine).values(status=None, held_until=clock.now() + SOON))

    running = put_user(app, "claimed", idempotency_key="flow-8/make")
    with app.database() as connection:
        connection.execute(idempotent_request.update().where(mine).values(held_until=clock.now()))
    lapsed = put_user(app, "claimed", idempotency_key="flow-8/make")

    assert (running.status_code, error_of(running)["code"]) == (409, "REQUEST_RUNNING")
    assert int(running.headers["Retry-After"]) > 0 and error_of(running)["retryable"]
    assert (lapsed.status_code, replayed(lapsed)) == (200, False)
    assert events(app, "claimed@example.com") == ["user.created"]


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


@pytest.mark.parametrize("given", [b"a" * 65, b"a\tb", b"a\x7fb", b"Zo\xc3\xab", b" "])
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
