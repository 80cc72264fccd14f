"""A small audit to write, read and tamper with, on a database file of the test's own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared_code.foundation import clock, database
from shared_code.foundation.audit import Event, record
from shared_code.foundation.audit.tables import TRIGGERS, audit_event, audit_head
from shared_code.foundation.calendar import Period
from shared_code.foundation.context import Context, acting
from shared_code.foundation.database import inbox, metadata, outbox, transaction
from shared_code.foundation.settings import settings

FIRST_INSTANT = datetime(2026, 10, 31, 12, 0, 0, 123456, tzinfo=UTC)
ANN = Context("u-1", "Ann Lee", "person", ("billingAdmin",), "q-1", "c-1")
BOB = Context("u-2", "Bob Zürn", "person", ("billingManager", "auditor"), "q-2", "c-2")

HISTORY: tuple[tuple[Context, tuple[Event, ...]], ...] = (
    (
        ANN,
        (
            Event("contract/0012", "contract.created", "c-12", {"version": 1}, site="0012"),
            Event("run/1", "run.started", "r-1", {"period": Period(2026, 10), "contracts": 2}),
        ),
    ),
    (
        BOB,
        (
            Event(
                "contract/0012",
                "contract.changed",
                "c-12",
                {"fee": {"old": Decimal("10.50"), "new": Decimal("11.00")}, "dormant": False},
                reason='as agreed on the "10th"',
                site="0012",
            ),
        ),
    ),
    (
        Context(),
        (
            Event("run/1", "item.generated", "c-12", {"total": Decimal("1234.50")}, site="0012"),
            Event("run/1", "item.failed", "c-13", {"reason": None, "codes": ["A", "B"]}, site="0013"),
            Event("run/1", "run.completed", "r-1"),
        ),
    ),
    (ANN, (Event("settings", "setting.changed", "REVIEW_LIMIT", {"old": 5, "new": 7}, reason="year end"),)),
)
"""Three streams of 2, 4 and 1 events, which the stream of streams announces in 3 events."""
EVENTS = 10


@contextmanager
def audit_database(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    """The app's database of this process on a new file, with the foundation's tables. The clock ticks by seconds."""
    monkeypatch.setenv("OPERATOR_NAME", "Meridian")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{folder}/audit.sqlite")
    settings.cache_clear()
    database.engine.cache_clear()
    ticks = itertools.count()
    clock.set_clock(lambda: FIRST_INSTANT + timedelta(seconds=next(ticks)))
    engine = database.engine()
    with engine.begin() as connection:
        metadata.create_all(connection, [outbox, inbox, audit_event, audit_head])
    yield engine
    clock.set_clock(None)
    engine.dispose()
    settings.cache_clear()
    database.engine.cache_clear()


def write(*events: Event, by: Context = ANN) -> None:
    with acting(by), transaction() as work:
        record(work, events)


def write_history() -> None:
    for who, events in HISTORY:
        write(*events, by=who)


def texts() -> list[tuple[str, int, str]]:
    """Stream, number and text of every row, in the order of the chains."""
    c = audit_event.c
    with database.reading() as connection:
        chosen = sa.select(c.stream, c.sequence, c.body).order_by(c.stream, c.sequence)
        return list(connection.execute(chosen))


type Step = str | tuple[str, *tuple[object, ...]]
"""A statement of SQLite, with its parameters where it has some."""


def tamper(*steps: Step) -> None:
    """What somebody with all rights in the database can do: take the triggers away, then everything."""
    with transaction() as work:
        for name in TRIGGERS["sqlite"]:
            work.connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        for step in steps:
            statement, *parameters = (step,) if isinstance(step, str) else step
            work.connection.exec_driver_sql(statement, tuple(parameters))
