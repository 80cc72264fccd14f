"""Imports and loaded facts as people and programs read them: values that lists and details answer with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

from shared_code.foundation.answers import Described, SourceMoney

ImportState = Literal["loading", "waiting", "current", "held", "rejected", "duplicate"]
IMPORT_STATES: tuple[ImportState, ...] = get_args(ImportState)


@dataclass(frozen=True, slots=True)
class ImportFilter:
    """Which imports to list, as the caller writes it; None narrows nothing. The use case checks the values."""

    dataset: str | None = None
    period: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Import(Described):
    """A file that was dropped, and what has become of it.

    What is true of the whole file (name, size, counts, money, last day) is null for callers who see some sites only.
    """

    batch_id: str
    dataset: str
    """The first folder of the file, or contracts; a refused file shows what it was dropped under."""
    period: str
    """The second folder of the file: a month, unless the file was refused for it."""
    container: str
    source_name: str | None
    sha256: str | None
    byte_count: int | None
    state: ImportState
    """waiting: for the site master, or for a closed month to be reopened. held: for a decision, since too many rows are
    rejected."""
    reason: str | None
    """Why it is not current; GET /errors/{code} explains it."""
    message: str | None
    duplicate_of: str | None
    """The batch that brought the same bytes first."""
    rows_read: int | None
    """Accepted, rejected and duplicate rows together."""
    rows_accepted: int | None
    rows_rejected: int | None
    rows_duplicate: int | None
    rows_repeated: int | None
    """Rows that look like others of the file and were accepted all the same."""
    money_read: SourceMoney | None
    """The control total of the file: accepted, rejected and duplicate money together."""
    money_accepted: SourceMoney | None
    money_rejected: SourceMoney | None
    money_duplicate: SourceMoney | None
    last_day: date | None
    """The last day with a row."""
    ignored_columns: str | None
    """Columns that the dataset does not have, separated by commas."""
    created_at: datetime
    finished_at: datetime | None


OF_THE_WHOLE_FILE = (
    *("source_name", "sha256", "byte_count", "message", "last_day"),
    *(f"rows_{kind}" for kind in ("read", "accepted", "rejected", "duplicate", "repeated")),
    *(f"money_{kind}" for kind in ("read", "accepted", "rejected", "duplicate")),
)
"""What callers who see some sites only are not shown of an import."""


@dataclass(frozen=True, slots=True)
class ImportSlice(Described):
    """A part of a file that is read at once. Rows of one key in several parts are found over the whole file only."""

    batch_no: int
    slice_no: int
    byte_from: int
    byte_to: int
    first_row: int
    """The number of its first row in the file; 1 is the first below the header."""
    row_count: int
    staged_at: datetime | None
    """When it was read; null while it waits."""
    rows_accepted: int
    rows_rejected: int
    rows_duplicate: int
    money_accepted: SourceMoney
    money_rejected: SourceMoney
    money_duplicate: SourceMoney


@dataclass(frozen=True, slots=True)
class ImportDetail(Described):
    """A file with its parts and its rejected rows by rule."""

    batch: Import
    slices: tuple[ImportSlice, ...]
    """Empty for callers who see some sites only."""
    rejected_by_rule: Mapping[str, int]
    """How many rows that the caller may see break which rule."""


@dataclass(frozen=True, slots=True)
class Rejection(Described):
    """A rejected row: where it stands in the file, which rule its column breaks, and the value."""

    row_number: int
    site: str | None
    """The site of the row where it can be read."""
    column: str
    rule: str
    value: str
    amount: SourceMoney | None
    """The money that is missing from the facts for it."""


@dataclass(frozen=True, slots=True)
class SiteFacts(Described):
    """What is current for one dataset, period and site."""

    dataset: str
    site: str
    batch_id: str
    row_count: int
    rejected_count: int
    first_day: date | None
    last_day: date | None
    longest_gap: int | None
    """Days without rows between two days with rows."""
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class DatasetFacts(Described):
    """What is current of one dataset in a period, over the sites that the caller may see."""

    dataset: str
    batches: tuple[str, ...]
    rows: int
    rejected: int
    last_day: date | None
    """The last day with a row of any site."""
    changed_at: datetime
    """When facts of a site changed last."""
    sites: tuple[SiteFacts, ...]


@dataclass(frozen=True, slots=True)
class LoadedFacts(Described):
    """What is loaded for a period, by dataset."""

    items: tuple[DatasetFacts, ...]
