"""Which places of a contract can have an opening balance, and what an entered one must be. Pure (rules R39)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from shared_code.contracts.openings.errors import (
    OPENING_INVALID,
    OPENING_NOT_NEEDED,
    OPENING_PLACE_UNKNOWN,
    OPENING_REPEATED,
)
from shared_code.contracts.openings.model import Opening, PlaceKind
from shared_code.contracts.openings.requests import OpeningWish
from shared_code.contracts.schema import ClaimsCapped, Contract, ManagementAgreement, ProfitShareOn, RevenueShare
from shared_code.foundation.calendar import Period
from shared_code.foundation.errors import BillingError, Detail, ErrorKind

_ANNUAL = ("AnnualCalendar", "AnnualAnniversary")
_ZERO = Decimal("0.0000")


@dataclass(frozen=True, slots=True)
class Place:
    """A structure, claims cap or profit share, and over what it accumulates."""

    kind: PlaceKind
    id: str
    accumulation: str

    @property
    def accumulates(self) -> bool:
        return self.accumulation in _ANNUAL


def places_of(contract: Contract) -> list[Place]:
    """Every such place of the contract, in document order; those of blocks that are off too."""
    shares, management = contract.component(RevenueShare), contract.component(ManagementAgreement)
    found = [Place("structure", row.id, row.accumulation) for row in (shares.structures if shares else ())]
    for row in management.agreements if management else ():
        if isinstance(row.claims, ClaimsCapped):
            found.append(Place("claims", row.id, row.claims.kind))
        if isinstance(row.profit_share, ProfitShareOn):
            found.append(Place("profitShare", row.id, row.profit_share.accumulation))
    return found


def openings_of(contract: Contract, wishes: Sequence[OpeningWish], present: Period) -> list[Opening]:
    """The opening balances that are asked for, checked against the contract. `present` is the current month.

    Raises the kind of the first finding with all of them: OPENING_PLACE_UNKNOWN, OPENING_NOT_NEEDED,
    OPENING_REPEATED, OPENING_INVALID.
    """
    places = {(place.kind, place.id): place for place in places_of(contract)}
    times = Counter((wish.kind, wish.id) for wish in wishes)
    findings = [
        (kind, Detail(f"balances[{place}]{field}", message))
        for place, wish in enumerate(wishes)
        for kind, field, message in _findings(wish, places, times, present)
    ]
    if findings:
        details = [detail for _, detail in findings]
        raise BillingError(findings[0][0], "; ".join(detail.message for detail in details[:3]), details)
    return [_opening(wish) for wish in wishes]


type _Finding = tuple[ErrorKind, str, str]


def _findings(
    wish: OpeningWish,
    places: dict[tuple[PlaceKind, str], Place],
    times: Counter[tuple[PlaceKind, str]],
    present: Period,
) -> Iterator[_Finding]:
    place = places.get((wish.kind, wish.id))
    if place is None:
        known = ", ".join(f"{kind} {name}" for kind, name in places) or "none"
        yield OPENING_PLACE_UNKNOWN, ".id", f"the contract has no {wish.kind} {wish.id!r}; it has {known}"
    elif not place.accumulates:
        message = f"{wish.kind} {wish.id!r} accumulates {place.accumulation}, which needs no opening"
        yield OPENING_NOT_NEEDED, ".kind", message
    if times[wish.kind, wish.id] > 1:
        yield OPENING_REPEATED, ".id", f"{wish.kind} {wish.id!r} stands {times[wish.kind, wish.id]} times"
    yield from ((OPENING_INVALID, field, message) for field, message in _amounts(wish))
    yield from ((OPENING_INVALID, ".asOf", message) for message in _month(wish, present))


def _amounts(wish: OpeningWish) -> Iterator[tuple[str, str]]:
    mark = wish.high_water_mark
    if wish.basis == "zero":
        if wish.to_date is not None or mark is not None:
            yield ".basis", "zero by choice states no amounts"
        return
    if wish.to_date is None:
        yield ".toDate", "an amount is missing; send basis zero to start at zero"
        return
    if wish.kind == "claims" and (mark is not None or wish.to_date < 0):
        yield ".toDate", "claims to date are 0 at least and have no high-water mark"
    elif mark is not None and mark < max(wish.to_date, Decimal(0)):
        yield ".highWaterMark", f"it is {mark}, below the total of {wish.to_date} or below 0"


def _month(wish: OpeningWish, present: Period) -> Iterator[str]:
    try:
        month = Period.parse(wish.as_of)
    except ValueError as fault:
        yield str(fault)
        return
    if month > present:
        yield f"{month} has not begun; the present month is {present}"


def _opening(wish: OpeningWish) -> Opening:
    to_date = wish.to_date if wish.to_date is not None else _ZERO
    mark = wish.high_water_mark if wish.high_water_mark is not None else max(to_date, _ZERO)
    return Opening(wish.kind, wish.id, wish.basis, str(Period.parse(wish.as_of)), to_date, mark)
