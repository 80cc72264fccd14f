"""All SQL of index values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.index_values.tables import index_value as stored
from shared_code.foundation.database import AnyRow
from shared_code.foundation.dialect import alone
from shared_code.foundation.listing import Listing, PageRequest, SortField
from shared_code.foundation.paging import Page

_newer = stored.alias("newer")
_VERSION = SortField(stored.c.version, int)
HISTORY = Listing(columns=(stored,), fields={"version": _VERSION}, default="-version", key=_VERSION)


def current(connection: Connection) -> dict[tuple[str, int], Decimal]:
    """The values that hold, by name (in capitals, see `index_key`) and year. One statement."""
    return {(row.name, row.year): row.value for row in latest(connection) if row.value is not None}


def latest(connection: Connection, *, for_change: bool = False) -> Sequence[AnyRow]:
    """The latest version of every name and year; `for_change` keeps other changes out until the end."""
    return connection.execute(select_latest(for_change=for_change)).all()


def select_latest(*, for_change: bool) -> sa.Select[Any]:
    """The statement of `latest`."""
    same = sa.and_(_newer.c.name == stored.c.name, _newer.c.year == stored.c.year)
    newest = sa.select(sa.func.max(_newer.c.version)).where(same)
    chosen = sa.select(stored)
    if for_change:
        newest, chosen = alone(newest, _newer), alone(chosen, stored)
    return chosen.where(stored.c.version == newest.correlate(stored).scalar_subquery()).order_by(
        stored.c.name, stored.c.year
    )


def insert(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    connection.execute(stored.insert(), list(rows))


def versions(connection: Connection, name: str, year: int, asked: PageRequest) -> Page[AnyRow]:
    """Every value that was stored for a name and year, the newest first."""
    return HISTORY.page(connection, asked, stored.c.name == name, stored.c.year == year)
