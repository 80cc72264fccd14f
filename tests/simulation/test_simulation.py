"""Every fault at every boundary of a run, with one worker and with two: the end is the same.

The end is that of the undisturbed course, whole: every row but instants, every blob by its bytes, no message left, none
among the dead letters, and all invariants hold.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import product
from types import MappingProxyType

import pytest

from localhost.bus.config import QUEUES_FILE
from shared_code.foundation import queues
from shared_code.operations.invariants.service import check_invariants
from tests.end_state import State, differences
from tests.simulation.endings import item_outcomes
from tests.simulation.faults import Fault, Kind
from tests.simulation.laboratory import Laboratory
from tests.simulation.scenarios import ALL, DRY, FURTHER, MONTH, ONE_NUMBER, Scenario, cancel, runs
from tests.simulation.schedule import SHOWN, Schedule, Tell, explore, schedules, told
from tests.simulation.world import LATE, START

SLICE = 23
"""Of the longer scenarios, one schedule of so many is part of every test; all are of the long ones."""
WORKERS = pytest.mark.parametrize("workers", [1, 2])


def named(scenario: Scenario) -> str:
    return scenario.name


# -- one fault ----------------------------------------------------------------------------------------------------


@WORKERS
def test_whatever_goes_wrong_in_a_month_its_end_is_the_same(lab: Laboratory, tell: Tell, workers: int) -> None:
    wrong = explore(lab, schedules(lab, MONTH, workers), tell)
    assert not wrong, "\n".join(wrong)


@WORKERS
@pytest.mark.parametrize("scenario", FURTHER, ids=named)
def test_whatever_goes_wrong_in_a_slice_of_further_schedules(
    lab: Laboratory, tell: Tell, scenario: Scenario, workers: int
) -> None:
    wrong = explore(lab, schedules(lab, scenario, workers)[::SLICE], tell)
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
@WORKERS
@pytest.mark.parametrize("scenario", FURTHER, ids=named)
def test_whatever_goes_wrong_in_all_further_schedules(
    lab: Laboratory, tell: Tell, scenario: Scenario, workers: int
) -> None:
    wrong = explore(lab, schedules(lab, scenario, workers), tell)
    assert not wrong, "\n".join(wrong)


def numbered(lab: Laboratory, tell: Tell, workers: int, step: int) -> None:
    """Whichever chunk is first has the number; the other's contract says who has it, and all laws hold."""
    chosen = schedules(lab, ONE_NUMBER, workers)[::step]
    for schedule in chosen:
        world = lab.world(ONE_NUMBER, workers)
        world.plan[schedule.number] = schedule.fault
        found = lab.judged(world, ONE_NUMBER, None)
        assert not found, told(schedule, found)
        assert item_outcomes() == ONE_NUMBER.outcomes, str(schedule)
    tell(Counter(str(schedule.fault) for schedule in chosen))


def test_whatever_goes_wrong_one_of_two_contracts_has_a_number(lab: Laboratory, tell: Tell) -> None:
    numbered(lab, tell, 2, SLICE)


@pytest.mark.long
@WORKERS
def test_whatever_goes_wrong_in_all_schedules_one_of_two_contracts_has_a_number(
    lab: Laboratory, tell: Tell, workers: int
) -> None:
    numbered(lab, tell, workers, 1)


def test_who_asks_again_after_the_end_of_a_dry_run_gets_another_like_it(lab: Laboratory) -> None:
    """The answer was lost, and the run was over before the caller came back: facts may be others by then."""
    expected = lab.ending(DRY)
    world = lab.world(DRY, 2)
    world.plan.update({2: Fault.CRASH_AFTER, 3: Fault.STALLED})

    assert lab.judged(world, DRY, expected) == []

    assert len(runs()) == 2


# -- without a fault ----------------------------------------------------------------------------------------------


@WORKERS
@pytest.mark.parametrize("scenario", ALL, ids=named)
def test_all_invariants_hold_after_every_commit(lab: Laboratory, scenario: Scenario, workers: int) -> None:
    """Not only at the end: whoever looks in between sees nothing that is not true."""
    world = lab.world(scenario, workers)
    broken: list[str] = []
    world.looks.append(lambda: broken.extend(one.name for one in check_invariants() if not one.holds))

    scenario.play(world)

    assert not broken
    assert [one.kind for one in world.trace].count("commit") > workers


@pytest.mark.parametrize("scenario", ALL, ids=named)
def test_every_message_once_more_after_the_end_changes_nothing(lab: Laboratory, scenario: Scenario) -> None:
    expected = lab.ending(scenario)
    world = lab.world(scenario)

    def twice(scenario: Scenario = scenario) -> None:
        scenario.play(world)
        sent = list(world.bus.sent)
        assert sent
        world.bus.send(sent, world.now)
        world.rest()

    again = replace(scenario, play=lambda _world: twice())
    assert lab.judged(world, again, expected) == []


