"""Months as values. A period never passes through an instant, so no time zone can move it."""

from __future__ import annotations

import calendar as _calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any, Self

from shared_code.foundation.errors import BillingError, Detail, ErrorKind

_TEXT = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_COMPACT = re.compile(r"([0-9]{4})(0[1-9]|1[0-2])")
_FIRST_YEAR = 2000
_LAST_YEAR = 2199
_MONTHS = 12 * (_LAST_YEAR - _FIRST_YEAR + 1)
_made: dict[tuple[int, int], Any] = {}  # every month that was asked for

PERIOD_INVALID = ErrorKind(
    "PERIOD_INVALID", 2301, 400, "The period is not a month.", "Write the period as YYYY-MM, for example 2026-10."
)


@dataclass(frozen=True, order=True)
class Period:
    """One calendar month, the service period of a statement. Ordered, hashable, printed as `YYYY-MM`.

    There is one object for each month, since months are keys of facts and billing looks up many for every contract.
    What it is asked for is worked out once.
    """

    year: int
    month: int

    def __new__(cls, year: int, month: int) -> Self:
        if not (_FIRST_YEAR <= year <= _LAST_YEAR and 1 <= month <= 12):
            raise ValueError(f"no such period: {year:04d}-{month:02d}")
        made: Self = _made.setdefault((year, month), object.__new__(cls))
        return made

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __reduce__(self) -> tuple[type[Period], tuple[int, int]]:
        """Copies and pickles are the month itself."""
        return Period, (self.year, self.month)

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read `YYYY-MM` or `YYYYMM`; anything else is a ValueError that says what was expected."""
        return _read(text)

    @classmethod
    def of(cls, day: date) -> Self:
        """The month that contains `day`."""
        return cls(day.year, day.month)

    @cached_property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @cached_property
    def last_day(self) -> date:
        return date(self.year, self.month, self.days)

    @cached_property
    def days(self) -> int:
        return _calendar.monthrange(self.year, self.month)[1]

    @cached_property
    def index(self) -> int:
        """Months since year 0: differences of indexes are distances in months."""
        return self.year * 12 + self.month - 1

    @cached_property
    def compact(self) -> str:
        """`YYYYMM`, as warehouse tables and invoice numbers write it."""
        return f"{self.year:04d}{self.month:02d}"

    def plus(self, months: int) -> Period:
        return _at(self.index + months)

    @property
    def next(self) -> Period:
        return self.plus(1)

    @property
    def previous(self) -> Period:
        return self.plus(-1)

    def until(self, end: Period) -> Iterator[Period]:
        """Every period from this one up to, not including, `end`."""
        return map(_at, range(self.index, end.index))

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


# Billing asks for the same few months many times for every contract: each is read and found once.


@lru_cache(maxsize=_MONTHS)
def _read(text: str) -> Period:
    found = _TEXT.fullmatch(text) or _COMPACT.fullmatch(text)
    if found is None:
        raise ValueError(f"a period is written YYYY-MM, for example 2026-10; got {text!r}")
    return Period(int(found[1]), int(found[2]))


@lru_cache(maxsize=_MONTHS)
def _at(index: int) -> Period:
    year, month = divmod(index, 12)
    return Period(year, month + 1)


def read_period(text: str, place: str = "period", kind: ErrorKind = PERIOD_INVALID) -> Period:
    """The period that a caller wrote. Raises PERIOD_INVALID at `place`, or the `kind` that is given."""
    try:
        return Period.parse(text)
    except ValueError as fault:
        raise BillingError(kind, str(fault), [Detail(place, str(fault))]) from fault
