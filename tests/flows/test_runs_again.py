"""Runs that are tried again, woken or started early, on the real use cases over SQLite. The outbox plays the bus."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared_code.contracts.model import SavedContract
from shared_code.contracts.saving import Saving, read_document, save_document
from shared_code.facts.tables import site
from shared_code.foundation import bus, clock, database
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import PageRequest
from shared_code.foundation.settings import settings
from shared_code.operations.schema import metadata
from shared_code.statements import generation, runs
from shared_code.statements.model import RetriedRun, StartedRun
from shared_code.statements.reading.model import RunItem
from shared_code.statements.reading.queries import run_items, run_status
from shared_code.statements.tables import run_item, statement
from tests.flows.conftest import as_bytes, fixed_fees

pytestmark = pytest.mark.flow
NOVEMBER = datetime(2026, 11, 24, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def billing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A database of its own, and a clock that stands on 24 November 2026."""
    monkeypatch.setenv("OPERATOR_NAME", "Example Parking")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'billing.sqlite'}")
    monkeypatch.setattr(bus, "publish_quietly", lambda messages: 0)
    settings.cache_clear()
    database.engine.cache_clear()
    metadata.create_all(database.engine())
    clock.set_clock(lambda: NOVEMBER)
    yield
    clock.set_clock(None)
    database.engine().dispose()
    settings.cache_clear()
    database.engine.cache_clear()


def save(number: str, fee: str = "100.00", *, additional: bool = False, **changes: object) -> SavedContract:
    data = as_bytes(fixed_fees(number, (fee, 1)) | changes)
    return save_document(read_document(data, legacy=False), Saving("test", "test", "*", additional))


def open_site(number: str) -> None:
    with database.transaction() as work:
        work.connection.execute(site.insert().values(site_number=number, name="Hotel", batch_no=0, row_number=1))


def start(period: str = "2026-10") -> StartedRun:
    return runs.start_run(runs.RunCommand(period, "test", "c"))


def bill(run_id: str, message: str) -> int:
    return generation.generate_chunk(run_id, 0, message)


def outcomes(run_id: str) -> dict[str, int]:
    found = asdict(run_status(run_id).outcomes)
    return {name: number for name, number in found.items() if number}


def items(run_id: str, outcome: str | None = None) -> tuple[RunItem, ...]:
    return run_items(run_id, PageRequest(), outcome).items


def sent(queue: str) -> int:
    with database.reading() as connection:
        chosen = sa.select(sa.func.count()).select_from(database.outbox).where(database.outbox.c.queue == queue)
        return connection.scalar(chosen) or 0


def test_only_what_has_failed_is_billed_again_once_its_cause_is_mended() -> None:
    save("0901")
    save("0902")
    open_site("0901")
    run = start().run_id
    assert bill(run, "first") == 1
    assert outcomes(run) == {"generated": 1, "failed": 1}
    (failed,) = items(run, "failed")
    assert (failed.reason, str(failed.suggestion)[:4]) == ("SITE_UNKNOWN", "Drop")
    open_site("0902")

    assert runs.retry_run(run) == RetriedRun(run, 1)
    assert bill(run, "second") == 1

    assert outcomes(run) == {"generated": 2}
    assert runs.retry_run(run) == RetriedRun(run, 0)


def test_a_message_delivered_twice_bills_once_and_says_nothing_new() -> None:
    save("0901")
    open_site("0901")
    run = start().run_id

    assert (bill(run, "one"), bill(run, "one"), bill(run, "other")) == (1, 0, 0)

    with database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(statement)) == 1
    assert outcomes(run) == {"generated": 1}


def test_a_run_that_stands_still_has_its_open_work_sent_again_once_a_while() -> None:
    """Field report 25: its messages ended as dead letters, so nothing else would ever move it."""
    save("0901")
    run = start().run_id
    assert sent("statement-chunks") == 1
    assert runs.watch_running_runs() == 1
    assert sent("statement-chunks") == 1  # it has just begun

    clock.set_clock(lambda: NOVEMBER + timedelta(minutes=16))
    assert (runs.watch_running_runs(), runs.watch_running_runs()) == (1, 1)

    assert sent("statement-chunks") == 2
    assert outcomes(run) == {"pending": 1}


def test_a_run_ahead_of_its_month_leaves_contracts_in_arrears_to_the_run_after_it() -> None:
    save("0901")
    save("0902", billingType="Advanced")
    early = start("2026-12")
    assert run_status(early.run_id).expected == 1

    clock.set_clock(lambda: datetime(2027, 1, 4, 15, tzinfo=UTC))
    late = start("2026-12")

    assert (late.created, late.run_id == early.run_id) == (True, False)
    assert run_status(late.run_id).expected == 2


def test_the_clock_bills_arrears_for_last_month_and_advances_for_next_month(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHEDULED_BILLING_DAY", "3")
    settings.cache_clear()
    save("0901")
    save("0902", billingType="Advanced")

    started = runs.start_scheduled_runs()

    found = [run_status(run.run_id) for run in started]
    assert [(run.period, run.expected) for run in found] == [("2026-10", 1), ("2026-12", 1)]
    assert [run.created for run in runs.start_scheduled_runs()] == [False, False]


def test_a_correction_saved_before_its_chunk_is_what_is_billed() -> None:
    save("0901", "1000.00")
    open_site("0901")
    run = start().run_id
    save("0901", "100.00")

    bill(run, "one")

    with database.reading() as connection:
        assert str(connection.scalar(sa.select(statement.c.total))) == "100.0000"
        assert connection.scalar(sa.select(run_item.c.contract_version)) == 2


def test_a_second_contract_of_a_site_is_refused_unless_it_is_asked_for() -> None:
    save("0901")

    with pytest.raises(BillingError) as refused:
        save("0901", id="another")

    assert refused.value.code == "CONTRACT_OTHER"
    assert save("0901", id="another", additional=True).version == 1


def test_an_edit_that_leaves_a_rate_alone_keeps_the_month_that_it_is_stated_for() -> None:
    """Rules R43: else any edit in February would switch January's increase off, and nobody would see it."""
    rule = {"rule": "fixed_pct", "pct": "3", "target": "fixedFee.fee", "month": "January", "status": "approved"}
    save("0901", escalators=[rule])
    open_site("0901")
    clock.set_clock(lambda: datetime(2027, 2, 10, 15, tzinfo=UTC))
    save("0901", escalators=[rule], purchaseOrder="PO 7")
    run = start("2027-01").run_id

    bill(run, "one")

    (item,) = items(run)
    assert (item.outcome, item.reason) == ("Failed", "COMPONENT_NOT_SUPPORTED")
