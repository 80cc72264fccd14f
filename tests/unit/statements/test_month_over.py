"""A contract in arrears is billed from the last day of its month on, in the operator's time zone (decision 9)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared_code.foundation import clock
from shared_code.foundation.errors import BillingError
from tests.unit.statements.stage import Stage, items, open_sites, opened, outcomes, save, start

EVENING_BEFORE = datetime(2026, 11, 30, 4, 59, tzinfo=UTC)  # 29 November, 23:59 in New York
LAST_DAY = datetime(2026, 11, 30, 5, 0, tzinfo=UTC)  # 30 November, 0:00 there


@pytest.fixture(autouse=True)
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A stage with one contract in arrears."""
    with opened(tmp_path, monkeypatch) as stage:
        open_sites("0001")
        save("0001")
        yield stage


def test_on_the_last_day_of_its_month_it_is_billed(stage: Stage) -> None:
    clock.set_clock(lambda: LAST_DAY)

    assert outcomes(stage.bill("2026-11")) == {"generated": 1}


def test_on_the_day_before_no_run_takes_it() -> None:
    clock.set_clock(lambda: EVENING_BEFORE)

    with pytest.raises(BillingError, match="wait until 2026-11-30"):
        start("2026-11")


def test_a_machine_whose_clock_is_behind_does_not_bill_it_either(stage: Stage) -> None:
    clock.set_clock(lambda: LAST_DAY)
    run = start("2026-11").run_id
    clock.set_clock(lambda: EVENING_BEFORE)
    stage.drain()

    (item,) = items(run)
    assert (item.outcome, item.reason) == ("Failed", "PERIOD_NOT_OVER")
    assert "2026-11-30" in (item.message or "")
