"""SQL that a chunk begins with: its items, the contracts as they are billed now, and what stands of their months."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.tables import contract, contract_version
from shared_code.facts.tables import site
from shared_code.foundation import clock
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow
from shared_code.foundation.dialect import locked
from shared_code.foundation.many import named_rows
from shared_code.statements.tables import run_item, site_comment, statement

_BEGINNING = date(1900, 1, 1)

# Statements that every chunk asks are made once: making them anew would cost a small chunk more than reading.


def _billable(source: sa.FromClause, day: sa.ColumnElement[date]) -> sa.Select[Any]:
    """Contracts with the document that serves the month beginning on `day`, and their sites: what billing reads.

    The serving version is asked for by contract: ranking all versions would cost each chunk the whole table.
    """
    serving, other = contract_version, contract_version.alias("other")
    newest = sa.select(sa.func.max(other.c.version)).where(
        other.c.contract_id == contract.c.contract_id, sa.func.coalesce(other.c.effective_from, _BEGINNING) <= day
    )
    serves = sa.and_(
        serving.c.contract_id == contract.c.contract_id,
        serving.c.version == newest.correlate(contract).scalar_subquery(),
    )
    return (
        sa.select(
            contract.c.contract_id,
            contract.c.site_number,
            serving.c.version.label("contract_version"),
            contract.c.latest_version,
            serving.c.document,
            serving.c.rates_as_of,
            serving.c.rate_bases,
            *(site.c[name] for name in ("name", "street", "city", "state", "zip", "gl_string", "first_worked_date")),
        )
        .select_from(source.join(serving, serves).outerjoin(site, site.c.site_number == contract.c.site_number))
        .order_by(contract.c.site_number, contract.c.contract_id)
    )


_DAY = sa.bindparam("day", type_=sa.Date)
_OF_CHUNK = (
    run_item.c.run_id == sa.bindparam("run_id"),
    run_item.c.chunk == sa.bindparam("chunk"),
)
_PENDING = (
    _billable(contract.join(run_item, run_item.c.contract_id == contract.c.contract_id), _DAY)
    .add_columns(
        sa.case(
            (
                sa.exists().where(
                    site_comment.c.site_number == contract.c.site_number,
                    site_comment.c.period == sa.bindparam("period"),
                ),
                1,
            ),
            else_=0,
        ).label("commented")
    )
    .where(*_OF_CHUNK, run_item.c.outcome == "Pending")
)
_AS_BILLED = _billable(contract, _DAY).where(
    contract.c.contract_id.in_(sa.bindparam("contract_ids", (), expanding=True))
)


_BEGIN = (
    run_item.update()
    .where(
        run_item.c.run_id == sa.bindparam("of_run"),
        run_item.c.chunk == sa.bindparam("of_chunk"),
        run_item.c.outcome == "Pending",
    )
    .values(started_at=sa.bindparam("instant"))
)


def begin_items(connection: Connection, run_id: str, chunk: int) -> None:
    """Begin the chunk's items that have no outcome. Their rows are kept from others until this transaction ends."""
    connection.execute(_BEGIN, {"of_run": run_id, "of_chunk": chunk, "instant": clock.now()})


def pending_chunk(connection: Connection, run_id: str, chunk: int, period: Period) -> Sequence[AnyRow]:
    """The chunk's items that have no outcome yet, each with the document that serves `period` now, and its site.

    `commented` is 1 where somebody said something about the site's `period` (rules R51).
    """
    asked = {"run_id": run_id, "chunk": chunk, "day": period.first_day, "period": str(period)}
    return named_rows(connection, _PENDING, asked)


def contracts_as_billed(connection: Connection, contract_ids: Sequence[str], period: Period) -> Sequence[AnyRow]:
    """Up to 1,000 contracts as a run would bill them for `period` now."""
    return named_rows(connection, _AS_BILLED, {"contract_ids": contract_ids, "day": period.first_day})


def _of_chunk() -> sa.Select[Any]:
    c = statement.c
    known = (c.contract_id, c.period, c.statement_id, c.version, c.generation, c.status, c.run_id, c.total)
    # IN, since SQLite reads all statements of a month where a join would give the contracts.
    return sa.select(*known).where(c.contract_id.in_(sa.select(run_item.c.contract_id).where(*_OF_CHUNK)))


_STANDING = sa.union_all(
    locked(_of_chunk().where(statement.c.period == sa.bindparam("period")), statement),
    _of_chunk().where(
        statement.c.period >= sa.bindparam("first"),
        statement.c.period < sa.bindparam("period"),
        statement.c.status != "Superseded",
    ),
)


def standing(connection: Connection, run_id: str, chunk: int, period: Period, first: Period) -> Sequence[AnyRow]:
    """Every statement of `period` of the chunk's contracts, kept from others until this transaction ends; and what
    stands of their months from `first` on, which others may change. By contract, period and generation."""
    asked = {"run_id": run_id, "chunk": chunk, "period": str(period), "first": str(first)}
    rows = named_rows(connection, _STANDING, asked)
    return sorted(rows, key=lambda row: (row.contract_id, row.period, row.generation))
