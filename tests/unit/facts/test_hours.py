"""Hours of time sheets from minutes: rounded per row at import, then summed (rules R15, billing-flows 6.2)."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from shared_code.edw.datasets import MINUTE_COLUMNS
from shared_code.edw.timesheets import derive
from shared_code.edw.values import Context
from shared_code.foundation.calendar import Period

SCALE = 10_000  # minutes and hours are integers of four decimals
SEPTEMBER = Period(2026, 9)


def hours(rows: Sequence[Mapping[str, str]]) -> tuple[Decimal, Decimal]:
    """Regular and overtime hours of time-sheet rows; a minute column that a row does not name holds 0."""
    columns: dict[str, list[int]] = {
        name + twin: [int(Decimal(row.get(name + twin, "0")) * SCALE) for row in rows]
        for name in MINUTE_COLUMNS
        for twin in ("", "_NEXT_DAY")
    }
    day = date(2026, 9, 14).timetuple().tm_yday
    read = pl.DataFrame({"YEAR": [2026] * len(rows), "DAY_OF_THE_YEAR": [day] * len(rows), **columns})
    stored, _ = derive(read, Context(SEPTEMBER, None))
    return Decimal(stored["regular_hours"].sum()) / SCALE, Decimal(stored["overtime_hours"].sum()) / SCALE


VECTORS = [
    # vector, rows of minutes, regular and overtime hours
    ("TV-PLH-8: 22.74, not 22.75", [{"REGULAR": "455"}] * 3, "22.74", "0"),
    (
        "18.8",
        [
            {"REGULAR": "455"},
            {"REGULAR": "487", "REGULAR_NEXT_DAY": "30", "OVERTIME": "25"},
            {"REGULAR": "500", "HOLIDAY": "13"},
        ],
        "24.53",
        "0.64",
    ),
    (
        "holiday and double time are overtime, each with the part after midnight",
        [{name + twin: "6" for name in MINUTE_COLUMNS[1:] for twin in ("", "_NEXT_DAY")}],
        "0",
        "1",
    ),
    ("a correction of minutes", [{"REGULAR": "480"}, {"REGULAR": "-20"}], "7.67", "0"),
    ("half a hundredth goes away from zero", [{"REGULAR": "0.3"}, {"OVERTIME": "-0.3"}], "0.01", "-0.01"),
]


@pytest.mark.parametrize(("_vector", "rows", "regular", "overtime"), VECTORS, ids=[row[0] for row in VECTORS])
def test_hours_are_rounded_per_row(
    _vector: str, rows: Sequence[Mapping[str, str]], regular: str, overtime: str
) -> None:
    assert hours(rows) == (Decimal(regular), Decimal(overtime))
