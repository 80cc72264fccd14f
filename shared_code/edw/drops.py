"""A file was dropped: read it once, plan its slices, and write batch, slices and messages in one transaction.

The effect is keyed by dataset, period and content: the same bytes twice change nothing, under whatever name.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from shared_code.edw import errors, messages, received, reports, repository, storage
from shared_code.edw.converting import Format, to_csv
from shared_code.edw.datasets import DATASETS, NOT_YET, Dataset
from shared_code.edw.records import Plan, SlicePlanner
from shared_code.edw.repository import Batch
from shared_code.edw.slices import restart
from shared_code.foundation import audit, bus, clock, database
from shared_code.foundation.calendar import Period
from shared_code.foundation.clock import derived_id
from shared_code.foundation.errors import BillingError
from shared_code.foundation.settings import settings

log = logging.getLogger(__name__)
MAX_WHOLE_BYTES = 64_000_000  # of reference data, which are read in one slice
_DELTA = "delta"
_UNDER_WAY = frozenset({"loading", "waiting"})
_GIVEN_UP = frozenset({errors.SOURCE_CHANGED.code, errors.DROP_NOT_FOUND.code})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a drop lies: `{dataset}/{period}/{name}`."""

    dataset: Dataset
    period: Period
    format: Format

    @classmethod
    def of(cls, name: str) -> Place:
        """Read the path of a drop. Raises BillingError that says what is wrong with it."""
        folders = name.split("/")
        if len(folders) == 4 and folders[2] == _DELTA:
            raise BillingError(errors.DELTA_NOT_SUPPORTED, f"{name!r} is a delta file")
        if len(folders) != 3 or not all(folders):
            raise BillingError(errors.DROP_MISPLACED, f"{name!r} is not at {{dataset}}/{{period}}/{{name}}")
        if folders[0] in NOT_YET:
            raise BillingError(errors.DATASET_NOT_SUPPORTED, f"{folders[0]} is not loaded yet")
        if folders[0] not in DATASETS:
            known = ", ".join(DATASETS)
            raise BillingError(errors.DATASET_UNKNOWN, f"{folders[0]!r} is not a dataset; known are {known}")
        try:
            period = Period.parse(folders[1])
        except ValueError as error:
            raise BillingError(errors.DROP_PERIOD_INVALID, str(error)) from error
        return cls(DATASETS[folders[0]], period, Format.of(folders[2]))


@dataclass(slots=True)
class _Arrival:
    """What is known of a drop after it was read once."""

    container: str
    name: str
    etag: str
    sha256: str = ""
    byte_count: int = 0
    place: Place | None = None
    plan: Plan | None = None
    refusal: BillingError | None = None
    occasion: str = ""  # set when the same bytes are read anew as a batch of their own
    comes_again: bool = False  # set when what becomes of it is not known yet

    @property
    def labels(self) -> tuple[str, str]:
        """Dataset and period as stored: those of the path, even where it is refused."""
        if self.place is not None:
            return self.place.dataset.name, str(self.place.period)
        folders = [*self.name.split("/"), "", ""]
        return folders[0][:32], folders[1][:7]

    @property
    def effect_key(self) -> str:
        """Dataset, period and content. A refused file is known by its name too: renamed, it may well be read."""
        if self.place is not None and self.refusal is None:
            key = f"{self.place.dataset.name}|{self.place.period}|{self.sha256}"
            return f"{key}|{self.occasion}" if self.occasion else key
        return f"?|{derived_id(self.container, self.name)}|{self.sha256}"

    @property
    def batch_id(self) -> str:
        return derived_id("import-batch", self.effect_key)


