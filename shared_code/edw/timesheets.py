"""Time sheets: the day from year and day of the year, hours and minutes from the twelve minute columns (rules R15)."""

from __future__ import annotations

import polars as pl

from shared_code.edw.datasets import MINUTE_COLUMNS
from shared_code.edw.values import PERIOD_MISMATCH, TYPE_DATE, Context

_REGULAR = MINUTE_COLUMNS[:1]
_OVERTIME = MINUTE_COLUMNS[1:]  # holiday and double time count as overtime
_PER_HUNDREDTH = 6_000  # minutes carry four decimals: one hundredth of an hour is 0.6 minutes
_STORED_PER_HUNDREDTH = 100  # hours are stored with four decimals


def _minutes(names: tuple[str, ...]) -> pl.Expr:
    """The minutes with those of the part of a shift after midnight. A missing one makes the sum missing, never less."""
    columns = [pl.col(name + twin) for name in names for twin in ("", "_NEXT_DAY")]
    total = columns[0]
    for column in columns[1:]:
        total = total + column
    return total


def _hours(minutes: str) -> pl.Expr:
    """Hours of one row, rounded to two decimals, halves away from zero, in whole numbers (billing-flows 6.2)."""
    size = (pl.col(minutes).abs() + _PER_HUNDREDTH // 2) // _PER_HUNDREDTH * _STORED_PER_HUNDREDTH
    return pl.when(pl.col(minutes) < 0).then(-size).otherwise(size)


def derive(read: pl.DataFrame, context: Context) -> tuple[pl.DataFrame, pl.Series]:
    """Stored columns of a time sheet from the columns as read, and the rule that a row's day breaks.

    Minutes and hours are integers of four decimals. Day 366 of a common year is no date.
    """
    first = pl.date(pl.col("YEAR"), 1, 1)
    within = pl.col("DAY_OF_THE_YEAR").is_between(1, 366) & pl.col("YEAR").is_between(1900, 2199)
    day = pl.when(within).then(first + pl.duration(days=pl.col("DAY_OF_THE_YEAR") - 1))
    stored = read.with_columns(
        day.alias("date"),
        _minutes(_REGULAR).alias("regular_minutes"),
        _minutes(_OVERTIME).alias("overtime_minutes"),
    ).with_columns(
        pl.col("date").dt.to_string("%Y-%m-%d").alias("day"),
        _hours("regular_minutes").alias("regular_hours"),
        _hours("overtime_minutes").alias("overtime_hours"),
    )
    given = pl.col("YEAR").is_not_null() & pl.col("DAY_OF_THE_YEAR").is_not_null()
    real = (pl.col("date").dt.year() == pl.col("YEAR")).fill_null(value=False)
    rule = (
        pl.when(given & ~real)
        .then(pl.lit(TYPE_DATE))
        .when(given & ~pl.col("day").str.starts_with(f"{context.period}-"))
        .then(pl.lit(PERIOD_MISMATCH))
    )
    return stored, stored.select(rule.alias("rule")).to_series()
