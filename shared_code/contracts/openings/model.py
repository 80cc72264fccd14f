"""Opening balances as values, and as routes answer with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import WithJsonSchema

from shared_code.foundation.answers import Described, PeriodText

PlaceKind = Literal["structure", "claims", "profitShare"]
Basis = Literal["amount", "zero"]
_DOLLARS = WithJsonSchema(
    {"type": "number", "description": "US dollars with up to four decimals", "examples": [1250.5]}
)
Dollars = Annotated[Decimal, _DOLLARS]


@dataclass(frozen=True, slots=True)
class Opening(Described):
    """What accumulated elsewhere before the first month that is billed here, for one place of a contract."""

    kind: PlaceKind
    id: str
    """The id of the structure, or of the management agreement that has the claims cap or the profit share."""
    basis: Basis
    """amount: as another system had it. zero: a person chose to start at zero."""
    as_of: PeriodText
    """The last month that is in it."""
    to_date: Dollars
    """The running total of the window through that month: revenue, claims, or profit (negative for a loss)."""
    high_water_mark: Dollars
    """The highest running total of the window through that month; 0 at least."""


@dataclass(frozen=True, slots=True)
class OpeningPlace(Described):
    """A place of a contract that accumulates over a year, so that a window before the first month here matters."""

    kind: PlaceKind
    id: str
    accumulation: str
    """AnnualCalendar or AnnualAnniversary."""
    stated: bool
    """Whether the set has an opening balance for it."""


@dataclass(frozen=True, slots=True)
class OpeningBalances(Described):
    """The opening balances of a contract, and the places that can have one."""

    contract_id: str
    site_number: str
    version: int
    """0 when none was ever entered."""
    balances: tuple[Opening, ...]
    places: tuple[OpeningPlace, ...]
    changed_at: datetime | None
    changed_by: str | None
    reason: str | None
    etag: str
