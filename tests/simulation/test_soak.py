"""Chance decides who goes on, what goes wrong, and how often: many faults in one schedule.

Prints its seed; `SIM_SEED=…` plays the same schedules again, `SIM_SCHEDULES=…` says how many.
"""

from __future__ import annotations

import os
import random
from collections import Counter

from tests.simulation.faults import Boundary, Fault
from tests.simulation.laboratory import Laboratory
from tests.simulation.scenarios import ALL
from tests.simulation.schedule import SHOWN, Tell, told

SCHEDULES = int(os.environ.get("SIM_SCHEDULES", "60"))
SEED = int(os.environ.get("SIM_SEED") or random.SystemRandom().randrange(1_000_000))
MOST_WORKERS = 3
MOST_FAULTS = 4
RATES = (0.02, 0.05, 0.15)


class Luck:
    """A few faults at random crossings: fewer than a message has deliveries, so none ends among the dead letters."""

    def __init__(self, chance: random.Random, workers: int) -> None:
        self._chance, self._workers = chance, workers
        self._rate = chance.choice(RATES)
        self._left = chance.randint(1, MOST_FAULTS)

    def __call__(self, boundary: Boundary) -> Fault | None:
        if not self._left or self._chance.random() > self._rate:
            return None
        self._left -= 1
        return self._chance.choice(boundary.faults(self._workers))


def test_whatever_goes_wrong_at_random_the_end_is_the_same(lab: Laboratory, tell: Tell) -> None:
    wrong: list[str] = []
    faults: Counter[str] = Counter()
    for number in range(SCHEDULES):
        chance = random.Random(f"{SEED} {number}")  # noqa: S311 - a seed, not a secret
        scenario, workers = chance.choice(ALL), chance.randint(1, MOST_WORKERS)
        expected = lab.ending(scenario)
        world = lab.world(scenario, workers)
        world.chance, world.luck = chance, Luck(chance, workers)
        found = lab.judged(world, scenario, expected)
        plan = {place: str(fault) for place, fault in world.plan.items() if fault}
        faults.update(plan.values())
        if found:
            wrong.append(told(f"schedule {number}: {scenario.name}, {workers} workers, {plan}", found))
    happened = ", ".join(f"{fault} {times}" for fault, times in sorted(faults.items()))
    tell({"at random": SCHEDULES}, f"SIM_SEED={SEED} SIM_SCHEDULES={SCHEDULES}: {happened}")
    assert not wrong, "\n".join([f"SIM_SEED={SEED}: {len(wrong)} of {SCHEDULES}", *wrong[:SHOWN]])
