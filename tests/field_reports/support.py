"""What several rows need: other hours, faults at the edge of the database, statements that are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa

from shared_code.foundation import clock, database
from shared_code.foundation.settings import settings
from tests.unit.statements.stage import Stage

OUTAGE = timedelta(hours=3)  # longer than the watchdog is patient, shorter than a look at runs that do not move


class ProcessDied(BaseException):
    """The process ends here: nothing of ours may catch it."""


def at(instant: datetime) -> None:
    """Let the clock stand at an instant."""
    clock.set_clock(lambda: instant)


def configure(patch: pytest.MonkeyPatch, **values: str) -> None:
    """Change settings of the deployment."""
    for name, value in values.items():
        patch.setenv(name, value)
    settings.cache_clear()


@contextmanager
def dying_before_commit() -> Iterator[None]:
    """The process dies when the next transaction that wrote is about to commit."""

    def die(_connection: Any) -> None:
        raise ProcessDied

    sa.event.listen(database.engine(), "commit", die)
    try:
        with pytest.raises(ProcessDied):
            yield
    finally:
        sa.event.remove(database.engine(), "commit", die)


@contextmanager
def sql_of_this() -> Iterator[list[str]]:
    """The statements that are executed meanwhile."""
    seen: list[str] = []

    def note(*call: Any) -> None:
        seen.append(call[2])

    sa.event.listen(database.engine(), "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(database.engine(), "before_cursor_execute", note)


def at_once(*jobs: Callable[[], object]) -> None:
    """Do jobs at the same moment, each in a thread; a fault of any is raised."""
    barrier = Barrier(len(jobs))

    def work(job: Callable[[], object]) -> None:
        barrier.wait(timeout=20)
        job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        list(pool.map(work, jobs))


def lose_messages(stage: Stage) -> None:
    """The process dies, and the bus has given up what was under way."""
    stage.waiting.clear()
