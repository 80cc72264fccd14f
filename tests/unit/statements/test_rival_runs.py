"""Two runs for the same contract and month: one bills it, the other sees that it is billed, whatever the order.

Threads meet at a barrier and go on at once; the database decides who is first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from shared_code.foundation.errors import BillingError
from shared_code.foundation.visibility import EVERYTHING
from shared_code.statements.generation import generate_chunk
from shared_code.statements.regeneration import regenerate
from tests.unit.statements.stage import (
    Stage,
    items,
    live_numbers,
    open_sites,
    opened,
    outcomes,
    rooms,
    save,
    save_rooms,
    standing,
    start,
)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with opened(tmp_path, monkeypatch) as stage:
        yield stage


def at_once[T](*jobs: Callable[[], T]) -> list[T]:
    """Do jobs at the same moment, each in a thread; one that loses a race is delivered again, as the bus does."""
    barrier = Barrier(len(jobs))

    def work(job: Callable[[], T]) -> T:
        barrier.wait(timeout=20)
        for _ in range(5):
            try:
                return job()
            except BillingError as fault:
                if not fault.kind.retryable:
                    raise
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(work, jobs))


def test_the_later_run_finds_the_contract_billed(stage: Stage) -> None:
    save("0901")
    open_sites("0901")

    first, second = stage.bill(source="first"), stage.bill(source="second")

    assert (outcomes(first), outcomes(second)) == ({"generated": 1}, {"skipped": 1})
    (item,) = items(second)
    assert item.reason == "ALREADY_GENERATED"
    assert first in str(item.message)


@pytest.mark.parametrize("attempt", range(5))
def test_of_two_runs_at_once_one_bills_and_the_other_sees_it(stage: Stage, attempt: int) -> None:
    contract = save("0901").contract_id
    open_sites("0901")
    runs = [start(source=source).run_id for source in ("first", "second")]

    at_once(*(lambda run=run: generate_chunk(run, 0, f"chunk of {run}") for run in runs))
    stage.drain()

    assert sorted(map(str, map(outcomes, runs))) == ["{'generated': 1}", "{'skipped': 1}"]
    assert [(row.version, row.generation, row.status) for row in standing(contract)] == [(1, 1, "ApprovalTeam")]
    assert live_numbers() == ["0901-202610-01-01"]


@pytest.mark.parametrize("attempt", range(3))
def test_one_wish_at_once_is_one_run(stage: Stage, attempt: int) -> None:
    save("0901")
    open_sites("0901")

    started = at_once(start, start, start)

    assert len({run.run_id for run in started}) == 1
    assert sorted(run.created for run in started) == [False, False, True]


@pytest.mark.parametrize("attempt", range(5))
def test_a_regeneration_and_a_plain_run_at_once_leave_one_statement(stage: Stage, attempt: int) -> None:
    contract = save_rooms("0901").contract_id
    open_sites("0901")
    rooms("0901", 100)
    stage.bill()
    old = standing(contract)[0].statement_id
    rooms("0901", 70)
    anew = regenerate(old, "test", "c", EVERYTHING).run_id
    plain = start(source="plain").run_id

    at_once(*(lambda run=run: generate_chunk(run, 0, f"chunk of {run}") for run in (anew, plain)))
    stage.drain()

    assert (outcomes(anew), outcomes(plain)) == ({"generated": 1}, {"skipped": 1})
    assert [(row.generation, row.status, row.total) for row in standing(contract)] == [
        (1, "Superseded", 100),
        (2, "ApprovalTeam", 70),
    ]


@pytest.mark.parametrize("attempt", range(3))
def test_a_statement_made_anew_by_two_at_once_is_made_once(stage: Stage, attempt: int) -> None:
    contract = save("0901").contract_id
    open_sites("0901")
    stage.bill()
    old = standing(contract)[0].statement_id

    one, other = at_once(*[lambda: regenerate(old, "test", "c", EVERYTHING)] * 2)
    stage.drain()

    assert one.run_id == other.run_id
    assert [(row.generation, row.status) for row in standing(contract)] == [(1, "Superseded"), (2, "ApprovalTeam")]


def test_a_chunk_that_comes_twice_at_once_bills_once(stage: Stage) -> None:
    contract = save("0901").contract_id
    open_sites("0901")
    run = start().run_id

    written = at_once(*[lambda: generate_chunk(run, 0, "the same message")] * 2)
    stage.drain()

    assert sorted(written) == [0, 1]
    assert len(standing(contract)) == 1
