"""A small operator in one process, its clock, and a bus that can be away: everything that a history happens to."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shared_code.contracts.model import SavedContract
from shared_code.facts.model import ACCOUNTS, REVENUE
from shared_code.facts.tables import account_summary, current_facts, import_batch, revenue_daily, revenue_monthly
from shared_code.foundation import bus, clock, context, database
from shared_code.foundation.calendar import Period
from shared_code.foundation.context import Context
from shared_code.foundation.database import Message
from shared_code.foundation.sending import installed
from shared_code.statements.runs import watch_running_runs
from shared_code.statements.staleness.watch import Watch
from tests.unit.statements import stage as stages
from tests.unit.statements.added import SHARED_PROFIT
from tests.unit.statements.stage import NOVEMBER, Stage, batch_row, open_sites, rooms, save, save_rooms, work

MONTHS = ("2026-08", "2026-09", "2026-10")
FEES, CLASHING, ROOMS, REVENUES, PROFITS = SITES = ("0901", "0902", "0903", "0904", "0905")
PATIENCE = timedelta(minutes=16)  # a minute longer than the watchdog's
ANCHOR = "2026-08-01"  # yearly windows begin with the first month that is played
ROOM_RATE = Decimal("1.00")


class WorkerDiedError(BaseException):
    """A process ends here: nothing of ours may catch it."""


class Bus:
    """The stage's bus, unless it is away."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.reachable = True

    def run(self, queue: str, job: Any, patience: float) -> Any:
        if not self.reachable:
            raise ConnectionError(f"queue {queue} is out of reach")
        return self._stage.run(queue, job, patience)

    def probe(self, queue: str) -> None: ...


@dataclass(slots=True)
class World:
    """The stage with its time. `delivered`: messages whose work was done, which may come again."""

    stage: Stage
    bus: Bus
    now: datetime = NOVEMBER
    delivered: list[Message] = field(default_factory=list)
    watch: Watch = field(default_factory=Watch)

    def tick(self, time: timedelta = timedelta(seconds=1)) -> None:
        """Let time pass. It is told when a step begins, so that what happens later is later."""
        self.now += time
        clock.set_clock(lambda: self.now)

    def deliver(self, place: int) -> None:
        """Do the work of the message at a place of those that wait."""
        message = self.stage.waiting[place]
        del self.stage.waiting[place]
        work(message)
        self.delivered.append(message)

    def drain(self) -> None:
        while self.stage.waiting:
            self.deliver(0)

    def let_timers_work(self) -> None:
        """A quarter of an hour in which all that is there works: the bus, workers, and each timer."""
        self.bus.reachable = True
        self.tick(PATIENCE)
        bus.sweep()
        self.drain()
        watch_running_runs()
        self.drain()
        self.watch.look()


