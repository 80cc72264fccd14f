"""What people ask about imports: the list, one batch, its rejected rows, and what is loaded for a period."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import groupby
from typing import Any

from sqlalchemy.engine import Connection

from shared_code.edw import errors, repository
from shared_code.edw.model import (
    IMPORT_STATES,
    OF_THE_WHOLE_FILE,
    DatasetFacts,
    Import,
    ImportDetail,
    ImportFilter,
    LoadedFacts,
    Rejection,
    SiteFacts,
)
from shared_code.edw.repository import Batch
from shared_code.foundation import database
from shared_code.foundation.calendar import Period, read_period
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import PageRequest, one_of
from shared_code.foundation.paging import Page, each
from shared_code.foundation.visibility import Visibility


def list_imports(wanted: ImportFilter, asked: PageRequest, visible: Visibility) -> Page[Import]:
    """Import batches that concern sites which the caller may see, the newest first unless sorted otherwise.

    Raises PERIOD_INVALID, FILTER_INVALID, SORT_INVALID, CURSOR_INVALID. Any dataset may be asked for: files are refused
    under names that are none.
    """
    period = None if wanted.period is None else str(read_period(wanted.period))
    wanted = replace(wanted, period=period, state=one_of("state", wanted.state, IMPORT_STATES))
    with database.reading() as connection:
        found = repository.list_batches(connection, wanted, asked, visible)
    return each(found, lambda batch: _shown(batch, visible))


def get_import(batch_id: str, visible: Visibility) -> ImportDetail:
    """One import batch. Raises IMPORT_NOT_FOUND, also for one that concerns no site which the caller may see."""
    with database.reading() as connection:
        batch = _batch(connection, batch_id, visible)
        slices = repository.slices(connection, batch.batch_no) if visible.everything else []
        rules = repository.rejections_by_rule(connection, batch.batch_no, visible)
    return ImportDetail(_shown(batch, visible), tuple(slices), rules)


def list_rejections(batch_id: str, asked: PageRequest, visible: Visibility) -> Page[Rejection]:
    """Rejected rows of a batch, of the sites that the caller may see, in order of the file unless sorted otherwise.

    Raises IMPORT_NOT_FOUND, SORT_INVALID, CURSOR_INVALID.
    """
    with database.reading() as connection:
        batch = _batch(connection, batch_id, visible)
        return repository.list_rejections(connection, batch.batch_no, asked, visible)


def facts_of_period(period: Period, visible: Visibility) -> LoadedFacts:
    """What is current per dataset in a period, for the sites that the caller may see."""
    with database.reading() as connection:
        found = repository.current_facts_of(connection, str(period), visible)
    return LoadedFacts(
        tuple(_dataset(name, tuple(group)) for name, group in groupby(found, lambda facts: facts.dataset))
    )


def _batch(connection: Connection, batch_id: str, visible: Visibility) -> Batch:
    batch = repository.visible_batch(connection, batch_id, visible)
    if batch is None:
        raise BillingError(errors.IMPORT_NOT_FOUND, f"there is no import batch {batch_id}")
    return batch


def _shown(batch: Batch, visible: Visibility) -> Import:
    """A batch; without all that is true of the whole file where the caller sees some of its sites only."""
    whole = Import(**{field.name: getattr(batch, field.name) for field in fields(Import)})
    hidden: dict[str, Any] = {} if visible.everything else dict.fromkeys(OF_THE_WHOLE_FILE)
    return replace(whole, **hidden)


def _dataset(name: str, facts: tuple[SiteFacts, ...]) -> DatasetFacts:
    return DatasetFacts(
        name,
        tuple(sorted({f.batch_id for f in facts})),
        sum(f.row_count for f in facts),
        sum(f.rejected_count for f in facts),
        max((f.last_day for f in facts if f.last_day is not None), default=None),
        max(f.changed_at for f in facts),
        facts,
    )
