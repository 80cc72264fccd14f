"""All SQL of contracts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.tables import contract, contract_version
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow
from shared_code.foundation.many import stored_rows
from shared_code.foundation.visibility import Visibility


def lock(connection: Connection, contract_id: str) -> None:
    """Take the contract's row until the commit, so that versions are appended one after the other."""
    connection.execute(
        contract.update().where(contract.c.contract_id == contract_id).values(latest_version=contract.c.latest_version)
    )


def exists(connection: Connection, contract_id: str) -> bool:
    """Whether there is a contract with this identifier."""
    chosen = sa.select(contract.c.contract_id).where(contract.c.contract_id == contract_id)
    return connection.scalar(chosen) is not None


def find(connection: Connection, contract_id: str) -> AnyRow | None:
    """The contract with its latest version."""
    return connection.execute(
        sa.select(contract.c.billed_through, contract.c.latest_version, contract_version)
        .join(contract_version, _is_latest())
        .where(contract.c.contract_id == contract_id)
    ).one_or_none()


def serving(connection: Connection, contract_id: str, day: date) -> AnyRow | None:
    """The version that serves the month beginning with `day`: the last saved of those effective then."""
    effective = contract_version.c.effective_from
    return connection.execute(
        sa.select(contract_version)
        .where(contract_version.c.contract_id == contract_id, sa.or_(effective.is_(None), effective <= day))
        .order_by(contract_version.c.version.desc())
        .limit(1)
    ).one_or_none()


def latest_of_site(connection: Connection, site_number: str, visible: Visibility) -> Sequence[AnyRow]:
    """The latest versions of a site's contracts, if the caller may see it; a site may have several (rules R42)."""
    return connection.execute(
        sa.select(contract.c.site_number, contract.c.document_id, contract_version)
        .join(contract_version, _is_latest())
        .where(contract.c.site_number == site_number, visible.limit(contract.c.site_number))
        .order_by(contract.c.contract_id)
    ).all()


def _is_latest() -> sa.ColumnElement[bool]:
    return sa.and_(
        contract_version.c.contract_id == contract.c.contract_id,
        contract_version.c.version == contract.c.latest_version,
    )


def contract_ids_of(connection: Connection, site_number: str) -> list[str]:
    """The contracts that a site has."""
    return list(connection.scalars(sa.select(contract.c.contract_id).where(contract.c.site_number == site_number)))


def add_contract(connection: Connection, row: dict[str, object]) -> None:
    connection.execute(contract.insert(), row)


def add_version(connection: Connection, row: dict[str, object]) -> None:
    """Append a version and point the contract at it. The key of the version refuses a second writer."""
    connection.execute(contract_version.insert(), row)
    connection.execute(
        contract.update().where(contract.c.contract_id == row["contract_id"]).values(latest_version=row["version"])
    )


_BILLED = (
    contract.update()
    .where(contract.c.contract_id.in_(sa.bindparam("contract_ids", (), expanding=True)))
    .values(
        billed_through=sa.case(
            (contract.c.billed_through > sa.bindparam("period"), contract.c.billed_through),
            else_=sa.bindparam("period"),
        )
    )
    .returning(contract.c.contract_id, contract.c.latest_version)
)


def set_billed_through(connection: Connection, contract_ids: Sequence[str], period: Period) -> dict[str, int]:
    """Remember that `period` is billed: a later correction of the document starts after it (decision 0004).

    Returns the number of each contract's latest version, which stays that until this transaction ends.
    """
    found: dict[str, int] = {}
    for start in range(0, len(contract_ids), 1000):
        asked = {"contract_ids": contract_ids[start : start + 1000], "period": str(period)}
        found.update(stored_rows(connection, _BILLED, asked))
    return found
