"""Runs on the real use cases over SQLite in one process: messages wait until a test delivers them, one or all."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from shared_code.contracts.model import SavedContract
from shared_code.contracts.saving import Saving, read_document, save_document
from shared_code.facts.tables import current_facts, import_batch, site, statistics_monthly
from shared_code.foundation import blobs, clock, database, queues
from shared_code.foundation.business_settings.service import change
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow, Message
from shared_code.foundation.listing import PageRequest
from shared_code.foundation.sending import Link, installed
from shared_code.foundation.settings import settings
from shared_code.foundation.visibility import EVERYTHING
from shared_code.operations.invariants.service import check_invariants, violated
from shared_code.operations.schema import metadata
from shared_code.statements.generation import generate_chunk
from shared_code.statements.model import StartedRun
from shared_code.statements.reading.model import RunItem, StatementDetail
from shared_code.statements.reading.queries import run_items, run_status, statement_detail
from shared_code.statements.regeneration import regenerate
from shared_code.statements.rendering import render_documents
from shared_code.statements.runs import settle_run, start_run
from shared_code.statements.scope import RunCommand
from shared_code.statements.tables import invoice, statement
from tests.flows.conftest import as_bytes, fixed_fees, room_charge

NOVEMBER = datetime(2026, 11, 24, 15, tzinfo=UTC)
ALL = PageRequest(limit=1000)


@dataclass(slots=True)
class Stage:
    """A database, a bus and a blob storage, each in this process."""

    waiting: deque[Message] = field(default_factory=deque)
    stored: dict[str, bytes] = field(default_factory=dict)

    # the bus: what `foundation/sending.Link` and the publisher do

    def run[T](self, queue: str, job: Callable[[Link], T], patience: float) -> T:
        return job(cast("Link", self))

    def probe(self, queue: str) -> None: ...

    def send(self, messages: Sequence[Message], sent: Callable[[Sequence[Message]], Any]) -> list[Message]:
        self.waiting.extend(messages)
        sent(messages)
        return []

    def deliver(self, queue: str) -> None:
        """Do the work of the first message that waits in a queue."""
        message = next(one for one in self.waiting if one.queue == queue)
        self.waiting.remove(message)
        work(message)

    def drain(self) -> None:
        """Do the work of every message, and of those that it sends."""
        while self.waiting:
            work(self.waiting.popleft())

    # the month

    def bill(self, period: str = "2026-10", **wish: Any) -> str:
        """A run from its start to its end."""
        run_id = start(period, **wish).run_id
        self.drain()
        return run_id

    def regenerate(self, statement_id: str) -> str:
        run_id = regenerate(statement_id, "test", "c", EVERYTHING).run_id
        self.drain()
        return run_id


def work(message: Message) -> None:
    body = json.loads(message.body)
    if message.queue == queues.STATEMENT_CHUNKS:
        generate_chunk(body["run"], body["chunk"], message.message_id)
    elif message.queue == queues.STATEMENT_DOCUMENTS:
        render_documents(body["run"], body["statements"], message.message_id, message.correlation_id)
    else:
        settle_run(body["run"])


@contextmanager
def opened(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A stage with a database of its own, and a clock that stands on 24 November 2026.

    In the end, whatever was played, what must always be true of the database is true.
    """
    stage = Stage()

    def put(_container: str, name: str, data: bytes, _type: str) -> None:
        stage.stored[name] = data

    patch.setattr(blobs, "put", put)
    patch.setenv("OPERATOR_NAME", "Example Parking")
    patch.setenv("DATABASE_URL", f"sqlite:///{folder / 'stage.sqlite'}")
    patch.setenv("CHUNK_CONTRACTS", "2")
    settings.cache_clear()
    database.engine.cache_clear()
    metadata.create_all(database.engine())
    clock.set_clock(lambda: NOVEMBER)
    with installed(stage):
        yield stage
    broken = violated(check_invariants())
    clock.set_clock(None)
    database.engine().dispose()
    settings.cache_clear()
    database.engine.cache_clear()
    assert [(one.name, one.violations) for one in broken] == []


