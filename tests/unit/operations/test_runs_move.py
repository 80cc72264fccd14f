"""A run that stands still is seen, and one that a person has just tried again is not taken for one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from shared_code.foundation import clock
from shared_code.operations.invariants.service import check_invariants
from shared_code.statements.runs import retry_run
from tests.unit.statements.stage import NOVEMBER, Stage, opened, outcomes, save


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with opened(tmp_path, monkeypatch) as stage:
        yield stage


def moves() -> bool:
    (found,) = check_invariants("RunsMove")
    return found.holds


def test_a_run_that_was_tried_again_moves_until_nothing_happens_for_long(stage: Stage) -> None:
    save("0901")  # of a site that nobody knows, so it fails
    run = stage.bill()
    assert outcomes(run) == {"failed": 1}
    clock.set_clock(lambda: NOVEMBER + timedelta(hours=5))

    retry_run(run)
    stage.waiting.clear()

    assert moves()
    clock.set_clock(lambda: NOVEMBER + timedelta(hours=7))
    assert not moves()
    clock.set_clock(lambda: NOVEMBER + timedelta(hours=5))  # the stage asks all invariants when it is left
