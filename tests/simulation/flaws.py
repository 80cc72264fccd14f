"""Faults of the app, one or two conditions of its source each, and where the simulator has to see them.

A flaw of two changes takes away both of two guards that stand for each other; docs/testing.md says which they are.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from shared_code.foundation import bus, database
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow
from shared_code.operations.invariants.service import check_invariants, violated
from shared_code.statements import generation, rendering, repository, runs
from shared_code.statements.chunks import repository as chunks
from tests.simulation.breaking import Breaks, Change
from tests.simulation.faults import Fault
from tests.simulation.intrusions import LATE_CHUNK, RETRY, SENT_ANEW, SENT_NOTHING, Intrusion, played, visits
from tests.simulation.laboratory import Laboratory
from tests.simulation.scenarios import MONTH, ONE_NUMBER, RETRIED, RIVALS, SMALL_MONTH, Scenario, cancel
from tests.simulation.schedule import schedules

type Course = Callable[[Laboratory], Iterator[list[str]]]
"""Plays schedules; gives what is wrong at the end of each."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """`course`: the schedules of which one at least must end otherwise."""

    name: str
    course: Course
    changes: Sequence[Breaks]


def calm(scenario: Scenario) -> Course:
    """The undisturbed course: what comes out by itself is told, and needs no timer."""

    def play(lab: Laboratory) -> Iterator[list[str]]:
        lab.ending(scenario)
        yield []

    return play


def watched(scenario: Scenario) -> Course:
    """The undisturbed course, looked at after each commit."""

    def play(lab: Laboratory) -> Iterator[list[str]]:
        world = lab.world(scenario, 2)
        broken: list[str] = []
        world.looks.append(lambda: broken.extend(one.name for one in violated(check_invariants())))
        found = lab.judged(world, scenario, None)
        yield broken + found

    return play


def wrong(scenario: Scenario, workers: int, *faults: Fault) -> Course:
    """Each of these faults, at each crossing."""

    def play(lab: Laboratory) -> Iterator[list[str]]:
        for one in schedules(lab, scenario, workers):
            if one.fault in faults:
                yield lab.play(scenario, workers, {one.number: one.fault})

    return play


def met(intrusion: Intrusion) -> Course:
    """Somebody comes at each crossing."""

    def play(lab: Laboratory) -> Iterator[list[str]]:
        yield from (played(lab, visit) for visit in visits(lab, intrusion, 2))

    return play


def cancelled(lab: Laboratory) -> Iterator[list[str]]:
    """The month is cancelled at each crossing."""
    for moment in range(len(lab.boundaries(MONTH, 2))):
        world = lab.world(MONTH, 2)
        world.at[moment] = cancel
        yield lab.judged(world, MONTH, None)


class StandingReadEarly:
    """A chunk reads what stands of a month before its transaction begins, as if rows were not kept from others."""

    def make(self, patch: pytest.MonkeyPatch, _sources: dict[object, str]) -> None:
        real, generate = chunks.standing, generation.generate_chunk
        early: list[Sequence[AnyRow]] = []

        def generate_late(run_id: str, chunk: int, message_id: str) -> int:
            with database.reading() as connection:
                run = repository.run_of(connection, run_id)
                assert run is not None
                period = Period.parse(run.period)
                early.append(real(connection, run_id, chunk, period, period))
            return generate(run_id, chunk, message_id)

        def standing(_connection: Connection, _run: str, _chunk: int, _period: Period, _first: Period) -> Any:
            return early[-1]

        patch.setattr(generation, "generate_chunk", generate_late)
        patch.setattr(chunks, "standing", standing)


CALM, CALM_RETRY, CALM_RIVALS, CALM_NUMBERS = calm(MONTH), calm(RETRIED), calm(RIVALS), calm(ONE_NUMBER)
DUPLICATED = wrong(MONTH, 1, Fault.DUPLICATE, Fault.LATE_DUPLICATE, Fault.LOST_LOCK)
CRASHED = wrong(MONTH, 1, Fault.CRASH_BEFORE, Fault.CRASH_AFTER)
DELIVERED_LATE = wrong(MONTH, 1, Fault.VERY_LATE)
PUT_LATE = wrong(MONTH, 2, Fault.OVERTAKEN)
TICKED = wrong(MONTH, 2, Fault.TICK)
WATCHED = watched(SMALL_MONTH)
RETRY_COMES, LATE_CHUNK_COMES = met(RETRY), met(LATE_CHUNK)
SENDER_COMES, SENDER_OF_NOTHING_COMES = met(SENT_ANEW), met(SENT_NOTHING)

# -- pieces of the source, and what is there instead ---------------------------------------------------------------

CHUNK_REPEATS = Change(
    generation.generate_chunk,
    "if not work.first(CONSUMER, message_id):",
    "if not work.first(CONSUMER, message_id) and False:",
)
DRAWING_REPEATS = Change(
    rendering.render_documents, "if work.first(CONSUMER, message_id):", "if work.first(CONSUMER, message_id) or True:"
)
SENDS_AGAIN = Change(database.UnitOfWork.send, "set() if unseen else self._known", "set() if True else self._known")
INBOX_ALONE = Change(
    generation.generate_chunk,
    "    with unit_of_work() as work:\n",
    "    with unit_of_work() as before:\n"
    "        if not before.first(CONSUMER, message_id):\n"
    "            return 0\n"
    "    with unit_of_work() as work:\n",
)
ANY_ATTEMPT = Change(repository.finish_run, "            statement_run.c.attempt == attempt,\n", "")
_ALL_OPEN_WORK = "*map(sa.not_, _open_work(run_id)),"
OPEN_ITEMS = Change(repository.finish_run, _ALL_OPEN_WORK, "sa.not_(_open_work(run_id)[1]),")
OPEN_DOCUMENTS = Change(repository.finish_run, _ALL_OPEN_WORK, "sa.not_(_open_work(run_id)[0]),")
SETTLES_EARLY = Change(runs.settle_run, "repository.is_unfinished(connection, run_id)", "False")
UNCOUNTED = Change(repository.supersede, "if changed.rowcount != len(part):", "if changed.rowcount < 0:")
TAKES_ALL = Change((chunks, "_PENDING"), ', run_item.c.outcome == "Pending"', "")
ANY_OUTCOME = Change(
    (repository, "_OUTCOME"), '        run_item.c.outcome == "Pending",  # an outcome is given once\n', ""
)

FLAWS = (
    # messages
    Flaw(
        "no inbox is asked",
        DUPLICATED,
        [Change(database.UnitOfWork.first, "recorded.rowcount > 0", "True")],
    ),
    Flaw("a chunk's inbox is not asked", DUPLICATED, [CHUNK_REPEATS]),
    Flaw("the inbox is filled before the work is done", CRASHED, [CHUNK_REPEATS, INBOX_ALONE]),
    Flaw(
        "neither the inbox of drawings nor the outbox is asked",
        DUPLICATED,
        [DRAWING_REPEATS, SENDS_AGAIN],
    ),
    Flaw(
        "messages are published before the commit",
        CALM,
        [Change(inspect.unwrap(bus.unit_of_work), "    publish_quietly", "        publish_quietly")],
    ),
    Flaw(
        "messages are marked as published before they are",
        CRASHED,
        [Change(bus._send, "    too_large = link", "    sent(part)\n    too_large = link")],
    ),
    Flaw("nothing is swept", CRASHED, [Change(bus._sweep, "if rows else", "if False else")]),
    Flaw(
        "nobody is asked to draw documents",
        CALM,
        [Change(generation.generate_chunk, "messages += document_messages", "_ = document_messages")],
    ),
    Flaw(
        "nobody says that documents are drawn",
        CALM_RETRY,  # its one chunk has documents, which are drawn last
        [Change(rendering.render_documents, "work.send([progress_message", "_ = ([progress_message")],
    ),
    # the end of a run
    Flaw("a run is finished of whatever attempt, with open items", RETRY_COMES, [ANY_ATTEMPT, OPEN_ITEMS]),
    Flaw("a run is settled whatever is open", PUT_LATE, [SETTLES_EARLY]),
    Flaw("a run is finished without its documents", WATCHED, [SETTLES_EARLY, OPEN_DOCUMENTS]),
    Flaw("no report is written", CALM, [Change(runs.settle_run, "    write_report(run_id)\n", "")]),
    Flaw(
        "a report is not looked at again after a retry",
        RETRY_COMES,
        [Change(runs.settle_run, "return settle_run(run_id)", "return False")],
    ),
    Flaw(
        "drawn documents are not recorded",
        CALM,
        [
            Change(
                rendering.render_documents,
                "set_rendered(work.connection, current)",
                "set_rendered(work.connection, [])",
            )
        ],
    ),
    # who bills what
    Flaw(
        "a month is billed again by a rival run",
        CALM_RIVALS,
        [Change(generation._not_billed, "if overtaken:", 'if overtaken and run.kind == "Regenerate":')],
    ),
    Flaw(
        "a statement is made anew after it was sent",
        SENDER_COMES,
        [Change(generation._overtaken, "if sent else None", "if sent and False else None")],
    ),
    Flaw(
        "what was sent is superseded: read early, and not counted",
        SENDER_OF_NOTHING_COMES,
        [StandingReadEarly(), UNCOUNTED],
    ),
    Flaw(
        "invoice numbers of others are not looked at",
        CALM_NUMBERS,
        [Change(generation._number, "if clash is not None or", "if")],
    ),
    Flaw("a late chunk bills what has its outcome", LATE_CHUNK_COMES, [TAKES_ALL]),
    Flaw("an outcome is given again", DELIVERED_LATE, [TAKES_ALL, ANY_OUTCOME]),
    # what people ask for
    Flaw(
        "a retry takes what is billed",
        CALM_RETRY,
        [Change(repository.reopen_failed, 'run_item.c.outcome == "Failed"', 'run_item.c.outcome != "Pending"')],
    ),
    Flaw("a retry sends nothing", CALM_RETRY, [Change(runs.retry_run, "            _send_again(work, run)\n", "")]),
    Flaw(
        "a cancellation takes what is billed",
        cancelled,
        [Change(repository.cancel_items, 'run_item.c.outcome == "Pending"', 'run_item.c.outcome != "Cancelled"')],
    ),
    Flaw(
        "the watchdog wakes a run that works",
        TICKED,
        [Change(runs._wake, "progress >= clock.now() - patience", "False")],
    ),
)

# Each alone is made up for by another guard.
HARMLESS = (
    Flaw("the inbox of drawings is not asked", DUPLICATED, [DRAWING_REPEATS]),
    Flaw("the outbox is not asked", DUPLICATED, [SENDS_AGAIN]),
    Flaw("a run is finished of whatever attempt", RETRY_COMES, [ANY_ATTEMPT]),
    Flaw("a run is finished with open items", RETRY_COMES, [OPEN_ITEMS]),
    Flaw("what stands is read early", SENDER_OF_NOTHING_COMES, [StandingReadEarly()]),
    Flaw("what is superseded is not counted", SENDER_OF_NOTHING_COMES, [UNCOUNTED]),
    Flaw("a chunk takes what has its outcome", DELIVERED_LATE, [TAKES_ALL]),
    Flaw("an outcome may be given again", DELIVERED_LATE, [ANY_OUTCOME]),
)
