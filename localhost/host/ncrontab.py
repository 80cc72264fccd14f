"""Six-field NCRONTAB schedules in UTC: second minute hour day month weekday.

As the platform reads them: a time matches when all six fields match, day and weekday included
(unlike Unix cron, which joins these two by "or"). Fields take `*`, values, names of months and
weekdays, ranges, lists and steps; `5/20` means 5, 25, 45.
"""

import re
from bisect import bisect_left
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

# 29 February can stay away from a given weekday for 40 years around a century that is no leap year.
HORIZON_YEARS = 41

_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
_PART = re.compile(r"^(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d+))?$")


class ScheduleError(ValueError):
    """A schedule that cannot be read, or that never comes."""


@dataclass(frozen=True, slots=True)
class _Field:
    label: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def values(self, text: str) -> tuple[int, ...]:
        """All values the field text allows, ascending."""
        found: set[int] = set()
        for part in text.split(","):
            found.update(self._part(part))
        return tuple(sorted(found))

    def _part(self, text: str) -> range:
        match = _PART.match(text)
        if match is None:
            raise ScheduleError(f"{self.label} field: {text!r} cannot be read")
        first, last, step = match.group("first", "last", "step")
        if first == "*":
            if last is not None:
                raise ScheduleError(f"{self.label} field: {text!r} cannot be read")
            low, high = self.low, self.high
        else:
            low = self._value(first)
            high = self._value(last) if last is not None else (self.high if step is not None else low)
        if low > high:
            raise ScheduleError(f"{self.label} field: the range {text!r} runs backwards")
        if step is not None and int(step) == 0:
            raise ScheduleError(f"{self.label} field: the step of {text!r} must be at least 1")
        return range(low, high + 1, int(step or 1))

    def _value(self, text: str) -> int:
        if text.isdecimal():
            value = int(text)
        else:
            lowered = text.lower()
            hits = [i for i, name in enumerate(self.names) if lowered in (name, name[:3])]
            if not hits:
                raise ScheduleError(f"{self.label} field: {text!r} is neither a number nor a name")
            value = hits[0] + self.low
        if not self.low <= value <= self.high:
            raise ScheduleError(f"{self.label} field: {value} is not within {self.low}-{self.high}")
        return value


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, tuple(_MONTHS)),
    _Field("weekday", 0, 6, tuple(_WEEKDAYS)),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The allowed values per field, ascending; weekday 0 is Sunday."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Read a six-field expression.

        Raises ScheduleError naming the field that is wrong, or when no date ever matches (30 February).
        """
        fields = text.split()
        if len(fields) != len(_FIELDS):
            raise ScheduleError(
                f"{text!r} has {len(fields)} fields; a schedule has six: second minute hour day month weekday"
            )
        schedule = cls(*(field.values(part) for field, part in zip(_FIELDS, fields, strict=True)))
        if schedule._first_day(date(2000, 1, 1)) is None:
            raise ScheduleError(f"{text!r} never comes")
        return schedule

    def next_after(self, moment: datetime) -> datetime:
        """The first occurrence strictly after an aware moment, in UTC."""
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        day = self._first_day(start.date())
        while day is not None:
            at = self._first_time(start.time() if day == start.date() else time.min)
            if at is not None:
                return datetime.combine(day, at, UTC)
            day = self._first_day(day + timedelta(days=1))
        raise ScheduleError("the schedule has no further occurrence")

    def _first_day(self, start: date) -> date | None:
        for offset in range(HORIZON_YEARS * 12):
            years, month = divmod(start.month - 1 + offset, 12)
            year, month = start.year + years, month + 1
            if month not in self.months:
                continue
            earliest = start.day if offset == 0 else 1
            for day in self._days_of(year, month):
                if day >= earliest:
                    return date(year, month, day)
        return None

    def _days_of(self, year: int, month: int) -> list[int]:
        length = monthrange(year, month)[1]
        return [d for d in self.days if d <= length and date(year, month, d).isoweekday() % 7 in self.weekdays]

    def _first_time(self, start: time) -> time | None:
        hour = _at_least(self.hours, start.hour)
        if hour == start.hour:
            minute = _at_least(self.minutes, start.minute)
            if minute == start.minute:
                second = _at_least(self.seconds, start.second)
                if second is not None:
                    return time(hour, minute, second)
                minute = _at_least(self.minutes, start.minute + 1)
            if minute is not None:
                return time(hour, minute, self.seconds[0])
            hour = _at_least(self.hours, start.hour + 1)
        return None if hour is None else time(hour, self.minutes[0], self.seconds[0])


def _at_least(values: tuple[int, ...], low: int) -> int | None:
    position = bisect_left(values, low)
    return values[position] if position < len(values) else None
