"""Runs that are tried again, woken or started early, on the real use cases over SQLite. The outbox plays the bus."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from localhost.sql_recorder import sql_server
from shared_code.contracts.model import SavedContract
from shared_code.contracts.saving import Saving, read_document, save_document
from shared_code.facts.tables import site
from shared_code.foundation import blobs, bus, clock, database
from shared_code.foundation.audit.tables import audit_event
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import PageRequest
from shared_code.foundation.settings import settings
from shared_code.operations.schema import metadata
from shared_code.statements import generation, repository, runs
from shared_code.statements.model import RetriedRun, StartedRun
from shared_code.statements.reading.model import RunItem
from shared_code.statements.reading.queries import run_items, run_status
from shared_code.statements.scope import RunCommand
from shared_code.statements.tables import run_item, statement, statement_document
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
    return runs.start_run(RunCommand(period, "test", "c"))


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


def test_a_run_that_stands_still_is_resumed_once_by_all_instances() -> None:
    """Two timers read the same run at the same moment; the second one's update finds it changed."""
    save("0901")
    run_id = start().run_id
    with database.reading() as connection:
        seen = repository.run_of(connection, run_id)
    assert seen is not None

    def resume() -> bool:
        with database.transaction() as work:
            return repository.resume(work.connection, seen)

    assert [resume(), resume()] == [True, False]


def failed_run(number: str) -> str:
    """A run of one contract, which has failed: its site is not known yet."""
    save(number)
    run = runs.start_run(RunCommand("2026-10", "test", "c", (number,))).run_id
    bill(run, f"first of {number}")
    assert outcomes(run) == {"failed": 1}
    return run


def audited(run_id: str) -> list[str]:
    with database.reading() as connection:
        chosen = sa.select(audit_event.c.action).where(audit_event.c.stream == f"run/{run_id}")
        return list(connection.scalars(chosen.order_by(audit_event.c.sequence)))


def test_a_retry_during_the_report_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run was found finished, its report is on its way, and somebody presses the button."""
    run = failed_run("0901")
    written: list[str] = []

    def put(_container: str, name: str, *_content: object) -> None:
        if not written:
            assert runs.retry_run(run) == RetriedRun(run, 1)
        written.append(name)

    monkeypatch.setattr(blobs, "put", put)

    assert runs.settle_run(run) is False
    assert (run_status(run).state, outcomes(run)) == ("Running", {"pending": 1})

    open_site("0901")
    bill(run, "second")
    assert runs.settle_run(run) is False  # its document is still to be drawn
    with database.transaction() as work:
        work.connection.execute(statement_document.update().values(state="Rendered"))
    assert runs.settle_run(run) is True
    assert (run_status(run).state, len(written)) == ("Completed", 2)
    assert audited(run) == ["run.started", "run.retried", "run.completed"]


@pytest.mark.parametrize("open_work", ["item", "document", "attempt"])
def test_a_run_is_finished_only_as_it_was_read_and_without_open_work(open_work: str) -> None:
    save("0901")
    open_site("0901")
    run_id = start().run_id
    if open_work == "document":
        bill(run_id, "first")

    with database.transaction() as work:
        if open_work == "attempt":
            work.connection.execute(run_item.update().values(outcome="Failed"))
        assert not repository.finish_run(work.connection, run_id, 2 if open_work == "attempt" else 1)
        work.connection.execute(run_item.update().values(outcome="Failed"))
        work.connection.execute(statement_document.update().values(state="Rendered"))
        assert repository.finish_run(work.connection, run_id, 1)


def test_a_retry_locks_the_run_before_its_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQL Server one of retry and end waits for the other; SQLite has one writer anyway."""
    run = failed_run("0901")
    touched: list[str] = []

    def note(_connection: object, _cursor: object, _sql: str, _values: object, context: Any, _many: bool) -> None:
        if context.compiled is not None:
            text = str(context.compiled.statement.compile(dialect=sql_server()))
            if "UPDLOCK" in text or text.startswith("UPDATE"):
                touched.append(" ".join(text.split()))

    sa.event.listen(database.engine(), "before_cursor_execute", note)
    runs.retry_run(run)

    assert "FROM statement_run WITH (UPDLOCK, ROWLOCK)" in touched[0]
    assert [text[:20] for text in touched[1:3]] == ["UPDATE run_item SET ", "UPDATE statement_run"]


def test_a_run_that_cannot_be_settled_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, *others = [failed_run(number) for number in ("0901", "0902", "0903")]

    def put(_container: str, name: str, *_content: object) -> None:
        if broken in name:
            raise OSError("the report cannot be written")

    monkeypatch.setattr(blobs, "put", put)

    with pytest.raises(ExceptionGroup, match="1 of 3 running runs") as told:
        runs.watch_running_runs()

    assert [type(fault) for fault in told.value.exceptions] == [OSError]
    assert [run_status(run).state for run in (broken, *others)] == ["Running", "Completed", "Completed"]


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
    """Rules R43: else any edit in February would switch January's increase off, and nobody would see it.

    The fee is stated in 2026; January raises it by 3 %, and the edit in between does not take that back.
    """
    rule = {"rule": "fixed_pct", "pct": "3", "target": "fixedFee.fee", "month": "January", "status": "approved"}
    save("0901", escalators=[rule])
    open_site("0901")
    clock.set_clock(lambda: datetime(2027, 2, 10, 15, tzinfo=UTC))
    save("0901", escalators=[rule], purchaseOrder="PO 7")
    run = start("2027-01").run_id

    bill(run, "one")

    (item,) = items(run)
    assert (item.outcome, item.reason) == ("Generated", None)
    with database.reading() as connection:
        assert str(connection.scalar(sa.select(statement.c.total))) == "103.0000"
