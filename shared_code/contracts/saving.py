"""Saving a contract: validate everything, then append a version, or find that nothing has changed."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from shared_code.contracts import errors, repository
from shared_code.contracts.documents import parse_document
from shared_code.contracts.findings import Finding, refusal
from shared_code.contracts.legacy import read_legacy
from shared_code.contracts.schema import Contract
from shared_code.contracts.validation import check
from shared_code.foundation import clock
from shared_code.foundation.bus import unit_of_work
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import UnitOfWork, reading
from shared_code.foundation.errors import BillingError, Detail
from shared_code.foundation.settings import settings

_SUGGESTIONS = {
    "error": "Mend the contract; it is not billed until then.",
    "incomplete": "Enter what is missing; the contract is not billed until then.",
    "warning": "",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know about a document that is accepted all the same."""

    code: str
    pointer: str
    message: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class Document:
    """A readable, valid contract with its notices, and where it came from."""

    contract: Contract
    notices: tuple[Notice, ...]
    source_name: str | None
    source_hash: str


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving came to. `changed` is False when the latest version says the same already."""

    contract_id: str
    site_number: str
    version: int
    changed: bool
    notices: tuple[Notice, ...]


def read_document(data: bytes, *, legacy: bool, site_number: str | None = None, name: str | None = None) -> Document:
    """Parse and check a document of either form. Nothing is written.

    Raises CONTRACT_* with every finding at its place. What a legacy file may bring although it cannot be billed is a
    notice (rules R9), and generation fails until it is mended.
    """
    if legacy:
        result = read_legacy(data, name)
        contract = result.contract
        notices = [Notice(w.code, w.pointer, w.message, w.suggestion) for w in result.warnings]
        notices += [
            Notice(f.code, f.pointer, f.message, "mend the contract before it is billed") for f in check(contract)
        ]
    else:
        contract = parse_document(data)
        notices = _refuse_or_notice(check(contract))
    if site_number is not None and contract.site.number != site_number:
        message = f"the document is of site {contract.site.number}, the address says {site_number}"
        raise BillingError(errors.CONTRACT_SITE_MISMATCH, message, [Detail("/site/number", message)])
    return Document(contract, tuple(notices), name, clock.fingerprint(data))


def save_document(document: Document, *, author: str, reason: str) -> Saved:
    """Append a version, in a transaction of its own."""
    with unit_of_work() as work:
        return save_in(work, document, author=author, reason=reason)


def save_in(work: UnitOfWork, document: Document, *, author: str, reason: str) -> Saved:
    """Append a version unless the latest one is the same document.

    The first version serves from the beginning of time (rules R12). A later one too while nothing is billed; after that
    from the month that follows the last billed period, so that a billed past keeps its terms (decision 0004).
    """
    contract = document.contract
    stored = contract.model_dump_json(by_alias=True)
    digest = clock.fingerprint(stored.encode())
    contract_id = clock.derived_id("contract", contract.site.number, contract.id)
    known = repository.find(work.connection, contract_id)
    if known is not None and (known.source_hash == document.source_hash or known.document_hash == digest):
        return Saved(contract_id, contract.site.number, known.latest_version, False, document.notices)
    version = 1 if known is None else known.latest_version + 1
    if known is None:
        repository.add_contract(
            work.connection,
            {
                "contract_id": contract_id,
                "site_number": contract.site.number,
                "document_id": contract.id,
                "latest_version": version,
                "created_at": clock.now(),
            },
        )
    repository.add_version(
        work.connection,
        {
            "contract_id": contract_id,
            "version": version,
            "effective_from": _effective_from(known.billed_through if known is not None else None),
            "rates_as_of": str(Period.of(clock.today(settings().business_time_zone))),
            "document": stored,
            "document_hash": digest,
            "components": ",".join(c.kind for c in contract.components if c.enabled),
            "source_name": document.source_name,
            "source_hash": document.source_hash,
            "warnings": json.dumps([asdict(notice) for notice in document.notices]),
            "author": author,
            "reason": reason,
            "created_at": clock.now(),
        },
    )
    return Saved(contract_id, contract.site.number, version, True, document.notices)


def contract_of_site(site_number: str, sites: Collection[str] | None) -> dict[str, object]:
    """The latest document of a site's contract. Raises CONTRACT_NOT_FOUND, also for a site the caller may not see."""
    with reading() as connection:
        rows = repository.latest_of_site(connection, site_number)
    if not rows or (sites is not None and site_number not in sites):
        raise BillingError(errors.CONTRACT_NOT_FOUND, f"site {site_number} has no contract")
    row = rows[0]
    return {
        "contractId": row.contract_id,
        "siteNumber": row.site_number,
        "version": row.version,
        "effectiveFrom": row.effective_from,
        "hash": row.document_hash,
        "warnings": json.loads(row.warnings),
        "document": json.loads(row.document),
        "otherContracts": [other.contract_id for other in rows[1:]],
    }


def _effective_from(billed_through: str | None) -> date | None:
    return Period.parse(billed_through).next.first_day if billed_through else None


def _refuse_or_notice(findings: Sequence[Finding]) -> list[Notice]:
    refused = refusal(findings)
    if refused is not None:
        raise refused
    return _notices(findings)


def _notices(findings: Sequence[Finding]) -> list[Notice]:
    return [Notice(f.code, f.pointer, f.message, _SUGGESTIONS[f.severity]) for f in findings]
