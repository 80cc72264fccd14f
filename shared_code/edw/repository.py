"""SQL of batches, slices and rows (`publication/repository.py` has that of publishing them).

Set-based, valid on SQLite and SQL Server, correct under snapshot isolation.

Money goes in and comes out of the fact tables in stored units (integers of four decimals); `Fixed` columns of the
batch tables are Decimal, as everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.edw.records import SliceRange
from shared_code.edw.tables import import_slice, rejected_row
from shared_code.edw.values import SITE_UNKNOWN
from shared_code.facts.tables import current_facts, import_batch, site
from shared_code.foundation import clock
from shared_code.foundation.database import AnyRow, Fixed

_INSERT_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Batch:
    """One import batch as stored."""

    batch_no: int
    batch_id: str
    effect_key: str
    dataset: str
    period: str
    container: str
    source_name: str
    sha256: str
    byte_count: int
    source_etag: str | None
    state: str
    reason: str | None
    message: str | None
    duplicate_of: str | None
    slices: int
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    rows_duplicate: int
    rows_repeated: int
    money_read: Decimal
    money_accepted: Decimal
    money_rejected: Decimal
    money_duplicate: Decimal
    last_day: date | None
    ignored_columns: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice as stored. Counts are those of the staging; keys that conflict are found over the whole batch."""

    batch_no: int
    slice_no: int
    byte_from: int
    byte_to: int
    first_row: int
    row_count: int
    staged_at: datetime | None
    rows_accepted: int
    rows_rejected: int
    rows_duplicate: int
    money_accepted: Decimal
    money_rejected: Decimal
    money_duplicate: Decimal


def _batch(row: AnyRow | None) -> Batch | None:
    return None if row is None else Batch(**row._mapping)


# -- batches and slices -------------------------------------------------------------------------------------------


def batch_by_key(connection: Connection, effect_key: str) -> Batch | None:
    query = sa.select(import_batch).where(import_batch.c.effect_key == effect_key)
    return _batch(connection.execute(query).one_or_none())


def batch_by_id(connection: Connection, batch_id: str) -> Batch | None:
    query = sa.select(import_batch).where(import_batch.c.batch_id == batch_id)
    return _batch(connection.execute(query).one_or_none())


def add_batch(connection: Connection, values: dict[str, Any], plan: Sequence[SliceRange]) -> None:
    """Write a batch and its slices."""
    made = connection.execute(import_batch.insert().values(**values, slices=len(plan), created_at=clock.now()))
    key = made.inserted_primary_key
    if key is not None:
        _add_slices(connection, key[0], plan)


def restart_batch(connection: Connection, batch_no: int, values: dict[str, Any], plan: Sequence[SliceRange]) -> None:
    """Begin a batch anew that was given up or held before anything of it was published."""
    connection.execute(import_slice.delete().where(import_slice.c.batch_no == batch_no))
    connection.execute(
        import_batch.update()
        .where(import_batch.c.batch_no == batch_no)
        .values(**values, slices=len(plan), reason=None, message=None, finished_at=None)
    )
    _add_slices(connection, batch_no, plan)


def _add_slices(connection: Connection, batch_no: int, plan: Sequence[SliceRange]) -> None:
    rows = [
        {
            "batch_no": batch_no,
            "slice_no": number,
            "byte_from": part.byte_from,
            "byte_to": part.byte_to,
            "first_row": part.first_row,
            "row_count": part.row_count,
        }
        for number, part in enumerate(plan, start=1)
    ]
    if rows:
        connection.execute(import_slice.insert(), rows)


def slices(connection: Connection, batch_no: int) -> list[Slice]:
    query = sa.select(import_slice).where(import_slice.c.batch_no == batch_no).order_by(import_slice.c.slice_no)
    return [Slice(**row._mapping) for row in connection.execute(query)]


def plan_of(connection: Connection, batch_no: int) -> list[SliceRange]:
    """The slices as they were planned."""
    return [SliceRange(s.byte_from, s.byte_to, s.first_row, s.row_count) for s in slices(connection, batch_no)]


def slice_of(connection: Connection, batch_no: int, slice_no: int) -> Slice | None:
    query = sa.select(import_slice).where(import_slice.c.batch_no == batch_no, import_slice.c.slice_no == slice_no)
    row = connection.execute(query).one_or_none()
    return None if row is None else Slice(**row._mapping)


def claim_state(connection: Connection, batch_no: int, state: str, new_state: str | None = None, **more: Any) -> bool:
    """Move a batch out of `state` (or only lock its row until the commit). False when it is not in that state."""
    made = connection.execute(
        import_batch.update()
        .where(import_batch.c.batch_no == batch_no, import_batch.c.state == state)
        .values(state=new_state or state, **more)
    )
    return made.rowcount == 1


def claim_slice(connection: Connection, batch_no: int, slice_no: int) -> bool:
    """Mark a slice staged. The first transaction wins; a second waits for it and gets False."""
    made = connection.execute(
        import_slice.update()
        .where(
            import_slice.c.batch_no == batch_no, import_slice.c.slice_no == slice_no, import_slice.c.staged_at.is_(None)
        )
        .values(staged_at=clock.now())
    )
    return made.rowcount == 1


