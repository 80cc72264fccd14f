"""All SQL about how far a month is: three statements, whatever the number of contracts."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.tables import contract, contract_version
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow
from shared_code.foundation.visibility import Visibility
from shared_code.statements.places import SUPERSEDED
from shared_code.statements.staleness.repository import has_later_version
from shared_code.statements.tables import run_item, statement, statement_run


def serving(connection: Connection, period: Period, visible: Visibility) -> set[str]:
    """Contracts that have a version effective on the first day of the month (rules R12)."""
    v = contract_version.c
    begun = sa.or_(v.effective_from.is_(None), v.effective_from <= period.first_day)
    chosen = sa.select(contract.c.contract_id).where(
        sa.exists().where(v.contract_id == contract.c.contract_id, begun), visible.limit(contract.c.site_number)
    )
    return set(connection.scalars(chosen))


def statements(connection: Connection, period: Period, visible: Visibility) -> Sequence[AnyRow]:
    """The latest version of each contract of the month that counts."""
    c = statement.c
    return connection.execute(
        sa.select(c.contract_id, c.status, c.stale_since).where(
            c.period == str(period),
            c.status != SUPERSEDED,
            sa.not_(has_later_version()),
            visible.limit(c.site_number, c.period),
        )
    ).all()


def tries(connection: Connection, period: Period, visible: Visibility) -> Sequence[AnyRow]:
    """What runs have come to, contract by contract, the earliest first. A dry run has tried nothing."""
    tried_at = sa.func.coalesce(run_item.c.finished_at, statement_run.c.resumed_at)
    return connection.execute(
        sa.select(run_item.c.contract_id, run_item.c.outcome)
        .join(statement_run, statement_run.c.run_id == run_item.c.run_id)
        .where(
            statement_run.c.period == str(period),
            statement_run.c.kind != "DryRun",
            visible.limit(run_item.c.site_number, statement_run.c.period),
        )
        .order_by(tried_at, statement_run.c.created_at, run_item.c.run_id)
    ).all()
