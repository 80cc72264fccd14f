"""Somebody comes at every crossing: a retry, a rival, a sender, a cancellation, an old message. The end is told."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.simulation.endings import item_outcomes
from tests.simulation.faults import Fault
from tests.simulation.intrusions import INTRUSIONS, RETRY, SENT_ANEW, SENT_NOTHING, Intrusion, Visit, played, visits
from tests.simulation.laboratory import Laboratory
from tests.simulation.schedule import SHOWN, Tell, told

WORKERS = pytest.mark.parametrize("workers", [1, 2])
SLICE = 7
"""One visit of so many is part of every test, where nothing asks for all; all are of the long ones."""


def named(intrusion: Intrusion) -> str:
    return intrusion.name


def explored(lab: Laboratory, chosen: list[Visit], tell: Tell) -> list[str]:
    wrong = [told(visit, found) for visit in chosen if (found := played(lab, visit))]
    tell({chosen[0].intrusion.name: len(chosen)})
    return wrong[:SHOWN]


def test_whenever_a_retry_comes_into_a_month_its_end_is_the_same(lab: Laboratory, tell: Tell) -> None:
    """Also while the run's report is written: the report says what the retry has made of it."""
    wrong = explored(lab, visits(lab, RETRY, 2), tell)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("intrusion", INTRUSIONS[1:], ids=named)
def test_whoever_comes_in_a_slice_of_moments(lab: Laboratory, tell: Tell, intrusion: Intrusion) -> None:
    wrong = explored(lab, visits(lab, intrusion, 2)[::SLICE], tell)
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
@WORKERS
@pytest.mark.parametrize("intrusion", INTRUSIONS, ids=named)
def test_whoever_comes_at_any_moment(lab: Laboratory, tell: Tell, intrusion: Intrusion, workers: int) -> None:
    wrong = explored(lab, visits(lab, intrusion, workers), tell)
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
@pytest.mark.parametrize("intrusion", [SENT_ANEW, SENT_NOTHING], ids=named)
def test_of_a_sender_and_a_regeneration_either_is_first(lab: Laboratory, intrusion: Intrusion) -> None:
    """What was sent is left as it is, and the run says that it has skipped the contract."""
    skipped: Counter[int] = Counter()
    for visit in visits(lab, intrusion, 2):
        assert not played(lab, visit)
        skipped[item_outcomes()["Skipped"]] += 1
    assert set(skipped) == {0, 1}


def test_a_report_that_a_retry_has_overtaken_is_written_again(lab: Laboratory) -> None:
    """A report of the first attempt is put after that of the second: it is looked at again, and says what is so."""
    last_put = max(one.moment for one in visits(lab, RETRY, 2) if Fault.OVERTAKEN in one.plan.values())
    world = lab.world(RETRY.scenario, 2)
    world.plan[last_put] = Fault.OVERTAKEN
    world.at[last_put] = lambda: RETRY.act(world)

    RETRY.scenario.play(world)

    outcomes = [json.loads(data)["outcomes"] for (_, name), data in world.stored.items() if name.endswith(".json")]
    assert [(one["generated"], one["failed"]) for one in outcomes] == [(2, 0)]
