"""The simulator can fail: each flaw of the app makes a schedule end otherwise, and guards make up for each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.simulation.breaking import broken
from tests.simulation.flaws import FLAWS, HARMLESS, Flaw
from tests.simulation.laboratory import Laboratory
from tests.simulation.schedule import Tell
from tests.simulation.world import BreachError

pytestmark = pytest.mark.long
SAID = 120  # of what shows a flaw, in the summary


def named(flaw: Flaw) -> str:
    return flaw.name


@pytest.fixture
def fresh(lab: Laboratory) -> Iterator[Laboratory]:
    """Ends of undisturbed courses are those of the app with its flaw, as they would be in any test of it."""
    lab.expected.clear()
    yield lab
    lab.expected.clear()


def seen(lab: Laboratory, flaw: Flaw) -> tuple[int, str]:
    """How many schedules were played, and what is wrong at the end of the first that shows the flaw, if one does."""
    played = 0
    with broken(flaw.changes):
        try:
            for wrong in flaw.course(lab):
                played += 1
                if wrong:
                    return played, wrong[0]
        except (Exception, BreachError) as fault:
            return played, f"{type(fault).__name__}: {fault}"
    return played, ""


@pytest.mark.parametrize("flaw", FLAWS, ids=named)
def test_a_flaw_of_the_app_is_seen(fresh: Laboratory, tell: Tell, flaw: Flaw) -> None:
    played, found = seen(fresh, flaw)
    tell({"with a flaw of the app": played}, f"{flaw.name}: {found[:SAID]}")
    assert found


@pytest.mark.parametrize("flaw", HARMLESS, ids=named)
def test_one_guard_of_two_is_enough(fresh: Laboratory, tell: Tell, flaw: Flaw) -> None:
    played, found = seen(fresh, flaw)
    tell({"with one guard of two": played})
    assert not found


@pytest.mark.parametrize("flaw", {flaw.course: flaw for flaw in FLAWS}.values(), ids=named)
def test_the_same_schedules_see_nothing_in_the_app_as_it_is(fresh: Laboratory, tell: Tell, flaw: Flaw) -> None:
    """A course that fails anyway would show nothing."""
    played, found = seen(fresh, replace(flaw, changes=[]))
    tell({"of the flaws, without them": played})
    assert not found
