"""Stage the slices of a batch and publish it when all are staged. Every step can die and be delivered again.

Each staging transaction sends a `finish` message with its commit, so whichever slice commits last, a finish comes
after it; all earlier ones find slices missing and do nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from decimal import Decimal

from shared_code.edw import errors, messages, reports, repository, storage
from shared_code.edw.checking import Checked, check
from shared_code.edw.converting import Format
from shared_code.edw.datasets import DATASETS, Dataset
from shared_code.edw.model import ImportSlice
from shared_code.edw.publication import repository as publication
from shared_code.edw.publication.publish import publish
from shared_code.edw.reading import read_slice
from shared_code.edw.records import SliceRange, parse_header
from shared_code.edw.repository import Batch
from shared_code.edw.tables import rejected_row
from shared_code.edw.values import Context
from shared_code.foundation import audit, bus, clock, database, telemetry
from shared_code.foundation.business_settings.repository import current as business_settings
from shared_code.foundation.calendar import Period
from shared_code.foundation.errors import BillingError
from shared_code.periods.errors import PERIOD_CLOSED
from shared_code.periods.repository import is_closed

log = logging.getLogger(__name__)
_SCALE = 4


def stage_slice(batch_id: str, slice_no: int) -> None:
    """Read, check and store one slice, once, however often it is delivered.

    Without a site master the batch waits for one. A drop that was replaced since it was planned rejects the batch.
    Raises IMPORT_NOT_FOUND, and ConservationError when the slice does not hold what was planned.
    """
    with database.reading() as connection:
        batch = _known_batch(repository.batch_by_id(connection, batch_id), batch_id)
        part = repository.slice_of(connection, batch.batch_no, slice_no)
        first = repository.slice_of(connection, batch.batch_no, 1)
        sites = repository.known_sites(connection)
    if batch.state == "waiting" and sites:
        resume_waiting()  # an earlier delivery died after parking the batch
        return
    if part is None or first is None or batch.state != "loading" or part.staged_at is not None:
        log.info("slice %d of batch %s has nothing to do (%s)", slice_no, batch_id, batch.state)
        return
    dataset = DATASETS[batch.dataset]
    if not sites and not dataset.whole:
        _wait(batch)
        return
    try:
        checked = _read(batch, part, first, Context(Period.parse(batch.period), None if dataset.whole else sites))
    except BillingError as error:
        _abandon(batch, error)
        return
    with bus.unit_of_work() as work:
        if repository.claim_slice(work.connection, batch.batch_no, slice_no):
            _store(work, dataset, batch, part, checked)
            work.send([messages.finish(batch_id)])


def _known_batch(batch: Batch | None, batch_id: str) -> Batch:
    if batch is None:
        raise BillingError(errors.IMPORT_NOT_FOUND, f"there is no import batch {batch_id}")
    return batch


def _read(batch: Batch, part: ImportSlice, first: ImportSlice, context: Context) -> Checked:
    plain = Format.of(batch.source_name) is Format.CSV
    container = batch.container if plain else storage.WORK
    name = batch.source_name if plain else storage.working_copy(batch.batch_id)
    etag = batch.source_etag if plain else None
    # the header ends where the first slice begins
    header = parse_header(storage.read_range(container, name, 0, first.byte_from, etag))
    dataset = DATASETS[batch.dataset]
    rows, malformed = read_slice(
        storage.read_range(container, name, part.byte_from, part.byte_to, etag),
        header,
        dataset,
        part.first_row,
        part.row_count,
    )
    return check(dataset, rows, malformed, context)


def _store(work: database.UnitOfWork, dataset: Dataset, batch: Batch, part: ImportSlice, checked: Checked) -> None:
    connection = work.connection
    repository.clear_rows(connection, rejected_row, batch.batch_no, part.first_row, part.row_count)
    if dataset.whole:
        held_share = business_settings(connection).import_hold_rejected_share
        if checked.rejected.height <= held_share * part.row_count:
            repository.save_sites(connection, batch.batch_no, checked.accepted)
    else:
        repository.clear_rows(connection, dataset.table, batch.batch_no, part.first_row, part.row_count)
        repository.insert_rows(connection, dataset.table, batch.batch_no, checked.accepted)
    repository.insert_rows(connection, rejected_row, batch.batch_no, checked.rejected)
    repository.record_slice(
        connection,
        batch.batch_no,
        part.slice_no,
        {
            "rows_accepted": checked.accepted.height,
            "rows_rejected": checked.rejected.height,
            "rows_duplicate": checked.duplicates,
            "money_accepted": Decimal(checked.money_accepted).scaleb(-_SCALE),
            "money_rejected": Decimal(checked.money_rejected).scaleb(-_SCALE),
        },
    )


def _abandon(batch: Batch, error: BillingError) -> None:
    """The planned content is gone: remove what was staged of it and say so."""
    log.warning("batch %s is given up: %s", batch.batch_id, error.message)
    with database.transaction() as work:
        message = f"{error.message}. {error.kind.cure}"
        ended = {"reason": error.code, "message": message, "finished_at": clock.now()}
        if repository.claim_state(work.connection, batch.batch_no, "loading", "rejected", **ended):
            repository.clear_batch(work.connection, DATASETS[batch.dataset].table, batch.batch_no)
            _record(work, batch, "import.rejected", error.code)
    reports.write(batch.batch_id)


# -- waiting for the site master ----------------------------------------------------------------------------------


def _wait(batch: Batch) -> None:
    """Park a batch until a site master is there. The second look closes the gap in which one was just published."""
    kind = errors.REFERENCE_MISSING
    with database.transaction() as work:
        message = f"{kind.meaning} {kind.cure}"
        if repository.claim_state(
            work.connection, batch.batch_no, "loading", "waiting", reason=kind.code, message=message
        ):
            _record(work, batch, "import.waiting", kind.code)
    with database.reading() as connection:
        arrived = bool(repository.known_sites(connection))
    if arrived:
        resume_waiting()


def resume_waiting() -> int:
    """Ask again for the slices of all batches that wait for the site master. Returns how many batches go on."""
    with database.reading() as connection:
        parked = repository.waiting(connection, errors.REFERENCE_MISSING.code)
    resumed = 0
    for batch in parked:
        with bus.unit_of_work() as work:
            if repository.claim_state(work.connection, batch.batch_no, "waiting", "loading", reason=None, message=None):
                parts = repository.slices(work.connection, batch.batch_no)
                # each time new messages: one of an earlier time may have been spent while the batch was parked
                cause = clock.new_id()
                work.send([messages.stage(batch.batch_id, p.slice_no, cause) for p in parts if p.staged_at is None])
                _record(work, batch, "import.resumed")
                resumed += 1
    return resumed


def recheck_held() -> int:
    """Read held batches again whose refused sites the site master knows by now. Returns how many begin anew.

    Nothing of a held batch is current, so it can begin in its place. Facts and the master that lists their sites may
    then arrive in any order.
    """
    with database.reading() as connection:
        held = repository.held_for_new_sites(connection)
    begun = 0
    for batch in held:
        with bus.unit_of_work() as work:
            if repository.claim_state(work.connection, batch.batch_no, "held", "loading"):
                _read_again(work, batch)
                begun += 1
    return begun


def _read_again(work: database.UnitOfWork, batch: Batch) -> None:
    """Begin a batch anew in its place, since the site master knows more sites by now."""
    restart(work, batch, {}, repository.plan_of(work.connection, batch.batch_no))
    _record(work, batch, "import.restarted")


def restart(work: database.UnitOfWork, batch: Batch, values: dict[str, object], plan: Sequence[SliceRange]) -> None:
    """Begin a batch anew of which nothing was published: its rows go, its slices are asked for again.

    The caller records it for the audit.
    """
    repository.clear_batch(work.connection, DATASETS[batch.dataset].table, batch.batch_no)
    repository.restart_batch(work.connection, batch.batch_no, values | {"state": "loading"}, plan)
    cause = clock.new_id()  # new messages: those of the first time are spent
    work.send([messages.stage(batch.batch_id, number, cause) for number in range(1, len(plan) + 1)])


# -- waiting for a month to be reopened ---------------------------------------------------------------------------


def publish_reopened() -> int:
    """Let batches go on that came after their month was closed, where it is open again (rules R41).

    Run by a timer, so that nothing is lost when the process that reopened the month dies. Returns how many go on.
    """
    with database.reading() as connection:
        parked = repository.waiting(connection, PERIOD_CLOSED.code)
        closed = {batch.period for batch in parked if is_closed(connection, Period.parse(batch.period))}
    resumed = 0
    for batch in parked:
        if batch.period in closed:
            continue
        with bus.unit_of_work() as work:
            if repository.claim_state(work.connection, batch.batch_no, "waiting", "loading", reason=None, message=None):
                work.send([messages.finish(batch.batch_id)])
                resumed += 1
    return resumed


def _wait_for_reopening(work: database.UnitOfWork, batch: Batch) -> None:
    """Facts of a closed month do not become current: its statements would no longer say what the facts say."""
    repository.claim_state(
        work.connection,
        batch.batch_no,
        "loading",
        "waiting",
        reason=PERIOD_CLOSED.code,
        message=f"{batch.period} is closed. {PERIOD_CLOSED.cure}",
    )


# -- finishing ----------------------------------------------------------------------------------------------------


def finish_batch(batch_id: str) -> None:
    """Publish a batch whose slices are all staged, write its report, and let waiting batches go on.

    Idempotent: repeats whatever an earlier delivery did not get to. Raises IMPORT_NOT_FOUND, ConservationError.
    """
    with database.reading() as connection:
        batch = _known_batch(repository.batch_by_id(connection, batch_id), batch_id)
        if publication.staged(connection, batch.batch_no).missing or batch.state not in {"loading", "current", "held"}:
            return
        dataset = DATASETS[batch.dataset]
        # counted before the write transaction: all slices are staged, so the rows do not change any more
        count = batch.state == "loading" and not dataset.whole
        repeated = publication.repeated_rows(connection, dataset, batch.batch_no) if count else 0
    if batch.state == "loading" and not _publish(dataset, batch, repeated):
        return
    reports.write(batch_id)
    if dataset.whole:
        resume_waiting()
        recheck_held()


def _publish(dataset: Dataset, batch: Batch, repeated: int) -> bool:
    """Publish or hold a loading batch, or let it wait while its month is closed.

    False when it begins anew instead, since the site master has moved on.
    """
    with bus.unit_of_work() as work:
        # locks the row, so that a second finish waits here and then finds the batch published
        if repository.claim_state(work.connection, batch.batch_no, "loading"):
            if not dataset.whole and repository.refused_known_site(work.connection, batch.batch_no):
                _read_again(work, batch)
                return False
            if not dataset.whole and is_closed(work.connection, Period.parse(batch.period)):
                _wait_for_reopening(work, batch)
                _record_end(work, batch.batch_id)
                return True
            held_share = business_settings(work.connection).import_hold_rejected_share
            publish(work.connection, dataset, batch, repeated, held_share)
            _record_end(work, batch.batch_id)
    return True


def _record_end(work: database.UnitOfWork, batch_id: str) -> None:
    """What became of the batch, for the audit and for the charts."""
    batch = _known_batch(repository.batch_by_id(work.connection, batch_id), batch_id)
    rows = {"accepted": batch.rows_accepted, "rejected": batch.rows_rejected, "duplicate": batch.rows_duplicate}
    action = "import.published" if batch.state == "current" else f"import.{batch.state}"
    _record(work, batch, action, batch.reason, rows=rows)
    for outcome, count in rows.items():
        telemetry.count("powerbill.import.rows", count, powerbill_outcome=outcome, powerbill_dataset=batch.dataset)


def _record(work: database.UnitOfWork, batch: Batch, action: str, reason: str | None = None, **more: object) -> None:
    """Tell the audit what became of a batch: the last thing of its transaction."""
    data = {"dataset": batch.dataset, "period": batch.period, "source": batch.source_name, **more}
    audit.record(work, [audit.Event(f"import/{batch.batch_id}", action, batch.batch_id, data, reason)])
