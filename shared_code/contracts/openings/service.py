"""Show and enter the opening balances of a contract (rules R39)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy.engine import Connection

from shared_code.contracts.openings import repository
from shared_code.contracts.openings.errors import OPENINGS_CHANGED
from shared_code.contracts.openings.model import Opening, OpeningBalances, OpeningPlace
from shared_code.contracts.openings.places import openings_of, places_of
from shared_code.contracts.openings.requests import OpeningsRequest
from shared_code.contracts.schema import Contract
from shared_code.contracts.versions.choosing import one_contract
from shared_code.foundation import audit, clock, context
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow, UnitOfWork, reading, transaction
from shared_code.foundation.errors import BillingError
from shared_code.foundation.settings import settings
from shared_code.foundation.visibility import Visibility


def show(site_number: str, contract_id: str | None, visible: Visibility) -> OpeningBalances:
    """The opening balances that hold, and the places that can have one. Raises CONTRACT_NOT_FOUND, _AMBIGUOUS."""
    with reading() as connection:
        chosen = one_contract(connection, site_number, contract_id, visible)
        return _view(connection, chosen, repository.latest_set(connection, chosen.contract_id))


def change(
    site_number: str, contract_id: str | None, wish: OpeningsRequest, if_match: str, visible: Visibility
) -> OpeningBalances:
    """Put a whole set in place of the one that holds, with its history and an audit event. Returns what holds then.

    The same set again changes nothing. `if_match` is the ETag that the caller has read, `*` for whatever is there.
    Raises CONTRACT_NOT_FOUND, CONTRACT_AMBIGUOUS, OPENINGS_CHANGED, CONCURRENT_CHANGE, OPENING_* with every finding.
    """
    with transaction() as work:
        chosen = one_contract(work.connection, site_number, contract_id, visible)
        head = repository.latest_set(work.connection, chosen.contract_id, for_change=True)
        before = _view(work.connection, chosen, head)
        if if_match not in ("*", before.etag):
            raise BillingError(OPENINGS_CHANGED, "the opening balances are not those that you have read")
        present = Period.of(clock.today(settings().business_time_zone))
        wanted = openings_of(Contract.model_validate_json(chosen.document), wish.balances, present)
        if tuple(wanted) == before.balances and (wanted or before.version):
            return before
        _store(work, before, wanted, wish.reason)
        return _view(work.connection, chosen, repository.latest_set(work.connection, chosen.contract_id))


def _store(work: UnitOfWork, before: OpeningBalances, wanted: list[Opening], reason: str) -> None:
    key: dict[str, Any] = {"contract_id": before.contract_id, "version": before.version + 1}
    head = key | {"changed_at": clock.now(), "changed_by": context.current().actor_id, "reason": reason}
    repository.add_set(
        work.connection,
        head,
        [key | {"place": place} | _columns(opening) for place, opening in enumerate(wanted)],
    )
    data = {
        "version": key["version"],
        "before": [asdict(opening) for opening in before.balances],
        "after": [asdict(opening) for opening in wanted],
    }
    stream = f"contract/{before.contract_id}"
    audit.record(
        work, [audit.Event(stream, "openings.changed", before.contract_id, data, reason, before.site_number.strip())]
    )


def _columns(opening: Opening) -> dict[str, Any]:
    found = asdict(opening)
    return {"row_id": found.pop("id")} | found


def _view(connection: Connection, chosen: AnyRow, head: AnyRow | None) -> OpeningBalances:
    rows = repository.balances(connection, [chosen.contract_id])
    stated = {(row.kind, row.row_id) for row in rows}
    places = places_of(Contract.model_validate_json(chosen.document))
    version = head.version if head else 0
    return OpeningBalances(
        contract_id=chosen.contract_id,
        site_number=chosen.site_number,
        version=version,
        balances=tuple(opening_of(row) for row in rows),
        places=tuple(
            OpeningPlace(place.kind, place.id, place.accumulation, (place.kind, place.id) in stated)
            for place in places
            if place.accumulates
        ),
        changed_at=head.changed_at if head else None,
        changed_by=head.changed_by if head else None,
        reason=head.reason if head else None,
        etag=f'"{clock.derived_id("openings", chosen.contract_id, chosen.version, version)}"',
    )


def opening_of(row: AnyRow) -> Opening:
    """A stored opening balance as a value."""
    return Opening(row.kind, row.row_id, row.basis, row.as_of, row.to_date, row.high_water_mark)
