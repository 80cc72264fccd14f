"""The legacy file of a contract: byte for byte the one that it came from, or written from our document."""

from __future__ import annotations

import re

from shared_code.contracts.legacy import read_legacy, write_legacy
from shared_code.contracts.schema import Contract
from shared_code.contracts.versions.choosing import one_contract
from shared_code.contracts.versions.differences import Change, differences
from shared_code.contracts.versions.errors import LEGACY_FORM_TOO_NARROW
from shared_code.contracts.versions.model import LegacyFile
from shared_code.foundation.clock import fingerprint
from shared_code.foundation.database import reading
from shared_code.foundation.errors import BillingError, Detail
from shared_code.foundation.visibility import Visibility

_UNFIT = re.compile(r"[^A-Za-z0-9._-]")
_OF_THE_FILE = {"source", "residue", "extensions"}


def legacy_file_of(
    site_number: str, contract_id: str | None, visible: Visibility, *, partial: bool = False
) -> LegacyFile:
    """The latest version as a legacy file.

    Raises CONTRACT_NOT_FOUND, CONTRACT_AMBIGUOUS, and CONTRACT_LEGACY_FORM_TOO_NARROW with every place that the legacy
    form cannot hold, unless `partial` asks for a file without them.
    """
    with reading() as connection:
        row = one_contract(connection, site_number, contract_id, visible)
    contract = Contract.model_validate_json(row.document)
    data = write_legacy(contract)
    source = contract.source
    if (source is None or source.sha256 != fingerprint(data)) and not partial:
        _refuse_loss(contract, data)
    name = source.file_name if source is not None and source.file_name else f"{site_number}_Unknown.json"
    return LegacyFile(data, _UNFIT.sub("_", name))


def _refuse_loss(contract: Contract, data: bytes) -> None:
    lost = lost_in(contract, data)
    if lost:
        details = [Detail(change.pointer, f"{change.before!s} would become {change.after!s}") for change in lost]
        message = f"the legacy form cannot hold {len(lost)} parts of the contract"
        raise BillingError(LEGACY_FORM_TOO_NARROW, message, details)


def lost_in(contract: Contract, data: bytes) -> list[Change]:
    """What a legacy file does not say of the contract that it was written from; empty when it says everything.

    The file is read again. What the contract leaves open and the file fills with its defaults is no loss.
    """
    try:
        again = read_legacy(data, lenient=True).contract
    except BillingError as error:
        return [Change(detail.field, "changed", detail.message, None) for detail in error.details]
    return [change for change in differences(_tree(contract), _tree(again)) if _says(change.before)]


def _says(value: object) -> bool:
    """Whether a value says anything: what is empty or switched off can be lost without a loss."""
    return value is not None and value is not False and value not in ("", [], {})


def _tree(contract: Contract) -> dict[str, object]:
    """The document with lists as lists and exact numbers, which are equal however many zeros they end with."""
    found = contract.model_dump(by_alias=True, exclude=_OF_THE_FILE)
    plain = _plain(found)
    assert isinstance(plain, dict)  # noqa: S101 - a model is an object
    return plain


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