def receive_drop(container: str, blob_name: str) -> str:
    """Record a dropped file and start reading it. Returns the id of its batch.

    A file that cannot be read at all makes a batch in state `rejected`, with reason and cure, and a copy in
    `quarantine`; bytes that were received before make one in state `duplicate`. Delivered again it returns the same
    id and writes nothing. Raises DROP_NOT_FOUND, and SOURCE_CHANGED when the file is replaced during the reading
    (the replacement triggers by itself).
    """
    arrival = _examine(container, blob_name)
    with bus.unit_of_work() as work:
        batch_id, action = _record(work, arrival)
        if action is not None:
            dataset, period = arrival.labels
            data = {"dataset": dataset, "period": period, "source": arrival.name, "sha256": arrival.sha256}
            reason = arrival.refusal.code if arrival.refusal else None
            audit.record(work, [audit.Event(f"import/{batch_id}", action, batch_id, data, reason)])
    log.info("drop %s/%s is batch %s%s", container, blob_name, batch_id, "" if action else ", received before")
    if arrival.refusal is not None and batch_id == arrival.batch_id:
        storage.quarantine(batch_id, container, blob_name, arrival.etag)
        reports.write(batch_id)
    if not arrival.comes_again:
        received.note(container, blob_name, arrival.etag)
    return batch_id


# -- reading once -------------------------------------------------------------------------------------------------


def _examine(container: str, name: str) -> _Arrival:
    content = storage.open_blob(container, name)
    arrival = _Arrival(container, name, content.etag)
    stream = _hashed(content.chunks(), arrival)
    try:
        arrival.place = Place.of(name)
        arrival.plan = _plan(stream, arrival, content.size)
    except BillingError as refusal:
        if refusal.kind is errors.SOURCE_CHANGED:
            raise
        arrival.refusal = refusal
        for _ in stream:  # the rest, for the hash
            pass
    return arrival


def _hashed(chunks: Iterable[bytes], arrival: _Arrival) -> Iterator[bytes]:
    """Pass the chunks on; at their end the arrival has their size and SHA-256."""
    sha = hashlib.sha256()
    for chunk in chunks:
        sha.update(chunk)
        arrival.byte_count += len(chunk)
        yield chunk
    arrival.sha256 = sha.hexdigest()


def _plan(stream: Iterator[bytes], arrival: _Arrival, size: int) -> Plan:
    place = arrival.place
    if place is None:
        raise ValueError("a drop is planned after its place is known")
    if place.dataset.whole and size > MAX_WHOLE_BYTES:
        raise BillingError(errors.FILE_TOO_LARGE, f"{place.dataset.name} may have {MAX_WHOLE_BYTES} bytes")
    planner = SlicePlanner(0 if place.dataset.whole else settings().slice_bytes)
    if place.format is Format.CSV:
        for chunk in stream:
            planner.feed(chunk)
    else:
        _convert(stream, arrival, place.format, planner)
    plan = planner.finish()
    _check_header(place.dataset, plan)
    return plan


def _convert(stream: Iterator[bytes], arrival: _Arrival, form: Format, planner: SlicePlanner) -> None:
    """Rewrite a drop as text into the work container, and plan that."""

    def planned(chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            planner.feed(chunk)
            yield chunk

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "drop")
        with path.open("wb") as file:
            file.writelines(stream)
        storage.write_stream(storage.WORK, storage.working_copy(arrival.batch_id), planned(to_csv(path, form)))


def _check_header(dataset: Dataset, plan: Plan) -> None:
    missing = [name for name in dataset.required_headers() if name not in plan.header]
    if missing:
        hint = ""
        if len(plan.header) == 1 and any(mark in plan.header[0] for mark in ";\t|"):
            hint = "; the values seem not to be separated by commas"
        raise BillingError(errors.COLUMNS_MISSING, f"{dataset.name} needs the columns {', '.join(missing)}{hint}")
    if not plan.row_count:
        raise BillingError(errors.NO_ROWS, "the file has a header and no rows")


# -- recording ----------------------------------------------------------------------------------------------------


