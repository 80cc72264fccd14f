"""All SQL of business settings, and the values that hold in a transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.foundation.business_settings.model import CATALOGUE, BusinessSettings, merge
from shared_code.foundation.business_settings.tables import business_setting as stored
from shared_code.foundation.database import AnyRow
from shared_code.foundation.dialect import alone
from shared_code.foundation.errors import BillingError
from shared_code.foundation.settings import SETTINGS_INVALID, settings

_newer = stored.alias("newer")


def current(connection: Connection) -> BusinessSettings:
    """The values that hold in this transaction: stored over app setting over default. One statement.

    Raises SETTINGS_INVALID for a stored value that the catalogue does not allow any more.
    """
    return over_app_settings(latest(connection))


def over_app_settings(rows: Iterable[AnyRow]) -> BusinessSettings:
    """Stored values over those of this process. A name that the catalogue has no more is left alone."""
    values = {row.name: json.loads(row.value) for row in rows if row.value is not None and row.name in CATALOGUE}
    found, problems = merge(settings().business, values)
    if problems:
        names = ", ".join(problem.field for problem in problems)
        raise BillingError(SETTINGS_INVALID, f"stored business settings cannot be used: {names}", problems)
    return found


def latest(connection: Connection, *, for_change: bool = False) -> Sequence[AnyRow]:
    """The latest version of every setting that was ever stored; `for_change` keeps other changes out until the end."""
    return connection.execute(select_latest(for_change=for_change)).all()


def select_latest(*, for_change: bool) -> sa.Select[tuple[str, int, str | None]]:
    """The statement of `latest`."""
    newest = sa.select(sa.func.max(_newer.c.version)).where(_newer.c.name == stored.c.name)
    chosen = sa.select(stored.c.name, stored.c.version, stored.c.value)
    if for_change:
        # Both reads wait for another change to commit, and see it: changes follow each other.
        newest, chosen = alone(newest, _newer), alone(chosen, stored)
    return chosen.where(stored.c.version == newest.correlate(stored).scalar_subquery()).order_by(stored.c.name)


def insert(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    connection.execute(stored.insert(), list(rows))


def versions(connection: Connection, name: str, limit: int, before: int | None) -> Sequence[AnyRow]:
    """The versions of a setting, newest first, from the one before `before` on."""
    chosen = sa.select(stored).where(stored.c.name == name)
    if before is not None:
        chosen = chosen.where(stored.c.version < before)
    return connection.execute(chosen.order_by(stored.c.version.desc()).limit(limit)).all()


def count(connection: Connection, name: str) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(stored).where(stored.c.name == name)) or 0
