"""A run is cancelled: what has not begun is left, what is billed stays, and outcomes add up to what was expected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared_code.foundation import database
from shared_code.foundation.audit.tables import audit_event
from shared_code.foundation.errors import BillingError
from shared_code.foundation.visibility import EVERYTHING
from shared_code.statements.reading.queries import run_status
from shared_code.statements.regeneration import regenerate
from shared_code.statements.runs import cancel_run, retry_run
from tests.unit.statements.stage import (
    Stage,
    items,
    live_numbers,
    open_sites,
    opened,
    outcomes,
    save,
    start,
)

SITES = ("0901", "0902", "0903", "0904", "0905")  # three chunks of two


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with opened(tmp_path, monkeypatch) as stage:
        yield stage


@pytest.fixture
def taken(stage: Stage) -> list[str]:
    """The sites in the order in which a run takes their contracts. The first one fails: it is not known."""
    by_contract = {save(number).contract_id: number for number in SITES}
    in_order = [by_contract[contract] for contract in sorted(by_contract)]
    open_sites(*in_order[1:])
    return in_order


# How many chunks are done before the run is cancelled, and what becomes of its contracts.
CANCELLED: list[tuple[str, int, dict[str, int]]] = [
    ("before anything", 0, {"cancelled": 5}),
    ("after the first chunk", 1, {"generated": 1, "failed": 1, "cancelled": 3}),
    ("after the second chunk", 2, {"generated": 3, "failed": 1, "cancelled": 1}),
]


@pytest.mark.usefixtures("taken")
@pytest.mark.parametrize(("what", "chunks", "expected"), CANCELLED, ids=[case[0] for case in CANCELLED])
def test_what_has_not_begun_is_left(stage: Stage, what: str, chunks: int, expected: dict[str, int]) -> None:
    run = start().run_id
    for _ in range(chunks):
        stage.deliver("statement-chunks")

    assert cancel_run(run)
    stage.drain()

    status = run_status(run)
    report = json.loads(stage.stored[f"{run}.json"])
    assert (status.state, status.cancelled_at is not None, status.finished_at is not None) == ("Cancelled", True, True)
    assert outcomes(run) == expected
    assert sum(expected.values()) == status.expected == len(SITES)
    assert (report["reconciles"], report["outcomes"]["cancelled"]) == (True, expected["cancelled"])
    assert len(live_numbers()) == expected.get("generated", 0)
    assert len([name for name in stage.stored if name.endswith(".pdf")]) == expected.get("generated", 0)
    assert actions(run)[-2:] == ["run.cancelled", "run.completed"]


def actions(run: str) -> list[str]:
    with database.reading() as connection:
        chosen = sa.select(audit_event.c.action).where(audit_event.c.stream == f"run/{run}")
        return list(connection.scalars(chosen.order_by(audit_event.c.sequence)))


@pytest.mark.usefixtures("taken")
def test_after_the_last_chunk_there_is_nothing_to_cancel(stage: Stage) -> None:
    """Its documents are still to be drawn; they belong to what is billed."""
    run = start().run_id
    for _ in range(3):
        stage.deliver("statement-chunks")

    assert not cancel_run(run)
    stage.drain()

    assert not cancel_run(run)
    assert run_status(run).state == "Completed"
    assert outcomes(run) == {"generated": 4, "failed": 1}


@pytest.mark.usefixtures("taken")
def test_cancelling_twice_changes_nothing(stage: Stage) -> None:
    run = start().run_id

    assert [cancel_run(run), cancel_run(run)] == [True, False]
    stage.drain()

    assert cancel_run(run) is False
    assert outcomes(run) == {"cancelled": 5}
    assert actions(run).count("run.cancelled") == 1


def test_a_retry_after_cancelling_bills_what_has_failed_and_nothing_else(stage: Stage, taken: list[str]) -> None:
    run = start().run_id
    stage.deliver("statement-chunks")
    cancel_run(run)
    stage.drain()
    open_sites(taken[0])

    assert retry_run(run).retried == 1
    stage.drain()

    assert outcomes(run) == {"generated": 2, "cancelled": 3}
    assert run_status(run).state == "Cancelled"


def test_what_was_left_is_billed_by_the_next_run(stage: Stage, taken: list[str]) -> None:
    run = start().run_id
    stage.deliver("statement-chunks")
    cancel_run(run)
    stage.drain()
    open_sites(taken[0])

    another = stage.bill(source="another")

    assert outcomes(another) == {"generated": 4, "skipped": 1}
    assert sorted(item.outcome for item in items(another) if item.site_number == taken[1]) == ["Skipped"]


def test_a_cancelled_regeneration_leaves_the_statement_and_can_be_asked_for_again(
    stage: Stage, taken: list[str]
) -> None:
    run = stage.bill()
    statement = next(str(item.statement_id) for item in items(run) if item.statement_id)
    first = regenerate(statement, "test", "c", EVERYTHING)
    cancel_run(first.run_id)
    stage.drain()
    assert live_numbers() == [f"{number}-202610-01-01" for number in sorted(taken[1:])]

    second = stage.regenerate(statement)

    assert (outcomes(first.run_id), outcomes(second)) == ({"cancelled": 1}, {"generated": 1})


def test_a_run_that_there_is_not_is_not_cancelled(stage: Stage) -> None:
    with pytest.raises(BillingError) as refused:
        cancel_run("0" * 32)
    assert refused.value.code == "RUN_NOT_FOUND"