def _record(work: database.UnitOfWork, arrival: _Arrival) -> tuple[str, str | None]:
    """Write the batch of a drop, unless it is there. Returns its id, and what the audit calls it; None if nothing."""
    first = repository.batch_by_key(work.connection, arrival.effect_key)
    if first is None:
        _record_first(work, arrival)
        return arrival.batch_id, "import.received" if arrival.refusal is None else "import.rejected"
    if arrival.plan is not None and _begins_anew(first, arrival):
        restart(work, first, _row(arrival, first.batch_id, first.effect_key), arrival.plan.slices)
        return first.batch_id, "import.restarted"
    if arrival.plan is not None and _knows_more_sites(work, first, arrival):
        arrival.occasion = arrival.etag
        if repository.batch_by_key(work.connection, arrival.effect_key) is None:
            _record_first(work, arrival)
            return arrival.batch_id, "import.received"
        return arrival.batch_id, None
    if (first.container, first.source_name) == (arrival.container, arrival.name):
        return first.batch_id, None
    return _record_again(work, arrival, first)


def _begins_anew(first: Batch, arrival: _Arrival) -> bool:
    """Whether bytes that were received before are read again, with the place and version that they have now.

    They are when reading was interrupted, and when the batch was held and somebody drops the file once more: the site
    master may know its sites by now. The same version delivered twice is no second drop.
    """
    if first.state == "rejected":
        return first.reason in _GIVEN_UP
    return first.state == "held" and first.source_etag != arrival.etag


def _knows_more_sites(work: database.UnitOfWork, first: Batch, arrival: _Arrival) -> bool:
    """Whether somebody drops current facts once more whose refused sites the site master knows by now.

    They are a batch of their own then: it replaces the first as any later drop would, when all of it is read.
    """
    if first.state != "current" or first.source_etag == arrival.etag:
        return False
    serving = repository.serves_sites(work.connection, first.batch_no)
    return serving and repository.refused_known_site(work.connection, first.batch_no)


def _record_again(work: database.UnitOfWork, arrival: _Arrival, first: Batch) -> tuple[str, str | None]:
    """The same bytes under another name: a line in the list of imports, once per name, and no effect."""
    key = f"{arrival.effect_key}|{derived_id(arrival.container, arrival.name)}"
    again = repository.batch_by_key(work.connection, key)
    if again is not None:
        return again.batch_id, None
    batch_id = derived_id("import-batch", key)
    ended = {"state": "duplicate", "duplicate_of": first.batch_id, "message": _same_bytes(first)}
    repository.add_batch(work.connection, _row(arrival, batch_id, key) | ended | {"finished_at": clock.now()}, ())
    return batch_id, "import.duplicate"


def _same_bytes(first: Batch) -> str:
    return f"The same bytes were received as {first.source_name}, batch {first.batch_id}, which is {first.state}."


def _record_first(work: database.UnitOfWork, arrival: _Arrival) -> None:
    row = _row(arrival, arrival.batch_id, arrival.effect_key)
    if arrival.refusal is not None or arrival.plan is None or arrival.place is None:
        refusal = arrival.refusal
        kind = refusal.kind if refusal else errors.FILE_UNREADABLE
        message = f"{refusal.message if refusal else kind.meaning}. {kind.cure}"
        ended = {"state": "rejected", "reason": kind.code, "message": message, "finished_at": clock.now()}
        repository.add_batch(work.connection, row | ended, ())
        return
    declared = {c.source for c in arrival.place.dataset.columns}
    ignored = ", ".join(name for name in arrival.plan.header if name and name not in declared)
    repository.add_batch(
        work.connection, row | {"state": "loading", "ignored_columns": ignored or None}, arrival.plan.slices
    )
    work.send([messages.stage(arrival.batch_id, number) for number in range(1, len(arrival.plan.slices) + 1)])


def _row(arrival: _Arrival, batch_id: str, effect_key: str) -> dict[str, object]:
    dataset, period = arrival.labels
    return {
        "batch_id": batch_id,
        "effect_key": effect_key,
        "dataset": dataset,
        "period": period,
        "container": arrival.container,
        "source_name": arrival.name,
        "sha256": arrival.sha256,
        "byte_count": arrival.byte_count,
        "source_etag": arrival.etag,
    }
