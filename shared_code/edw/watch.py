"""What an outage left behind: batches that stand still, and drops that nobody received. Timers ask.

The platform tries a blob five times within seconds and a message ten times; an outage may last longer than that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from shared_code.documents.paths import CONTRACT_DROPS, EDW_DROPS
from shared_code.edw import errors, messages, received, repository, slices, storage
from shared_code.edw.contract_drops import receive_contract
from shared_code.edw.drops import receive_drop
from shared_code.edw.repository import Batch
from shared_code.edw.storage import Version
from shared_code.foundation import audit, clock
from shared_code.foundation.bus import unit_of_work
from shared_code.foundation.business_settings.repository import current as business_settings
from shared_code.foundation.database import reading
from shared_code.foundation.errors import BillingError
from shared_code.foundation.settings import settings

log = logging.getLogger(__name__)
LOOK_BACK = timedelta(days=30)
PAGE = 1000
AT_ONCE = 100
"""Drops that one tick receives at most; the next tick goes on."""
_RAREST = 16
_RECEIVERS: dict[str, Callable[[str, str], str]] = {EDW_DROPS: receive_drop, CONTRACT_DROPS: receive_contract}
_REPLACED = (errors.DROP_NOT_FOUND, errors.SOURCE_CHANGED)


# -- batches ------------------------------------------------------------------------------------------------------


def watch_imports() -> int:
    """Ask again for the open work of batches that stand still. Returns how many were asked for.

    Work stands still when its messages ended as dead letters. It is safe to ask twice: a slice is staged once.
    """
    with reading() as connection:
        patience = timedelta(minutes=business_settings(connection).run_patience_minutes)
        still = repository.standing_still(connection, clock.now() - patience)
        in_vain = repository.waits_in_vain(connection)
    resumed = slices.resume_waiting() if in_vain else 0
    return resumed + sum(_ask_again(batch, since, patience) for batch, since in still)


def _ask_again(batch: Batch, since: datetime, patience: timedelta) -> bool:
    """Send messages for what is open of a batch, once on each occasion."""
    cause = f"{since.isoformat()} {occasion((clock.now() - since) // patience)}"
    with unit_of_work() as work:
        parts = repository.slices(work.connection, batch.batch_no)
        open_parts = [part.slice_no for part in parts if part.staged_at is None]
        work.send([messages.stage(batch.batch_id, number, cause) for number in open_parts])
        if not open_parts:
            work.send([messages.finish(batch.batch_id, cause)])
        if work.messages:
            log.warning("batch %s stands still since %s; its open work is sent again", batch.batch_id, since)
            data = {"since": since, "slices": len(open_parts)}
            audit.record(work, [audit.Event(f"import/{batch.batch_id}", "import.resumed", batch.batch_id, data)])
    return bool(work.messages)


def occasion(times: int) -> int:
    """Of so many patiences that have passed, the last one at which to ask: 1, 2, 4, 8, 16, and then every sixteenth.

    What cannot succeed makes a dead letter each time, so it is asked for ever more rarely.
    """
    step = min(1 << (max(times, 1).bit_length() - 1), _RAREST)
    return times - times % step


# -- drops --------------------------------------------------------------------------------------------------------


def receive_missed_drops() -> int:
    """Receive every version in the drop containers that was never received to its end. Returns how many were.

    Versions younger than DROP_PATIENCE_MINUTES are left to their own triggers, those older than LOOK_BACK to people.
    One that fails keeps no other from being received; all failures are raised together at the end.
    """
    found = list(islice(_missed(), AT_ONCE))
    if found:
        log.warning("%d drops were missed; they are received now", len(found))
    failures = [fault for version in found if (fault := _receive(version)) is not None]
    if failures:
        raise ExceptionGroup(f"{len(failures)} of {len(found)} missed drops could not be received", failures)
    return len(found)


def _missed() -> Iterator[Version]:
    instant = clock.now()
    youngest = instant - timedelta(minutes=settings().drop_patience_minutes)
    for container in _RECEIVERS:
        for page in storage.versions(container, PAGE):
            yield from received.missed([v for v in page if instant - LOOK_BACK < v.modified <= youngest])


def _receive(version: Version) -> Exception | None:
    try:
        _RECEIVERS[version.container](version.container, version.name)
    except BillingError as error:
        if error.kind not in _REPLACED:  # a version that came meanwhile triggers by itself
            log.exception("%s/%s cannot be received", version.container, version.name)
            return error
    except Exception as fault:
        log.exception("%s/%s cannot be received", version.container, version.name)
        return fault
    return None
