"""Plays schedules, each in a world of its own that begins with the same database."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shared_code.foundation import database
from shared_code.operations.schema import metadata
from tests.end_state import State, differences
from tests.simulation.edges import Door, doors, edges
from tests.simulation.endings import end_state, faults_of, item_outcomes, resumptions
from tests.simulation.faults import TAKES_LONG, Boundary, Fault
from tests.simulation.scenarios import Scenario
from tests.simulation.world import BreachError, World


@dataclass(slots=True)
class Laboratory:
    """The one place where worlds are made. `file`: the database; `templates`: databases at the start of scenarios."""

    file: Path
    doors: Mapping[str, Door]
    worlds: list[World]
    templates: dict[str, Path] = field(default_factory=dict)
    expected: dict[str, State] = field(default_factory=dict)

    def world(self, scenario: Scenario, workers: int = 1) -> World:
        """A new world at the start of a scenario."""
        template = self.templates.get(scenario.prepare.__name__) or self._prepared(scenario)
        self._place(template)
        self.worlds[:] = [World(self.doors, workers)]
        return self.worlds[0]

    def _prepared(self, scenario: Scenario) -> Path:
        template = self.templates[scenario.prepare.__name__] = self.file.with_name(
            f"{scenario.prepare.__name__}.sqlite"
        )
        self._place(None)
        self.worlds[:] = [World(self.doors)]
        metadata.create_all(database.engine())
        scenario.prepare()
        with database.engine().connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        database.engine().dispose()
        shutil.copy(self.file, template)
        return template

    def _place(self, template: Path | None) -> None:
        """Put a database in place of the one before; the engine stays, and with it what it has compiled."""
        database.engine().dispose()
        for rest in self.file.parent.glob(f"{self.file.name}*"):
            rest.unlink()
        if template is not None:
            shutil.copy(template, self.file)

    def boundaries(self, scenario: Scenario, workers: int) -> list[Boundary]:
        """What is crossed when nothing goes wrong."""
        world = self.world(scenario, workers)
        scenario.play(world)
        return world.trace

    def ending(self, scenario: Scenario) -> State:
        """The end of the scenario when nothing goes wrong, in one process."""
        if scenario.name not in self.expected:
            world = self.world(scenario)
            scenario.play(world)
            outcomes = item_outcomes()
            assert outcomes == scenario.outcomes, f"the outcomes are {dict(outcomes)}"
            assert not world.ticks, "the work was done only since a timer had asked for it again"
            found = faults_of(world)
            assert not found, found
            self.expected[scenario.name] = end_state(world, scenario)
        return self.expected[scenario.name]

    def play(self, scenario: Scenario, workers: int, plan: Mapping[int, Fault]) -> list[str]:
        """Play a schedule; returns what is wrong with its end.

        The watchdog is patient, so what is lost to a crash or an outage has to be found before: by the bus or a sweep.
        """
        expected = self.ending(scenario)
        world = self.world(scenario, workers)
        world.plan.update(plan)
        found = self.judged(world, scenario, expected)
        if not found and resumptions() and TAKES_LONG.isdisjoint(plan.values()):
            return ["work was lost until the watchdog asked for it again"]
        return found

    def judged(
        self,
        world: World,
        scenario: Scenario,
        expected: State | None,
        look: Callable[[State], object] = lambda _state: None,
    ) -> list[str]:
        """Play a scenario to its end; returns what is wrong there. Without `expected`, only what must always hold.

        `look` is given the end state.
        """
        try:
            scenario.play(world)
            state = end_state(world, scenario)
            look(state)
            return faults_of(world) + (differences(state, expected) if expected is not None else [])
        except (Exception, BreachError) as fault:
            return [f"{type(fault).__name__}: {fault}"]
        finally:
            world.close()


@contextmanager
def laboratory(folder: Path) -> Iterator[Laboratory]:
    """A laboratory with its files in `folder`."""
    worlds: list[World] = []

    def outside() -> World:
        return worlds[0]

    read: Callable[[], World] = outside
    with edges(folder, read) as file:
        worlds.append(World({}))
        yield Laboratory(file, doors(), worlds)
