"""The local Functions host on a bad day: each fault that a test may ask for, on real parts."""

import json
from collections.abc import Iterator, Mapping

import pytest

from localhost.bus.faults import inject as inject_bus
from localhost.host.faults import Fault, Kind, inject
from tests.flows.host_stage import Stage, host_json, running_stage

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running_stage(tmp_path_factory.mktemp("host"), **host_json(functionTimeout="00:00:30")) as staged:
        yield staged


def story(stage: Stage, name: str) -> list[tuple[str, int]]:
    """What the app noted of a message, in order: start or end, and which delivery."""
    return [(n["kind"].removeprefix("work "), n["delivery"]) for n in stage.all_events() if n.get("id") == name]


STORIES: dict[Kind, list[tuple[str, int]]] = {
    # fault: what the app sees of the message
    "fail-before": [("started", 2), ("done", 2)],
    "fail-after": [("started", 1), ("done", 1), ("started", 2), ("done", 2)],
    "twice": [("started", 1), ("done", 1), ("started", 1), ("done", 1)],
    "twice-at-once": [("started", 1), ("started", 1), ("done", 1), ("done", 1)],
    "lose-lock": [("done", 1), ("done", 2), ("started", 1), ("started", 2)],  # side by side, and so in any order
}


@pytest.fixture(scope="module")
def played(stage: Stage) -> Mapping[Kind, Fault]:
    """One message for each fault, all of them ended."""
    faults = {kind: inject(stage.host.folder, kind, function="work", where={"messageId": kind}) for kind in STORIES}
    for kind in STORIES:
        stage.send("work", {"id": kind, "seconds": 0.4}, message_id=kind)
    stage.wait(lambda: all(len(story(stage, kind)) == len(expected) for kind, expected in STORIES.items()))
    stage.wait(lambda: not stage.left("work"))
    return faults


@pytest.mark.parametrize("kind", STORIES)
def test_what_a_fault_does_to_a_message(stage: Stage, played: Mapping[Kind, Fault], kind: Kind) -> None:
    told = story(stage, kind)
    assert (sorted(told) if kind == "lose-lock" else told) == STORIES[kind]
    assert played[kind].taken == 1


def test_a_lost_lock_lets_two_runs_meet_and_refuses_the_first_one(stage: Stage, played: Mapping[Kind, Fault]) -> None:
    assert [kind for kind, _ in story(stage, "lose-lock")[:2]] == ["started", "started"]
    assert stage.lines("the lock of message lose-lock was lost")


def test_a_dropped_connection_leaves_its_message_unsettled(stage: Stage) -> None:
    inject(stage.host.folder, "drop-connection", where={"messageId": "dropped"})
    stage.send("work", {"id": "dropped", "seconds": 0.4}, message_id="dropped")
    stage.wait(lambda: len(story(stage, "dropped")) == 4)
    assert story(stage, "dropped") == [("started", 1), ("done", 1), ("started", 2), ("done", 2)]
    assert stage.lines("the connection of message dropped is gone")
    stage.wait(lambda: not stage.left("work"))


def test_a_delayed_message_is_late_and_locked_and_others_pass_it(stage: Stage) -> None:
    delay = inject(stage.host.folder, "delay", where={"messageId": "delayed"}, seconds=4)
    stage.send("work", {"id": "delayed"}, message_id="delayed")
    stage.wait(lambda: delay.taken)
    stage.send("work", {"id": "passing"})
    stage.wait(lambda: "delayed" in stage.ids("work done"))
    ids = stage.ids("work done")
    assert ids.index("passing") < ids.index("delayed")
    assert story(stage, "delayed") == [("started", 1), ("done", 1)]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("die-before", [("started", 2), ("done", 2)]),
        ("die-after", [("started", 1), ("done", 1), ("started", 2), ("done", 2)]),
    ],
)
def test_a_host_that_dies_around_a_function_leaves_its_message(
    stage: Stage, kind: Kind, expected: list[tuple[str, int]]
) -> None:
    inject(stage.host.folder, kind, where={"messageId": kind})
    stage.send("work", {"id": kind}, message_id=kind)
    stage.wait(lambda: not stage.host.alive)
    stage.host.start()
    stage.wait(lambda: story(stage, kind) == expected)
    stage.wait(lambda: kind not in stage.left("work"))


def test_a_request_that_failed_after_its_effect_looks_like_any_failure(stage: Stage) -> None:
    """The reason for idempotency keys: the caller cannot tell whether the effect is there."""
    inject(stage.host.folder, "fail-after", function="slow", where={"path": "/api/slow"})
    before = len(stage.events("slow ended"))
    answer = stage.call("/api/slow?seconds=0")
    assert (answer.status_code, answer.json()["error"]["retryable"]) == (500, True)
    assert len(stage.events("slow ended")) == before + 1


def test_a_fault_that_cannot_be_read_fails_what_runs_and_is_named(stage: Stage) -> None:
    folder = stage.host.folder / "faults"
    folder.mkdir(exist_ok=True)
    broken = folder / "broken.json"
    broken.write_text(json.dumps({"do": "explode"}))
    assert stage.call("/api/slow?seconds=0").status_code == 500
    assert "asks for 'explode'" in stage.host.invocations("slow", "failed")[-1]["exception"]
    broken.unlink()
    assert stage.call("/api/slow?seconds=0").text == "done"


# Faults of the bus, as the host meets them


def test_a_lock_that_the_bus_takes_away_brings_the_message_again(stage: Stage) -> None:
    stage.send("work", {"id": "robbed", "first": 1.5}, message_id="robbed")
    stage.wait(lambda: "robbed" in stage.ids("work started"))
    assert inject_bus(stage.bus.folder, "lose-locks", queue="work") == 1
    stage.wait(lambda: len(story(stage, "robbed")) == 4)
    assert sorted(story(stage, "robbed")) == [("done", 1), ("done", 2), ("started", 1), ("started", 2)]
    stage.wait(lambda: not stage.left("work"))


def test_connections_that_break_off_are_made_anew_and_nothing_is_lost(stage: Stage) -> None:
    stage.send("work", {"id": "interrupted", "first": 1}, message_id="interrupted")
    stage.wait(lambda: "interrupted" in stage.ids("work started"))
    assert inject_bus(stage.bus.folder, "drop-connections") > 0
    stage.wait(lambda: len(story(stage, "interrupted")) == 4)
    stage.wait_until_connected()
    stage.wait(lambda: not stage.left("work"))
    assert story(stage, "interrupted") == [("started", 1), ("done", 1), ("started", 2), ("done", 2)]
    assert stage.lines("the connection of message interrupted is gone")
