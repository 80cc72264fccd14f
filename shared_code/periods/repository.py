"""All SQL about months."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow
from shared_code.foundation.dialect import alone, steady
from shared_code.periods.tables import period_change

CLOSED = "Closed"


def state_of(month: sa.ColumnElement[str] | str) -> sa.Select[str]:
    """The state of a month, without a row for one that nobody has decided about.

    It stays what it is until the transaction ends: closing waits for those at work.
    """
    chosen = steady(sa.select(period_change.c.state), period_change).where(period_change.c.period == month)
    return chosen.order_by(period_change.c.version.desc()).limit(1)


def is_closed(connection: Connection, period: Period) -> bool:
    """Whether a month is closed. It stays what it is until this transaction ends: closing waits for those at work."""
    return connection.scalar(state_of(str(period))) == CLOSED


def changes(connection: Connection, period: Period, *, for_change: bool = False) -> Sequence[AnyRow]:
    """Every decision about a month, the newest first; `for_change` keeps other decisions out until the end."""
    chosen = sa.select(period_change)
    if for_change:
        chosen = alone(chosen, period_change)
    return connection.execute(
        chosen.where(period_change.c.period == str(period)).order_by(period_change.c.version.desc())
    ).all()


def add(connection: Connection, row: Mapping[str, Any]) -> None:
    connection.execute(period_change.insert(), row)
