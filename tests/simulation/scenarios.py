"""What the schedules are about: a month with every outcome, and what people and other runs do to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from shared_code.facts.tables import site
from shared_code.foundation import database, queues
from shared_code.foundation.visibility import EVERYTHING
from shared_code.statements.regeneration import regenerate
from shared_code.statements.runs import cancel_run, retry_run, start_run
from shared_code.statements.scope import RunCommand
from shared_code.statements.tables import statement, statement_run
from tests.simulation.world import World
from tests.unit.statements.stage import decide, open_sites, rooms, save, save_rooms

PERIOD = "2026-10"
LATER = "later caller"


def october() -> None:
    """Two chunks of two: failed (no site) and billed on two invoices, held and nothing to bill."""
    open_sites("0902", "0903", "0904")
    decide(largestInvoice=5000)
    save("0901")
    save("0902", ("100.25", 1), ("50.50", 2))
    save("0903", ("5000.01", 1))
    save_rooms("0904")
    rooms("0904", 0)


def large_october() -> None:
    """Three chunks of two: the same, and two that are billed."""
    october()
    open_sites("0905", "0906")
    save_rooms("0905")
    rooms("0905", 100)
    save("0906")


def small() -> None:
    """One chunk of two: for scenarios that go on for longer."""
    open_sites("0902")
    save("0901")
    save_rooms("0902")
    rooms("0902", 100)


def one_number() -> None:
    """Two chunks, and a contract in each that wants the same invoice number."""
    open_sites("0901", "0902")
    save("0901")
    save("0902")
    save("0902", ("70.00", 1), id="second", additional=True)


def begin(source: str = "manual", *, dry_run: bool = False) -> Callable[[], object]:
    return lambda: start_run(RunCommand(PERIOD, "caller", "c", source=source, dry_run=dry_run))


def runs() -> list[str]:
    with database.reading() as connection:
        return list(connection.scalars(sa.select(statement_run.c.run_id).order_by(statement_run.c.created_at)))


def has_site(number: str) -> bool:
    with database.reading() as connection:
        return connection.scalar(sa.select(site.c.site_number).where(site.c.site_number == number)) is not None


def cancel() -> None:
    """Cancel every run that has been started."""
    for run in runs():
        cancel_run(run)


def retry() -> None:
    retry_run(runs()[0])


def make_anew(number: str) -> None:
    """Regenerate the statement of a site that counts, unless somebody has done so since."""
    c = statement.c
    with database.reading() as connection:
        chosen = sa.select(c.statement_id).where(c.site_number == number, c.generation == 1)
        found = connection.scalar(chosen.where(c.status != "Superseded"))
    if found is not None:
        regenerate(found, "caller", "c", EVERYTHING)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What there is, and what happens. `outcomes`: what becomes of the items of its runs when nothing goes wrong.

    `rivals`: which of its runs has billed a contract is open. `again`: a caller without an answer who asks again after
    the run's end gets another like it, as it is with dry runs.
    """

    name: str
    prepare: Callable[[], None]
    play: Callable[[World], None]
    outcomes: Mapping[str, int]
    rivals: bool = False
    again: bool = False


def month(world: World) -> None:
    world.call(begin())
    world.rest()


def dry_month(world: World) -> None:
    world.call(begin(dry_run=True))
    world.rest()


def retried(world: World) -> None:
    month(world)
    _retried(world)


def retried_early(world: World) -> None:
    """The same before all messages of the first attempt have come: the watchdog has sent others."""
    world.call(begin())
    world.rest(without={queues.STATEMENT_CHUNKS})
    _retried(world)


def _retried(world: World) -> None:
    open_sites("0901")
    world.call(retry, LATER)
    world.rest()


def made_anew(world: World, occupied: int = 70) -> None:
    month(world)
    rooms("0902", occupied)
    world.call(lambda: make_anew("0902"), LATER)
    world.rest()


def made_nothing(world: World) -> None:
    made_anew(world, 0)


def one_rival(world: World) -> None:
    world.call(begin("first"))
    world.rest()


def rivals(world: World) -> None:
    world.call(begin("first"))
    world.call(begin("second"))
    world.rest()


_SMALL = {"Failed": 1, "Generated": 1}
MONTH = Scenario("a month", october, month, {"Failed": 1, "Generated": 1, "Held": 1, "NothingToBill": 1})
LARGE_MONTH = Scenario(
    "a larger month", large_october, month, {"Failed": 1, "Generated": 3, "Held": 1, "NothingToBill": 1}
)
DRY = Scenario("a dry run", small, dry_month, _SMALL, again=True)
RETRIED = Scenario("a retry of failures", small, retried, {"Generated": 2})
MADE_ANEW = Scenario("a statement made anew", small, made_anew, {"Failed": 1, "Generated": 2})
RIVALS = Scenario("two runs at once", small, rivals, {"Failed": 2, "Generated": 1, "Skipped": 1}, rivals=True)
FURTHER = (LARGE_MONTH, DRY, RETRIED, MADE_ANEW, RIVALS)
ALL = (MONTH, *FURTHER)

# Which of the two contracts has the number is open.
ONE_NUMBER = Scenario("one number for two contracts", one_number, month, {"Failed": 1, "Generated": 2})

# Those that somebody comes into (`intrusions.py`).
SMALL_MONTH = Scenario("a small month", small, month, _SMALL)
ONE_RIVAL = Scenario("one run of two", small, one_rival, _SMALL, rivals=True)
RETRIED_EARLY = Scenario("an early retry of failures", small, retried_early, {"Generated": 2})
MADE_NOTHING = Scenario(
    "a statement made nothing", small, made_nothing, {"Failed": 1, "Generated": 1, "NothingToBill": 1}
)
