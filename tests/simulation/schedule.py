"""All schedules of a scenario: each boundary of its undisturbed course, with everything that can go wrong there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.simulation.faults import Boundary, Fault
from tests.simulation.laboratory import Laboratory
from tests.simulation.scenarios import Scenario

SHOWN, LINES, WIDTH = 5, 6, 400  # of what fails, in a report


class Tell(Protocol):
    """Takes what is said of a test at the end of the session."""

    def __call__(self, played: Mapping[str, int], said: str = "") -> None: ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """One fault at one crossing."""

    scenario: Scenario
    workers: int
    number: int
    boundary: Boundary
    fault: Fault

    def __str__(self) -> str:
        place = f"{self.boundary.kind} of {self.boundary.actor}, crossing {self.number}"
        return f"{self.scenario.name}, {self.workers} worker(s): {self.fault} at {place}"


def schedules(lab: Laboratory, scenario: Scenario, workers: int) -> list[Schedule]:
    """Everything that can go wrong once."""
    return [
        Schedule(scenario, workers, number, boundary, fault)
        for number, boundary in enumerate(lab.boundaries(scenario, workers))
        for fault in boundary.faults(workers)
    ]


def explore(lab: Laboratory, chosen: Sequence[Schedule], tell: Tell) -> list[str]:
    """Play schedules, and tell how many there were of each fault; returns the first that end otherwise than calm."""
    wrong: list[str] = []
    for schedule in chosen:
        found = lab.play(schedule.scenario, schedule.workers, {schedule.number: schedule.fault})
        wrong += [told(schedule, found)] if found else []
    tell(Counter(str(schedule.fault) for schedule in chosen))
    return wrong[:SHOWN]


def told(what: object, found: Sequence[str]) -> str:
    """A schedule and what is wrong at its end, short enough to be read."""
    return "\n    ".join([str(what), *(line[:WIDTH] for line in found[:LINES])])
