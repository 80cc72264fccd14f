"""The local Functions host, driven from outside: over HTTP, Azurite and the local bus."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSubQueue
from azure.storage.blob import BlobServiceClient

from localhost.processes import ROOT, Azurite, Bus, Host, wait_until

pytestmark = pytest.mark.flow

FIXTURES = ROOT / "tests" / "fixtures"
APP = FIXTURES / "host_app"
QUEUES = {"work": ("PT3S", 3), "sync-work": ("PT3S", 3)}


@dataclass(slots=True)
class Stage:
    """The processes of this module and what the app noted."""

    azurite: Azurite
    bus: Bus
    host: Host
    events_file: Path

    def events(self, kind: str) -> list[dict[str, Any]]:
        if not self.events_file.exists():
            return []
        notes = [json.loads(line) for line in self.events_file.read_text().splitlines()]
        return [note for note in notes if note["kind"] == kind]

    def ids(self, kind: str) -> list[str]:
        return [note["id"] for note in self.events(kind)]

    def names(self, kind: str) -> list[str]:
        return [note["name"] for note in self.events(kind)]

    def upload(self, container: str, name: str, data: bytes = b"a,b\n1,2\n") -> None:
        service = BlobServiceClient.from_connection_string(self.azurite.connection_string)
        with service, service.get_blob_client(container, name) as client:
            client.upload_blob(data, overwrite=True)

    def send(self, queue: str, *bodies: dict[str, Any], **properties: Any) -> None:
        with (
            ServiceBusClient.from_connection_string(self.bus.connection_string) as client,
            client.get_queue_sender(queue) as sender,
        ):
            sender.send_messages([ServiceBusMessage(json.dumps(body), **properties) for body in bodies])

    def wait(self, condition: Any, seconds: float = 30.0) -> Any:
        return wait_until(condition, self.host, self.bus, self.azurite, seconds=seconds)


def bus_config(folder: Path) -> Path:
    queues = [
        {
            "Name": name,
            "Properties": {
                "LockDuration": lock,
                "MaxDeliveryCount": deliveries,
                "RequiresDuplicateDetection": False,
                "RequiresSession": False,
                "DefaultMessageTimeToLive": "PT1H",
            },
        }
        for name, (lock, deliveries) in QUEUES.items()
    ]
    path = folder / "queues.json"
    path.write_text(json.dumps({"UserConfig": {"Namespaces": [{"Name": "sbemulatorns", "Queues": queues}]}}))
    return path


def app_environment(azurite: Azurite, bus: Bus, events: Path) -> dict[str, str]:
    return {
        "BillingStorage": azurite.connection_string,
        "BillingServiceBus": bus.connection_string,
        "EVENTS": str(events),
        "YEARLY": "0 0 0 1 1 *",
        "LOCALHOST_MAX_BODY_BYTES": "100000",
        "LOCALHOST_BLOB_POLL_SECONDS": "0.2",
        "LOCALHOST_DRAIN_SECONDS": "5",
    }


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("host")
    events = folder / "events.jsonl"
    with Azurite(folder / "azurite") as azurite, Bus(folder / "bus", config=bus_config(folder)) as bus:
        host = Host(APP, folder / "state", app_environment(azurite, bus, events))
        with host:
            staged = Stage(azurite, bus, host, events)
            staged.wait(lambda: all(host.status()["queuesConnected"].values()))
            yield staged


# HTTP


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
    said = [r for r in stage.host.records() if r.get("logger") == "app"]
    assert answer["invocation"] in {r["invocationId"] for r in said}


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
    ("/api/guarded", "function", "header", 200),
    ("/api/guarded", "function", "query", 200),
    ("/api/guarded", "master", "query", 200),
    ("/api/guarded/admin", None, "header", 401),
    ("/api/guarded/admin", "function", "header", 401),
    ("/api/guarded/admin", "master", "header", 200),
    ("/admin/host/status", None, "header", 401),
    ("/admin/host/status", "function", "header", 401),
    ("/admin/functions", "function", "query", 401),
    ("/admin/functions", "master", "header", 200),
]


@pytest.mark.parametrize(("path", "which", "how", "status"), KEYS)
def test_keys_open_their_level_only(stage: Stage, path: str, which: str | None, how: str, status: int) -> None:
    named = {"function": stage.host.function_key, "master": stage.host.master_key}
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


def test_the_timeout_ends_the_waiting_and_a_lock_is_renewed_until_then(stage: Stage) -> None:
    """Locks of 3 s, a message of 4.2 s, a timeout of 5 s: one wait shows all."""
    stage.send("work", {"id": "longer than its lock", "seconds": 4.2})
    with ThreadPoolExecutor() as pool:
        calls = [
            pool.submit(stage.host.request, "GET", path, headers={"x-functions-key": stage.host.function_key})
            for path in ("/api/slow?seconds=30", "/api/stubborn")
        ]
        assert [call.result().status_code for call in calls] == [500, 500]
    for name in ("slow", "stubborn"):
        assert "timeout: not finished after 5 s" in stage.host.invocations(name, "failed")[-1]["exception"]
    stage.wait(lambda: "longer than its lock" in stage.ids("work done"))
    assert stage.ids("work started").count("longer than its lock") == 1


def test_the_keys_and_the_announcement_are_for_the_owner_only(stage: Stage) -> None:
    for name in ("keys.json", "host.json"):
        assert stat.S_IMODE((stage.host.folder / name).stat().st_mode) == 0o600


# Admin and timers


def test_the_status_lists_all_functions_with_triggers(stage: Stage) -> None:
    status = stage.host.status()
    listed = {f["name"]: (f["trigger"], f["source"]) for f in status["functions"]}
    assert status["state"] == "Running"
    assert listed["every_two_seconds"] == ("timer", "*/2 * * * * *")
    assert listed["work"] == ("serviceBus", "work")
    assert listed["dropped"] == ("blob", "drops/{name}")
    assert listed["echo"] == ("http", "GET,POST echo/{name}/{*rest}")


def test_timers_run_each_occurrence_once_and_those_on_startup_at_the_start(stage: Stage) -> None:
    stage.wait(lambda: len(stage.events("tick")) >= 2)
    occurrences = [tick["next"] for tick in stage.events("tick") if not tick["past_due"]]
    assert len(occurrences) == len(set(occurrences))
    assert len(stage.events("startup")) >= 1


def test_triggers_are_fired_by_hand_and_a_retry_policy_holds(stage: Stage) -> None:
    stage.host.fire("FAILING_timer")
    stage.wait(lambda: len(stage.events("failing timer")) == 3)
    assert [note["retry"] for note in stage.events("failing timer")] == [0, 1, 2]
    stage.host.fire("work", {"id": "by hand"})
    stage.wait(lambda: "by hand" in stage.ids("work done"))


HAND = [
    # path, body, status
    ("/admin/functions/unknown", b"{}", 404),
    ("/admin/functions/echo", b"{}", 400),
    ("/admin/functions/every_two_seconds", b"{no json", 400),
    ("/admin/functions/every_two_seconds", b"[]", 400),
    ("/admin/functions/dropped", b'{"input":"other/name"}', 400),
]


@pytest.mark.parametrize(("path", "body", "status"), HAND)
def test_firing_by_hand_refuses_what_it_cannot_fire(stage: Stage, path: str, body: bytes, status: int) -> None:
    key = {"x-functions-key": stage.host.master_key}
    assert stage.host.request("POST", path, content=body, headers=key).status_code == status


# Blobs


def test_a_new_blob_runs_once_at_any_depth_and_again_when_it_changes(stage: Stage) -> None:
    stage.upload("drops", "2026/10/revenue.csv")
    stage.wait(lambda: stage.names("blob done").count("2026/10/revenue.csv") == 1)
    stage.upload("drops", "later.csv")
    stage.wait(lambda: "later.csv" in stage.names("blob done"))
    assert stage.names("blob started").count("2026/10/revenue.csv") == 1
    stage.upload("drops", "2026/10/revenue.csv", b"changed")
    stage.wait(lambda: stage.names("blob done").count("2026/10/revenue.csv") == 2)
    assert stage.events("blob started")[-1]["size"] == len(b"changed")


def test_a_blob_that_fails_five_times_is_poison_until_it_changes(stage: Stage) -> None:
    def poison() -> list[str]:
        return [blob["name"] for blob in stage.host.status()["poisonBlobs"]]

    stage.upload("bad-drops", "daily/x.csv")
    stage.upload("bad-drops", "x.txt")
    stage.wait(lambda: poison() == ["daily/x.csv"])
    assert stage.names("bad blob") == ["daily/x.csv"] * 5
    assert any("webjobs-blobtrigger-poison" in record["message"] for record in stage.host.records())
    stage.upload("bad-drops", "daily/x.csv", b"repaired")
    stage.wait(lambda: len(stage.names("bad blob")) == 10 and poison())


# Service Bus


def test_a_message_arrives_with_its_properties_and_is_completed(stage: Stage) -> None:
    stage.send(
        "work", {"id": "whole"}, message_id="m-1", correlation_id="c-1", application_properties={"run": "r", "n": 3}
    )
    stage.wait(lambda: "whole" in stage.ids("work done"))
    note = next(n for n in stage.events("work done") if n["id"] == "whole")
    assert (note["message_id"], note["correlation_id"], note["delivery"]) == ("m-1", "c-1", 1)
    assert note["properties"] == {"run": "r", "n": 3}
    assert note["has_lock"]
    assert note["enqueued"].startswith("20")
    line = stage.wait(lambda: [r for r in stage.host.invocations("work") if r.get("messageId") == "m-1"])[0]
    assert (line["deliveryCount"], line["correlationId"], line["outcome"]) == (1, "c-1", "succeeded")


def test_a_failure_is_delivered_again_and_a_hopeless_one_goes_to_the_dead_letters(stage: Stage) -> None:
    stage.send("work", {"id": "twice", "fail": 1}, {"id": "hopeless", "fail": 99})
    stage.wait(lambda: "twice" in stage.ids("work done") and stage.ids("work started").count("hopeless") == 3)
    deliveries = [n["delivery"] for n in stage.events("work started") if n["id"] == "hopeless"]
    assert deliveries == [1, 2, 3]
    with (
        ServiceBusClient.from_connection_string(stage.bus.connection_string) as client,
        client.get_queue_receiver("work", sub_queue=ServiceBusSubQueue.DEAD_LETTER) as receiver,
    ):
        dead = receiver.receive_messages(max_message_count=1, max_wait_time=10)
        assert [json.loads(str(message))["id"] for message in dead] == ["hopeless"]
        assert dead[0].dead_letter_reason == "MaxDeliveryCountExceeded"
        receiver.complete_message(dead[0])


def test_a_burst_is_taken_once_each_by_sync_and_async_functions(stage: Stage) -> None:
    burst = [f"burst-{n}" for n in range(60)]
    stage.send("work", *({"id": name} for name in burst))
    stage.send("sync-work", *({"id": name} for name in burst))
    stage.wait(lambda: set(burst) <= set(stage.ids("work done")) and set(burst) <= set(stage.ids("sync work done")))
    for kind in ("work done", "sync work done"):
        assert sorted(i for i in stage.ids(kind) if i.startswith("burst-")) == sorted(burst)


# Restarts and kills


def test_what_a_kill_cut_off_runs_again_and_what_was_done_does_not(stage: Stage) -> None:
    stage.upload("drops", "before.csv")
    stage.wait(lambda: "before.csv" in stage.names("blob done"))
    stage.upload("drops", "slow-1.csv")
    stage.send("work", {"id": "cut off", "seconds": 1.0})
    stage.wait(lambda: "slow-1.csv" in stage.names("blob started") and "cut off" in stage.ids("work started"))
    startups = len(stage.events("startup"))
    stage.host.kill9()
    assert "slow-1.csv" not in stage.names("blob done")
    assert "cut off" not in stage.ids("work done")

    keys = (stage.host.folder / "keys.json").read_text()
    stage.host.start()
    stage.wait(lambda: "slow-1.csv" in stage.names("blob done") and "cut off" in stage.ids("work done"))
    assert stage.names("blob started").count("before.csv") == 1
    assert stage.names("bad blob").count("daily/x.csv") == 10
    assert stage.wait(lambda: len(stage.events("startup")) == startups + 1)
    assert (stage.host.folder / "keys.json").read_text() == keys


def test_sigterm_lets_running_invocations_end_and_settles_them(stage: Stage) -> None:
    stage.send("work", {"id": "draining", "seconds": 1.0})
    stage.upload("drops", "slow-draining.csv")
    pool = ThreadPoolExecutor(1)
    before = len(stage.events("slow started"))
    key = stage.host.function_key
    request = pool.submit(stage.host.request, "GET", "/api/slow?seconds=1", headers={"x-functions-key": key})
    stage.wait(lambda: len(stage.events("slow started")) > before and "draining" in stage.ids("work started"))
    stage.wait(lambda: "slow-draining.csv" in stage.names("blob started"))
    assert stage.host.stop() == 0
    assert request.result().text == "done"
    pool.shutdown()
    assert "draining" in stage.ids("work done")
    assert "slow-draining.csv" in stage.names("blob done")
    assert not (stage.host.folder / "host.json").exists()

    stage.host.start()
    stage.send("work", {"id": "after drain"})
    stage.wait(lambda: "after drain" in stage.ids("work done"))
    assert stage.ids("work started").count("draining") == 1
    assert stage.names("blob started").count("slow-draining.csv") == 1


def test_a_bus_and_storage_that_go_away_are_found_again(stage: Stage) -> None:
    stage.bus.kill9()
    stage.azurite.kill9()
    stage.wait(lambda: not all(stage.host.status()["queuesConnected"].values()))
    assert stage.host.request("GET", "/api/echo/fixed").status_code == 200
    stage.bus.start()
    stage.azurite.start()
    stage.send("work", {"id": "after the bus came back"})
    stage.upload("drops", "after-storage.csv")
    stage.wait(lambda: "after the bus came back" in stage.ids("work done"))
    stage.wait(lambda: "after-storage.csv" in stage.names("blob done"))


def test_a_second_host_on_the_same_state_is_refused(stage: Stage) -> None:
    second = Host(APP, stage.host.folder, stage.host.environment)
    second.log = stage.host.folder / "second.out"
    assert exit_code(second) == 1
    assert "another host uses the state folder" in second.tail()


def test_scaled_out_instances_share_the_queue_are_restarted_and_end_with_their_host(stage: Stage) -> None:
    stage.host.stop()
    host = Host(APP, stage.host.folder, stage.host.environment, scale_out=2, port=stage.host.port)
    host.start()

    def instances() -> set[int]:
        return set(host.status()["instances"])

    def ended(seen: int) -> set[str]:
        return {record["instance"] for record in host.records()[seen:] if record["message"] == "stopped"}

    def working() -> set[int]:
        batch = [{"id": f"scaled-{n}", "seconds": 0.1} for n in range(16)]
        stage.send("work", *batch)
        stage.wait(lambda: {b["id"] for b in batch} <= set(stage.ids("work done")))
        return {note["pid"] for note in stage.events("work done") if note["id"].startswith("scaled-")}

    stage.wait(lambda: len(instances()) == 2)
    first = instances()
    os.kill(min(first), signal.SIGKILL)
    stage.wait(lambda: instances() != first)
    for end in (host.kill9, host.stop):
        stage.wait(lambda: len(instances()) == 2 and instances() <= working())
        before = len(host.records())
        end()
        stage.wait(lambda seen=before: {"instance-1", "instance-2"} <= ended(seen))
        if end == host.kill9:
            host.start()
    stage.host.start()


# Apps that cannot run


def exit_code(host: Host) -> int:
    """The exit code of a host that is expected to end by itself."""
    try:
        return host.launch().wait(30)
    finally:
        host.kill9()


BROKEN = [
    ("import_error", ["No module named 'a_module_that_does_not_exist'", "function_app.py"]),
    ("duplicate_names", ["same_name", "unique"]),
    ("no_functions", ["no functions were found"]),
    (
        "unknown_binding",
        ["storage_queue: the trigger queueTrigger is not offered", "typed: route 'typed/{number:int}'"],
    ),
    ("ambiguous_routes", ["first and second both serve"]),
    ("bad_schedule", ["five_fields", "a schedule has six"]),
    ("not_there", ["does not exist"]),
]


@pytest.mark.parametrize(("app", "texts"), BROKEN)
def test_an_app_that_cannot_be_indexed_ends_the_host_with_the_reason(
    app: str, texts: list[str], tmp_path: Path
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "localhost.host", "--app", FIXTURES / "broken_apps" / app, "--state", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    for text in texts:
        assert text in ended.stderr
    assert not (tmp_path / "host.json").exists()


def test_settings_that_cannot_be_used_end_the_host_with_the_reason(stage: Stage, tmp_path: Path) -> None:
    cases: list[tuple[str, str, dict[str, str], list[str]]] = [
        # host.json, local.settings.json, environment, texts
        ("{", "{}", {}, ["host.json cannot be read"]),
        ('{"functionTimeout": "soon"}', "{}", {}, ["'soon' is not a time span"]),
        ('{"extensions": {"serviceBus": {"maxConcurrentCalls": 0}}}', "{}", {}, ["maxConcurrentCalls", "at least 1"]),
        ("{}", '{"IsEncrypted": true}', {}, ["encrypted"]),
        ("{}", "{}", {"LOCALHOST_MAX_BODY_BYTES": "many"}, ["LOCALHOST_MAX_BODY_BYTES must be a number"]),
        ("{}", "{}", {"BillingStorage": ""}, ["dropped: the connection setting BillingStorage is not set"]),
    ]
    hosts = []
    for number, (host_json, local_settings, environment, _) in enumerate(cases):
        app = tmp_path / f"app-{number}"
        app.mkdir()
        (app / "function_app.py").write_text((APP / "function_app.py").read_text())
        (app / "host.json").write_text(host_json)
        (app / "local.settings.json").write_text(local_settings)
        hosts.append(Host(app, tmp_path / f"state-{number}", {**stage.host.environment, **environment}))
    taken = Host(APP, tmp_path / "taken", stage.host.environment, port=stage.host.port)
    with ThreadPoolExecutor() as pool:
        assert set(pool.map(exit_code, [*hosts, taken])) == {1}
    for host, (_, _, _, texts) in zip(hosts, cases, strict=True):
        for text in texts:
            assert text in host.tail()
    assert f"port {stage.host.port} cannot be used" in taken.tail()


def test_local_settings_fill_the_environment_but_never_override_it(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(
        "import os\n\nimport azure.functions as func\n\napp = func.FunctionApp(func.AuthLevel.ANONYMOUS)\n\n\n"
        "@app.route('settings')\n"
        "def settings(req: func.HttpRequest) -> str:\n"
        "    return os.environ['ONLY_IN_FILE'] + ' ' + os.environ['IN_BOTH']\n"
    )
    (tmp_path / "host.json").write_text('{"extensions": {"http": {"routePrefix": ""}}}')
    values = {"ONLY_IN_FILE": "file", "IN_BOTH": "file"}
    (tmp_path / "local.settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    with Host(tmp_path, tmp_path / "state", {"IN_BOTH": "environment"}) as host:
        assert host.request("GET", "/settings").text == "file environment"
