"""The local Functions host, its life: kills, drain, time-outs that recycle it, scaled-out instances, broken apps."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest

from localhost.host.faults import inject
from localhost.processes import ROOT, Host
from tests.flows.host_stage import (
    APP,
    FIXTURES,
    Stage,
    app_environment,
    exit_code,
    host_json,
    most_at_once,
    running_stage,
)

pytestmark = pytest.mark.flow
CALLS = 3


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    settings = host_json(functionTimeout="00:00:02") | {"LOCALHOST_RECYCLE_SECONDS": "1"}
    with running_stage(tmp_path_factory.mktemp("host"), **settings) as staged:
        yield staged


# The function timeout


def test_an_invocation_over_time_fails_its_message_comes_again_and_the_host_goes_on(stage: Stage) -> None:
    boot = stage.call("/api/boot").text
    stage.send("work", {"id": "over time", "first": 60})
    answer = stage.call("/api/slow?seconds=60")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "FUNCTION_FAILED")
    stage.wait(lambda: "over time" in stage.ids("work done"))
    assert [n["delivery"] for n in stage.events("work started", id="over time")] == [1, 2]
    for name in ("slow", "work"):
        assert "timeout: not finished after 2 s" in stage.host.invocations(name, "failed")[-1]["exception"]
    assert stage.call("/api/boot").text == boot  # both let themselves be cancelled


@pytest.mark.parametrize("route", ["blocked", "stubborn"])
def test_what_does_not_end_after_its_timeout_makes_the_worker_start_anew(stage: Stage, route: str) -> None:
    """Other work of the process is cut off with it and comes again, as when the platform recycles a worker."""
    boot, pid = stage.call("/api/boot").text, stage.host.status()["pid"]
    bystander = f"bystander of {route}"
    inject(stage.host.folder, "delay", where={"messageId": bystander}, seconds=600)
    stage.send("work", {"id": bystander}, message_id=bystander)
    key = stage.host.function_key
    assert stage.host.request("GET", f"/api/{route}", headers={"x-functions-key": key}).status_code == 500

    def another_boot() -> bool:
        try:
            return stage.host.is_ready() and stage.host.request("GET", "/api/boot").text != boot
        except httpx.TransportError:  # between the old one and the new one
            return False

    stage.wait(another_boot)
    assert stage.host.status()["pid"] == pid
    assert stage.lines(f"{route} does not end after its timeout")
    stage.wait(lambda: bystander in stage.ids("work done"))
    assert [n["delivery"] for n in stage.events("work started", id=bystander)] == [2]


def test_a_host_that_is_told_to_stop_does_not_start_anew(stage: Stage) -> None:
    """The drain waits for a delayed message; meanwhile it turns out that a function does not end."""
    delay = inject(stage.host.folder, "delay", where={"messageId": "holds the drain"}, seconds=600)
    stage.send("work", {"id": "holds the drain"}, message_id="holds the drain")
    stage.wait(lambda: delay.taken)
    recycled = len(stage.lines("blocked does not end after its timeout"))
    assert stage.call("/api/blocked").status_code == 500
    assert stage.host.stop() == 0
    assert len(stage.lines("blocked does not end after its timeout")) == recycled + 1
    assert not stage.host.is_ready()
    stage.host.start()
    stage.wait(lambda: "holds the drain" in stage.ids("work done"))


def test_a_scaled_out_instance_starts_anew_in_its_place(stage: Stage) -> None:
    """The instance alone, as its host starts it: it ends when the pipe to its host closes."""
    stage.host.stop()
    where = ["--app", str(APP), "--state", str(stage.host.folder), "--instance", "1"]
    command = [sys.executable, "-m", "localhost.host", *where]
    environment = os.environ | stage.host.environment
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE) as instance:
        stage.send("sync-work", {"id": "holds its thread", "first": 3600})
        stage.wait(lambda: stage.lines("sync_work does not end after its timeout"))
        stage.wait(lambda: stage.lines("queue sync-work: receiving")[-1]["time"] > stage.lines("stopping")[-1]["time"])
        stage.send("sync-work", {"id": "after the new start"})
        stage.wait(lambda: stage.events("sync work done", id="after the new start"))
        (first,) = stage.events("sync work done", id="holds its thread")
        (later,) = stage.events("sync work done", id="after the new start")
        assert (first["delivery"], later["delivery"]) == (2, 1)
        assert first["pid"] == later["pid"] == instance.pid
        assert instance.stdin is not None
        instance.stdin.close()
        assert instance.wait(20) == 0
    stage.host.start()


# Kills and drain


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


def test_sigterm_takes_nothing_new_and_cuts_off_what_outlasts_the_grace(stage: Stage) -> None:
    """The request fails, the message comes again; one that is sent meanwhile waits for the next host."""
    changed = {"LOCALHOST_DRAIN_SECONDS": "1", **host_json(functionTimeout="00:10:00")}
    before = dict(stage.host.environment)
    stage.host.stop()
    stage.host.environment.update(changed)
    stage.host.start()
    old = stage.host.pid
    stage.send("work", {"id": "outlasting", "first": 600})
    started = len(stage.events("slow started"))
    pool = ThreadPoolExecutor(1)
    request = pool.submit(stage.call, "/api/slow?seconds=600")
    stage.wait(lambda: "outlasting" in stage.ids("work started") and len(stage.events("slow started")) > started)
    assert stage.host.process is not None
    stage.host.process.send_signal(signal.SIGTERM)
    stage.wait(lambda: stage.lines("stopping"))
    stage.send("work", {"id": "sent during the drain"})
    stage.wait(lambda: not stage.host.alive)
    assert request.result().json()["error"]["code"] == "FUNCTION_FAILED"
    pool.shutdown()
    assert stage.host.stop() == 0
    assert stage.lines("did not end in time")
    assert "outlasting" not in stage.ids("work done")

    stage.host.environment.clear()
    stage.host.environment.update(before)
    stage.host.start()
    stage.wait(lambda: {"outlasting", "sent during the drain"} <= set(stage.ids("work done")))
    assert [n["delivery"] for n in stage.events("work started", id="outlasting")] == [1, 2]
    assert old not in [n["pid"] for n in stage.events("work started", id="sent during the drain")]


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


@pytest.fixture
def scaled(stage: Stage) -> Iterator[Host]:
    """The host with two further instances, in the place of the one without."""
    stage.host.stop()
    limited = stage.host.environment | host_json(serviceBus__maxConcurrentCalls=CALLS)
    with Host(APP, stage.host.folder, limited, scale_out=2, port=stage.host.port) as host:
        yield host
    stage.host.start()


def test_scaled_out_instances_share_the_queue_are_restarted_and_end_with_their_host(stage: Stage, scaled: Host) -> None:
    host = scaled

    def instances() -> set[int]:
        return set(host.status()["instances"])

    def all_ended(seen: int) -> bool:
        ended = {record["instance"] for record in host.records()[seen:] if record["message"] == "stopped"}
        return {"instance-1", "instance-2"} <= ended

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
        stage.wait(partial(all_ended, before))
        if end == host.kill9:
            host.start()
    notes = [note for note in stage.all_events() if str(note.get("id")).startswith("scaled-")]
    for pid in {note["pid"] for note in notes}:
        of_instance = [note for note in notes if note["pid"] == pid]
        assert most_at_once(of_instance, "work started", "work done") <= CALLS


# Apps that cannot run


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
        ("{}", "{}", {"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "many"}, ["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT must be"]),
        ("{}", "{}", {"WEBSITE_TIME_ZONE": "Europe/Rome"}, ["WEBSITE_TIME_ZONE", "schedules are in UTC"]),
        ('{"extensions": {"serviceBus": {"autoCompleteMessages": false}}}', "{}", {}, ["autoCompleteMessages"]),
        ("{}", "{}", {"BillingStorage": ""}, ["dropped: the connection setting BillingStorage is not set"]),
    ]
    hosts = []
    plain = app_environment(stage.azurite, stage.bus, stage.events_file)
    for number, (host_text, local_settings, environment, _) in enumerate(cases):
        app = tmp_path / f"app-{number}"
        app.mkdir()
        (app / "function_app.py").write_text((APP / "function_app.py").read_text())
        (app / "host.json").write_text(host_text)
        (app / "local.settings.json").write_text(local_settings)
        hosts.append(Host(app, tmp_path / f"state-{number}", {**plain, **environment}))
    taken = Host(APP, tmp_path / "taken", plain, port=stage.host.port)
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
