"""What a check of the invariants costs grows with the database, and not with its square.

An hourly timer checks all of them, also where there are 50,000 contracts. Costs are the steps of SQLite's machine, the
same ones each time; four times the contracts may take five times the steps, where the square takes sixteen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared_code.foundation import clock, database, queues
from shared_code.foundation.handover import handover
from shared_code.foundation.settings import settings
from shared_code.operations.invariants.service import INVARIANTS
from shared_code.operations.migrate import upgrade
from shared_code.statements.generation import generate_chunk
from shared_code.statements.messages import ChunkWork
from shared_code.statements.runs import start_run
from shared_code.statements.scope import RunCommand
from tests.closing_support import CLOSING, PERIOD, fill
from tests.closing_whole import make_whole

FEW, MANY = 100, 400
STEPS = 10
"""Steps between two looks at their number."""
LEAST = 500
"""What a check costs on an empty database; below it there is nothing to compare."""
MOST = 1.25
"""Times as many steps for a contract; sorting costs a little more where there is more to sort."""


@contextmanager
def billed(path: Path, contracts: int) -> Iterator[None]:
    """The database of this process has a month of so many contracts, billed and not drawn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPERATOR_NAME", "Example Parking")
        patch.setenv("DATABASE_URL", f"sqlite:///{path}")
        settings.cache_clear()
        database.engine.cache_clear()
        clock.set_clock(lambda: CLOSING)
        upgrade(settings().database_url)
        fill(contracts)
        make_whole(path)
        with handover() as messages:
            start_run(RunCommand(str(PERIOD), "test", "test"))
            messages.drain(bill)
        yield
        clock.set_clock(None)
        database.engine().dispose()
    settings.cache_clear()
    database.engine.cache_clear()


def bill(message: database.Message) -> None:
    if message.queue == queues.STATEMENT_CHUNKS:
        work = ChunkWork.model_validate_json(message.body)
        generate_chunk(work.run, work.chunk, message.message_id)


def costs() -> dict[str, int]:
    """The steps that each invariant takes to find that it holds."""
    found: dict[str, int] = {}
    with database.reading() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        for one in INVARIANTS:
            looks: list[None] = []
            driver.set_progress_handler(lambda noted=looks: noted.append(None), STEPS)
            assert not tuple(one.violations(connection)), one.name()
            driver.set_progress_handler(None, 0)
            found[one.name()] = len(looks) * STEPS
    return found


def test_no_invariant_costs_the_square_of_the_contracts(tmp_path: Path) -> None:
    with billed(tmp_path / "few.sqlite", FEW):
        few = costs()
    with billed(tmp_path / "many.sqlite", MANY):
        many = costs()

    assert sum(many.values()) > 1000 * MANY
    dearer = {name: (few[name], many[name]) for name in many if many[name] > LEAST + few[name] * MOST * MANY / FEW}
    assert not dearer
