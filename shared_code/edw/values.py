"""Texts of one column to stored values, a column at a time. Exact: no value passes through a float.

Each reader returns the values in storage form (null where there is none) and the rule that each faulty row breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from shared_code.edw.datasets import Column, Kind
from shared_code.foundation.calendar import Period

TYPE_NUMBER = "TYPE_NUMBER"
NUMBER_OUT_OF_RANGE = "NUMBER_OUT_OF_RANGE"
TOO_MANY_DECIMALS = "TOO_MANY_DECIMALS"
TYPE_DATE = "TYPE_DATE"
PERIOD_MISMATCH = "PERIOD_MISMATCH"
VALUE_MISSING = "VALUE_MISSING"
VALUE_TOO_LONG = "VALUE_TOO_LONG"
FLAG_UNKNOWN = "FLAG_UNKNOWN"
SITE_UNKNOWN = "SITE_UNKNOWN"
SITE_FORMAT = "SITE_FORMAT"
KEY_CONFLICT = "KEY_CONFLICT"
MALFORMED_ROW = "MALFORMED_ROW"

_DIGITS = r"(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?|\.[0-9]+"
_PLAIN = r"^-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)$"
_ACCOUNTING = rf"^(?:-?(?:{_DIGITS})|\((?:{_DIGITS})\)|(?:{_DIGITS})-)$"
# A day, perhaps with the midnight that exports and spreadsheets append. Any other time of day is not a date.
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T]00:00(?::00(?:\.0+)?)?)?$"
_SITE_NUMBER = r"^[0-9A-Z][0-9A-Z-]{3,9}$"
_ZERO_PADDED = 4


@dataclass(frozen=True, slots=True)
class Context:
    """What the rows are checked against: the period of the file and the known sites (None: do not ask)."""

    period: Period
    sites: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Read:
    """Stored values, and per row the rule that it breaks (None: no row breaks one)."""

    values: pl.Series
    faults: pl.Series | None = None


def read_column(raw: pl.Series, column: Column, context: Context) -> Read:
    """Read one column of texts. Values and faults have the length of `raw`."""
    return _READERS[column.kind](raw, column, context)


def _faults(*rules: tuple[pl.Series, str]) -> pl.Series | None:
    """The first rule that each row breaks. Each mask is without nulls; no broken rule gives None at once."""
    if not any(mask.any() for mask, _ in rules):
        return None
    frame = pl.DataFrame([mask.alias(str(i)) for i, (mask, _) in enumerate(rules)])
    return frame.select(
        pl.coalesce(pl.when(pl.col(str(i))).then(pl.lit(rule)) for i, (_, rule) in enumerate(rules)).alias("rule")
    ).to_series()


def normalise(raw: pl.Series, *, upper: bool) -> pl.Series:
    """Trimmed, and in upper case where it is a key; blank becomes null.

    Codes repeat, so the few distinct values are looked at first: when all are clean the column is left as it is.
    """
    distinct = raw.unique()
    clean = _clean(distinct, upper=upper)
    if clean.eq_missing(distinct).all():
        return raw
    if len(distinct) * 4 > len(raw):
        return _clean(raw, upper=upper)
    return raw.replace_strict(distinct, clean, return_dtype=pl.String)


def _clean(raw: pl.Series, *, upper: bool) -> pl.Series:
    text = raw.str.strip_chars()
    if upper:
        text = text.str.to_uppercase()
    return text.set(text.str.len_bytes().eq(0).fill_null(value=False), None)


def _text(raw: pl.Series, column: Column, _context: Context) -> Read:
    values = normalise(raw, upper=column.kind is Kind.CODE)
    missing = values.is_null()
    faults = _faults(
        (missing if column.required else _nowhere(raw), VALUE_MISSING),
        ((values.str.len_chars() > column.length).fill_null(value=False), VALUE_TOO_LONG),
    )
    if column.blank is not None and missing.any():
        values = values.fill_null(pl.Series([column.blank]).first())
    return Read(values, faults)


def _nowhere(raw: pl.Series) -> pl.Series:
    return pl.repeat(value=False, n=len(raw), dtype=pl.Boolean, eager=True)


def _number(raw: pl.Series, column: Column, _context: Context) -> Read:
    """Plain, or with thousands separators, parentheses or a trailing minus (datasets). Scaled 64-bit integers."""
    text = raw
    well_formed = text.str.contains(_PLAIN)
    if not well_formed.all(ignore_nulls=False):
        text = normalise(raw, upper=False)
        well_formed = text.str.contains(_ACCOUNTING)
        text = _unaccount(text.set(~well_formed.fill_null(value=False), None))
    missing = text.is_null() & well_formed.is_null()
    excess = text.str.contains(rf"\.[0-9]{{{column.scale}}}[0-9]*[1-9]").fill_null(value=False)
    exact = text.cast(pl.Decimal(column.digits, column.scale), strict=False)
    faults = _faults(
        (missing if column.required else _nowhere(raw), VALUE_MISSING),
        ((~well_formed).fill_null(value=False), TYPE_NUMBER),
        (excess, TOO_MANY_DECIMALS),
        (exact.is_null() & text.is_not_null(), NUMBER_OUT_OF_RANGE),
    )
    values = exact.to_physical().cast(pl.Int64)
    return Read(values if faults is None else values.set(faults.is_not_null(), None), faults)


def _unaccount(text: pl.Series) -> pl.Series:
    negative = text.str.contains(r"^[-(]|-$")
    digits = text.str.strip_chars("()-").str.replace_all(",", "", literal=True)
    return pl.select(pl.when(negative).then(pl.concat_str(pl.lit("-"), digits)).otherwise(digits)).to_series()


def _date(raw: pl.Series, column: Column, context: Context) -> Read:
    """ISO days, stored as `YYYY-MM-DD`. A month has few of them: each distinct text is read once."""
    distinct = raw.unique()
    clean = _clean(distinct, upper=False)
    day = clean.str.slice(0, 10)
    valid = clean.str.contains(_DAY).fill_null(value=False) & day.str.to_date("%Y-%m-%d", strict=False).is_not_null()
    values = day.set(~valid, None)
    outside = ~values.str.starts_with(f"{context.period}-") if column.in_period else _nowhere(values)
    faults = _faults(
        (clean.is_null() if column.required else _nowhere(distinct), VALUE_MISSING),
        (clean.is_not_null() & ~valid, TYPE_DATE),
        (outside.fill_null(value=False), PERIOD_MISMATCH),
    )
    return _spread(raw, distinct, values, faults)


def _spread(raw: pl.Series, distinct: pl.Series, values: pl.Series, faults: pl.Series | None) -> Read:
    """Carry what was found for each distinct text to all its rows."""
    same = values.dtype == raw.dtype and values.eq_missing(distinct).all()
    full = raw if same else raw.replace_strict(distinct, values, return_dtype=values.dtype)
    if faults is None:
        return Read(full)
    return Read(full, raw.replace_strict(distinct, faults, return_dtype=pl.String))


def _flag(raw: pl.Series, column: Column, _context: Context) -> Read:
    values: Mapping[str, str | int] = column.values or {}
    distinct = raw.unique()
    clean = _clean(distinct, upper=True)
    kind = pl.Int64 if any(isinstance(v, int) for v in values.values()) else pl.String
    known = clean.replace_strict(list(values), list(values.values()), default=None, return_dtype=kind)
    faults = _faults(
        (clean.is_null() if column.required else _nowhere(distinct), VALUE_MISSING),
        (clean.is_not_null() & known.is_null(), FLAG_UNKNOWN),
    )
    return _spread(raw, distinct, known, faults)


def _site(raw: pl.Series, _column: Column, context: Context) -> Read:
    distinct = raw.unique()
    values = _clean(distinct, upper=True)
    if context.sites is None:
        # the master itself: four characters at least, since shorter numbers have lost their leading zeros
        wrong, rule = ~values.str.contains(_SITE_NUMBER), SITE_FORMAT
    else:
        wrong, rule = ~values.is_in(sorted(context.sites)), SITE_UNKNOWN
    faults = _faults((values.is_null(), VALUE_MISSING), (wrong.fill_null(value=False), rule))
    return _spread(raw, distinct, values, faults)


def padded(site: str) -> str:
    """The site number that a number without its leading zeros probably means."""
    return site.rjust(_ZERO_PADDED, "0") if site.isdecimal() else site


def _period(raw: pl.Series, _column: Column, context: Context) -> Read:
    distinct = raw.unique()
    values = _clean(distinct, upper=False)
    well_formed = values.str.contains(r"^[0-9]{4}-?(?:0[1-9]|1[0-2])$")
    other = values.str.replace("-", "", literal=True) != context.period.compact
    faults = _faults(
        (values.is_null(), VALUE_MISSING),
        ((~well_formed).fill_null(value=False), TYPE_DATE),
        (other.fill_null(value=False), PERIOD_MISMATCH),
    )
    return _spread(raw, distinct, values, faults)


_READERS: Mapping[Kind, Callable[[pl.Series, Column, Context], Read]] = {
    Kind.TEXT: _text,
    Kind.CODE: _text,
    Kind.SITE: _site,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.FLAG: _flag,
    Kind.PERIOD: _period,
}
