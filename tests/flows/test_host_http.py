"""The local Functions host, HTTP: routes, keys, limits, its own answers, and what a log line carries."""

import json
import socket
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from localhost.host.problems import PROBLEMS
from localhost.processes import Host, wait_until
from shared_code.operations.error_catalog import catalog
from tests.flows.host_stage import APP, Stage, app_environment, running_stage

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running_stage(tmp_path_factory.mktemp("host"), LOCALHOST_RECYCLE_SECONDS="60") as staged:
        yield staged


def test_a_request_reaches_the_function_whole_and_its_response_comes_back_whole(stage: Stage) -> None:
    response = stage.host.request(
        "POST",
        "/api/Echo/a%2Fb/c/d%20e?x=1&y=2&y=3&empty=",
        content=b"12345",
        headers={"X-Test": "t", "X-Correlation-ID": "corr-1"},
    )
    answer = response.json()
    assert (response.status_code, response.headers["x-answer"]) == (201, "yes")
    assert response.headers["content-type"].startswith("application/json")
    assert response.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2; HttpOnly"]
    assert answer["method"] == "POST"
    assert answer["url"].startswith(f"{stage.host.url}/api/Echo/")
    assert (answer["name"], answer["rest"]) == ("a/b", "c/d e")
    assert answer["query"] == {"x": "1", "y": "2,3", "empty": ""}
    assert (answer["header"], answer["bytes"]) == ("t", 5)
    line = next(r for r in stage.host.invocations("echo") if r["invocationId"] == answer["invocation"])
    assert (line["outcome"], line["trigger"], line["correlationId"]) == ("succeeded", "http", "corr-1")


ROUTES = [
    # method, path, status, text
    ("GET", "/api/echo/fixed", 200, "the literal route"),
    ("GET", "/api/echo/fixed/", 200, "the literal route"),
    ("GET", "/api/optional/x", 200, "name=x"),
    ("GET", "/api/optional", 200, "name=None"),
    ("GET", "/api/optional/x/y", 404, "NOT_FOUND"),
    ("GET", "/api/nothing", 404, "NOT_FOUND"),
    ("GET", "/echo/fixed", 404, "NOT_FOUND"),
    ("GET", "/", 404, "NOT_FOUND"),
    ("DELETE", "/api/echo/fixed", 405, "METHOD_NOT_ALLOWED"),
    ("GET", "/api/fails", 500, "FUNCTION_FAILED"),
    ("GET", "/api/invalid-response", 500, "RESPONSE_INVALID"),
    ("GET", "/api/no-content", 204, ""),
    ("HEAD", "/api/echo/fixed", 200, ""),
    ("OPTIONS", "/api/echo/fixed", 204, ""),
]


@pytest.mark.parametrize(("method", "path", "status", "text"), ROUTES)
def test_routes_and_methods(stage: Stage, method: str, path: str, status: int, text: str) -> None:
    response = stage.host.request(method, path)
    assert response.status_code == status
    assert text in response.text
    if status == 405 or method == "OPTIONS":
        assert {"GET", "HEAD", "OPTIONS"} <= set(response.headers["allow"].split(", "))


def test_a_failing_function_tells_the_log_everything_and_the_caller_nothing(stage: Stage) -> None:
    response = stage.host.request("GET", "/api/fails?code=a-secret-key")
    assert "inside of the function" not in response.text
    line = stage.host.invocations("fails", "failed")[-1]
    assert line["invocationId"] in response.text
    assert "ValueError: inside of the function" in line["exception"]
    assert "a-secret-key" not in (stage.host.folder / "logs" / "host.jsonl").read_text()
    assert "a-secret-key" not in stage.host.tail()


KEYS = [
    # route, which key, how, status
    ("/api/guarded", None, "header", 401),
    ("/api/guarded", "wrong", "header", 401),
    ("/api/guarded", "wrong-ü", "query", 401),
    ("/api/guarded", "", "header", 401),
    ("/api/guarded", "host", "header", 200),
    ("/api/guarded", "host", "query", 200),
    ("/api/guarded", "master", "query", 200),
    ("/api/guarded", "own", "header", 200),
    ("/api/guarded", "own", "query", 200),
    ("/api/guarded", "another's", "header", 401),
    ("/api/guarded/other", "another's", "header", 200),
    ("/api/guarded/admin", "own", "header", 401),
    ("/api/guarded/admin", None, "header", 401),
    ("/api/guarded/admin", "host", "header", 401),
    ("/api/guarded/admin", "master", "header", 200),
    ("/admin/host/status", None, "header", 401),
    ("/admin/host/status", "host", "header", 401),
    ("/admin/functions", "host", "query", 401),
    ("/admin/functions", "master", "header", 200),
]


