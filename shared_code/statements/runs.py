"""Statement runs: started once per period, scope and source, done in chunks, finished when every item has an outcome.

A run, its items and the messages that do the work are written in one transaction (design 3). Whoever asks again with
the same period, scope and source gets the same run, running or finished (http-api, idempotency).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from shared_code.contracts.schema.contract import BillingType
from shared_code.foundation import audit, clock, context, queues
from shared_code.foundation.bus import unit_of_work
from shared_code.foundation.business_settings.repository import current as business_settings
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow, Message, UnitOfWork, reading
from shared_code.foundation.errors import CONCURRENT_CHANGE, BillingError
from shared_code.foundation.settings import settings
from shared_code.periods.closing import require_open
from shared_code.periods.errors import PERIOD_CLOSED
from shared_code.statements import errors, repository
from shared_code.statements.model import RetriedRun, StartedRun
from shared_code.statements.previews import refuse_repeated_numbers
from shared_code.statements.report import write_report
from shared_code.statements.scope import RunCommand, billed_period, chosen

log = logging.getLogger(__name__)


def start_run(command: RunCommand) -> StartedRun:
    """Start a run, or find the one that the same period, scope and source has already.

    A dry run is found while it runs only: afterwards facts may be others, so the next one computes anew. Raises
    PERIOD_INVALID, PERIOD_UNKNOWN, PERIOD_CLOSED, SITES_UNKNOWN, NO_CONTRACTS.
    """
    period = billed_period(command.period)
    try:
        return _start(command, period)
    except BillingError as error:
        if error.kind is not CONCURRENT_CHANGE:
            raise
        return _start(command, period)  # the other call was first, and now its run is there


def _start(command: RunCommand, period: Period) -> StartedRun:
    with unit_of_work() as work:
        return start_within(work, command, period)


def start_within(work: UnitOfWork, command: RunCommand, period: Period) -> StartedRun:
    """Start a run, or find it, as a part of a transaction that changes what it bills. Raises as `start_run`."""
    natural_key = command.natural_key(period)
    if command.dry_run:
        natural_key = f"{natural_key}|{repository.finished_runs(work.connection, natural_key) + 1}"
    known = repository.find_run_by_key(work.connection, natural_key)
    # What a person has cancelled may be asked for again; the schedule does not start it over by itself.
    wish, times = natural_key, 1
    while known is not None and command.billing_type is None and _is_cancelled(work, known):
        times += 1
        natural_key = f"{wish}|again-{times}"
        known = repository.find_run_by_key(work.connection, natural_key)
    if known is not None:
        return StartedRun(known, created=False)
    require_open(work.connection, period)
    found = chosen(repository.contracts_for(work.connection, period), command, period)
    run_id = clock.derived_id("run", natural_key)
    _write_run(work, run_id, natural_key, period, found, command)
    data = {
        "kind": command.kind,
        "period": period,
        "source": command.source,
        "scope": json.loads(command.scope),
        "contracts": len(found),
    }
    _record(work, run_id, "run.started", data)
    log.info("run %s started: %d contracts for %s", run_id, len(found), period)
    return StartedRun(run_id, created=True)


def _is_cancelled(work: UnitOfWork, run_id: str) -> bool:
    run = repository.run_of(work.connection, run_id)
    return run is not None and run.state == "Cancelled"


def start_scheduled_runs() -> list[StartedRun]:
    """The month's runs, started by the hourly tick once the configured day of the month is reached.

    Contracts in arrears are billed for the month before, those in advance for the month after (billing-flows 5.2). The
    natural key is the occurrence key: however often the tick fires, on however many instances, one run of each starts.
    Business dates are those of BUSINESS_TIME_ZONE (rules R29). Day 0 switches scheduled billing off.
    """
    with reading() as connection:
        day = business_settings(connection).scheduled_billing_day
    today = clock.today(settings().business_time_zone)
    if not day or today.day < day:
        return []
    month = Period.of(today)
    wishes: tuple[tuple[BillingType, Period], ...] = (("Arrears", month.previous), ("Advanced", month.next))
    started = [_start_scheduled(billing_type, period) for billing_type, period in wishes]
    return [run for run in started if run is not None]


def _start_scheduled(billing_type: BillingType, period: Period) -> StartedRun | None:
    command = RunCommand(
        str(period),
        requested_by="schedule",
        correlation_id=f"schedule-{period}",
        billing_type=billing_type,
        source="scheduled",
    )
    try:
        return start_run(command)
    except BillingError as error:
        if error.kind in (errors.NO_CONTRACTS, PERIOD_CLOSED):
            log.info("nothing to schedule for %s, %s: %s", period, billing_type, error.message)
            return None
        raise


def retry_run(run_id: str) -> RetriedRun:
    """Bill the failed items of a run again, with the contracts and facts of now.

    Raises RUN_NOT_FOUND, PERIOD_CLOSED. What is billed stays as it is; without failures nothing happens (field report
    7).
    """
    with unit_of_work() as work:
        run = repository.locked_run(work.connection, run_id)  # first: who finishes the run waits, and sees it resumed
        if run is None:
            raise BillingError(errors.RUN_NOT_FOUND, f"there is no run {run_id}")
        require_open(work.connection, Period.parse(run.period))
        failed = repository.reopen_failed(work.connection, run_id)
        if failed:
            repository.resume(work.connection, run)
            _send_again(work, run)
            _record(work, run_id, "run.retried", {"contracts": failed})
    log.info("run %s: %d failed items are tried again", run_id, failed)
    return RetriedRun(run_id, failed)


def cancel_run(run_id: str) -> bool:
    """Cancel what of a run has not begun; what is billed stays. False when there was nothing left to cancel.

    A chunk that is under way ends as it would have. Raises RUN_NOT_FOUND.
    """
    with unit_of_work() as work:
        run = repository.locked_run(work.connection, run_id)
        if run is None:
            raise BillingError(errors.RUN_NOT_FOUND, f"there is no run {run_id}")
        items = repository.cancel_items(work.connection, run_id) if run.state == "Running" else 0
        if items:
            repository.cancel(work.connection, run_id)
            work.send([progress_message(run_id, f"cancelled-{run.attempt}", run.correlation_id)])
            _record(work, run_id, "run.cancelled", {"contracts": items})
    log.info("run %s: %d items are cancelled", run_id, items)
    return items > 0


def settle_run(run_id: str) -> bool:
    """Finish the run if nothing of it is left to do: write its report, then mark it completed.

    Sent by every transaction that finishes a part, so the last one sees all parts. The report is a function of the
    database alone, so writing it twice changes nothing. True when the run is finished. Of a run that was retried while
    its report was written, the report may have replaced a newer one, so it is looked at again.
    """
    with reading() as connection:
        run = repository.run_of(connection, run_id)
        if run is None:
            raise BillingError(errors.RUN_NOT_FOUND, f"there is no run {run_id}")
        if run.state == "Running" and repository.is_unfinished(connection, run_id):
            return False
    if run.kind == "DryRun":
        refuse_repeated_numbers(run_id)
    write_report(run_id)
    with unit_of_work() as work:
        if repository.finish_run(work.connection, run_id, run.attempt):
            log.info("run %s is finished", run_id)
            _record(work, run_id, "run.completed", {"expected": run.expected})
            return True
        now = repository.run_of(work.connection, run_id)
    if now is not None and now.attempt != run.attempt:
        return settle_run(run_id)
    return now is not None and now.state != "Running"


def watch_running_runs() -> int:
    """Look after running runs: settle those that are done, and send the work of those that stand still again.

    Work stands still when its messages ended as dead letters, for example while a dependency was away for longer than
    their deliveries lasted. It is safe to send twice (field report 25). Returns how many runs are running. A run that
    cannot be looked after does not keep the others from it: its fault is raised at the end, in an ExceptionGroup.
    """
    with reading() as connection:
        found = repository.running(connection)
    still_running = 0
    faults: list[Exception] = []
    for run_id in found:
        try:
            if not settle_run(run_id):
                still_running += 1
                _wake(run_id)
        except Exception as fault:
            log.exception("run %s cannot be looked after", run_id)
            faults.append(fault)
    if faults:
        raise ExceptionGroup(f"{len(faults)} of {len(found)} running runs cannot be looked after", faults)
    return still_running


def _wake(run_id: str) -> None:
    """Send the open work of a run again when nothing of it has been done for a while, once for all instances."""
    with unit_of_work() as work:
        patience = timedelta(minutes=business_settings(work.connection).run_patience_minutes)
        run = repository.run_of(work.connection, run_id)
        progress = repository.last_progress(work.connection, run_id)
        if run is None or run.state != "Running" or progress is None or progress >= clock.now() - patience:
            return
        if repository.resume(work.connection, run):
            log.warning("run %s stands still since %s; its open work is sent again", run_id, progress)
            _send_again(work, run)
            _record(work, run_id, "run.resumed", {"since": progress})


def _record(work: UnitOfWork, run_id: str, action: str, data: dict[str, object]) -> None:
    audit.record(work, [audit.Event(f"run/{run_id}", action, run_id, data)])


def _send_again(work: UnitOfWork, run: AnyRow) -> None:
    """Ask for the open work of a run that was resumed."""
    occasion = clock.new_id()  # new messages: those of before are spent
    chunks = repository.pending_chunks(work.connection, run.run_id)
    work.send([_chunk_message(run.run_id, chunk, run.correlation_id, occasion) for chunk in chunks])
    undrawn = repository.undrawn(work.connection, run.run_id)
    work.send(document_messages(run.run_id, undrawn, run.correlation_id, occasion))


def document_messages(
    run_id: str, statement_ids: Sequence[str], correlation_id: str, occasion: str = ""
) -> list[Message]:
    """The messages that have these statements drawn, some to a message."""
    size = settings().documents_per_message
    parts = [statement_ids[start : start + size] for start in range(0, len(statement_ids), size)]
    return [
        Message(
            clock.derived_id("documents", occasion, *part),
            queues.STATEMENT_DOCUMENTS,
            json.dumps({"run": run_id, "statements": list(part)}),
            correlation_id,
        )
        for part in parts
    ]


def progress_message(run_id: str, part: str, correlation_id: str) -> Message:
    """The message that says: a part of this run is done, see whether all of it is."""
    body = json.dumps({"run": run_id})
    return Message(clock.derived_id("progress", run_id, part), queues.RUN_PROGRESS, body, correlation_id)


def _write_run(
    work: UnitOfWork, run_id: str, natural_key: str, period: Period, found: Sequence[Any], command: RunCommand
) -> None:
    size = settings().chunk_contracts
    repository.add_run(
        work.connection,
        {
            "run_id": run_id,
            "natural_key": natural_key,
            "kind": command.kind,
            "period": str(period),
            "source": command.source,
            "scope": command.scope,
            "state": "Running",
            "requested_by": command.requested_by,
            "requested_by_id": context.current().actor_id,
            "correlation_id": command.correlation_id,
            "expected": len(found),
            "attempt": 1,
            "created_at": clock.now(),
            "resumed_at": clock.now(),
        },
        (
            {
                "run_id": run_id,
                "contract_id": row.contract_id,
                "site_number": row.site_number,
                "contract_version": row.version,
                "chunk": place // size,
                "outcome": "Pending",
            }
            for place, row in enumerate(found)
        ),
    )
    chunks = range((len(found) + size - 1) // size)
    work.send([_chunk_message(run_id, chunk, command.correlation_id) for chunk in chunks])


def _chunk_message(run_id: str, chunk: int, correlation_id: str, occasion: str = "") -> Message:
    body = json.dumps({"run": run_id, "chunk": chunk})
    return Message(clock.derived_id("chunk", run_id, chunk, occasion), queues.STATEMENT_CHUNKS, body, correlation_id)
