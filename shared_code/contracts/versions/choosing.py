"""Which contract of a site is meant."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from shared_code.contracts.errors import CONTRACT_NOT_FOUND
from shared_code.contracts.versions import repository
from shared_code.contracts.versions.errors import CONTRACT_AMBIGUOUS
from shared_code.foundation.database import AnyRow
from shared_code.foundation.errors import BillingError, Detail
from shared_code.foundation.visibility import Visibility


def one_contract(connection: Connection, site_number: str, contract_id: str | None, visible: Visibility) -> AnyRow:
    """The latest version of the contract that is meant: the site's only one, or the one that `contract_id` names.

    Raises CONTRACT_NOT_FOUND, also for a site that the caller may not see, and CONTRACT_AMBIGUOUS.
    """
    rows = repository.contracts_of_site(connection, site_number, visible)
    meant = [row for row in rows if contract_id in (None, row.contract_id)]
    if not meant:
        named = f" with the id {contract_id}" if contract_id and rows else ""
        raise BillingError(CONTRACT_NOT_FOUND, f"site {site_number} has no contract{named}")
    if len(meant) > 1:
        details = [Detail("contractId", f"{row.contract_id}: document {row.document_id}") for row in meant]
        raise BillingError(CONTRACT_AMBIGUOUS, f"site {site_number} has {len(meant)} contracts", details)
    return meant[0]
