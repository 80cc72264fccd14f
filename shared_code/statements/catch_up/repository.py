"""All SQL about missed months. Each function is one statement for all contracts of a site."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.tables import contract, contract_version
from shared_code.facts.tables import current_facts
from shared_code.foundation.database import AnyRow
from shared_code.foundation.visibility import Visibility
from shared_code.periods.tables import period_change
from shared_code.statements.places import SUPERSEDED
from shared_code.statements.tables import run_item, statement, statement_run

_WITH_STATEMENT = ("Generated", "Held", "Skipped")


def versions(connection: Connection, site_number: str, visible: Visibility) -> Sequence[AnyRow]:
    """Every version of every contract of a site that the caller may see, the newest of each first."""
    c = contract_version.c
    return connection.execute(
        sa.select(c.contract_id, c.version, c.effective_from, c.document, c.billing_type)
        .join(contract, contract.c.contract_id == c.contract_id)
        .where(contract.c.site_number == site_number, visible.limit(contract.c.site_number))
        .order_by(c.contract_id, c.version.desc())
    ).all()


def tries(connection: Connection, site_number: str) -> Sequence[AnyRow]:
    """Why runs have left the site's contracts without a statement, the earliest first. A dry run has tried nothing.

    Those that made one, or found one, say nothing: it counts, or a later try that came to nothing took it away.
    """
    tried_at = sa.func.coalesce(run_item.c.finished_at, statement_run.c.resumed_at).label("tried_at")
    return connection.execute(
        sa.select(
            run_item.c.contract_id,
            statement_run.c.period,
            run_item.c.outcome,
            run_item.c.reason,
            run_item.c.message,
            run_item.c.run_id,
            tried_at,
        )
        .join(statement_run, statement_run.c.run_id == run_item.c.run_id)
        .where(
            run_item.c.contract_id.in_(_of_site(site_number)),
            run_item.c.outcome.not_in(_WITH_STATEMENT),
            statement_run.c.kind != "DryRun",
        )
        .order_by(tried_at, statement_run.c.created_at, run_item.c.run_id)
    ).all()


def billed(connection: Connection, site_number: str) -> Sequence[AnyRow]:
    """Contracts and months of the site that have a statement which counts."""
    c = statement.c
    return connection.execute(
        sa.select(c.contract_id, c.period)
        .where(c.contract_id.in_(_of_site(site_number)), c.status != SUPERSEDED)
        .distinct()
        .order_by(c.contract_id, c.period)
    ).all()


def loaded(connection: Connection, site_number: str) -> Sequence[AnyRow]:
    """When facts of the site last became current, by month."""
    c = current_facts.c
    return connection.execute(
        sa.select(c.period, sa.func.max(c.changed_at).label("changed_at"))
        .where(c.site == site_number)
        .group_by(c.period)
        .order_by(c.period)
    ).all()


def closed_periods(connection: Connection) -> list[str]:
    """The months that are closed: those whose latest decision says so."""
    c, later = period_change.c, period_change.alias()
    overruled = sa.exists().where(later.c.period == c.period, later.c.version > c.version)
    return list(connection.scalars(sa.select(c.period).where(c.state == "Closed", sa.not_(overruled))))


def _of_site(site_number: str) -> sa.Select[tuple[str]]:
    return sa.select(contract.c.contract_id).where(contract.c.site_number == site_number)
