"""Whether facts suffice (rules R8, R60, R61): what is not there is a reason, never a zero."""

from datetime import date

import pytest

from shared_code.facts.completeness import FactReason, Need, shortfalls
from shared_code.facts.model import ACCOUNTS, REVENUE, STATISTICS, TIMESHEET, FactSum, Presence, SiteFacts
from shared_code.foundation.calendar import Period
from tests.unit.billing.builders import PERIOD, money, present

MISSING, INCOMPLETE, REJECTED, HISTORY = FactReason
GAP_DAYS = 7


def october(day: int) -> date:
    return date(2026, 10, day)


def judged(dataset: str, found: Presence | None, *, started: date | None = None, month: Period = PERIOD) -> list[str]:
    presence = {} if found is None else {(dataset, month): found}
    facts = SiteFacts(site="0042", period=PERIOD, started=started, presence=presence)
    return [shortfall.reason for shortfall in shortfalls(facts, [Need(dataset, month)], GAP_DAYS)]


DAILY = [
    # case, how October differs from a whole month, reasons
    ("whole", {}, []),
    ("no row", {"rows": 0}, [MISSING]),
    ("the file ends a day early", {"reaches": october(30)}, [INCOMPLETE]),
    ("the file goes on into November", {"reaches": date(2026, 11, 3)}, []),
    ("starts after seven days", {"first_day": october(8)}, []),
    ("starts after eight days", {"first_day": october(9)}, [INCOMPLETE]),
    ("pauses for seven days", {"longest_gap": 7}, []),
    ("pauses for eight days", {"longest_gap": 8}, [INCOMPLETE]),
    ("stops seven days early", {"last_day": october(24)}, []),
    ("stops eight days early", {"last_day": october(23)}, [INCOMPLETE]),
    ("a single row in the middle", {"rows": 1, "first_day": october(16), "last_day": october(16)}, [INCOMPLETE]),
    ("one rejected row", {"rejected": 1}, [REJECTED]),
    ("incomplete and rejected: both are listed", {"rejected": 1, "longest_gap": 8}, [INCOMPLETE, REJECTED]),
    ("every row rejected", {"rows": 0, "rejected": 9, "first_day": None, "last_day": None}, [MISSING, REJECTED]),
]


@pytest.mark.parametrize("dataset", [REVENUE, STATISTICS])
@pytest.mark.parametrize(("_case", "differs", "expected"), DAILY, ids=[row[0] for row in DAILY])
def test_a_daily_dataset(dataset: str, _case: str, differs: dict[str, object], expected: list[FactReason]) -> None:
    assert judged(dataset, present(PERIOD, **differs)) == expected


@pytest.mark.parametrize("dataset", [TIMESHEET, ACCOUNTS])
@pytest.mark.parametrize(("_case", "differs", "expected"), DAILY, ids=[row[0] for row in DAILY])
def test_other_datasets_may_pause(
    dataset: str, _case: str, differs: dict[str, object], expected: list[FactReason]
) -> None:
    """Rules R60: the gap rule holds for the daily datasets alone."""
    assert judged(dataset, present(PERIOD, **differs)) == [reason for reason in expected if reason != INCOMPLETE]


STARTED = [
    # site start, first day with rows, reasons: gaps count from the later of the 1st and the site's start
    (date(2020, 5, 1), 9, [INCOMPLETE]),
    (october(2), 9, []),
    (october(16), 16, []),
    (october(16), 23, []),
    (october(16), 24, [INCOMPLETE]),
    (october(31), 31, []),
    (october(16), 3, []),  # rows before the start that the master knows
]


@pytest.mark.parametrize(("started", "first", "expected"), STARTED)
def test_a_site_that_starts_inside_the_month(started: date, first: int, expected: list[FactReason]) -> None:
    assert judged(REVENUE, present(PERIOD, first_day=october(first)), started=started) == expected


MONTHS = [
    # month, loaded or not, reasons
    (PERIOD, None, [MISSING]),
    (PERIOD.previous, None, [HISTORY]),
    (PERIOD.previous, present(PERIOD.previous, rows=0), [HISTORY]),
    (PERIOD.previous, present(PERIOD.previous), []),
    (PERIOD.previous, present(PERIOD.previous, reaches=date(2026, 9, 29)), [INCOMPLETE]),
    (PERIOD.previous, present(PERIOD.previous, rejected=3), [REJECTED]),
    (Period(2024, 2), present(Period(2024, 2), reaches=date(2024, 2, 28)), [INCOMPLETE]),
]


@pytest.mark.parametrize(("month", "found", "expected"), MONTHS)
def test_a_month_before_the_service_period(month: Period, found: Presence | None, expected: list[FactReason]) -> None:
    assert judged(REVENUE, found, month=month) == expected


def test_reasons_stand_in_their_order_and_each_need_counts_once() -> None:
    facts = SiteFacts(
        site="0042",
        period=PERIOD,
        presence={
            (TIMESHEET, PERIOD): present(PERIOD, rejected=1),
            (STATISTICS, PERIOD): present(PERIOD, longest_gap=20),
        },
    )
    needs = [
        Need(REVENUE, PERIOD.previous),
        Need(TIMESHEET, PERIOD),
        Need(STATISTICS, PERIOD),
        Need(REVENUE, PERIOD),
        Need(REVENUE, PERIOD),
    ]

    found = shortfalls(facts, needs, GAP_DAYS)

    assert [shortfall.reason for shortfall in found] == [MISSING, INCOMPLETE, REJECTED, HISTORY]
    assert [str(reason) for reason in FactReason] == [
        "MISSING_FACTS",
        "INCOMPLETE_FACTS",
        "REJECTED_ROWS",
        "MISSING_HISTORY",
    ]


def test_the_message_says_what_to_get() -> None:
    facts = SiteFacts(site="0042", period=PERIOD, presence={(REVENUE, PERIOD): present(PERIOD, reaches=october(20))})

    assert [shortfall.message for shortfall in shortfalls(facts, [Need(REVENUE, PERIOD)], GAP_DAYS)] == [
        "revenue_daily of 2026-10 for site 0042: the file ends on 2026-10-20, the month on 2026-10-31"
    ]


def test_revenue_of_codes_sums_rows_and_keeps_the_batch() -> None:
    facts = SiteFacts(
        site="0042",
        period=PERIOD,
        revenue={PERIOD: {"A": FactSum(money("1.5"), 2, "b"), "B": FactSum(money("-0.5"), 1, "b")}},
    )

    assert facts.revenue_of(PERIOD, ["A", "B", "C"]) == FactSum(money("1.0"), 3, "b")
    assert facts.revenue_of(PERIOD, ["C"]) == FactSum(money("0"), 0, "")
    assert facts.revenue_of(PERIOD.previous, ["A"]) == FactSum(money("0"), 0, "")
