"""Index values as routes answer with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import WithJsonSchema

from shared_code.foundation.answers import Described

_PERCENT = WithJsonSchema({"type": "number", "description": "percent with up to four decimals", "examples": [3.1]})
Percent = Annotated[Decimal, _PERCENT]


@dataclass(frozen=True, slots=True)
class IndexValue(Described):
    """What an index has changed by in a year, with who entered it and why."""

    name: str
    """The name in capitals, such as CPI or ECI, as escalators of contracts state it."""
    year: int
    """The year whose escalation the value is for."""
    value: Percent | None
    """The change in percent: 3.1 for a rise by 3.1 %; null where a value was taken back."""
    version: int
    changed_at: datetime
    changed_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class IndexValues(Described):
    """All index values, by name and year, and the ETag of exactly these."""

    values: tuple[IndexValue, ...]
    etag: str


def index_key(name: str) -> str:
    """An index's name as it is stored and looked up: trimmed, in capitals (rules R46)."""
    return name.strip().upper()
