"""A change of a part of a contract: the latest document, merged with what is to change, saved as a document is."""

from __future__ import annotations

import json
from decimal import Decimal

from shared_code.contracts.errors import CONTRACT_CHANGED, CONTRACT_FIELD_INVALID, CONTRACT_UNREADABLE
from shared_code.contracts.parsing import parse
from shared_code.contracts.saving import Document, read_document
from shared_code.contracts.versions.choosing import one_contract
from shared_code.contracts.versions.merge_patch import merge, to_json
from shared_code.foundation.database import AnyRow, reading
from shared_code.foundation.errors import BillingError, Detail
from shared_code.foundation.visibility import Visibility


def patched(
    patch: bytes, site_number: str, contract_id: str | None, if_match: str, visible: Visibility
) -> tuple[Document, str]:
    """The latest document with a merge patch (RFC 7386) applied and checked, and the ETag of what it was applied to.

    Raises what reading a document raises, with places in the merged document; CONTRACT_NOT_FOUND, CONTRACT_AMBIGUOUS,
    CONTRACT_CHANGED when `if_match` is not the ETag of the latest version.
    """
    with reading() as connection:
        row = one_contract(connection, site_number, contract_id, visible)
    etag = f'"{row.document_hash}"'
    if if_match not in ("*", etag):
        raise BillingError(CONTRACT_CHANGED, "the contract is not the one that you have read")
    document = read_document(_merged(row, patch), legacy=False, site_number=site_number)
    if document.contract.id.strip().casefold() != row.document_id.strip().casefold():
        message = "the id tells contracts apart and stays as it is"
        raise BillingError(CONTRACT_FIELD_INVALID, message, [Detail("/id", message)])
    return document, etag


def _merged(row: AnyRow, patch: bytes) -> bytes:
    latest = json.loads(row.document, parse_float=Decimal)
    wish = parse(patch)
    try:
        return to_json(merge(latest, wish)).encode()
    except RecursionError as fault:  # reading goes deeper than merging does
        reason = "lists and objects are nested too deeply"
        raise BillingError(
            CONTRACT_UNREADABLE, f"The change cannot be read: {reason}.", [Detail("", reason)]
        ) from fault
