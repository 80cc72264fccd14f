"""What people ask about imports: the list, one batch, its rejected rows, and what is loaded for a period."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby

from shared_code.edw import errors, repository
from shared_code.edw.repository import Batch, CurrentFacts, ImportFilter, Rejection, Slice
from shared_code.foundation import database
from shared_code.foundation.calendar import Period
from shared_code.foundation.errors import BillingError


@dataclass(frozen=True, slots=True)
class Import:
    """One import as people see it. Money of the whole file is None for callers who see some sites only."""

    batch_id: str
    dataset: str
    period: str
    container: str
    source_name: str
    sha256: str
    byte_count: int
    state: str
    reason: str | None
    message: str | None
    duplicate_of: str | None
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    rows_duplicate: int
    rows_repeated: int
    money_read: Decimal | None
    money_accepted: Decimal | None
    money_rejected: Decimal | None
    money_duplicate: Decimal | None
    last_day: date | None
    ignored_columns: str | None
    created_at: datetime
    finished_at: datetime | None


def _shown(batch: Batch, sites: Collection[str] | None) -> Import:
    whole = Import(**{field.name: getattr(batch, field.name) for field in fields(Import)})
    if sites is None:
        return whole
    return replace(whole, money_read=None, money_accepted=None, money_rejected=None, money_duplicate=None)


@dataclass(frozen=True, slots=True)
class ImportPage:
    """Some imports, newest first, and how many there are in all."""

    items: tuple[Import, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ImportDetail:
    """One import with its slices and its rejected rows counted by rule."""

    batch: Import
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


def list_imports(
    wanted: ImportFilter | None = None, limit: int = 50, offset: int = 0, sites: Collection[str] | None = None
) -> ImportPage:
    """Import batches by dataset, period and state, newest first; all, or those that concern the caller's sites."""
    with database.reading() as connection:
        items, total = repository.list_batches(connection, wanted or ImportFilter(), limit, offset, sites)
    return ImportPage(tuple(_shown(batch, sites) for batch in items), total)


def get_import(batch_id: str, sites: Collection[str] | None = None) -> ImportDetail:
    """One import batch. Raises IMPORT_NOT_FOUND, also for one that concerns none of the caller's sites."""
    with database.reading() as connection:
        batch = repository.batch_by_id(connection, batch_id)
        if batch is None or (sites is not None and not repository.concerns(connection, batch.batch_no, sites)):
            raise BillingError(errors.IMPORT_NOT_FOUND, f"there is no import batch {batch_id}")
        slices = repository.slices(connection, batch.batch_no)
        rules = repository.rejections_by_rule(connection, batch.batch_no)
    return ImportDetail(_shown(batch, sites), tuple(slices) if sites is None else (), rules)


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
