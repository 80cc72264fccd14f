"""The local Functions host, timers and blobs: past due, double ticks, retries, receipts, the poison queue."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from localhost.host.faults import inject
from localhost.host.state import StateStore, TimerStatus
from tests.flows.host_stage import Stage, running_stage

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running_stage(tmp_path_factory.mktemp("host")) as staged:
        yield staged


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


def test_a_timer_is_fired_by_hand_and_its_retry_policy_counts_in_memory(stage: Stage) -> None:
    stage.host.fire("FAILING_timer")
    stage.wait(lambda: len(stage.events("failing timer")) == 3)
    assert [note["retry"] for note in stage.events("failing timer")] == [0, 1, 2]


def test_a_timer_that_comes_more_often_than_each_minute_has_no_status_by_itself(stage: Stage) -> None:
    stage.wait(lambda: stage.events("unmonitored"))
    assert not any(note["status"] for note in stage.events("unmonitored"))
    assert all(tick["next"] for tick in stage.events("tick"))


def test_an_occurrence_can_run_twice_at_the_same_time(stage: Stage) -> None:
    """What two instances do when the singleton lock is lost: both are inside before one of them ends."""
    fault = inject(stage.host.folder, "twice-at-once", function="monthly")
    stage.host.fire("monthly")
    stage.wait(lambda: len(stage.events("monthly ends")) == 2)
    kinds = [note["kind"] for note in stage.all_events() if note["kind"].startswith("monthly")]
    assert kinds == ["monthly begins", "monthly begins", "monthly ends", "monthly ends"]
    assert fault.taken == 1
    ids = {line["invocationId"] for line in stage.host.invocations("monthly")}
    assert len(ids) == 2


def test_what_a_stopped_host_has_missed_is_past_due_once_at_its_start(stage: Stage) -> None:
    """The timer with a monitor catches up, with one run; the one without has forgotten what it missed."""
    stage.wait(lambda: stage.events("tick"))
    stage.host.stop()
    ticks, others = len(stage.events("tick")), len(stage.events("unmonitored"))
    missed = datetime.fromisoformat(stage.events("tick")[-1]["next"]).timestamp() + 4
    stage.wait(lambda: datetime.now(UTC).timestamp() > missed)
    stage.host.start()
    stage.wait(lambda: len(stage.events("tick")) > ticks + 1 and len(stage.events("unmonitored")) > others)
    new = [tick["past_due"] for tick in stage.events("tick")[ticks:]]
    assert new[0] and not any(new[1:])
    assert not any(note["past_due"] for note in stage.events("unmonitored"))


def test_an_occurrence_whose_host_died_is_past_due_and_runs_again(stage: Stage) -> None:
    """Its effect was there already, only the status was not: a timer's work must bear repetition."""
    inject(stage.host.folder, "die-after", function="every_two_seconds")
    stage.wait(lambda: not stage.host.alive)
    last = stage.events("tick")[-1]
    stage.wait(lambda: datetime.now(UTC) > datetime.fromisoformat(last["next"]))
    seen = len(stage.events("tick"))
    stage.host.start()
    stage.wait(lambda: len(stage.events("tick")) > seen)
    again = stage.events("tick")[seen]
    assert (again["past_due"], again["next"]) == (True, last["next"])


@pytest.mark.parametrize(("schedule", "runs"), [("0 0 0 1 * *", 1), ("0 0 0 2 * *", 0)])
def test_a_schedule_that_was_changed_meanwhile_is_not_past_due(stage: Stage, schedule: str, runs: int) -> None:
    """The stored occurrence is an hour ago; it counts when it belongs to the schedule that holds now."""
    stage.host.stop()
    store = StateStore(stage.host.folder / "host.sqlite")
    now = datetime.now(UTC)
    store.save_timer("monthly", TimerStatus(schedule, None, now - timedelta(hours=1), now - timedelta(days=31)))
    store.close()
    begun, seen = len(stage.events("monthly begins")), len(stage.events("tick"))
    stage.host.start()
    stage.wait(lambda: len(stage.events("tick")) > seen + 1)  # the host has had its time to catch up
    assert [note["past_due"] for note in stage.events("monthly begins")[begun:]] == [True] * runs


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


def poison_messages(stage: Stage) -> list[dict[str, Any]]:
    """What the platform's own tools would read from the poison queue: Base64 of JSON."""
    client = QueueClient.from_connection_string(stage.azurite.connection_string, "webjobs-blobtrigger-poison")
    with client:
        try:
            return [json.loads(base64.b64decode(m.content)) for m in client.peek_messages(max_messages=32)]
        except ResourceNotFoundError:
            return []


def test_a_blob_that_fails_five_times_is_poison_until_it_changes(stage: Stage) -> None:
    def listed() -> list[str]:
        return [blob["name"] for blob in stage.host.status()["poisonBlobs"]]

    stage.upload("bad-drops", "daily/x.csv")
    stage.upload("bad-drops", "x.txt")
    stage.wait(lambda: listed() == ["daily/x.csv"])
    assert stage.names("bad blob") == ["daily/x.csv"] * 5
    (message,) = poison_messages(stage)
    (blob,) = stage.host.status()["poisonBlobs"]
    assert message == {
        "Type": "BlobTrigger",
        "FunctionId": "Host.Functions.bad_drop",
        "BlobType": "BlockBlob",
        "ContainerName": "bad-drops",
        "BlobName": "daily/x.csv",
        "ETag": blob["etag"],
    }
    stage.upload("bad-drops", "daily/x.csv", b"repaired")
    stage.wait(lambda: len(poison_messages(stage)) == 2)
    assert stage.names("bad blob") == ["daily/x.csv"] * 10


def test_tries_that_a_kill_cut_off_count_towards_poison(stage: Stage) -> None:
    stage.host.stop()
    fault = inject(stage.host.folder, "die-before", where={"blob": "drops/deadly.csv"}, times=5)
    stage.upload("drops", "deadly.csv")
    for deaths in range(1, 6):
        stage.host.launch().wait(30)
        assert fault.taken == deaths
    stage.host.start()
    stage.wait(lambda: "deadly.csv" in [m["BlobName"] for m in poison_messages(stage)])
    assert "deadly.csv" not in stage.names("blob started")
