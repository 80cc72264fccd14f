"""What people ask about imports: the list, one batch, its rejected rows, and what is loaded for a period."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from shared_code.edw import errors, repository
from shared_code.edw.repository import Batch, CurrentFacts, ImportFilter, Rejection, Slice
from shared_code.foundation import database
from shared_code.foundation.calendar import Period
from shared_code.foundation.errors import BillingError


@dataclass(frozen=True, slots=True)
class ImportPage:
    """Some imports, newest first, and how many there are in all."""

    items: tuple[Batch, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ImportDetail:
    """One import with its slices and its rejected rows counted by rule."""

    batch: Batch
    slices: tuple[Slice, ...]
    rejected_by_rule: dict[str, int]


@dataclass(frozen=True, slots=True)
class RejectionPage:
    """Some rejected rows in the order of the file, and how many there are in all."""

    items: tuple[Rejection, ...]
    total: int


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What is loaded of one dataset in a period: totals over the sites, freshness, and each site."""

    dataset: str
    batches: tuple[str, ...]
    rows: int
    rejected: int
    last_day: date | None
    changed_at: datetime
    sites: tuple[CurrentFacts, ...]


def filtered(dataset: str | None, period: str | None, state: str | None) -> ImportFilter:
    """A filter of the list; None narrows nothing."""
    return ImportFilter(dataset, period, state)


def list_imports(wanted: ImportFilter | None = None, limit: int = 50, offset: int = 0) -> ImportPage:
    """Import batches by dataset, period and state, newest first."""
    with database.reading() as connection:
        items, total = repository.list_batches(connection, wanted or ImportFilter(), limit, offset)
    return ImportPage(tuple(items), total)


def get_import(batch_id: str) -> ImportDetail:
    """One import batch. Raises IMPORT_NOT_FOUND."""
    with database.reading() as connection:
        batch = repository.batch_by_id(connection, batch_id)
        if batch is None:
            raise BillingError(errors.IMPORT_NOT_FOUND, f"there is no import batch {batch_id}")
        slices = repository.slices(connection, batch.batch_no)
        rules = repository.rejections_by_rule(connection, batch.batch_no)
    return ImportDetail(batch, tuple(slices), rules)


def list_rejections(
    batch_id: str, limit: int = 50, offset: int = 0, sites: Collection[str] | None = None
) -> RejectionPage:
    """Rejected rows of a batch, all or those of the sites that the caller may see. Raises IMPORT_NOT_FOUND."""
    with database.reading() as connection:
        batch = repository.batch_by_id(connection, batch_id)
        if batch is None:
            raise BillingError(errors.IMPORT_NOT_FOUND, f"there is no import batch {batch_id}")
        items, total = repository.list_rejections(connection, batch.batch_no, limit, offset, sites)
    return RejectionPage(tuple(items), total)


def facts_of_period(period: Period, sites: Collection[str] | None = None) -> tuple[DatasetFacts, ...]:
    """What is current per dataset in a period, for all sites or those that the caller may see."""
    with database.reading() as connection:
        found = repository.current_facts_of(connection, str(period))
    seen = found if sites is None else [facts for facts in found if facts.site in sites]
    return tuple(_summary(name, tuple(group)) for name, group in groupby(seen, key=lambda facts: facts.dataset))


def _summary(dataset: str, facts: tuple[CurrentFacts, ...]) -> DatasetFacts:
    return DatasetFacts(
        dataset,
        tuple(sorted({f.batch_id for f in facts})),
        sum(f.row_count for f in facts),
        sum(f.rejected_count for f in facts),
        max((f.last_day for f in facts if f.last_day is not None), default=None),
        max(f.changed_at for f in facts),
        facts,
    )
