"""Rows of what is billed twice, or not at all: whatever is repeated has one effect, and no month is passed over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from shared_code.contracts.tables import contract
from shared_code.foundation import database, queues
from shared_code.foundation.errors import CONCURRENT_CHANGE, BillingError
from shared_code.foundation.visibility import EVERYTHING
from shared_code.statements.catch_up.service import catch_up, missed_periods
from shared_code.statements.runs import start_scheduled_runs, watch_running_runs
from shared_code.statements.tables import run_item, statement, statement_run
from tests.field_reports.support import OUTAGE, ProcessDied, at, dying_before_commit, lose_messages
from tests.unit.statements.stage import (
    NOVEMBER,
    Stage,
    decide,
    items,
    live_numbers,
    open_sites,
    outcomes,
    rows_of,
    save,
    standing,
    start,
    work,
)


def test_row_01_recurring_invoice_created_again_and_again(stage: Stage) -> None:
    """Row 1: one recurring invoice came out two, four, a hundred times.

    The same message, the same wish and another wish for the month come again: one statement. And it is the database
    that says no to a second one, not only the code before it.
    """
    open_sites("0901")
    saved = save("0901")
    run = start()
    (first,) = stage.waiting
    stage.drain()

    for _ in range(3):
        work(first)
    assert start() == type(run)(run.run_id, created=False)
    stage.drain()
    assert outcomes(stage.bill(source="another")) == {"skipped": 1}

    (billed,) = standing(saved.contract_id)
    assert live_numbers() == ["0901-202610-01-01"]
    again = {**billed._mapping, "statement_id": "another", "generation": 2}
    with pytest.raises(BillingError) as refused, database.transaction() as writing:
        writing.connection.execute(statement.insert().values(again))
    assert refused.value.kind is CONCURRENT_CHANGE
    assert standing(saved.contract_id) == [billed]


def test_row_02_a_new_invoice_every_hour(stage: Stage) -> None:
    """Row 2: the date of the next invoice did not move on, and a new invoice was made every hour.

    What is billed is told by the stored statements. The schedule ticks hourly for a week, and the contract's own mark
    of how far it is billed is lost in the middle of it.
    """
    open_sites("0901")
    saved = save("0901")
    decide(scheduledBillingDay=1)

    for hour in range(7 * 24):
        at(datetime(2026, 11, 1, 6, tzinfo=UTC) + timedelta(hours=hour))
        start_scheduled_runs()
        stage.drain()
        if hour == 50:
            with database.transaction() as writing:
                writing.connection.execute(contract.update().values(billed_through=None))
            assert outcomes(stage.bill(source="after-the-loss")) == {"skipped": 1}
            with database.transaction() as writing:  # put right again
                writing.connection.execute(contract.update().values(billed_through="2026-10"))

    assert len(standing(saved.contract_id)) == 1
    assert len(rows_of(statement)) == 1


def test_row_04_skipped_periods_and_a_stuck_subscription(stage: Stage) -> None:
    """Row 4: billing was off for some months, which were never billed afterwards, and the subscription hung.

    Months between two that are billed are listed as missed, and one command bills each of them for itself.
    """
    open_sites("0901")
    saved = save("0901")
    for billed in ("2026-06", "2026-10"):
        stage.bill(billed)
    between = ["2026-07", "2026-08", "2026-09"]

    assert [one.period for one in missed_periods("0901", None, EVERYTHING).items] == between
    started = catch_up("0901", None, None, "test", "c", EVERYTHING)
    stage.drain()

    assert [one.period for one in started] == between
    assert missed_periods("0901", None, EVERYTHING).items == ()
    for month in ("2026-06", *between, "2026-10"):
        assert len(standing(saved.contract_id, month)) == 1


def test_row_05_the_process_dies_in_the_batch_and_the_rerun_duplicates(stage: Stage) -> None:
    """Row 5: the job died in the middle of a batch, and its rerun billed the first half again.

    It dies between chunks, within a chunk before the commit, and after the commit before the message is done. The run
    goes on where it stood.
    """
    sites = [f"09{place:02}" for place in range(1, 8)]  # two contracts to a chunk
    open_sites(*sites)
    contracts = [save(site).contract_id for site in sites]
    run = start().run_id
    first, second, *_ = stage.waiting
    work(first)
    with dying_before_commit():
        work(second)
    work(first)  # its commit was there, and the bus delivers it again
    assert outcomes(run) == {"generated": 2, "pending": 5}
    lose_messages(stage)

    at(NOVEMBER + OUTAGE)
    assert watch_running_runs() == 1
    stage.drain()

    assert outcomes(run) == {"generated": 7}
    assert [len(standing(contract_id)) for contract_id in contracts] == [1] * 7
    assert len(live_numbers()) == 7
    assert watch_running_runs() == 0


def test_row_14_the_clock_enqueues_the_job_again_while_the_first_waits(stage: Stage) -> None:
    """Row 14: the hourly clock put the same job into the queue while the first waited for more than an hour.

    A tick finds the run of its month: no further run, no further message.
    """
    open_sites("0901", "0902", "0903")
    for site in ("0901", "0902", "0903"):
        save(site)
    decide(scheduledBillingDay=1)

    started = []
    for hour in range(10):  # nobody works meanwhile
        at(datetime(2026, 11, 2, 6, tzinfo=UTC) + timedelta(hours=hour))
        started += start_scheduled_runs()

    assert [run.created for run in started] == [True] + [False] * 9
    assert len({run.run_id for run in started}) == 1
    assert [message.queue for message in stage.waiting] == [queues.STATEMENT_CHUNKS] * 2
    stage.drain()
    assert outcomes(started[0].run_id) == {"generated": 3}


def test_row_25_stuck_invoices_need_a_sweeper(stage: Stage) -> None:
    """Row 25: invoices were stuck as "generating" for ever, and nobody looked.

    Messages are lost at each place where a run waits for one. The watchdog sends the open work again, once for as long
    as it is patient, and the run ends.
    """
    open_sites("0901")
    save("0901")
    run = start().run_id
    now = NOVEMBER
    for awaited in (queues.STATEMENT_CHUNKS, queues.STATEMENT_DOCUMENTS, queues.RUN_PROGRESS):
        assert awaited in {message.queue for message in stage.waiting}
        lose_messages(stage)
        assert stored_state(run) == "Running"
        now += OUTAGE
        at(now)
        watch_running_runs()
        sent = len(stage.waiting)
        watch_running_runs()
        assert len(stage.waiting) == sent  # not again at once
        if awaited != queues.RUN_PROGRESS:
            assert sent == 1
            work(stage.waiting.popleft())

    assert stored_state(run) == "Completed"
    assert outcomes(run) == {"generated": 1}
    assert [item.outcome for item in items(run)] == ["Generated"]


def stored_state(run_id: str) -> str:
    with database.reading() as connection:
        return str(connection.scalar(sa.select(statement_run.c.state).where(statement_run.c.run_id == run_id)))


def test_the_death_of_a_process_is_one(stage: Stage) -> None:
    """The fault that the rows above use leaves nothing of a transaction."""
    open_sites("0901")
    save("0901")
    start()
    before = rows_of(run_item)
    with dying_before_commit():
        work(stage.waiting[0])
    assert issubclass(ProcessDied, BaseException)
    assert (rows_of(run_item), rows_of(statement)) == (before, [])
