"""SQL of batches, slices and rows (`publication/repository.py` has that of publishing them).

Set-based, valid on SQLite and SQL Server, correct under snapshot isolation.

Money goes in and comes out of the fact tables in stored units (integers of four decimals); `Fixed` columns of the
batch tables are Decimal, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.edw.model import ImportFilter, ImportSlice, ImportState, Rejection, SiteFacts
from shared_code.edw.records import SliceRange
from shared_code.edw.tables import import_slice, rejected_row
from shared_code.edw.values import SITE_UNKNOWN
from shared_code.facts.tables import current_facts, import_batch, site
from shared_code.foundation import clock
from shared_code.foundation.database import AnyRow, inbox
from shared_code.foundation.dialect import stored_decimals
from shared_code.foundation.listing import Listing, PageRequest, SortField
from shared_code.foundation.paging import Page, each
from shared_code.foundation.visibility import Visibility

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
    state: ImportState
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
    moment = values.get("finished_at") or clock.now()  # one that was refused at once begins and ends in one moment
    made = connection.execute(import_batch.insert().values(**values, slices=len(plan), created_at=moment))
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


def slices(connection: Connection, batch_no: int) -> list[ImportSlice]:
    query = sa.select(import_slice).where(import_slice.c.batch_no == batch_no).order_by(import_slice.c.slice_no)
    return [ImportSlice(**row._mapping) for row in connection.execute(query)]


def plan_of(connection: Connection, batch_no: int) -> list[SliceRange]:
    """The slices as they were planned."""
    return [SliceRange(s.byte_from, s.byte_to, s.first_row, s.row_count) for s in slices(connection, batch_no)]


def slice_of(connection: Connection, batch_no: int, slice_no: int) -> ImportSlice | None:
    query = sa.select(import_slice).where(import_slice.c.batch_no == batch_no, import_slice.c.slice_no == slice_no)
    row = connection.execute(query).one_or_none()
    return None if row is None else ImportSlice(**row._mapping)


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


def waiting(connection: Connection, reason: str) -> list[Batch]:
    """Batches that wait for this reason, oldest first."""
    c = import_batch.c
    query = sa.select(import_batch).where(c.state == "waiting", c.reason == reason).order_by(c.batch_no)
    return [Batch(**row._mapping) for row in connection.execute(query)]


def standing_still(connection: Connection, before: datetime) -> list[tuple[Batch, datetime]]:
    """Batches that are being read and of which nothing was done since `before`, with the instant of the last deed.

    A batch that began anew counts from its beginning until a slice of it is staged: it is asked for once too often.
    """
    made = sa.func.max(import_slice.c.staged_at)
    staged = sa.select(made).where(import_slice.c.batch_no == import_batch.c.batch_no).scalar_subquery()
    query = (
        sa.select(import_batch, staged.label("last_staged"))
        .where(import_batch.c.state == "loading", import_batch.c.created_at < before)
        .order_by(import_batch.c.batch_no)
    )
    found = []
    for row in connection.execute(query):
        values = dict(row._mapping)
        last = max(values["created_at"], values.pop("last_staged") or values["created_at"])
        if last < before:
            found.append((Batch(**values), last))
    return found


def waits_in_vain(connection: Connection) -> bool:
    """Whether a batch waits for the site master although there is one."""
    waits = sa.exists().where(import_batch.c.state == "waiting")
    chosen = sa.select(sa.func.count()).select_from(site).where(waits)
    return bool(connection.scalar(chosen))


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


def versions_received(connection: Connection, consumer: str, keys: Sequence[str]) -> frozenset[str]:
    """Which of these versions of drops were received; at most a thousand keys at once."""
    query = sa.select(inbox.c.effect_key).where(inbox.c.consumer == consumer, inbox.c.effect_key.in_(keys))
    return frozenset(connection.scalars(query))


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
    lists = (stored_decimals(connection, column, block[column.name].to_list()) for column in columns)
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


IMPORTS = Listing(
    columns=(import_batch,),
    fields={"createdAt": SortField(import_batch.c.created_at, datetime)},
    default="-createdAt",
    key=SortField(import_batch.c.batch_no, int),
)
_ROW = SortField(rejected_row.c.row_number, int)
_REJECTED = tuple(rejected_row.c[name] for name in ("row_number", "site", "column_name", "rule", "value", "amount"))
REJECTIONS = Listing(columns=_REJECTED, fields={"rowNumber": _ROW}, default="rowNumber", key=_ROW)


def rejections_after(connection: Connection, batch_no: int, after: int, limit: int) -> list[Rejection]:
    """Rejected rows of a batch beyond row number `after`, in order of the file: to go through all of them."""
    r = rejected_row.c
    query = sa.select(*_REJECTED).where(r.batch_no == batch_no, r.row_number > after).order_by(r.row_number)
    return [Rejection(*row) for row in connection.execute(query.limit(limit))]


def list_rejections(connection: Connection, batch_no: int, asked: PageRequest, visible: Visibility) -> Page[Rejection]:
    """Rejected rows of a batch that the caller may see, in order of the file unless sorted otherwise."""
    r = rejected_row.c
    found = REJECTIONS.page(connection, asked, r.batch_no == batch_no, visible.limit(r.site))
    return each(found, lambda row: Rejection(*row))


def rejections_by_rule(connection: Connection, batch_no: int, visible: Visibility) -> dict[str, int]:
    """How many rejected rows of a batch that the caller may see break which rule."""
    query = (
        sa.select(rejected_row.c.rule, sa.func.count())
        .where(rejected_row.c.batch_no == batch_no, visible.limit(rejected_row.c.site))
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


def visible_batch(connection: Connection, batch_id: str, visible: Visibility) -> Batch | None:
    """A batch, if it concerns a site that the caller may see."""
    query = sa.select(import_batch).where(import_batch.c.batch_id == batch_id, _concerns(visible))
    return _batch(connection.execute(query).one_or_none())


def _concerns(visible: Visibility) -> sa.ColumnElement[bool]:
    """Whether a batch is current for a site that the caller may see, or rejected a row of one."""
    if visible.everything:
        return sa.true()
    f, r = current_facts.c, rejected_row.c
    return sa.or_(
        sa.exists().where(f.batch_no == import_batch.c.batch_no, visible.limit(f.site)),
        sa.exists().where(r.batch_no == import_batch.c.batch_no, visible.limit(r.site)),
    )


def list_batches(connection: Connection, wanted: ImportFilter, asked: PageRequest, visible: Visibility) -> Page[Batch]:
    """Batches that concern sites which the caller may see, newest first unless sorted otherwise."""
    c = import_batch.c
    pairs = ((c.dataset, wanted.dataset), (c.period, wanted.period), (c.state, wanted.state))
    narrowed = [column == value for column, value in pairs if value is not None]
    found = IMPORTS.page(connection, asked, _concerns(visible), *narrowed)
    return each(found, lambda row: Batch(**row._mapping))


def current_facts_of(connection: Connection, period: str, visible: Visibility) -> list[SiteFacts]:
    """What is current in a period for sites that the caller may see, by dataset and site."""
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
        .where(c.period == period, visible.limit(c.site))
        .order_by(c.dataset, c.site)
    )
    return [SiteFacts(*row) for row in connection.execute(query)]
