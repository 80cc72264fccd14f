"""All SQL of decisions about proposals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.notes.tables import proposal_decision as stored
from shared_code.contracts.tables import contract_version
from shared_code.foundation.database import AnyRow

_newer = stored.alias("newer")


def latest_decisions(connection: Connection, contract_id: str) -> Sequence[AnyRow]:
    """The latest decision about each proposal of a contract, the oldest first. One statement."""
    same = sa.and_(_newer.c.contract_id == stored.c.contract_id, _newer.c.proposal_key == stored.c.proposal_key)
    newest = sa.select(sa.func.max(_newer.c.decision)).where(same).correlate(stored)
    return connection.execute(
        sa.select(stored)
        .where(stored.c.contract_id == contract_id, stored.c.decision == newest.scalar_subquery())
        .order_by(stored.c.changed_at, stored.c.proposal_key)
    ).all()


def later_versions(connection: Connection, contract_id: str, version: int) -> Sequence[AnyRow]:
    """The versions of a contract after `version`, with their documents."""
    later = sa.select(contract_version.c.version, contract_version.c.document)
    return connection.execute(
        later.where(contract_version.c.contract_id == contract_id, contract_version.c.version > version)
    ).all()


def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """Append a decision. The key of its number refuses a second writer."""
    connection.execute(stored.insert(), row)