def save(number: str, *fees: tuple[str, int], additional: bool = False, **changes: Any) -> SavedContract:
    """Save a contract of monthly fees, each with its group; 100.00 in group 1 unless given."""
    data = as_bytes(fixed_fees(number, *(fees or (("100.00", 1),))) | changes)
    return save_document(read_document(data, legacy=False), Saving("test", "test", "*", additional))


def open_sites(*numbers: str) -> None:
    with database.transaction() as work_:
        rows = [{"site_number": n, "name": f"Hotel {n}", "batch_no": 0, "row_number": i} for i, n in enumerate(numbers)]
        work_.connection.execute(site.insert(), rows)


def save_rooms(number: str, **changes: Any) -> SavedContract:
    """Save a contract that bills a dollar for every occupied room, so that a month's facts are its total."""
    return save(number, **room_charge(number, "1.00") | changes)


def rooms(number: str, occupied: int, period: str = "2026-10") -> None:
    """Load the occupied rooms of a site's month anew."""
    month = Period.parse(period)
    place = {"dataset": "site_statistics", "period": period, "site": number}
    with database.transaction() as work_:
        forget(work_, number, period)
        batch = 1 + (work_.connection.scalar(sa.select(sa.func.max(import_batch.c.batch_no))) or 0)
        work_.connection.execute(import_batch.insert().values(**batch_row(batch, period), last_day=month.last_day))
        work_.connection.execute(
            statistics_monthly.insert().values(
                batch_no=batch,
                site=number,
                revenue_code="OR1",
                revenue_category="OCCUPIED ROOMS",
                value_type="Actual",
                is_draft=0,
                value=Decimal(occupied),
                row_count=month.days,
            )
        )
        work_.connection.execute(
            current_facts.insert().values(
                **place,
                batch_no=batch,
                row_count=month.days,
                first_day=month.first_day,
                last_day=month.last_day,
                longest_gap=0,
                changed_at=clock.now(),
            )
        )


def batch_row(number: int, period: str) -> dict[str, object]:
    name = f"batch-{number}"
    return {
        "batch_no": number,
        "batch_id": name,
        "effect_key": name,
        "dataset": "site_statistics",
        "period": period,
        "container": "edw-drops",
        "source_name": f"site_statistics/{period}/{name}.csv",
        "sha256": "0" * 64,
        "byte_count": 1,
        "state": "current",
        "created_at": clock.now(),
        "finished_at": clock.now(),
    }


def lose_rooms(number: str, period: str = "2026-10") -> None:
    """Let the site's month have no facts, so that it cannot be billed."""
    with database.transaction() as work_:
        forget(work_, number, period)


def forget(work_: database.UnitOfWork, number: str, period: str) -> None:
    c = current_facts.c
    work_.connection.execute(current_facts.delete().where(c.site == number, c.period == period))


def decide(**values: Any) -> None:
    """Change business settings."""
    change(values, "for the test", "*")


def start(period: str = "2026-10", **wish: Any) -> StartedRun:
    return start_run(RunCommand(period, "test", "c", **wish))


def outcomes(run_id: str) -> dict[str, int]:
    found = asdict(run_status(run_id).outcomes)
    return {name: number for name, number in found.items() if number}


def items(run_id: str) -> tuple[RunItem, ...]:
    return run_items(run_id, ALL).items


def rows_of(table: sa.Table) -> list[AnyRow]:
    with database.reading() as connection:
        return list(connection.execute(sa.select(table)).all())


def standing(contract_id: str, period: str = "2026-10") -> list[AnyRow]:
    """Every statement of a contract and month, by generation."""
    c = statement.c
    with database.reading() as connection:
        chosen = sa.select(statement).where(c.contract_id == contract_id, c.period == period)
        return list(connection.execute(chosen.order_by(c.generation)).all())


def detail(statement_id: str) -> StatementDetail:
    return statement_detail(statement_id, EVERYTHING)


def send_out(contract_id: str, period: str = "2026-10") -> None:
    """Mark the unsent statement of a contract as sent."""
    c = statement.c
    with database.transaction() as work_:
        unsent = (c.contract_id == contract_id, c.period == period, c.status != "Superseded", c.status != "Sent")
        assert work_.connection.execute(statement.update().where(*unsent).values(status="Sent")).rowcount == 1


def live_numbers() -> list[str]:
    """Invoice numbers that count."""
    return sorted(row.number for row in rows_of(invoice) if row.superseded_at is None)