def test_the_bus_of_the_world_is_declared_like_the_real_one() -> None:
    """No duplicate detection that would keep anything from the app."""
    declared = json.loads(QUEUES_FILE.read_text())["UserConfig"]["Namespaces"][0]["Queues"]
    assert {queue["Name"] for queue in declared} == set(queues.ALL)
    for queue in declared:
        properties = queue["Properties"]
        told = (properties["LockDuration"], properties["MaxDeliveryCount"], properties["RequiresDuplicateDetection"])
        assert told == ("PT1M", queues.MAX_DELIVERIES, False)


# -- a cancellation in the middle ---------------------------------------------------------------------------------


def cancelled(
    lab: Laboratory, workers: int, moment: int, plan: Mapping[int, Fault] = MappingProxyType({})
) -> list[str]:
    """Cancel the month at a crossing; whatever was begun by then, what is billed is billed as it would have been."""
    expected = lab.ending(MONTH)
    world = lab.world(MONTH, workers)
    world.at[moment] = cancel
    world.plan.update(plan)
    states: list[State] = []
    found = lab.judged(world, MONTH, None, states.append)
    return found or list(_not_expected(states[0], expected))


def _not_expected(found: State, expected: State) -> Iterator[str]:
    for table in ("statement", "invoice", "invoice_line", "statement_document", "monthly_profit"):
        part = f"table {table}"
        yield from (found.get(part, Counter()) - expected.get(part, Counter())).elements()


@WORKERS
def test_a_month_cancelled_at_any_moment_has_what_was_begun(lab: Laboratory, tell: Tell, workers: int) -> None:
    moments = range(len(lab.boundaries(MONTH, workers)))
    wrong = [told(f"cancelled at {moment}", found) for moment in moments if (found := cancelled(lab, workers, moment))]
    tell({"cancellation": len(moments)})
    assert not wrong, "\n".join(wrong[:SHOWN])


def cancelled_late(lab: Laboratory, tell: Tell, workers: int, step: int) -> None:
    """The chunk comes to a run that is cancelled, or is over by then: nothing of it is begun any more."""
    late = [
        one
        for one in schedules(lab, MONTH, workers)
        if one.fault in LATE and (one.boundary.kind, one.boundary.actor) == ("receive", queues.STATEMENT_CHUNKS)
    ]
    moments = range(0, len(lab.boundaries(MONTH, workers)), step)
    begun: set[bool] = set()
    for one, moment in product(late, moments):
        found = cancelled(lab, workers, moment, {one.number: one.fault})
        assert not found, told(f"{one}, cancelled at {moment}", found)
        begun.add(item_outcomes()["Cancelled"] == 0)
    tell({"cancellation with a late chunk": len(late) * len(moments)})
    assert begun == {True, False}


def test_a_month_cancelled_while_a_chunk_is_late_in_a_slice_of_moments(lab: Laboratory, tell: Tell) -> None:
    cancelled_late(lab, tell, 1, SLICE)


@pytest.mark.long
@WORKERS
def test_a_month_cancelled_at_any_moment_while_a_chunk_is_late(lab: Laboratory, tell: Tell, workers: int) -> None:
    cancelled_late(lab, tell, workers, 1)


@pytest.mark.long
@WORKERS
@pytest.mark.parametrize("moment", [4, 9, 14, 20, 30, 40])
def test_whatever_goes_wrong_in_a_cancelled_month(lab: Laboratory, tell: Tell, workers: int, moment: int) -> None:
    world = lab.world(MONTH, workers)
    world.at[moment] = cancel
    MONTH.play(world)
    chosen = [
        Schedule(MONTH, workers, number, boundary, fault)
        for number, boundary in enumerate(world.trace)
        if number > moment
        for fault in boundary.faults(workers)
    ]
    wrong = [told(one, found) for one in chosen if (found := cancelled(lab, workers, moment, {one.number: one.fault}))]
    tell(Counter(f"cancellation and {one.fault}" for one in chosen))
    assert not wrong, "\n".join(wrong[:SHOWN])


# -- outages ------------------------------------------------------------------------------------------------------

OUTAGES: list[tuple[Kind, int]] = [("put", 1), ("put", 5), ("put", 45), ("send", 1), ("send", 5), ("send", 45)]


@WORKERS
@pytest.mark.parametrize(("kind", "minutes"), OUTAGES)
def test_after_an_outage_the_end_is_the_same(lab: Laboratory, kind: Kind, minutes: int, workers: int) -> None:
    """Messages die meanwhile and are buried; the watchdog asks for their work again, so nobody has to replay them."""
    expected = lab.ending(MONTH)
    world = lab.world(MONTH, workers)
    world.outages = {kind: START + timedelta(minutes=minutes)}
    states: list[State] = []

    assert lab.judged(world, MONTH, None, states.append) == []

    found = {part: lines for part, lines in states[0].items() if "dead_letter" not in part}
    buried = {line for line in found["table audit_event"] if '"messages"' in line}
    assert bool(buried) == (kind == "put")
    found["table audit_event"] = Counter(one for one in found["table audit_event"].elements() if one not in buried)
    assert differences(found, expected) == []