@pytest.mark.parametrize(("path", "which", "how", "status"), KEYS)
def test_keys_open_their_level_only(stage: Stage, path: str, which: str | None, how: str, status: int) -> None:
    named = {
        "host": stage.host.function_key,
        "master": stage.host.master_key,
        "own": stage.host.key_of("guarded"),
        "another's": stage.host.key_of("guarded_other"),
    }
    key = named.get(which, which) if which else which
    given: dict[str, Any] = {}
    if key is not None:
        given = {"params": {"code": key}} if how == "query" else {"headers": {"x-functions-key": key}}
    response = stage.host.request("GET", path, **given)
    assert response.status_code == status
    if status == 401:
        assert response.json()["error"]["code"] == "KEY_REQUIRED"


def test_a_body_above_the_limit_is_refused_by_length_and_by_what_arrives(stage: Stage) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 10_000

    assert stage.host.request("POST", "/api/echo/n/r", content=b"x" * 100_000).status_code == 201
    assert stage.host.request("POST", "/api/echo/n/r", content=b"x" * 100_001).status_code == 413
    with socket.create_connection(("127.0.0.1", stage.host.port), timeout=10) as chunked:
        chunked.sendall(b"POST /api/echo/n/r HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _, chunk in zip(range(11), endless(), strict=False):
            chunked.sendall(b"2710\r\n" + chunk + b"\r\n")
        assert b" 413 " in chunked.recv(1000)


def test_the_keys_and_the_announcement_are_for_the_owner_only(stage: Stage) -> None:
    for name in ("keys.json", "host.json"):
        assert stat.S_IMODE((stage.host.folder / name).stat().st_mode) == 0o600


# The host's own answers

OWN = [
    # method, path, content, code, status
    ("GET", "/api/nothing", b"", "NOT_FOUND", 404),
    ("DELETE", "/api/echo/fixed", b"", "METHOD_NOT_ALLOWED", 405),
    ("GET", "/api/guarded", b"", "KEY_REQUIRED", 401),
    ("GET", "/admin/host/status", b"", "KEY_REQUIRED", 401),
    ("POST", "/api/echo/n/r", b"x" * 100_001, "BODY_TOO_LARGE", 413),
    ("GET", "/api/fails", b"", "FUNCTION_FAILED", 500),
    ("GET", "/api/invalid-response", b"", "RESPONSE_INVALID", 500),
]


@pytest.mark.parametrize(("method", "path", "content", "code", "status"), OWN)
@pytest.mark.parametrize("correlation", [None, "corr-7"])
def test_an_answer_of_the_host_has_the_form_of_the_api(
    stage: Stage, method: str, path: str, content: bytes, code: str, status: int, correlation: str | None
) -> None:
    headers = {"X-Correlation-ID": correlation} if correlation else {}
    response = stage.host.request(method, path, content=content, headers=headers)
    error = response.json()["error"]
    form = {"code", "number", "message", "details", "suggestions", "retryable", "requestId", "correlationId"}
    assert (response.status_code, error["code"], set(error)) == (status, code, form)
    assert error["number"] // 1000 == {401: 1, 404: 2, 405: 2, 413: 2, 500: 5}[status]
    assert error["message"] and all(error["suggestions"])
    assert error["retryable"] is (status == 500)
    assert (response.headers["x-request-id"], response.headers["x-correlation-id"]) == (
        error["requestId"],
        error["correlationId"],
    )
    assert error["correlationId"] == (correlation or error["requestId"])


def test_the_numbers_of_the_host_and_of_the_app_never_mean_two_things() -> None:
    app = {kind.number: kind.code for kind in catalog().values()}
    assert len({problem.number for problem in PROBLEMS}) == len(PROBLEMS)
    assert all(app.get(problem.number, problem.code) == problem.code for problem in PROBLEMS)


# Log lines

SAYS = [
    # path, correlation id of the caller, what lines carry before the door, behind it and at the end ("" the own id)
    ("/api/says", None, "", "", ""),
    ("/api/says", "caller", "caller", "caller", "caller"),
    ("/api/says?acting=app", None, "", "app", "app"),
    ("/api/says?acting=app", "caller", "caller", "app", "app"),
    ("/api/says-async?acting=app", "caller", "caller", "app", "app"),
    ("/api/says-async", None, "", "", ""),
]


@pytest.mark.parametrize(("path", "caller", "before", "behind", "end"), SAYS)
def test_every_line_of_an_invocation_carries_its_id_and_a_correlation_id(
    stage: Stage, path: str, caller: str | None, before: str, behind: str, end: str
) -> None:
    seen = len(stage.host.records())
    response = stage.host.request("GET", path, headers={"X-Correlation-ID": caller} if caller else {})
    assert response.text == "said"
    function = "says_async" if "async" in path else "says"
    stage.wait(lambda: any(r.get("function") == function for r in stage.host.records()[seen:]))
    new = stage.host.records()[seen:]
    own = next(r["invocationId"] for r in new if r.get("function") == function)
    carried = {r["message"]: r["correlationId"] for r in new if r.get("invocationId") == own}
    expected = {"before the door": before, "behind the door": behind, f"{function} succeeded": end}
    if "acting" not in path:
        del expected["behind the door"]
    assert carried == {message: correlation or own for message, correlation in expected.items()}


# Time, threads, keys by settings


def test_sync_functions_run_side_by_side_in_threads(stage: Stage) -> None:
    with ThreadPoolExecutor() as pool:
        calls = [pool.submit(stage.host.request, "GET", "/api/meet") for _ in range(2)]
        assert [call.result().text for call in calls] == ["met", "met"]


@pytest.fixture(scope="module")
def other(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A second host of the same app: impatient at the door, and with keys from settings."""
    folder = tmp_path_factory.mktemp("other")
    settings = app_environment(stage.azurite, stage.bus, folder / "events.jsonl") | {
        "LOCALHOST_RESPONSE_SECONDS": "0.3",
        "LOCALHOST_MASTER_KEY": "the-master",
        "LOCALHOST_HOST_KEY__default": "host-old",
        "LOCALHOST_HOST_KEY__next": "host-new",
        "LOCALHOST_FUNCTION_KEY__guarded__default": "guarded-old",
        "LOCALHOST_FUNCTION_KEY__guarded__next": "guarded-new",
    }
    with Host(APP, folder / "state", settings) as host:
        yield host


ROTATED = [
    # key, status of /api/guarded, /api/guarded/other, /api/guarded/admin, /admin/functions
    ("the-master", (200, 200, 200, 200)),
    ("host-old", (200, 200, 401, 401)),
    ("host-new", (200, 200, 401, 401)),
    ("guarded-old", (200, 401, 401, 401)),
    ("guarded-new", (200, 401, 401, 401)),
    ("guarded-older", (401, 401, 401, 401)),
]


@pytest.mark.parametrize(("key", "statuses"), ROTATED)
def test_two_names_hold_an_old_and_a_new_key_while_callers_move(
    other: Host, key: str, statuses: tuple[int, ...]
) -> None:
    paths = ("/api/guarded", "/api/guarded/other", "/api/guarded/admin", "/admin/functions")
    for how in ({"headers": {"x-functions-key": key}}, {"params": {"code": key}}):
        assert tuple(other.request("GET", path, **how).status_code for path in paths) == statuses


def test_a_caller_does_not_wait_longer_than_the_load_balancer_and_the_function_goes_on(other: Host) -> None:
    headers = {"x-functions-key": "host-new", "X-Correlation-ID": "patient"}
    answer = other.request("GET", "/api/slow?seconds=0.6", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "RESPONSE_LATE")
    events = other.folder.parent / "events.jsonl"

    def ended() -> list[dict[str, Any]]:
        return [r for r in other.invocations("slow", "succeeded") if r["correlationId"] == "patient"]

    (line,) = wait_until(ended, other)
    assert line["invocationId"] == answer.json()["error"]["requestId"]
    assert [json.loads(note)["kind"] for note in events.read_text().splitlines()].count("slow ended") == 1