def record_slice(connection: Connection, batch_no: int, slice_no: int, counts: dict[str, Any]) -> None:
    connection.execute(
        import_slice.update()
        .where(import_slice.c.batch_no == batch_no, import_slice.c.slice_no == slice_no)
        .values(**counts)
    )


def waiting(connection: Connection) -> list[Batch]:
    """Batches that wait for the site master, oldest first."""
    query = sa.select(import_batch).where(import_batch.c.state == "waiting").order_by(import_batch.c.batch_no)
    return [Batch(**row._mapping) for row in connection.execute(query)]


def refused_known_site(connection: Connection, batch_no: int) -> bool:
    """Whether rows of a batch were refused for a site that the site master knows by now."""
    chosen = sa.select(sa.func.count()).select_from(import_batch).where(import_batch.c.batch_no == batch_no, _named())
    return bool(connection.scalar(chosen))


def serves_sites(connection: Connection, batch_no: int) -> bool:
    """Whether a batch is current for any site."""
    query = sa.select(sa.func.count()).select_from(current_facts).where(current_facts.c.batch_no == batch_no)
    return bool(connection.scalar(query))


def held_for_new_sites(connection: Connection) -> list[Batch]:
    """Held batches with rows that were refused for a site which the site master knows by now, oldest first."""
    query = sa.select(import_batch).where(import_batch.c.state == "held", _named()).order_by(import_batch.c.batch_no)
    return [Batch(**row._mapping) for row in connection.execute(query)]


def _named() -> sa.ColumnElement[bool]:
    return sa.exists().where(
        rejected_row.c.batch_no == import_batch.c.batch_no,
        rejected_row.c.rule == SITE_UNKNOWN,
        rejected_row.c.value == rejected_row.c.site,  # the number itself, not one that only looks like a known one
        site.c.site_number == rejected_row.c.site,
    )


# -- rows ---------------------------------------------------------------------------------------------------------


def known_sites(connection: Connection) -> frozenset[str]:
    """All site numbers of the site master."""
    return frozenset(connection.scalars(sa.select(site.c.site_number)))


def clear_rows(connection: Connection, table: sa.Table, batch_no: int, first_row: int, row_count: int) -> None:
    """Remove a batch's rows of one slice."""
    connection.execute(
        table.delete().where(
            table.c.batch_no == batch_no, table.c.row_number.between(first_row, first_row + row_count - 1)
        )
    )


def insert_rows(connection: Connection, table: sa.Table, batch_no: int, frame: pl.DataFrame) -> None:
    """Insert a frame in storage form (days as text, money as integers), a block of rows at a time.

    One prepared INSERT over tuples; the type processors of SQLAlchemy would cost more than the database.
    """
    columns = [c for c in table.columns if c.name == "batch_no" or c.name in frame.columns]
    marks = ", ".join("?" * len(columns))
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(c.name) for c in columns)
    statement = f"INSERT INTO {quote(table.name)} ({names}) VALUES ({marks})"  # noqa: S608 - names of our own tables
    ordered = frame.with_columns(pl.lit(batch_no).alias("batch_no")).select(c.name for c in columns)
    for block in ordered.iter_slices(_INSERT_ROWS):
        connection.exec_driver_sql(statement, _tuples(connection, block, columns))


def _tuples(connection: Connection, block: pl.DataFrame, columns: Sequence[sa.Column[Any]]) -> list[tuple[Any, ...]]:
    lists = [block[c.name].to_list() for c in columns]
    if connection.dialect.name == "mssql":
        for position, column in enumerate(columns):
            if isinstance(column.type, Fixed):
                scale = -column.type.scale
                lists[position] = [None if v is None else Decimal(v).scaleb(scale) for v in lists[position]]
    return list(zip(*lists, strict=True))


def save_sites(connection: Connection, batch_no: int, frame: pl.DataFrame) -> None:
    """Update the sites that are known, add the others. A site that is absent stays."""
    known = known_sites(connection)
    rows = frame.with_columns(
        pl.col("first_worked_date").str.to_date("%Y-%m-%d"), pl.lit(batch_no).alias("batch_no")
    ).to_dicts()
    fresh = [row for row in rows if row["site_number"] not in known]
    old = [{**row, "known_number": row["site_number"]} for row in rows if row["site_number"] in known]
    if fresh:
        connection.execute(site.insert(), fresh)
    if old:
        values: dict[str, Any] = {c.name: sa.bindparam(c.name) for c in site.columns if not c.primary_key}
        statement = site.update().where(site.c.site_number == sa.bindparam("known_number")).values(values)
        connection.execute(statement, [{k: v for k, v in row.items() if k != "site_number"} for row in old])


