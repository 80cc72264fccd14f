"""Saving a contract: validate everything, then append a version, or find that nothing has changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import cast

from shared_code.contracts import errors, repository
from shared_code.contracts.checking.known_codes import KNOWN_CODES, KnownCodes
from shared_code.contracts.checking.readiness import State, readiness
from shared_code.contracts.checking.save_rules import findings_for_saving
from shared_code.contracts.documents import parse_document
from shared_code.contracts.findings import Finding, refusal
from shared_code.contracts.legacy import read_legacy
from shared_code.contracts.model import (
    CheckedContract,
    ContractReadiness,
    Notice,
    ReadinessState,
    SavedContract,
    SiteContract,
)
from shared_code.contracts.rates.bases import RatedVersion, bases_json, bases_of_version, read_bases
from shared_code.contracts.schema import Contract
from shared_code.contracts.validation import check
from shared_code.contracts.versions.errors import DAY_INSIDE_MONTH, PERIOD_BILLED, REASON_TOO_LONG
from shared_code.foundation import audit, clock
from shared_code.foundation.bus import unit_of_work
from shared_code.foundation.business_settings.repository import current as business_settings
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow, UnitOfWork, reading
from shared_code.foundation.errors import IF_MATCH_REQUIRED, BillingError, Detail
from shared_code.foundation.settings import settings
from shared_code.foundation.visibility import Visibility

REASON_LENGTH = 400  # what a version keeps
_STATES: dict[State, ReadinessState] = {
    "complete": "complete",
    "needs terms": "needsTerms",
    "incomplete": "incomplete",
}
_SUGGESTIONS = {
    "error": "Mend the contract; it is not billed until then.",
    "incomplete": "Enter what is missing; the contract is not billed until then.",
    "warning": "",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A readable, valid contract with its notices, where it came from, and when it was stated."""

    contract: Contract
    notices: tuple[Notice, ...]
    source_name: str | None
    source_hash: str
    stated_at: datetime


@dataclass(frozen=True, slots=True)
class Saving:
    """Who saves and why, and what they know of what is there.

    `if_match` is the ETag that the caller has read, `*` for whatever is there, None where none is asked for (drops).
    `additional` allows a further contract of a site that has one (rules R42). `effective_from` is the first day on
    which the version serves; None leaves it to what it replaces (decision 0004). `rates_as_of` is the month that new
    and changed rates are stated for; None: that of `effective_from`, or the present one (rules R12).
    """

    author: str
    reason: str
    if_match: str | None = None
    additional: bool = False
    effective_from: date | None = None
    rates_as_of: Period | None = None


def read_document(
    data: bytes,
    *,
    legacy: bool,
    site_number: str | None = None,
    name: str | None = None,
    stated_at: datetime | None = None,
) -> Document:
    """Parse and check a document of either form. Nothing is written.

    Raises CONTRACT_* with every finding at its place. What a legacy file may bring although it cannot be billed is a
    notice (rules R9), and generation fails until it is mended.
    """
    if legacy:
        result = read_legacy(data, name)
        contract = result.contract
        notices = [Notice(w.code, w.pointer, w.message, w.suggestion) for w in result.warnings]
        notices += _notices(check(contract, legacy=True))
    else:
        contract = parse_document(data)
        notices = _refuse_or_notice(findings_for_saving(contract, _known_codes()))
    if site_number is not None and contract.site.number != site_number:
        message = f"the document is of site {contract.site.number}, the address says {site_number}"
        raise BillingError(errors.CONTRACT_SITE_MISMATCH, message, [Detail("/site/number", message)])
    return Document(contract, tuple(notices), name, clock.fingerprint(data), stated_at or clock.now())


def _known_codes() -> KnownCodes:
    """The codes that contracts may name, with those that this installation adds."""
    with reading() as connection:
        decided = business_settings(connection)
    return KNOWN_CODES.extended(ledger=decided.further_gl_codes, jobs=decided.job_codes)


def checked(document: Document) -> CheckedContract:
    """What checking a document without saving it is answered with."""
    return CheckedContract(valid=True, warnings=document.notices, readiness=_readiness(document.contract))


def save_document(document: Document, saving: Saving) -> SavedContract:
    """Append a version, in a transaction of its own. The caller must have read what it replaces.

    Raises IF_MATCH_REQUIRED, CONTRACT_CHANGED, CONTRACT_OTHER, CONTRACT_PERIOD_BILLED, CONTRACT_REASON_TOO_LONG,
    CONCURRENT_CHANGE.
    """
    if len(saving.reason) > REASON_LENGTH:
        message = f"the reason has {len(saving.reason)} characters; it may have {REASON_LENGTH}"
        raise BillingError(REASON_TOO_LONG, message, [Detail("reason", message)])
    with unit_of_work() as work:
        contract_id = _contract_id(work, document.contract)
        repository.lock(work.connection, contract_id)  # what is compared stays so until the commit
        known = repository.find(work.connection, contract_id)
        if known is not None and saving.if_match is None:
            raise BillingError(IF_MATCH_REQUIRED, "the contract exists; say which version you have read")
        etag = f'"{known.document_hash}"' if known is not None else ""
        if saving.if_match not in (None, "*", etag):
            raise BillingError(errors.CONTRACT_CHANGED, "the contract is not the one that you have read")
        saved = save_in(work, document, saving)
        if saved.outdated:  # by a drop from a machine whose clock is ahead: not saved, so no success
            raise BillingError(errors.CONTRACT_CHANGED, "the contract was stated later than this document")
        return saved


