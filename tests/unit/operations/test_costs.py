"""What is asked again and again does not cost the square of the contracts.

An hourly timer checks all invariants, also where there are 50,000 contracts; every part of a run asks whether it was
the last. Costs are the steps of SQLite's machine, the same ones each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.foundation import clock, database, queues
from shared_code.foundation.handover import handover
from shared_code.foundation.settings import settings
from shared_code.operations.invariants.model import Violation
from shared_code.operations.invariants.service import INVARIANTS
from shared_code.operations.migrate import upgrade
from shared_code.statements.generation import generate_chunk
from shared_code.statements.messages import ChunkWork
from shared_code.statements.repository import is_unfinished, running
from shared_code.statements.runs import start_run
from shared_code.statements.scope import RunCommand
from tests.closing_support import CLOSING, PERIOD, fill
from tests.closing_whole import make_whole

FEW, MANY = 100, 400
STEPS = 10
"""Steps between two looks at their number."""
LEAST = 500
"""Of steps; below it there is nothing to compare."""
MOST = 1.25
"""So many times the steps for a contract: sorting costs a little more where there is more. The square costs 4 times."""


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return billed(tmp_path_factory.mktemp("few") / "app.sqlite", FEW)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return billed(tmp_path_factory.mktemp("many") / "app.sqlite", MANY)


def billed(path: Path, contracts: int) -> Path:
    """A database with a month of so many contracts that is billed and not drawn."""
    with opened(path):
        upgrade(settings().database_url)
        fill(contracts)
        make_whole(path)
        with handover() as messages:
            start_run(RunCommand(str(PERIOD), "test", "test"))
            messages.drain(bill)
    return path


@contextmanager
def opened(path: Path) -> Iterator[None]:
    """The database of this process is at `path`, and it is the day of the close."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPERATOR_NAME", "Example Parking")
        patch.setenv("DATABASE_URL", f"sqlite:///{path}")
        settings.cache_clear()
        database.engine.cache_clear()
        clock.set_clock(lambda: CLOSING)
        yield
        clock.set_clock(None)
        database.engine().dispose()
    settings.cache_clear()
    database.engine.cache_clear()


def bill(message: database.Message) -> None:
    if message.queue == queues.STATEMENT_CHUNKS:
        work = ChunkWork.model_validate_json(message.body)
        generate_chunk(work.run, work.chunk, message.message_id)


def costs(path: Path, questions: Mapping[str, Callable[[Connection], object]]) -> dict[str, int]:
    """The steps that each question takes."""
    found: dict[str, int] = {}
    with opened(path), database.reading() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        for name, ask in questions.items():
            looks: list[None] = []
            driver.set_progress_handler(lambda noted=looks: noted.append(None), STEPS)
            ask(connection)
            driver.set_progress_handler(None, 0)
            found[name] = len(looks) * STEPS
    return found


def test_no_invariant_costs_the_square_of_the_contracts(few: Path, many: Path) -> None:
    broken: list[Violation] = []
    checks = {one.name(): lambda at, one=one: broken.extend(one.violations(at)) for one in INVARIANTS}

    cheap, dear = costs(few, checks), costs(many, checks)

    assert not broken
    assert sum(dear.values()) > 1000 * MANY
    times = MOST * MANY / FEW
    assert not {name: (cheap[name], dear[name]) for name in checks if dear[name] > LEAST + cheap[name] * times}


def test_whether_a_run_is_finished_costs_the_same_for_any_number_of_contracts(few: Path, many: Path) -> None:
    def ask(connection: Connection) -> None:
        assert [is_unfinished(connection, run_id) for run_id in running(connection)] == [True]

    assert costs(few, {"": ask}) == costs(many, {"": ask})


def test_a_run_is_started_without_reading_the_documents_of_its_contracts(few: Path) -> None:
    """They are long, and all versions of all contracts are looked at."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    with opened(few), handover():
        sa.event.listen(database.engine(), "before_cursor_execute", note)
        start_run(RunCommand(str(PERIOD), "test", "test", source="another"))

    about_versions = [statement for statement in asked if "contract_version" in statement]
    assert about_versions
    assert not [statement for statement in about_versions if "document" in statement]
