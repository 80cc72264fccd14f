"""Publish a batch: its keys, its conservation law, its monthly sums, and the sites that it becomes current for.

One transaction: either all of it is there, or the batch is as it was. Source: design 3, datasets 4-6.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy.engine import Connection

from shared_code.edw import errors
from shared_code.edw import repository as batches
from shared_code.edw.datasets import Dataset
from shared_code.edw.publication import repository
from shared_code.edw.publication.repository import Pointer, SiteDay, Staged, Tally
from shared_code.edw.repository import Batch
from shared_code.foundation import clock

log = logging.getLogger(__name__)


def publish(connection: Connection, dataset: Dataset, batch: Batch, repeated: int, held_share: Decimal) -> None:
    """Publish a batch whose slices are all staged, or hold it when too many of its rows are rejected.

    Raises ConservationError when rows or money do not add up; nothing is published then.
    """
    staged = repository.staged(connection, batch.batch_no)
    accepted, rejected, duplicate = _settle(connection, dataset, batch.batch_no, staged)
    _check_conservation(batch, staged, accepted, rejected, duplicate)
    counts: dict[str, Any] = {
        "rows_read": staged.read.rows,
        "rows_accepted": accepted.rows,
        "rows_rejected": rejected.rows,
        "rows_duplicate": duplicate.rows,
        "rows_repeated": repeated,
        "money_read": staged.read.money,
        "money_accepted": accepted.money,
        "money_rejected": rejected.money,
        "money_duplicate": duplicate.money,
        "finished_at": clock.now(),
    }
    if rejected.rows > held_share * staged.read.rows:
        counts |= {
            "reason": errors.REJECTED_SHARE.code,
            "message": f"{rejected.rows} of {staged.read.rows} rows are rejected. {errors.REJECTED_SHARE.cure}",
        }
        batches.claim_state(connection, batch.batch_no, "loading", "held", **counts)
        return
    last_day = None if dataset.whole else _make_current(connection, dataset, batch)
    batches.claim_state(
        connection, batch.batch_no, "loading", "current", last_day=last_day, reason=None, message=None, **counts
    )


def _settle(connection: Connection, dataset: Dataset, batch_no: int, staged: Staged) -> tuple[Tally, Tally, Tally]:
    """Accepted, rejected and duplicate rows as they are in the database, after keys were compared over the batch."""
    if dataset.whole:  # reference data replace each other in place: what they are is what the slice counted
        return staged.accepted, staged.rejected, staged.duplicate
    collapsed = Tally(0, Decimal(0))
    if dataset.key:
        collapsed = repository.collapse_keys(connection, dataset, batch_no)
    return (
        repository.accepted(connection, dataset, batch_no),
        repository.rejected(connection, batch_no),
        staged.duplicate.plus(collapsed),
    )


def _check_conservation(batch: Batch, staged: Staged, *kinds: Tally) -> None:
    """Every row and every cent that was read is accepted, rejected or duplicate (design 3)."""
    rows = sum(kind.rows for kind in kinds)
    money = sum((kind.money for kind in kinds), Decimal(0))
    if rows != staged.read.rows or money != staged.read.money:
        raise errors.ConservationError(
            f"batch {batch.batch_id}: read {staged.read.rows} rows, {staged.read.money}; found {rows} rows, {money}"
        )


def _make_current(connection: Connection, dataset: Dataset, batch: Batch) -> date | None:
    """Write the sums and point the sites of the file to it. Returns the last day that has rows.

    A later drop wins, whichever finishes first: a site that a younger batch already serves is left alone.
    """
    repository.write_monthly(connection, dataset, batch.batch_no)
    days = repository.site_days(connection, dataset, batch.batch_no)
    refused = repository.rejected_by_site(connection, batch.batch_no)
    current = repository.current_batches(connection, batch.dataset, batch.period)
    known = batches.known_sites(connection)
    pointers = [p for p in _pointers(days, refused) if p.site in known and current.get(p.site, 0) <= batch.batch_no]
    repository.point(connection, batch.dataset, batch.period, batch.batch_no, pointers)
    log.info("batch %s is current for %d sites of %s %s", batch.batch_id, len(pointers), batch.dataset, batch.period)
    return max((d.day for d in days if d.day is not None), default=None)


def _pointers(days: Sequence[SiteDay], refused: dict[str, int]) -> list[Pointer]:
    """One pointer per site of the file. A site whose rows were all rejected is in the file too, with no rows."""
    found = []
    for site, group in groupby(days, key=lambda d: d.site):
        rows = list(group)
        dates = [d.day for d in rows if d.day is not None]
        found.append(
            Pointer(
                site,
                sum(d.rows for d in rows),
                refused.get(site, 0),
                min(dates, default=None),
                max(dates, default=None),
                longest_gap(dates),
            )
        )
    seen = {p.site for p in found}
    return found + [Pointer(site, 0, count, None, None, None) for site, count in refused.items() if site not in seen]


def longest_gap(days: Sequence[date]) -> int | None:
    """The most days without rows between two days with rows; `days` are distinct and in order (rules R8)."""
    if not days:
        return None
    return max(((b - a).days - 1 for a, b in pairwise(days)), default=0)