def save_in(work: UnitOfWork, document: Document, saving: Saving) -> SavedContract:
    """Append a version unless the latest one says the same, or was stated later than this one.

    Without a day of its own, the first version serves from the beginning of time (rules R12), and a later one from when
    the one does that it corrects; after billing from the month that follows the last billed period, so that a billed
    past keeps its terms (decision 0004).
    Raises CONTRACT_OTHER when the site has another contract and `additional` does not ask for a second;
    CONTRACT_PERIOD_BILLED when the wished day lies in what is billed; CONTRACT_DAY_INSIDE_MONTH.
    """
    contract = document.contract
    _require_first_of_month(contract, saving.effective_from)
    contract_id = _contract_id(work, contract)
    repository.lock(work.connection, contract_id)
    known = repository.find(work.connection, contract_id)
    if known is None:
        return _add_contract(work, document, saving, contract_id)
    number, latest = contract.site.number, known.latest_version
    ready = _readiness(contract)
    unchanged = SavedContract(contract_id, number, latest, False, known.document_hash, document.notices, ready)
    digest = clock.fingerprint(_stored(contract).encode())
    same = known.source_hash == document.source_hash or known.document_hash == digest
    restated = same and saving.rates_as_of not in (None, Period.parse(known.rates_as_of))
    if same and not restated and saving.effective_from in (None, known.effective_from):
        return unchanged
    if document.stated_at < known.stated_at:
        return replace(unchanged, outdated=True)
    version = known.latest_version + 1
    effective_from = _effective_from(known.billed_through, known.effective_from, saving.effective_from)
    row = _version_row(document, saving, contract_id, version, effective_from)
    _add_version(work, row | _rates(work, contract, row, saving, None if restated else known), contract)
    return replace(unchanged, version=version, changed=True, hash=digest)


def _add_version(work: UnitOfWork, row: dict[str, object], contract: Contract) -> None:
    """Store a version and record who saved it: the last thing of its transaction."""
    repository.add_version(work.connection, row)
    data = {
        "version": row["version"],
        "effectiveFrom": row["effective_from"],
        "ratesAsOf": row["rates_as_of"],
        "hash": row["document_hash"],
        "source": row["source_name"],
        "author": row["author"],
    }
    contract_id = str(row["contract_id"])
    event = audit.Event(
        f"contract/{contract_id}", "contract.saved", contract_id, data, str(row["reason"]), contract.site.number.strip()
    )
    audit.record(work, [event])


def _contract_id(work: UnitOfWork, contract: Contract) -> str:
    """The same contract however its site and id are spelled (rules R46). One that is stored keeps its identifier."""
    number, name = contract.site.number.strip().upper(), contract.id.strip().casefold()
    without_order = clock.derived_id("contract", number, name)  # as earlier versions have stored it (decision 30)
    if repository.exists(work.connection, without_order):
        return without_order
    return clock.derived_in_order(number, "contract", name)


def _stored(contract: Contract) -> str:
    return contract.model_dump_json(by_alias=True)


def _rates(
    work: UnitOfWork, contract: Contract, row: dict[str, object], saving: Saving, known: AnyRow | None
) -> dict[str, object]:
    """Since when each rate of a version is stated (rules R43; decision 19), and the month of new and changed ones.

    `known` is the latest version. What is inherited comes from the one that serves until the new one does; if none has
    served by then, the new one corrects the latest as a whole. It corrects, too, what was to serve from the same month.
    """
    effective_from = cast("date | None", row["effective_from"])
    stated = saving.rates_as_of.first_day if saving.rates_as_of else effective_from
    stated = stated or Period.of(clock.today(settings().business_time_zone)).first_day
    earlier = corrected = None
    if known is not None and effective_from is not None:
        first = first_served(effective_from)
        month_before = (first.first_day - timedelta(days=1)).replace(day=1)
        earlier = repository.serving(work.connection, known.contract_id, month_before)
        corrected = repository.serving(work.connection, known.contract_id, first.first_day)
    before = rated_version(earlier or known) if known is not None else None
    takes_over = effective_from if earlier is not None else None
    same_month = rated_version(corrected) if corrected is not None else None
    bases = bases_of_version(contract, cast("int", row["version"]), stated, takes_over, before, same_month)
    return {"rates_as_of": str(Period.of(stated)), "rate_bases": bases_json(bases)}


def rated_version(row: AnyRow) -> RatedVersion:
    """A stored version with the bases of its rates, as `rates.timeline` takes it."""
    otherwise = Period.parse(row.rates_as_of).first_day
    contract = Contract.model_validate_json(row.document)
    return RatedVersion(row.version, row.effective_from, contract, read_bases(row.rate_bases, otherwise))


