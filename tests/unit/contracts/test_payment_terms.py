"""Payment terms: wordings, what they mean, and when an invoice is due (rules R28)."""

import calendar
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.contracts.legacy.wording import read_payment_terms
from shared_code.contracts.schema import DayOfMonth, NetDays, OnReceipt, PaymentTerms, RawTerms

WORDINGS: list[tuple[str, PaymentTerms, str]] = [
    ("Due in 30 Days", NetDays(days=30), "Due in 30 Days"),
    ("Due in 7 Days", NetDays(days=7), "Due in 7 Days"),
    ("due in 15 days", NetDays(days=15), "Due in 15 Days"),
    ("Due on Receipt", OnReceipt(), "Due on Receipt"),
    ("Due by 20th", DayOfMonth(day=20), "Due by 20th"),
    ("Due by 20th of the Month", DayOfMonth(day=20, long_form=True), "Due by 20th of the Month"),
    ("Due by 1st Day of the Month", DayOfMonth(day=1, long_form=True), "Due by 1st of the Month"),
    ("Due by 22nd", DayOfMonth(day=22), "Due by 22nd"),
    ("Due by 3rd", DayOfMonth(day=3), "Due by 3rd"),
    ("Due by 12th", DayOfMonth(day=12), "Due by 12th"),
    ("Due by 32nd", RawTerms(text="Due by 32nd"), "Due by 32nd"),
    ("Due in 400 Days", RawTerms(text="Due in 400 Days"), "Due in 400 Days"),
    ("Half now, half later", RawTerms(text="Half now, half later"), "Half now, half later"),
    ("", RawTerms(text=""), ""),
]


@pytest.mark.parametrize(("wording", "terms", "printed"), WORDINGS)
def test_a_wording_is_understood_and_printed(wording: str, terms: PaymentTerms, printed: str) -> None:
    assert read_payment_terms(wording) == terms
    assert terms.text == printed


DUE: list[tuple[PaymentTerms, str, str | None]] = [
    # terms, invoice date, due date
    (NetDays(days=30), "2026-01-31", "2026-03-02"),
    (NetDays(days=30), "2028-01-31", "2028-03-01"),
    (NetDays(days=0), "2026-05-31", "2026-05-31"),
    (OnReceipt(), "2026-05-31", "2026-05-31"),
    # arrears invoices carry the last day of the month: the day lies in the next one
    (DayOfMonth(day=20), "2026-05-31", "2026-06-20"),
    (DayOfMonth(day=20), "2026-12-31", "2027-01-20"),
    (DayOfMonth(day=1), "2026-12-31", "2027-01-01"),
    # advanced invoices carry the first: a later day lies in the same month, the first itself in the next
    (DayOfMonth(day=20), "2026-06-01", "2026-06-20"),
    (DayOfMonth(day=1), "2026-06-01", "2026-07-01"),
    (DayOfMonth(day=20), "2026-06-20", "2026-07-20"),
    # a shorter month: its last day
    (DayOfMonth(day=30), "2026-01-31", "2026-02-28"),
    (DayOfMonth(day=30), "2028-01-31", "2028-02-29"),
    (DayOfMonth(day=31), "2026-03-31", "2026-04-30"),
    (DayOfMonth(day=31), "2026-04-30", "2026-05-31"),
    (DayOfMonth(day=30), "2026-02-28", "2026-03-30"),
    (RawTerms(text="when ready"), "2026-05-31", None),
]


@given(st.integers(1, 31), st.dates(date(2020, 1, 1), date(2040, 12, 31)))
def test_a_day_of_the_month_is_the_next_one_and_at_most_a_month_ahead(day: int, dated: date) -> None:
    due = DayOfMonth(day=day).due_date(dated)

    assert due is not None
    assert 1 <= (due - dated).days <= 31
    assert due.day == min(day, calendar.monthrange(due.year, due.month)[1])


@pytest.mark.parametrize(("terms", "dated", "due"), DUE)
def test_the_due_date_of_an_invoice(terms: PaymentTerms, dated: str, due: str | None) -> None:
    found = terms.due_date(date.fromisoformat(dated))

    assert found == (None if due is None else date.fromisoformat(due))
