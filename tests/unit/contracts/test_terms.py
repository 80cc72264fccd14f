"""The terms of a contract for a service period: what is on, which rows are active, which invoices there are."""

from datetime import date

import pytest

from shared_code.contracts.schema import InvoiceGroup, NonGlAmount
from shared_code.contracts.terms import terms_for
from shared_code.foundation.calendar import Period
from tests.unit.contracts import parts
from tests.unit.contracts.documents import contract, money

MARCH = Period(2026, 3)
FEB_28, MAR_1, MAR_15, MAR_31, APR_1 = (
    date(2026, 2, 28),
    date(2026, 3, 1),
    date(2026, 3, 15),
    date(2026, 3, 31),
    date(2026, 4, 1),
)

ACTIVE = [
    # start, end, billed in March, active days with daily proration
    (None, None, True, 31),
    (MAR_1, None, True, 31),
    (MAR_15, None, False, 17),
    (APR_1, None, False, 0),
    (None, FEB_28, False, 0),
    (None, MAR_1, True, 1),
    (None, MAR_15, True, 15),
    (MAR_15, MAR_15, False, 1),
    (MAR_1, MAR_31, True, 31),
]


@pytest.mark.parametrize(("start", "end", "billed", "_days"), ACTIVE)
def test_a_dated_row_bills_in_full_when_active_on_the_first_day(
    start: date | None, end: date | None, billed: bool, _days: int
) -> None:
    deal = contract(parts.fees(parts.fee(start=start, end=end)), parts.hours(parts.job(start=start, end=end)))

    terms = terms_for(deal, MARCH)

    assert (len(terms.services), len(terms.jobs)) == (billed, billed)


@pytest.mark.parametrize(("start", "end", "_billed", "days"), ACTIVE)
def test_with_daily_proration_a_fee_counts_for_its_active_days(
    start: date | None, end: date | None, _billed: bool, days: int
) -> None:
    row = parts.fee(start=start, end=end)

    terms = terms_for(contract(parts.fees(row), proration="daily"), MARCH)

    assert len(terms.services) == (days > 0)
    assert terms.active_days(row) == days


IN_FORCE = [
    # contract start, end, proration, in force in March
    (None, None, "none", True),
    (MAR_1, MAR_1, "none", True),
    (MAR_15, None, "none", False),
    (MAR_15, None, "daily", True),
    (None, FEB_28, "daily", False),
    (APR_1, None, "daily", False),
]


@pytest.mark.parametrize(("start", "end", "proration", "in_force"), IN_FORCE)
def test_a_contract_out_of_force_bills_nothing(
    start: date | None, end: date | None, proration: str, in_force: bool
) -> None:
    deal = contract(parts.rooms(), start_date=start, end_date=end, proration=proration)

    terms = terms_for(deal, MARCH)

    assert terms.in_force is in_force
    assert terms.blocks == (("perOccupiedRoom",) if in_force else ())
    assert (terms.rooms is not None) is in_force


def test_blocks_that_are_off_are_left_out_with_their_rows() -> None:
    deal = contract(parts.fees(parts.fee(), enabled=False), parts.share(parts.structure()), parts.deposits())

    terms = terms_for(deal, MARCH)

    assert terms.blocks == ("revenueShare", "depositedRevenue")
    assert terms.services == ()
    assert [structure.id for structure in terms.structures] == ["s"]
    assert [item.id for item in terms.deposits] == ["d"]
    assert not terms.bell_enabled
    assert terms.unsupported(frozenset({"revenueShare"})) == ("depositedRevenue",)


ADVANCES = [
    (None, None, 1),
    (Period(2026, 3), Period(2026, 3), 1),
    (Period(2026, 4), None, 0),
    (None, Period(2026, 2), 0),
]


@pytest.mark.parametrize(("start", "end", "count"), ADVANCES)
def test_an_advance_is_credited_from_its_first_to_its_last_month(
    start: Period | None, end: Period | None, count: int
) -> None:
    terms = terms_for(contract(parts.advances(parts.advance(start=start, end=end))), MARCH)

    assert len(terms.advances) == count


@pytest.mark.parametrize(("final", "enabled", "count"), [(2, True, 0), (3, True, 1), (4, True, 1), (4, None, 0)])
def test_an_expense_is_billed_through_its_final_period(final: int, enabled: bool | None, count: int) -> None:
    line = NonGlAmount(id="n", title="Device", amount=money("10"), final_period=Period(2026, final))

    terms = terms_for(contract(parts.agreement(non_gl_enabled=enabled, non_gl=(line,))), MARCH)

    assert len(terms.agreements[0].non_gl) == count


def test_without_grouping_there_is_one_invoice_and_with_it_those_of_the_contract_in_their_order() -> None:
    groups = (InvoiceGroup(id="g3", number=3), InvoiceGroup(id="g1", number=1))

    off = terms_for(contract(parts.rooms(), groups=groups), MARCH)
    on = terms_for(contract(parts.rooms(), grouping_enabled=True, groups=groups), MARCH)

    assert [group.number for group in off.groups] == [1]
    assert [group.number for group in on.groups] == [3, 1]


def test_errors_are_those_that_stop_generation() -> None:
    deal = contract(parts.rooms(room_rate=None), parts.hours(parts.job(ot_rate=None)))

    assert [(error.code, error.pointer) for error in terms_for(deal, MARCH).errors] == [
        ("NULL_NUMBER", "/components/0/roomRate")
    ]