def _add_contract(work: UnitOfWork, document: Document, saving: Saving, contract_id: str) -> SavedContract:
    contract = document.contract
    others = repository.contract_ids_of(work.connection, contract.site.number)
    if others and not saving.additional:
        message = f"site {contract.site.number} has a contract with another id than {contract.id!r}"
        raise BillingError(errors.CONTRACT_OTHER, message, [Detail("/id", message)])
    row = {
        "contract_id": contract_id,
        "site_number": contract.site.number,
        "document_id": contract.id,
        "latest_version": 1,
        "created_at": clock.now(),
    }
    repository.add_contract(work.connection, row)
    version = _version_row(document, saving, contract_id, 1, saving.effective_from)
    version |= _rates(work, contract, version, saving, None)
    _add_version(work, version, contract)
    digest = str(version["document_hash"])
    ready = _readiness(contract)
    return SavedContract(contract_id, contract.site.number, 1, True, digest, document.notices, ready)


def _readiness(contract: Contract) -> ContractReadiness:
    """How far a contract is from being billed, as routes answer with it."""
    found = readiness(contract)
    reasons = tuple(Notice(one.code, one.pointer, one.message, "") for one in found.reasons)
    return ContractReadiness(_STATES[found.state], reasons)


def _version_row(
    document: Document, saving: Saving, contract_id: str, version: int, effective_from: date | None
) -> dict[str, object]:
    contract = document.contract
    stored = _stored(contract)
    return {
        "contract_id": contract_id,
        "version": version,
        "effective_from": effective_from,
        "document": stored,
        "document_hash": clock.fingerprint(stored.encode()),
        "components": ",".join(c.kind for c in contract.components if c.enabled),
        "billing_type": contract.billing_type,
        "source_name": document.source_name,
        "source_hash": document.source_hash,
        "stated_at": document.stated_at,
        "warnings": json.dumps([asdict(notice) for notice in document.notices]),
        "author": saving.author,
        "reason": saving.reason,
        "created_at": clock.now(),
    }


def contract_of_site(site_number: str, visible: Visibility, contract_id: str | None = None) -> SiteContract:
    """The latest document of a site's contract: the one of that id, else its first.

    Raises CONTRACT_NOT_FOUND, also for a site the caller may not see.
    """
    with reading() as connection:
        found = repository.latest_of_site(connection, site_number, visible)
    row = next((row for row in found if contract_id in (None, row.contract_id)), None)
    if row is None:
        named = f" with the id {contract_id}" if contract_id and found else ""
        raise BillingError(errors.CONTRACT_NOT_FOUND, f"site {site_number} has no contract{named}")
    return SiteContract(
        contract_id=row.contract_id,
        site_number=row.site_number,
        version=row.version,
        effective_from=row.effective_from,
        hash=row.document_hash,
        warnings=tuple(Notice(**notice) for notice in json.loads(row.warnings)),
        document=json.loads(row.document),
        readiness=_readiness(Contract.model_validate_json(row.document)),
        other_contracts=tuple(other.contract_id for other in found if other is not row),
    )


def _require_first_of_month(contract: Contract, wished: date | None) -> None:
    """Rules R12 would let a version serve part of a month under daily proration; a month is billed from one document.

    Refused rather than served a month late; dated rows and schedules say the same (decision 0019).
    """
    if wished is not None and wished.day != 1 and contract.proration == "daily":
        message = f"the contract is paid by the day, and {wished} lies inside a month"
        raise BillingError(DAY_INSIDE_MONTH, message, [Detail("effectiveFrom", message)])


def _effective_from(billed_through: str | None, replaced: date | None, wished: date | None) -> date | None:
    """From when a version serves: from the wished day, else from when the one does that it corrects (decision 0004).

    Never for a month that is billed. Raises CONTRACT_PERIOD_BILLED for a wish that would be.
    """
    earliest = Period.parse(billed_through).next.first_day if billed_through else None
    if wished is None:
        return max((day for day in (earliest, replaced) if day is not None), default=None)
    if billed_through and first_served(wished) <= Period.parse(billed_through):
        message = (
            f"a version of {wished} would serve {first_served(wished)}; the contract is billed to {billed_through}"
        )
        raise BillingError(PERIOD_BILLED, message, [Detail("effectiveFrom", message)])
    return wished


def first_served(effective_from: date) -> Period:
    """The first month that a version serves: a day inside a month counts from the next one (rules R12)."""
    month = Period.of(effective_from)
    return month if effective_from.day == 1 else month.next


def _refuse_or_notice(findings: Sequence[Finding]) -> list[Notice]:
    refused = refusal(findings)
    if refused is not None:
        raise refused
    return _notices(findings)


def _notices(findings: Sequence[Finding]) -> list[Notice]:
    return [Notice(f.code, f.pointer, f.message, _SUGGESTIONS[f.severity]) for f in findings]
