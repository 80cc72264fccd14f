"""The local Functions host, Service Bus: delivery, locks, concurrency, dead letters, sessions."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.flows.host_stage import Stage, host_json, most_at_once, running_stage

pytestmark = pytest.mark.flow
CALLS, SESSIONS = 4, 2


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    settings = host_json(
        serviceBus__maxConcurrentCalls=CALLS,
        serviceBus__maxConcurrentSessions=SESSIONS,
        serviceBus__sessionIdleTimeout="00:00:01",
        serviceBus__maxAutoLockRenewalDuration="00:00:03",
        functionTimeout="00:00:30",
    )
    with running_stage(tmp_path_factory.mktemp("host"), **settings) as staged:
        yield staged


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
    (said,) = stage.lines("working on whole")
    assert (said["invocationId"], said["correlationId"]) == (line["invocationId"], "c-1")


def test_a_failure_is_delivered_again_and_a_hopeless_one_goes_to_the_dead_letters(stage: Stage) -> None:
    stage.send("work", {"id": "twice", "fail": 1}, {"id": "hopeless", "fail": 99})
    stage.wait(lambda: "twice" in stage.ids("work done") and stage.left("work", dead=True) == ["hopeless"])
    assert [n["delivery"] for n in stage.events("work started", id="hopeless")] == [1, 2, 3]
    assert [n["delivery"] for n in stage.events("work started", id="twice")] == [1, 2]


def test_a_retry_policy_has_no_effect_and_the_dead_letters_have_their_own_trigger(stage: Stage) -> None:
    """The policy would try five times within a delivery; the queue allows two deliveries, and then buries."""
    stage.send("retried", {"id": "r-1"})
    stage.wait(lambda: "r-1" in stage.ids("buried"))
    assert [(n["delivery"], n["retry"]) for n in stage.events("retried")] == [(1, 0), (2, 0)]
    assert stage.events("buried")[0]["reason"] == "MaxDeliveryCountExceeded"
    stage.wait(lambda: not stage.left("retried", dead=True))


def test_a_burst_is_taken_once_each_by_sync_and_async_functions(stage: Stage) -> None:
    burst = [f"burst-{n}" for n in range(60)]
    stage.send("work", *({"id": name} for name in burst))
    stage.send("sync-work", *({"id": name} for name in burst))
    stage.wait(lambda: set(burst) <= set(stage.ids("work done")) and set(burst) <= set(stage.ids("sync work done")))
    for kind in ("work done", "sync work done"):
        assert sorted(i for i in stage.ids(kind) if i.startswith("burst-")) == sorted(burst)


def test_a_message_fired_by_hand_needs_no_bus(stage: Stage) -> None:
    stage.host.fire("work", {"id": "by hand"})
    stage.wait(lambda: "by hand" in stage.ids("work done"))


# Locks and concurrency


def test_never_more_messages_are_worked_on_than_the_setting_allows(stage: Stage) -> None:
    seen = len(stage.all_events())
    ids = [f"crowd-{n}" for n in range(3 * CALLS)]
    stage.send("work", *({"id": name, "seconds": 0.3} for name in ids))
    stage.wait(lambda: set(ids) <= set(stage.ids("work done")))
    assert most_at_once(stage.all_events()[seen:], "work started", "work done") == CALLS


def test_a_lock_is_renewed_while_the_function_runs(stage: Stage) -> None:
    """A lock of 3 s, a message of 3.8 s, renewal for 3 s."""
    stage.send("work", {"id": "longer than its lock", "seconds": 3.8})
    stage.wait(lambda: "longer than its lock" in stage.ids("work done"))
    stage.wait(lambda: "longer than its lock" not in stage.left("work"))
    assert len(stage.events("work started", id="longer than its lock")) == 1


def test_a_lock_ends_after_the_longest_renewal_and_the_late_run_is_not_settled(stage: Stage) -> None:
    """Renewed for 3 s, so lost after at most 6 s: the message comes again while its first run still goes on."""
    stage.send("work", {"id": "too long", "first": 8}, message_id="too-long")
    stage.wait(lambda: len(stage.events("work done", id="too long")) == 2)
    notes = [n for n in stage.all_events() if n.get("id") == "too long"]
    assert [(n["kind"], n["delivery"]) for n in notes] == [
        ("work started", 1),
        ("work started", 2),
        ("work done", 2),
        ("work done", 1),
    ]
    assert stage.wait(lambda: stage.lines("the lock of message too-long was lost"))
    assert "too long" not in stage.left("work")


# Sessions


def session(name: str, count: int, **values: Any) -> list[dict[str, Any]]:
    return [{"id": f"{name}-{n}", **values} for n in range(count)]


def test_messages_of_a_session_come_in_order_and_some_sessions_at_a_time(stage: Stage) -> None:
    seen = len(stage.all_events())
    names = ["a", "b", "c", "d"]
    for name in names:
        stage.send("ordered", *session(name, 5, seconds=0.3), session_id=name)
    expected = {name: [m["id"] for m in session(name, 5)] for name in names}
    stage.wait(lambda: len([n for n in stage.events("ordered done") if n["session"] in names]) == 20)
    new = stage.all_events()[seen:]
    for name in names:
        of_session = [n for n in new if n.get("session") == name]
        assert [n["id"] for n in of_session if n["kind"] == "ordered done"] == expected[name]
        assert most_at_once(of_session, "ordered started", "ordered done") == 1
    assert most_at_once(new, "ordered started", "ordered done") == SESSIONS


def test_a_failed_message_of_a_session_comes_again_before_its_successors(stage: Stage) -> None:
    stage.send("ordered", {"id": "first", "fail": 1}, {"id": "second"}, session_id="failing")
    stage.wait(lambda: "second" in stage.ids("ordered done"))
    notes = [(n["kind"], n["id"], n["delivery"]) for n in stage.all_events() if n.get("session") == "failing"]
    assert notes == [
        ("ordered started", "first", 1),
        ("ordered failed", "first", 1),
        ("ordered started", "first", 2),
        ("ordered done", "first", 2),
        ("ordered started", "second", 1),
        ("ordered done", "second", 1),
    ]


def test_the_longest_renewal_bounds_the_lock_of_the_session_and_not_of_the_message(stage: Stage) -> None:
    """Renewed for 3 s in all, so the session is lost while its third message of 2 s runs, which then comes again."""
    stage.send("ordered", *session("long", 4, seconds=2), session_id="long")
    stage.wait(lambda: stage.lines("the lock of session long was lost"))
    stage.wait(lambda: "long-3" in stage.ids("ordered done"), seconds=60)
    done = [n["id"] for n in stage.events("ordered done", session="long")]
    assert list(dict.fromkeys(done)) == [f"long-{n}" for n in range(4)]
    assert len(done) > 4
    stage.wait(lambda: len(stage.events("ordered started", session="long")) == len(done))
