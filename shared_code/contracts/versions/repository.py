"""SQL that reads the contracts of a site and their versions."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.tables import contract, contract_version
from shared_code.foundation.database import AnyRow
from shared_code.foundation.listing import Listing, PageRequest, SortField
from shared_code.foundation.paging import Page
from shared_code.foundation.visibility import Visibility

_CONTRACT = SortField(contract_version.c.contract_id, str)
CONTRACTS = Listing(
    columns=(contract.c.site_number, contract.c.document_id, contract.c.billed_through, contract_version),
    fields={"contractId": _CONTRACT},
    default="contractId",
    key=_CONTRACT,
)
_VERSION = SortField(contract_version.c.version, int)
VERSIONS = Listing(
    columns=tuple(column for column in contract_version.columns if column.name not in ("document", "warnings")),
    fields={"version": _VERSION},
    default="-version",
    key=_VERSION,
)


def contracts_of_site(connection: Connection, site_number: str, visible: Visibility) -> Sequence[AnyRow]:
    """All contracts of a site with their latest versions, if the caller may see the site."""
    chosen = sa.select(*CONTRACTS.columns).where(*_of_site(site_number, visible))
    return connection.execute(chosen.order_by(contract_version.c.contract_id)).all()


def page_of_site(connection: Connection, site_number: str, asked: PageRequest, visible: Visibility) -> Page[AnyRow]:
    """The same, page by page."""
    return CONTRACTS.page(connection, asked, *_of_site(site_number, visible))


def _of_site(site_number: str, visible: Visibility) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        contract_version.c.contract_id == contract.c.contract_id,
        contract_version.c.version == contract.c.latest_version,
        contract.c.site_number == site_number,
        visible.limit(contract.c.site_number),
    )


def versions_of(connection: Connection, contract_id: str, asked: PageRequest) -> Page[AnyRow]:
    """Versions of a contract without their documents, the newest first unless sorted otherwise."""
    return VERSIONS.page(connection, asked, contract_version.c.contract_id == contract_id)


def version_and_previous(connection: Connection, contract_id: str, version: int) -> Sequence[AnyRow]:
    """A version, and the one before it if there is one; the later one first."""
    v = contract_version.c
    return connection.execute(
        sa.select(contract_version)
        .where(v.contract_id == contract_id, v.version.between(version - 1, version))
        .order_by(v.version.desc())
    ).all()


def all_versions(connection: Connection, contract_id: str) -> Sequence[AnyRow]:
    """Every version of a contract with its document, the first one first."""
    return connection.execute(
        sa.select(contract_version)
        .where(contract_version.c.contract_id == contract_id)
        .order_by(contract_version.c.version)
    ).all()
