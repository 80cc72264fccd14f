"""The simulator can fail: each flaw of the app makes a schedule end otherwise, and guards make up for each other."""

from __future__ import annotations

from collections.abc import Iterator

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


def seen(lab: Laboratory, flaw: Flaw, tell: Tell) -> str:
    """What is wrong at the end of the first schedule that shows the flaw; empty if none does."""
    played, found = 0, ""
    with broken(flaw.changes):
        try:
            for wrong in flaw.course(lab):
                played += 1
                if wrong:
                    found = wrong[0]
                    break
        except (Exception, BreachError) as fault:
            found = f"{type(fault).__name__}: {fault}"
    said = f"seen, {found[:SAID]}" if found else "not seen"
    tell({"with a flaw of the app": played}, f"{flaw.name}: {said}")
    return found


@pytest.mark.parametrize("flaw", FLAWS, ids=named)
def test_a_flaw_of_the_app_is_seen(fresh: Laboratory, tell: Tell, flaw: Flaw) -> None:
    assert seen(fresh, flaw, tell)


@pytest.mark.parametrize("flaw", HARMLESS, ids=named)
def test_one_guard_of_two_is_enough(fresh: Laboratory, tell: Tell, flaw: Flaw) -> None:
    assert not seen(fresh, flaw, tell)
