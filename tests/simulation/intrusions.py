"""Somebody comes in between: at every crossing of a scenario, while who crosses it goes on, waits, or is overtaken.

One who waits has read what is another by the time it writes; one who is overtaken hands out what it has read before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from shared_code.foundation import database, queues
from shared_code.foundation.context import Context, acting
from shared_code.foundation.database import AnyRow
from shared_code.foundation.errors import BillingError
from shared_code.foundation.visibility import EVERYTHING
from shared_code.statements.lifecycle.errors import NOT_RELEASABLE, STATEMENT_STALE, TRANSITION_ILLEGAL
from shared_code.statements.lifecycle.service import change_status, release
from shared_code.statements.places import SENT, SUPERSEDED
from shared_code.statements.runs import retry_run
from shared_code.statements.tables import statement
from tests.end_state import State, differences
from tests.simulation.endings import open_items_of_finished_runs
from tests.simulation.faults import OF_KIND, Boundary, Fault
from tests.simulation.laboratory import Laboratory
from tests.simulation.scenarios import (
    LATER,
    MADE_ANEW,
    MADE_NOTHING,
    ONE_RIVAL,
    RETRIED,
    RETRIED_EARLY,
    RIVALS,
    SMALL_MONTH,
    Scenario,
    begin,
    has_site,
    runs,
)
from tests.simulation.world import World
from tests.unit.statements.stage import open_sites

_SENDER = Context(actor_id="sender", actor_name="A sender", actor_kind="person")
_PLANS: tuple[Fault | None, ...] = (None, Fault.STALLED, Fault.OVERTAKEN)


def nothing_goes_wrong(_trace: Sequence[Boundary]) -> dict[int, Fault]:
    return {}


def first_chunk_is_late(trace: Sequence[Boundary]) -> dict[int, Fault]:
    """The first message of a chunk comes when everything is over."""
    chunks = queues.STATEMENT_CHUNKS
    number = next(place for place, one in enumerate(trace) if (one.kind, one.actor) == ("receive", chunks))
    return {number: Fault.VERY_LATE}


@dataclass(frozen=True, slots=True)
class Intrusion:
    """What somebody does in the middle of a scenario, and the scenario that has the same end; None for laws only.

    `since`: who has to be there first. `apart`: parts of the end that tell when the other came. `given`: what goes
    wrong besides.
    """

    name: str
    scenario: Scenario
    act: Callable[[World], object]
    end: Scenario | None
    since: str = "caller"
    apart: frozenset[str] = frozenset()
    given: Callable[[Sequence[Boundary]], dict[int, Fault]] = nothing_goes_wrong


@dataclass(frozen=True, slots=True)
class Visit:
    """One moment of an intrusion."""

    intrusion: Intrusion
    workers: int
    moment: int
    plan: Mapping[int, Fault]

    def __str__(self) -> str:
        plan = ", ".join(f"{fault} at crossing {number}" for number, fault in self.plan.items())
        return f"{self.intrusion.name}, {self.workers} worker(s), at crossing {self.moment}; {plan or 'no fault'}"


def visits(lab: Laboratory, intrusion: Intrusion, workers: int) -> list[Visit]:
    """Every moment at which the other may come."""
    given = intrusion.given(lab.boundaries(intrusion.scenario, workers))
    world = lab.world(intrusion.scenario, workers)
    world.plan.update(given)
    intrusion.scenario.play(world)
    first = next(place for place, one in enumerate(world.trace) if one.actor == intrusion.since)
    return [
        Visit(intrusion, workers, moment, given | ({moment: fault} if fault else {}))
        for moment, one in enumerate(world.trace)
        if moment >= first and moment not in given
        for fault in _PLANS
        if fault is None or (workers > 1 and fault in OF_KIND[one.kind])
    ]


def played(lab: Laboratory, visit: Visit) -> list[str]:
    """Play a visit; returns what is wrong with its end."""
    intrusion = visit.intrusion
    expected = lab.ending(intrusion.end) if intrusion.end is not None else None
    world = lab.world(intrusion.scenario, visit.workers)
    world.plan.update(visit.plan)
    world.at[visit.moment] = lambda: intrusion.act(world)
    seen: list[str] = []
    world.looks.append(lambda: seen.extend(open_items_of_finished_runs()))
    states: list[State] = []
    found = lab.judged(world, intrusion.scenario, None, states.append) + seen
    if found or expected is None:
        return found
    return differences(
        *({part: one[part] for part in one if part not in intrusion.apart} for one in (states[0], expected))
    )


# -- who comes ----------------------------------------------------------------------------------------------------


def _open_and_retry(_world: World) -> None:
    """Whether the contract has failed by then or not: in the end it is billed once."""
    if not has_site("0901"):
        open_sites("0901")
    for run in runs():
        retry_run(run)


def _send_out(_world: World) -> None:
    """Approve and send the first statement of the month, stale or not, unless it counts no more."""
    with acting(_SENDER):
        while (row := _first_statement("0902")) is not None and row.status not in (SENT, SUPERSEDED):
            with _unless_overtaken():
                _move_on(row)


def _move_on(row: AnyRow) -> None:
    try:
        asked = SENT if row.status == "ReadyToSend" else "ReadyToSend"
        change_status(row.statement_id, asked, "mailed by hand", EVERYTHING)
    except BillingError as refused:
        if refused.kind is not STATEMENT_STALE:
            raise
        release(row.statement_id, "the client knows it", EVERYTHING)


@contextmanager
def _unless_overtaken() -> Iterator[None]:
    """What was made anew meanwhile is neither sent nor released."""
    try:
        yield
    except BillingError as refused:
        if refused.kind not in (TRANSITION_ILLEGAL, NOT_RELEASABLE):
            raise


def _first_statement(site_number: str) -> AnyRow | None:
    c = statement.c
    with database.reading() as connection:
        return connection.execute(
            sa.select(c.statement_id, c.status).where(c.site_number == site_number, c.generation == 1)
        ).one_or_none()


def _old_chunk_again(world: World) -> None:
    """The bus delivers what was done in the first attempt once more."""
    first = next(one for one in world.bus.sent if one.queue == queues.STATEMENT_CHUNKS)
    world.bus.send([first], world.now)


def _late_chunk_comes(world: World) -> None:
    """What was on its way since the first attempt arrives."""
    for entry in world.bus.entries:
        if entry.message.queue == queues.STATEMENT_CHUNKS and not entry.lock:
            entry.free_at = world.now


def _second_run(_world: World) -> None:
    begin("second")()


TOLD_APART = frozenset(("table audit_event", "messages"))  # whether the contract had failed when the retry came
RETRY = Intrusion("a retry in a month", SMALL_MONTH, _open_and_retry, RETRIED, apart=TOLD_APART)
RIVAL = Intrusion("a rival run in a month", ONE_RIVAL, _second_run, RIVALS)
OLD_CHUNK = Intrusion("an old chunk in a retry", RETRIED, _old_chunk_again, RETRIED, since=LATER)
LATE_CHUNK = Intrusion(
    "a late chunk in a retry", RETRIED_EARLY, _late_chunk_comes, RETRIED, since=LATER, given=first_chunk_is_late
)
SENT_ANEW = Intrusion("sent while it is made anew", MADE_ANEW, _send_out, None, since=LATER)
SENT_NOTHING = Intrusion("sent while it is made nothing", MADE_NOTHING, _send_out, None, since=LATER)
INTRUSIONS = (RETRY, RIVAL, OLD_CHUNK, LATE_CHUNK, SENT_ANEW, SENT_NOTHING)
