"""The way in over HTTP: a request that is repeated has one effect, and a caller has a limit. On the running app."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from localhost.processes import wait_until
from shared_code.access.tables import app_user
from shared_code.documents.paths import CONTRACT_DROPS
from shared_code.foundation import clock
from shared_code.foundation.idempotency.tables import idempotent_request
from shared_code.statements.tables import statement_run
from tests.flows.conftest import App, contract_files, error_of, fixed_fees, running_app, site_master
from tests.flows.way_support import SITES, at_once, events, put_user, replayed, rows, said, user

pytestmark = pytest.mark.flow

AT_ONCE = 20
SOON = timedelta(minutes=4)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app with two sites and a contract at the first."""
    with running_app(tmp_path_factory.mktemp("way-in")) as app:
        app.take_in({"site_master/2026-10/sites.csv": site_master(*SITES)})
        app.take_in(contract_files(fixed_fees(SITES[0], ("10.00", 1))), CONTRACT_DROPS)
        yield app


# -- repetitions ------------------------------------------------------------------------------------------------------


def test_a_repetition_gets_the_first_answer_whole_and_changes_nothing(app: App) -> None:
    first = put_user(app, "one", idempotency_key="flow-1/make")
    put_user(app, "one", user("Renamed"), if_match="*")
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
    put_user(app, "claimed")
    change = {"if_match": "*", "idempotency_key": "flow-8/make"}
    put_user(app, "claimed", user("Claimed"), **change)
    mine = idempotent_request.c.request_key == "flow-8/make"
    with app.database() as connection:
        connection.execute(idempotent_request.update().where(mine).values(status=None, held_until=clock.now() + SOON))

    running = put_user(app, "claimed", user("Claimed"), **change)
    with app.database() as connection:
        connection.execute(idempotent_request.update().where(mine).values(held_until=clock.now()))
    lapsed = put_user(app, "claimed", user("Claimed"), **change)

    assert (running.status_code, error_of(running)["code"]) == (409, "REQUEST_RUNNING")
    assert int(running.headers["Retry-After"]) > 0 and error_of(running)["retryable"]
    assert (lapsed.status_code, replayed(lapsed)) == (200, False)
    assert events(app, "claimed@example.com") == ["user.created", "user.changed"]


# -- limits -----------------------------------------------------------------------------------------------------------

BURST = 3
A_MINUTE = 15  # one every four seconds: five calls take less


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app with small limits. Each test has callers of its own."""
    with running_app(
        tmp_path_factory.mktemp("limits"),
        PERSON_CALLS_BURST=str(BURST),
        PERSON_CALLS_PER_MINUTE=str(A_MINUTE),
        SERVICE_CALLS_BURST="5",
        SERVICE_CALLS_PER_MINUTE="1",
    ) as app:
        yield app


def ask(app: App, role: str, times: int) -> list[httpx.Response]:
    return [app.call("GET", "me", role) for _ in range(times)]


def statuses(answers: list[httpx.Response]) -> list[int]:
    return [answer.status_code for answer in answers]


def test_after_the_burst_a_caller_waits_and_nobody_else_does(strict: App) -> None:
    answers = ask(strict, "auditor", BURST + 2)
    refused = answers[-1]

    assert statuses(answers) == [200] * BURST + [429] * 2
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {str(BURST)}
    assert 0 < int(refused.headers["X-RateLimit-Reset"]) <= BURST * 60 // A_MINUTE
    assert 1 <= int(refused.headers["Retry-After"]) <= 60 // A_MINUTE
    assert f"the next call is possible in {refused.headers['Retry-After']} s" in error_of(refused)["message"]
    error = error_of(refused)
    assert (error["code"], error["number"], error["retryable"]) == ("RATE_EXCEEDED", 1010, True)
    assert error["correlationId"] == refused.headers["X-Correlation-ID"]

    assert statuses(ask(strict, "billingAdmin", 1)) == [200]  # another person
    assert statuses(ask(strict, "integration", 6)) == [200] * 5 + [429]  # a service has a limit of its own

    wait_until(lambda: ask(strict, "auditor", 1)[0].status_code == 200, strict.stack.host)


def test_a_repetition_counts_as_a_call_and_a_refusal_is_not_kept_for_its_key(strict: App) -> None:
    answers = [put_user(strict, "busy", idempotency_key="flow-9/make") for _ in range(BURST + 1)]

    assert statuses(answers) == [201] * BURST + [429]
    assert [*map(replayed, answers)] == [False, True, True, False]


def test_a_caller_is_limited_before_the_database_is_asked(strict: App) -> None:
    """The database file is put away: what needs it fails, while limits and identities are known without it."""
    stack, away = strict.stack, strict.stack.state / "away"
    stack.host.stop()
    files = list(stack.state.glob("powerbill.sqlite*"))
    away.mkdir()
    for file in files:
        file.rename(away / file.name)
    (stack.state / "powerbill.sqlite").mkdir()  # so that nothing can be made in its place
    stack.host.start()

    answers = ask(strict, "contractAdmin", BURST + 1)
    nobody = strict.http.get("me")
    (stack.state / "powerbill.sqlite").rmdir()
    for file in files:
        (away / file.name).rename(file)

    assert [status // 100 for status in statuses(answers)[:-1]] == [5] * BURST
    assert answers[-1].status_code == 429
    assert nobody.status_code == 401
    wait_until(lambda: ask(strict, "contractAdmin", 1)[0].status_code == 200, stack.host)