def clear_batch(connection: Connection, table: sa.Table, batch_no: int) -> None:
    """Remove all rows of a batch that was given up."""
    connection.execute(rejected_row.delete().where(rejected_row.c.batch_no == batch_no))
    if table is not site:
        connection.execute(table.delete().where(table.c.batch_no == batch_no))


# -- reads for people ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rejection:
    """One rejected row: where it stands in the file, which rule its column breaks, and the value."""

    row_number: int
    site: str | None
    column: str
    rule: str
    value: str
    amount: Decimal | None


def _rejections(batch_no: int) -> sa.Select[Any]:
    r = rejected_row.c
    columns = (r.row_number, r.site, r.column_name, r.rule, r.value, r.amount)
    return sa.select(*columns).where(r.batch_no == batch_no).order_by(r.row_number)


def rejections_after(connection: Connection, batch_no: int, after: int, limit: int) -> list[Rejection]:
    """Rejected rows of a batch beyond row number `after`, in order of the file: to go through all of them."""
    query = _rejections(batch_no).where(rejected_row.c.row_number > after).limit(limit)
    return [Rejection(*row) for row in connection.execute(query)]


def list_rejections(
    connection: Connection, batch_no: int, limit: int, offset: int, sites: Collection[str] | None
) -> tuple[list[Rejection], int]:
    """Some rejected rows of a batch in order of the file, of `sites` only if given, and how many there are in all."""
    seen = [rejected_row.c.batch_no == batch_no]
    if sites is not None:
        seen.append(rejected_row.c.site.in_(sorted(sites)))
    total = connection.scalar(sa.select(sa.func.count()).select_from(rejected_row).where(*seen)) or 0
    query = _rejections(batch_no).where(*seen).offset(offset).limit(limit)
    return [Rejection(*row) for row in connection.execute(query)], total


def rejections_by_rule(connection: Connection, batch_no: int) -> dict[str, int]:
    query = (
        sa.select(rejected_row.c.rule, sa.func.count())
        .where(rejected_row.c.batch_no == batch_no)
        .group_by(rejected_row.c.rule)
        .order_by(rejected_row.c.rule)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def sites_served_by_others(connection: Connection, batch: Batch) -> list[str]:
    """Sites of the dataset and period whose current facts come from another file than this one."""
    c = current_facts.c
    query = (
        sa.select(c.site)
        .where(c.dataset == batch.dataset, c.period == batch.period, c.batch_no != batch.batch_no)
        .order_by(c.site)
    )
    return list(connection.scalars(query))


def concerns(connection: Connection, batch_no: int, sites: Collection[str]) -> bool:
    """Whether a batch is current for one of `sites`, or rejected a row of one."""
    chosen = sa.select(sa.func.count()).select_from(import_batch)
    return bool(connection.scalar(chosen.where(import_batch.c.batch_no == batch_no, _concerns(sites))))


def _concerns(sites: Collection[str]) -> sa.ColumnElement[bool]:
    wanted = sorted(sites)
    return sa.or_(
        sa.exists().where(current_facts.c.batch_no == import_batch.c.batch_no, current_facts.c.site.in_(wanted)),
        sa.exists().where(rejected_row.c.batch_no == import_batch.c.batch_no, rejected_row.c.site.in_(wanted)),
    )


@dataclass(frozen=True, slots=True)
class ImportFilter:
    """Which imports to list; None: all."""

    dataset: str | None = None
    period: str | None = None
    state: str | None = None


def list_batches(
    connection: Connection, wanted: ImportFilter, limit: int, offset: int, sites: Collection[str] | None
) -> tuple[list[Batch], int]:
    """Batches, newest first, of `sites` only if given, and how many there are in all."""
    c = import_batch.c
    asked = ((c.dataset, wanted.dataset), (c.period, wanted.period), (c.state, wanted.state))
    where = [column == value for column, value in asked if value is not None]
    if sites is not None:
        where.append(_concerns(sites))
    total = connection.scalar(sa.select(sa.func.count()).select_from(import_batch).where(*where)) or 0
    query = sa.select(import_batch).where(*where).order_by(c.batch_no.desc()).offset(offset).limit(limit)
    return [Batch(**row._mapping) for row in connection.execute(query)], total


@dataclass(frozen=True, slots=True)
class CurrentFacts:
    """What is current for one dataset, period and site."""

    dataset: str
    site: str
    batch_id: str
    row_count: int
    rejected_count: int
    first_day: date | None
    last_day: date | None
    longest_gap: int | None
    changed_at: datetime


def current_facts_of(connection: Connection, period: str) -> list[CurrentFacts]:
    """What is current in a period, by dataset and site."""
    c = current_facts.c
    query = (
        sa.select(
            c.dataset,
            c.site,
            import_batch.c.batch_id,
            c.row_count,
            c.rejected_count,
            c.first_day,
            c.last_day,
            c.longest_gap,
            c.changed_at,
        )
        .join(import_batch, import_batch.c.batch_no == c.batch_no)
        .where(c.period == period)
        .order_by(c.dataset, c.site)
    )
    return [CurrentFacts(*row) for row in connection.execute(query)]
