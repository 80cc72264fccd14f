"""Texts to stored values: what is read, what is refused, and by which rule. One table per kind of column."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.edw.datasets import DEPOSIT, DRAFT, Column, Kind
from shared_code.edw.values import Context, read_column
from shared_code.foundation.calendar import Period

KNOWN = frozenset({"0012", "0118", "1200", "A001"})
CONTEXT = Context(Period(2026, 10), KNOWN)
MASTER = Context(Period(2026, 10), None)


def read(text: str | None, column: Column, context: Context = CONTEXT) -> tuple[object, str | None]:
    """The stored value and the broken rule of one text, read among others as it is in a file."""
    column_read = read_column(pl.Series(["zzz", text, None], dtype=pl.String), column, context)
    rule = None if column_read.faults is None else column_read.faults[1]
    return column_read.values[1], rule


MONEY = Column("M", "m", Kind.NUMBER, scale=4, digits=11)
RATE = Column("R", "r", Kind.NUMBER, scale=6, digits=7)
COUNT = Column("C", "c", Kind.NUMBER, scale=0, digits=7, required=False)

NUMBERS: list[tuple[Column, str | None, int | None, str | None]] = [
    (MONEY, "0", 0, None),
    (MONEY, "-0.00", 0, None),
    (MONEY, "12", 120000, None),
    (MONEY, "12.5", 125000, None),
    (MONEY, "-12.3456", -123456, None),
    (MONEY, ".5", 5000, None),
    (MONEY, "-.5", -5000, None),
    (MONEY, " 12.50 ", 125000, None),
    (MONEY, "1,234.50", 12345000, None),
    (MONEY, "-1,234,567.89", -12345678900, None),
    (MONEY, "(123.00)", -1230000, None),
    (MONEY, "(1,123.00)", -11230000, None),
    (MONEY, "123.45-", -1234500, None),
    (MONEY, "12.340000", 123400, None),  # six decimals written, two of them used
    (MONEY, "12.34567", None, "TOO_MANY_DECIMALS"),
    (MONEY, "(0.00001)", None, "TOO_MANY_DECIMALS"),
    (MONEY, "9999999.9999", 99999999999, None),
    (MONEY, "10000000", None, "NUMBER_OUT_OF_RANGE"),
    (MONEY, "9" * 60, None, "NUMBER_OUT_OF_RANGE"),
    (MONEY, "", None, "VALUE_MISSING"),
    (MONEY, "   ", None, "VALUE_MISSING"),
    (MONEY, None, None, "VALUE_MISSING"),
    *(
        (MONEY, text, None, "TYPE_NUMBER")
        for text in (
            "$1,234.5",
            "1.234,50",
            "12,34",
            "1,23,456",
            "1e3",
            "1E-2",
            "+5",
            "5.",
            "-",
            "--1",
            "(-5)",
            "-5-",
            "(5",
            "5)",
            "()",
            "N/A",
            "NaN",
            "Infinity",
            "inf",
            "0x1F",
            "1_000",
            "1 000",
            "1.2.3",
            "٣",
            "１２",
            "#REF!",
            "=1+1",
        )
    ),
    (RATE, "0.0825", 82500, None),
    (RATE, "0.082512", 82512, None),
    (RATE, "0.0825123", None, "TOO_MANY_DECIMALS"),
    (RATE, "82.5", None, "NUMBER_OUT_OF_RANGE"),
    (COUNT, "120", 120, None),
    (COUNT, "120.0", 120, None),
    (COUNT, "120.5", None, "TOO_MANY_DECIMALS"),
    (COUNT, "", None, None),
    (COUNT, "n/a", None, "TYPE_NUMBER"),
]


@pytest.mark.parametrize(("column", "text", "stored", "rule"), NUMBERS)
def test_numbers(column: Column, text: str | None, stored: int | None, rule: str | None) -> None:
    assert read(text, column) == (stored, rule)


@given(st.decimals(min_value=-9_999_999, max_value=9_999_999, places=4))
def test_every_amount_is_stored_to_the_last_ten_thousandth(amount: Decimal) -> None:
    size = f"{abs(amount):,.4f}"
    forms = [f"{amount:f}", f"{amount:,f}"] + ([f"({size})", f"{size}-"] if amount < 0 else [])
    for form in forms:
        assert read(form, MONEY) == (int(amount.scaleb(4)), None)


DATE = Column("D", "d", Kind.DATE)
START = Column("D", "d", Kind.DATE, required=False, in_period=False)

DATES: list[tuple[Column, str | None, str | None, str | None]] = [
    (DATE, "2026-10-01", "2026-10-01", None),
    (DATE, " 2026-10-31 ", "2026-10-31", None),
    (DATE, "2026-10-05 00:00:00", "2026-10-05", None),
    (DATE, "2026-10-05T00:00:00.000", "2026-10-05", None),
    (DATE, "2026-10-05 13:30:00", None, "TYPE_DATE"),
    (DATE, "2026-09-30", "2026-09-30", "PERIOD_MISMATCH"),
    (DATE, "2025-10-01", "2025-10-01", "PERIOD_MISMATCH"),
    (DATE, "2026-10-32", None, "TYPE_DATE"),
    (DATE, "2026-02-29", None, "TYPE_DATE"),
    (DATE, "2026-13-01", None, "TYPE_DATE"),
    *(
        (DATE, text, None, "TYPE_DATE")
        for text in ("7/5/26", "05-10-2026", "2026-10-5", "October 5", "00/00/0000", "46301")
    ),
    (DATE, "", None, "VALUE_MISSING"),
    (DATE, None, None, "VALUE_MISSING"),
    (START, "1998-02-28", "1998-02-28", None),
    (START, "", None, None),
    (START, "soon", None, "TYPE_DATE"),
]


@pytest.mark.parametrize(("column", "text", "stored", "rule"), DATES)
def test_dates(column: Column, text: str | None, stored: str | None, rule: str | None) -> None:
    assert read(text, column) == (stored, rule)


CODE = Column("C", "c", Kind.CODE, length=5)
NAME = Column("N", "n", Kind.TEXT, length=5)
TYPE = Column("T", "t", Kind.CODE, length=5, required=False, blank="")
NOTE = Column("O", "o", Kind.TEXT, length=5, required=False)
FLAG = Column("F", "f", Kind.FLAG, values=DEPOSIT)
IS_DRAFT = Column("F", "f", Kind.FLAG, values=DRAFT)
MONTH = Column("P", None, Kind.PERIOD)
SITE = Column("S", "s", Kind.SITE, length=10)

TEXTS: list[tuple[Column, str | None, object, str | None]] = [
    (CODE, "vd1", "VD1", None),
    (CODE, " VD1\u00a0", "VD1", None),
    (CODE, "VD1234", "VD1234", "VALUE_TOO_LONG"),
    (CODE, "", None, "VALUE_MISSING"),
    (CODE, None, None, "VALUE_MISSING"),
    (NAME, " Ångs ", "Ångs", None),
    (TYPE, None, "", None),
    (TYPE, " bell ", "BELL", None),
    (NOTE, " ", None, None),
    (FLAG, "n", "N", None),
    (FLAG, " V", "V", None),
    (FLAG, "X", None, "FLAG_UNKNOWN"),
    (FLAG, "", None, "VALUE_MISSING"),
    (IS_DRAFT, "False", 0, None),
    (IS_DRAFT, "1", 1, None),
    (IS_DRAFT, "perhaps", None, "FLAG_UNKNOWN"),
    (MONTH, "202610", "202610", None),
    (MONTH, "2026-10", "2026-10", None),
    (MONTH, "202611", "202611", "PERIOD_MISMATCH"),
    (MONTH, "10/2026", "10/2026", "TYPE_DATE"),
    (MONTH, "", None, "VALUE_MISSING"),
    (SITE, "0012", "0012", None),
    (SITE, " a001 ", "A001", None),
    (SITE, "12", "12", "SITE_UNKNOWN"),
    (SITE, "US-118", "US-118", "SITE_UNKNOWN"),
    (SITE, "", None, "VALUE_MISSING"),
]


@pytest.mark.parametrize(("column", "text", "stored", "rule"), TEXTS)
def test_texts(column: Column, text: str | None, stored: object, rule: str | None) -> None:
    assert read(text, column) == (stored, rule)


@pytest.mark.parametrize(
    ("text", "rule"), [("0012", None), ("12", "SITE_FORMAT"), ("12345678901", "SITE_FORMAT"), ("'; --", "SITE_FORMAT")]
)
def test_the_site_master_itself_wants_whole_site_numbers(text: str, rule: str | None) -> None:
    assert read(text, SITE, MASTER)[1] == rule
