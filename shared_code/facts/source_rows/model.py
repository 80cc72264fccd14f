"""Source rows as routes answer with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from shared_code.foundation.answers import Described, SourceMoney


@dataclass(frozen=True, slots=True)
class SourceRow(Described):
    """One row of a file that was dropped, as it was accepted."""

    batch_id: str
    """GET /imports/{id} describes the file."""
    file: str
    """The name under which it was dropped."""
    row_number: int
    """1 is the first row below the header."""
    day: date | None
    """None for ledger entries, which are of a month."""
    amount: SourceMoney
    """What the row adds to the sum: dollars, hours, minutes or rooms."""
    fields: Mapping[str, str]
    """The row's other columns, by name."""
