"""All SQL of opening balances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.openings.tables import opening_balance, opening_set
from shared_code.foundation.database import AnyRow
from shared_code.foundation.dialect import alone

_PARAMETERS = 1000
_newer = opening_set.alias("newer")


def latest_set(connection: Connection, contract_id: str, *, for_change: bool = False) -> AnyRow | None:
    """The head of a contract's latest set; `for_change` keeps other changes out until the end."""
    chosen = sa.select(opening_set).where(opening_set.c.contract_id == contract_id)
    if for_change:
        chosen = alone(chosen, opening_set)
    return connection.execute(chosen.order_by(opening_set.c.version.desc()).limit(1)).one_or_none()


def balances(connection: Connection, contract_ids: Sequence[str]) -> Sequence[AnyRow]:
    """The opening balances that hold for these contracts, by contract and place: one statement for each thousand."""
    found: list[AnyRow] = []
    for start in range(0, len(contract_ids), _PARAMETERS):
        chosen = select_balances(opening_balance).where(
            opening_balance.c.contract_id.in_(contract_ids[start : start + _PARAMETERS])
        )
        found += connection.execute(chosen.order_by(opening_balance.c.contract_id, opening_balance.c.place)).all()
    return found


def select_balances(*columns: sa.ColumnElement[Any] | sa.FromClause) -> sa.Select[Any]:
    """The opening balances that hold, of all contracts."""
    newest = sa.select(sa.func.max(_newer.c.version)).where(_newer.c.contract_id == opening_balance.c.contract_id)
    return sa.select(*columns).where(opening_balance.c.version == newest.correlate(opening_balance).scalar_subquery())


def add_set(connection: Connection, head: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Store a new set. The key of its version refuses a second writer."""
    connection.execute(opening_set.insert(), head)
    if rows:
        connection.execute(opening_balance.insert(), list(rows))
