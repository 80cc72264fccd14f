"""The contracts of a site, and what became of each of them."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

from shared_code.contracts.errors import CONTRACT_NOT_FOUND
from shared_code.contracts.model import Notice
from shared_code.contracts.versions import repository
from shared_code.contracts.versions.choosing import one_contract
from shared_code.contracts.versions.differences import differences
from shared_code.contracts.versions.errors import VERSION_NOT_FOUND
from shared_code.contracts.versions.model import ContractOfSite, ContractVersion, ContractVersionDetail
from shared_code.foundation.database import AnyRow, reading
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import PageRequest
from shared_code.foundation.paging import Page, each
from shared_code.foundation.visibility import Visibility

_LONGEST_NUMBER = 9


def contracts_of(site_number: str, asked: PageRequest, visible: Visibility) -> Page[ContractOfSite]:
    """Every contract of a site. Raises CONTRACT_NOT_FOUND for none, also for a site that the caller may not see."""
    with reading() as connection:
        found = repository.page_of_site(connection, site_number, asked, visible)
    if not found.total:
        raise BillingError(CONTRACT_NOT_FOUND, f"site {site_number} has no contract")
    return each(found, _of_site)


def versions_of(
    site_number: str, contract_id: str | None, asked: PageRequest, visible: Visibility
) -> Page[ContractVersion]:
    """Versions of a contract, the newest first. Raises CONTRACT_NOT_FOUND, CONTRACT_AMBIGUOUS, CURSOR_INVALID."""
    with reading() as connection:
        chosen = one_contract(connection, site_number, contract_id, visible)
        return each(repository.versions_of(connection, chosen.contract_id, asked), _version)


def version_of(site_number: str, contract_id: str | None, number: str, visible: Visibility) -> ContractVersionDetail:
    """One version with its document and its differences from the one before.

    Raises CONTRACT_NOT_FOUND, CONTRACT_AMBIGUOUS, CONTRACT_VERSION_NOT_FOUND.
    """
    with reading() as connection:
        chosen = one_contract(connection, site_number, contract_id, visible)
        rows = repository.version_and_previous(connection, chosen.contract_id, _number(number))
    if not rows or str(rows[0].version) != number:
        latest = chosen.version
        raise BillingError(VERSION_NOT_FOUND, f"there is no version {number!r}; the latest is {latest}")
    document, *earlier = (json.loads(row.document, parse_float=Decimal) for row in rows)
    return ContractVersionDetail(
        about=_version(rows[0]),
        changes=tuple(differences(earlier[0], document)) if earlier else (),
        warnings=tuple(Notice(**notice) for notice in json.loads(rows[0].warnings)),
        document=document,
    )


def _number(text: str) -> int:
    """The number of a version; 0, which none has, for what is no number."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else 0


def _of_site(row: AnyRow) -> ContractOfSite:
    document = json.loads(row.document)
    return ContractOfSite(
        contract_id=row.contract_id,
        document_id=row.document_id,
        customer_name=document["site"]["customerName"],
        version=row.version,
        effective_from=row.effective_from,
        hash=row.document_hash,
        billing_type=row.billing_type,
        components=tuple(name for name in row.components.split(",") if name),
        start_date=_day(document.get("startDate")),
        end_date=_day(document.get("endDate")),
        billed_through=row.billed_through,
        changed_at=row.created_at,
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _version(row: AnyRow) -> ContractVersion:
    return ContractVersion(
        contract_id=row.contract_id,
        version=row.version,
        effective_from=row.effective_from,
        rates_as_of=row.rates_as_of,
        hash=row.document_hash,
        author=row.author,
        reason=row.reason,
        saved_at=row.created_at,
        source_name=row.source_name,
        previous=row.version - 1 if row.version > 1 else None,
    )
