"""NCRONTAB schedules: six fields in UTC, read as the platform reads them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localhost.host.ncrontab import Schedule, ScheduleError

# schedule, a moment, the first occurrence strictly after it
NEXT = [
    # every field alone
    ("*/5 * * * * *", "2026-03-01 10:00:00", "2026-03-01 10:00:05"),
    ("* * * * * *", "2026-03-01 10:00:00", "2026-03-01 10:00:01"),
    ("30 * * * * *", "2026-03-01 10:00:31", "2026-03-01 10:01:30"),
    ("0 */5 * * * *", "2026-03-01 10:04:59", "2026-03-01 10:05:00"),
    ("0 0 * * * *", "2026-03-01 10:00:00", "2026-03-01 11:00:00"),
    ("0 30 9 * * *", "2026-03-01 09:29:59", "2026-03-01 09:30:00"),
    ("0 30 9 * * *", "2026-03-01 09:30:00", "2026-03-02 09:30:00"),
    # carries over minute, hour, day, month and year
    ("0 0 0 1 * *", "2026-01-31 23:59:59", "2026-02-01 00:00:00"),
    ("0 0 0 1 1 *", "2026-01-01 00:00:00", "2027-01-01 00:00:00"),
    ("59 59 23 31 12 *", "2026-12-31 23:59:58", "2026-12-31 23:59:59"),
    ("15 10 8 * * *", "2026-03-01 08:11:00", "2026-03-02 08:10:15"),
    ("15 10 8 * * *", "2026-03-01 08:10:16", "2026-03-02 08:10:15"),
    ("15 10,20 8,9 * * *", "2026-03-01 08:20:15", "2026-03-01 09:10:15"),
    # ranges, lists, steps
    ("0 0 8-10 * * *", "2026-03-01 10:00:00", "2026-03-02 08:00:00"),
    ("0 0 8-18/4 * * *", "2026-03-01 12:00:00", "2026-03-01 16:00:00"),
    ("0 5/20 * * * *", "2026-03-01 10:25:00", "2026-03-01 10:45:00"),
    ("0 5/20 * * * *", "2026-03-01 10:45:00", "2026-03-01 11:05:00"),
    ("0,30 0 0,12 * * *", "2026-03-01 00:00:00", "2026-03-01 00:00:30"),
    ("0 0 0 1,15 * *", "2026-03-02 00:00:00", "2026-03-15 00:00:00"),
    # names; Sunday is 0
    ("0 0 6 * * MON-FRI", "2026-03-06 06:00:00", "2026-03-09 06:00:00"),
    ("0 0 6 * * sunday", "2026-03-02 00:00:00", "2026-03-08 06:00:00"),
    ("0 0 6 * * 0", "2026-03-02 00:00:00", "2026-03-08 06:00:00"),
    ("0 0 0 1 jan,July *", "2026-02-01 00:00:00", "2026-07-01 00:00:00"),
    # day and weekday must both match, unlike Unix cron
    ("0 0 0 13 * FRI", "2026-01-01 00:00:00", "2026-02-13 00:00:00"),
    ("0 0 0 13 * FRI", "2026-03-14 00:00:00", "2026-11-13 00:00:00"),
    # months without the day are passed over, leap days found, also over a century that is no leap year
    ("0 0 0 31 * *", "2026-03-31 00:00:00", "2026-05-31 00:00:00"),
    ("0 0 0 29 2 *", "2026-03-01 00:00:00", "2028-02-29 00:00:00"),
    ("0 0 0 29 2 *", "2096-03-01 00:00:00", "2104-02-29 00:00:00"),
    ("0 0 0 29 2 MON", "2024-03-01 00:00:00", "2044-02-29 00:00:00"),
]

# schedule, a part of the message
REFUSED = [
    ("*/5 * * * *", "six"),
    ("", "six"),
    ("* * * * * * *", "six"),
    ("00:05:00", "six"),
    ("60 * * * * *", "second field: 60 is not within 0-59"),
    ("0 60 * * * *", "minute field"),
    ("0 0 24 * * *", "hour field"),
    ("0 0 0 0 * *", "day field: 0 is not within 1-31"),
    ("0 0 0 1 13 *", "month field"),
    ("0 0 0 * * 7", "weekday field: 7 is not within 0-6"),
    ("0 0 0 * * FUNDAY", "weekday field: 'FUNDAY' is neither a number nor a name"),
    ("0 0 0 * MON *", "month field"),
    ("*/0 * * * * *", "the step of '*/0' must be at least 1"),
    ("0 0 18-8 * * *", "runs backwards"),
    ("0 0 0 * * FRI-MON", "runs backwards"),
    ("0 0 0 30 2 *", "never comes"),
    ("0 0 0 31 2,4,6,9,11 *", "never comes"),
    ("1, * * * * *", "cannot be read"),
    ("*-5 * * * * *", "cannot be read"),
    ("-1 * * * * *", "cannot be read"),
    ("? * * * * *", "cannot be read"),
]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("schedule", "after", "expected"), NEXT)
def test_the_next_occurrence(schedule: str, after: str, expected: str) -> None:
    assert Schedule.parse(schedule).next_after(moment(after)) == moment(expected)


@pytest.mark.parametrize(("schedule", "message"), REFUSED)
def test_an_unreadable_schedule_is_refused_by_field(schedule: str, message: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        Schedule.parse(schedule)
    assert message in str(caught.value)


def test_moments_of_other_zones_and_fractions_of_seconds_are_read_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    after = datetime(2026, 3, 2, 8, 59, 59, 999999, tzinfo=tokyo)
    assert Schedule.parse("0 0 0 * * *").next_after(after) == moment("2026-03-02 00:00:00")


FIELD = st.sampled_from(["*", "0", "7", "*/7", "10-20", "3,33", "5/20"])


@settings(max_examples=60, deadline=None)
@given(
    second=FIELD,
    minute=FIELD,
    seconds=st.integers(0, 20 * 365 * 86_400),
)
def test_the_next_occurrence_is_the_one_a_search_second_by_second_finds(second: str, minute: str, seconds: int) -> None:
    schedule = Schedule.parse(f"{second} {minute} * * * *")
    start = moment("2020-01-01 00:00:00") + timedelta(seconds=seconds)
    candidate = start + timedelta(seconds=1)
    while not (candidate.second in schedule.seconds and candidate.minute in schedule.minutes):
        candidate += timedelta(seconds=1)
    assert schedule.next_after(start) == candidate
