"""A chunk of contracts costs the same number of SQL statements, whatever its size: nothing is asked for one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from shared_code.foundation import clock, database, queues
from shared_code.foundation.handover import handover
from shared_code.foundation.settings import settings
from shared_code.operations.migrate import upgrade
from shared_code.statements.generation import generate_chunk
from shared_code.statements.runs import start_run
from shared_code.statements.scope import RunCommand
from shared_code.statements.tables import run_item
from tests.closing_support import CLOSING, PERIOD, fill

SIZES = (25, 250, 1_000)
MOST = 25
"""Statements of a chunk, with those that mark its messages as published after the commit."""


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The sites of an operator with enough contracts for a chunk of each size, and a year of facts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPERATOR_NAME", "Example Parking")
        patch.setenv("DATABASE_URL", f"sqlite:///{tmp_path_factory.mktemp('closing') / 'app.sqlite'}")
        patch.setenv("CHUNK_CONTRACTS", str(max(SIZES)))
        settings.cache_clear()
        database.engine.cache_clear()
        clock.set_clock(lambda: CLOSING)
        upgrade(settings().database_url)
        fill(sum(SIZES))
        with database.reading() as connection:
            found = list(connection.scalars(sa.text("SELECT site_number FROM contract ORDER BY site_number")))
        yield found
        clock.set_clock(None)
        database.engine().dispose()
        settings.cache_clear()
        database.engine.cache_clear()


def close(sites: list[str]) -> list[str]:
    """Bill one chunk of these sites. The statements that it took; one with many rows of values is one."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.startswith("BEGIN"):  # asked of SQLite alone
            statements.append(statement)

    with handover() as messages:
        run = start_run(RunCommand(str(PERIOD), "test", "test", site_numbers=tuple(sites)))
        taken: list[database.Message] = []
        messages.drain(taken.append)
        (chunk,) = (message for message in taken if message.queue == queues.STATEMENT_CHUNKS)
        sa.event.listen(database.engine(), "before_cursor_execute", note)
        try:
            generate_chunk(run.run_id, json.loads(chunk.body)["chunk"], chunk.message_id)
        finally:
            sa.event.remove(database.engine(), "before_cursor_execute", note)
    with database.reading() as connection:
        chosen = sa.select(sa.func.count()).where(run_item.c.run_id == run.run_id, run_item.c.outcome == "Generated")
        assert connection.scalar(chosen) == len(sites)
    return statements


def test_a_chunk_takes_the_same_number_of_statements_whatever_its_size(sites: list[str]) -> None:
    taken = {}
    start = 0
    for size in SIZES:
        taken[size] = len(close(sites[start : start + size]))
        start += size

    assert len(set(taken.values())) == 1, taken
    assert taken[SIZES[0]] <= MOST
