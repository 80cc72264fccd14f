"""A wish that something has overtaken: cancelled runs asked for again, regenerations whose statement was sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared_code.foundation.visibility import EVERYTHING
from shared_code.statements.regeneration import regenerate
from shared_code.statements.runs import cancel_run, retry_run
from tests.unit.statements.stage import (
    Stage,
    live_numbers,
    lose_rooms,
    open_sites,
    opened,
    outcomes,
    rooms,
    save,
    save_rooms,
    send_out,
    standing,
    start,
)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with opened(tmp_path, monkeypatch) as stage:
        open_sites("0901")
        yield stage


def test_a_cancelled_run_is_asked_for_again_in_the_same_words(stage: Stage) -> None:
    save("0901")
    cancel_run(start().run_id)
    stage.drain()

    again = start()
    stage.drain()

    assert (again.created, outcomes(again.run_id)) == (True, {"generated": 1})
    assert start() == type(again)(again.run_id, created=False)


def test_a_statement_that_is_sent_before_it_is_made_anew_is_not_billed_beside(stage: Stage) -> None:
    contract = save("0901").contract_id
    stage.bill()
    run = regenerate(standing(contract)[0].statement_id, "test", "c", EVERYTHING).run_id
    send_out(contract)
    stage.drain()

    assert outcomes(run) == {"skipped": 1}
    assert live_numbers() == ["0901-202610-01-01"]
    stage.regenerate(standing(contract)[0].statement_id)
    assert live_numbers() == ["0901-202610-01-01", "0901-202610-01-02"]


def test_a_retry_of_a_regeneration_makes_no_correction_of_what_was_sent_meanwhile(stage: Stage) -> None:
    contract = save_rooms("0901").contract_id
    rooms("0901", 100)
    stage.bill()
    lose_rooms("0901")
    run = stage.regenerate(standing(contract)[0].statement_id)
    rooms("0901", 100)
    send_out(contract)

    assert retry_run(run).retried == 1
    stage.drain()

    assert outcomes(run) == {"skipped": 1}
    assert live_numbers() == ["0901-202610-01-01"]