@contextmanager
def dying_at_commit(number: int) -> Iterator[None]:
    """The worker dies before its commit of this number, the first being 0, if it comes so far."""
    left = number

    def die(_connection: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise WorkerDiedError

    sa.event.listen(database.engine(), "commit", die)
    try:
        yield
    except WorkerDiedError:
        pass
    finally:
        sa.event.remove(database.engine(), "commit", die)


@contextmanager
def by(actor: str) -> Iterator[None]:
    with context.acting(Context(actor_id=actor, actor_name=actor.title(), actor_kind="person")):
        yield


# -- contracts and facts --------------------------------------------------------------------------------------------


def save_fees(fees: Sequence[tuple[str, int]]) -> SavedContract:
    """Fees on the two groups of the first site."""
    return save(FEES, *fees, groups=[{"id": "a", "number": 1}, {"id": "b", "number": 2}])


def save_clashing(fee: str, *, clashes: bool) -> SavedContract:
    """A fee whose invoice carries the number of the first site's, or its own."""
    group = {"id": "a", "number": 1} | ({"siteNumber": FEES} if clashes else {})
    return save(CLASHING, (fee, 1), groups=[group])


def save_revenue_share(share: str) -> SavedContract:
    """A share of the year's revenue, more above 1,000.00."""
    tiers = [{"sharePct": share, "upTo": "1000"}, {"sharePct": "50", "upTo": None}]
    structure = {
        "id": "s",
        "revenueCodes": ["SD1"],
        "accumulation": "AnnualAnniversary",
        "tiers": tiers,
        "validation": {"kind": "none"},
    }
    shared = {"kind": "revenueShare", "enabled": True, "structures": [structure]}
    return save(REVENUES, components=[shared], anchorDate=ANCHOR, groupingEnabled=False)


def save_profit_share(share: str) -> SavedContract:
    """A fee, and a share of the year's profit."""
    profits: dict[str, Any] = dict(SHARED_PROFIT)
    tiers = [{"sharePct": share, "upTo": None}]
    yearly = {"kind": "on", "accumulation": "AnnualAnniversary", "tiers": tiers}
    deal = profits["agreements"][0] | {"profitShare": yearly}
    fee = {"id": "f", "name": "Fee", "code": "4700", "displayName": "Fee", "fee": "100.00", "group": 1}
    components = [
        {"kind": "fixedFee", "enabled": True, "lines": [fee]},
        profits | {"agreements": [deal]},
    ]
    return save(PROFITS, components=components, anchorDate=ANCHOR)


def load_revenue(site: str, period: str, amount: int) -> None:
    """A month's revenue in one day, as an import leaves it: the row, and the sum of the month."""
    month = Period.parse(period)
    code = {"revenue_code": "SD1", "revenue_category": "Parking", "collection_type": "", "deposit_flag": "N"}
    values = code | {"net": Decimal(amount), "gross": Decimal(0), "validation": Decimal(0)}
    batch = _publish(site, REVENUE, month)
    with database.transaction() as writing:
        key = {"batch_no": batch, "site": site}
        day = {"row_number": 1, "day": month.first_day, "tax_rate": Decimal(0)}
        writing.connection.execute(revenue_daily.insert().values(**key, **values, **day))
        writing.connection.execute(revenue_monthly.insert().values(**key, **values, tax=Decimal(0), row_count=31))


def load_ledger(site: str, period: str, amount: int) -> None:
    """What the ledger says of a month's revenue."""
    batch = _publish(site, ACCOUNTS, Period.parse(period))
    row = {"main_account": "4100", "entity": "01", "row_number": 1, "balance": -Decimal(amount)}
    with database.transaction() as writing:
        writing.connection.execute(account_summary.insert().values(batch_no=batch, site=site, **row))


def lose(site: str, period: str) -> None:
    """Facts of the site's month are taken back."""
    stages.lose_rooms(site, period)


def _publish(site: str, dataset: str, month: Period) -> int:
    """Point the site's month to a new batch, whose number is returned."""
    c = current_facts.c
    with database.transaction() as writing:
        batch = 1 + (writing.connection.scalar(sa.select(sa.func.max(import_batch.c.batch_no))) or 0)
        about = batch_row(batch, str(month)) | {"dataset": dataset, "last_day": month.last_day}
        writing.connection.execute(import_batch.insert().values(**about))
        mine = (c.site == site, c.period == str(month), c.dataset == dataset)
        writing.connection.execute(current_facts.delete().where(*mine))
        days = {"first_day": month.first_day, "last_day": month.last_day, "row_count": month.days, "longest_gap": 0}
        place = {"dataset": dataset, "period": str(month), "site": site, "batch_no": batch, "changed_at": clock.now()}
        writing.connection.execute(current_facts.insert().values(**place, **days))
    return int(batch)


def load(site: str, period: str, amount: int) -> None:
    """The facts that the site's contract is billed from."""
    if site == ROOMS:
        rooms(site, amount, period)
    elif site in (REVENUES, PROFITS):
        load_revenue(site, period, 10 * amount)
        load_ledger(site, period, 10 * amount)


# -- where a history begins -----------------------------------------------------------------------------------------


@cache
def template() -> Path:
    """The file of a database in which nothing is billed yet: five contracts, and the facts of three months."""
    folder = Path(tempfile.mkdtemp(prefix="stateful-"))
    with pytest.MonkeyPatch.context() as patch, stages.opened(folder, patch):
        open_sites(*SITES)
        save_fees([("100.00", 1), ("50.00", 2)])
        save_clashing("10.00", clashes=False)
        save_rooms(ROOMS)
        save_revenue_share("10")
        save_profit_share("50")
        for site in (ROOMS, REVENUES, PROFITS):
            for month in MONTHS:
                load(site, month, 100)
    return folder / "stage.sqlite"


@contextmanager
def opened() -> Iterator[World]:
    """A world of its own, in a copy of that file."""
    start = template()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        shutil.copy(start, folder / "stage.sqlite")
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        stage = stack.enter_context(stages.opened(folder, patch))
        bus_of_world = Bus(stage)
        stack.enter_context(installed(bus_of_world))
        world = World(stage, bus_of_world)
        world.tick()
        yield world
