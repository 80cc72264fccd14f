"""The invented sites: number, kind, place, people, and which components their contract has.

Site k is the same whatever the number of sites: everything hangs on the seed and the index alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sample_data.draw import Draw
from sample_data.names import (
    CITIES,
    DISTRICTS,
    FAMILY_NAMES,
    GIVEN_NAMES,
    STATE_TAX_PPM,
    customer_name,
    street,
    zip_code,
)

COMPONENT_SETS: Final = {
    "RS+DR": 123, "MA+BA+DR": 97, "MA+BA": 70, "PLH": 68, "RS": 42, "MA+BA+MMA": 30, "FF": 29, "FF+PLH": 26,
    "RS+DR+MMA": 17, "MA+BA+DR+MMA": 15, "FF+MA+BA+DR": 14, "RS+MMA": 14, "PLH+IG": 9, "POR+BELL": 8, "PLH+MMA": 6,
    "FF+PLH+IG": 5, "FF+IG": 4, "FF+PLH+BA": 4, "FF+RS": 3, "FF+PLH+DR": 3, "POR": 3, "PLH+DR": 3, "FF+MMA": 2,
    "FF+DR": 2, "PLH+RS+MMA": 2, "PLH+RS": 2, "PLH+RS+BA+DR": 2, "PLH+RS+DR": 2, "PLH+RS+DR+MMA+IG": 2,
    "FF+MA+BA": 2, "FF+PLH+RS+DR": 2, "PLH+BA": 2, "FF+BA+DR": 1, "FF+BA": 1, "FF+PLH+DR+IG": 1,
    "RS+MA+BA+DR+MMA": 1, "FF+PLH+MMA": 1, "FF+PLH+RS+BA+DR+MMA": 1, "FF+RS+DR+MMA": 1, "PLH+RS+DR+MMA+BELL": 1,
    "PLH+MA+BA+DR+MMA": 1, "MA+BA+BELL": 1, "MA+BA+DR+IG": 1, "PLH+MMA+IG": 1, "PLH+BA+MMA": 1, "PLH+MMA+BELL": 1,
    "PLH+BA+DR+IG": 1, "PLH+BA+IG": 1, "PLH+DR+MMA": 1, "RS+DR+BELL": 1, "RS+BELL": 1, "RS+MMA+BELL": 1,
    "RS+BA+MMA": 1, "RS+BA+DR+MMA": 1, "RS+BA+DR": 1, "FF+RS+BA": 1,
}  # fmt: skip
"""Component set → contracts of the corpus that have it, 637 in all (contract-corpus 2.3)."""

_DECK: Final = tuple(name for name, count in COMPONENT_SETS.items() for _ in range(count))
_DECK_STRIDE: Final = 394  # about the golden ratio of 637 and without common factor: every prefix is a fair mix
_SHORT_NUMBERS: Final = 9_999
_NUMBER_STRIDE: Final = 7_919  # a prime that shares no factor with 9,999

_KINDS: Final = {"hotel": 48, "resort": 8, "hospital": 22, "office": 12, "lot": 10}


@dataclass(frozen=True, slots=True)
class Site:
    """One invented site as the site master shows it. `number` is text: its leading zeros belong to it."""

    index: int
    number: str
    kind: str
    component_set: str
    name: str
    district: str
    street: str
    city: str
    state: str
    zip: str
    first_worked: date
    manager_first: str
    manager_last: str
    manager_id: str
    billing_email: str
    rooms: int
    spaces: int
    tax_ppm: int

    @property
    def blocks(self) -> frozenset[str]:
        """Abbreviations of the enabled blocks: FF, PLH, POR, RS, MA, BA, DR, MMA, BELL, IG."""
        return frozenset(self.component_set.split("+"))

    @property
    def has_rooms(self) -> bool:
        return self.rooms > 0

    @property
    def gl_string(self) -> str:
        """The ledger's account prefix; the pair of digits at its start is the entity."""
        return f"01-{self.number}-00"

    @property
    def address(self) -> str:
        """One line, as contract documents write it."""
        return f"{self.street}, {self.city}, {self.state} {self.zip}"


def make_site(seed: int, index: int) -> Site:
    """Invent site `index` (from 0) of the operator with this seed."""
    draw = Draw(seed, "site", index)
    component_set = _DECK[(Draw(seed, "deck").number(0, len(_DECK) - 1) + index * _DECK_STRIDE) % len(_DECK)]
    kind = _kind(draw, component_set)
    number = site_number(seed, index)
    state = draw.pick(tuple(STATE_TAX_PPM))
    rooms = draw.number(6, 60) * 10 if kind in ("hotel", "resort") else 0
    return Site(
        index=index,
        number=number,
        kind=kind,
        component_set=component_set,
        name=customer_name(index, kind, draw.number(0, 59)),
        district=f"D - {draw.pick(DISTRICTS)}",
        street=street(index, draw.number(0, 59)),
        city=draw.pick(CITIES),
        state=state,
        zip=zip_code(index),
        first_worked=date(draw.number(2012, 2022), draw.number(1, 12), draw.number(1, 28)),
        manager_first=draw.pick(GIVEN_NAMES),
        manager_last=draw.pick(FAMILY_NAMES),
        manager_id=f"{draw.number(0, 999_999):06d}",
        billing_email=f"billing.{number}@example.com",
        rooms=rooms,
        spaces=draw.number(4, 120) * 10,
        tax_ppm=STATE_TAX_PPM[state],
    )


def site_number(seed: int, index: int) -> str:
    """Four digits with leading zeros for the first 9,999 sites, then five. No two sites share one."""
    if index >= _SHORT_NUMBERS:
        return str(index + 1)
    start = Draw(seed, "numbers").number(0, _SHORT_NUMBERS - 1)
    return f"{(start + index * _NUMBER_STRIDE) % _SHORT_NUMBERS + 1:04d}"


def _kind(draw: Draw, component_set: str) -> str:
    kind = draw.weighted(_KINDS)
    if component_set.startswith("POR"):
        return "hotel"  # rooms are billed where guests sleep
    if component_set in ("MA+BA+DR", "FF+MA+BA+DR") and draw.chance(0.6):
        return "lot"  # most of these are net-profit lots (contract-corpus 2.2)
    return kind
