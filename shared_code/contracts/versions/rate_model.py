"""The rates of a contract month by month, as routes answer with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import WithJsonSchema

from shared_code.foundation.answers import Described, PeriodText

_NUMBER = WithJsonSchema(
    {"type": "number", "description": "dollars or percent, with up to six decimals", "examples": [1030.25]}
)
RateNumber = Annotated[Decimal, _NUMBER]


@dataclass(frozen=True, slots=True)
class RateChange(Described):
    """One step on the way from the stated value to the value of the month."""

    day: date
    """When it falls due; it serves from the first month that begins on or after this day."""
    rule: str
    size: RateNumber | None
    """What the rule adds, in percent, dollars or points as the rule says; null where nothing is added."""
    before: RateNumber | None
    result: RateNumber | None
    text: str
    """The step as a sentence."""


@dataclass(frozen=True, slots=True)
class RateRemark(Described):
    """Something a person should know about a rate in a month."""

    code: str
    """GET /errors/{code} explains it."""
    message: str


@dataclass(frozen=True, slots=True)
class MonthlyRate(Described):
    """One rate of a row that the month bills."""

    key: str
    """The place in the contract, by the ids of its rows."""
    unit: Literal["amount", "percent", "surcharge"]
    value: RateNumber | None
    """What the month bills; null where the contract states no number yet."""
    base_value: RateNumber | None
    """What the contract states."""
    base_date: date
    """The day that the stated value is of; what falls due in a later month raises it."""
    base_version: int
    """The version that stated it; 0 when it is not known."""
    explanation: tuple[str, ...]
    """One sentence for the stated value and one for each step."""
    steps: tuple[RateChange, ...]
    notes: tuple[RateRemark, ...]


@dataclass(frozen=True, slots=True)
class MonthOfRates(Described):
    """The rates of one month."""

    period: PeriodText
    version: int | None
    """The version that serves the month; null where none does, and nothing is billed."""
    rates: tuple[MonthlyRate, ...]
    """Empty also where the contract is not in force."""


@dataclass(frozen=True, slots=True)
class ContractTimeline(Described):
    """What a contract bills by, month by month, with the index values that are entered now."""

    contract_id: str
    site_number: str
    months: tuple[MonthOfRates, ...]
