"""Progressive tiers (rules R10) and what a window still owes (rules R11). Bounds are cumulative."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.billing.tiers import Band, TierTerm, bands, bands_above, charge, due_by_bands, still_due
from tests.unit.billing.builders import TierText, maybe, money


def terms(*rows: TierText) -> list[TierTerm]:
    return [TierTerm(money(share or "0"), maybe(bound)) for share, bound in rows]


TWO = terms(("70", "100000"), ("80", None))
THREE = terms(("15", "50000"), ("17", "100000"), ("20", None))
LIMITED = terms(("50", "1000"), ("60", "2000"))

CHARGES = [
    # vector, tiers, total, band amounts, charge
    ("18.1", TWO, "130000", ["100000", "30000"], "94000.00"),
    ("TV-RS-4", THREE, "120000", ["50000", "50000", "20000"], "20000.00"),
    ("exactly on a bound: the next tier has nothing", THREE, "50000", ["50000"], "7500.00"),
    ("a cent above a bound", THREE, "50000.01", ["50000", "0.01"], "7500.00"),
    ("18.3: a negative total has no bands", TWO, "-500", [], "0.00"),
    ("nothing", TWO, "0", [], "0.00"),
    ("R10: what is above the last bound is charged 0 and shown", LIMITED, "3500", ["1000", "1000", "1500"], "1100.00"),
    ("up to the last bound", LIMITED, "2000", ["1000", "1000"], "1100.00"),
    ("no tiers charge nothing", [], "5000", [], "0.00"),
    ("R1: a half cent goes away from zero", terms(("50", None)), "0.01", ["0.01"], "0.01"),
]


@pytest.mark.parametrize(("_vector", "rows", "total", "amounts", "charged"), CHARGES, ids=[row[0] for row in CHARGES])
def test_a_total_is_split_and_charged(
    _vector: str, rows: list[TierTerm], total: str, amounts: list[str], charged: str
) -> None:
    assert [band.amount for band in bands(money(total), rows)] == [money(amount) for amount in amounts]
    assert str(charge(money(total), rows).cents) == charged


def test_the_band_above_the_last_bound_says_that_it_is_free() -> None:
    assert bands(money("3500"), LIMITED)[-1] == Band(money("2000"), None, money("0"), money("1500"), money("0"))


ABOVE = [
    # case, tiers, total, high-water mark, parts of the bands above it as (from, amount, due)
    ("nothing charged before: the bands", TWO, "130000", "0", [("0", "100000", "70000"), ("100000", "30000", "24000")]),
    (
        "the mark inside the first band",
        TWO,
        "130000",
        "40000",
        [("40000", "60000", "42000"), ("100000", "30000", "24000")],
    ),
    ("the mark on a bound", TWO, "130000", "100000", [("100000", "30000", "24000")]),
    ("the mark inside the last band", TWO, "130000", "120000", [("120000", "10000", "8000")]),
    ("exactly at the mark", TWO, "130000", "130000", []),
    ("below the mark", TWO, "90000", "130000", []),
    ("a cent above the mark", TWO, "100000.01", "100000", [("100000", "0.01", "0.008")]),
    ("a negative total", TWO, "-5", "0", []),
    ("above the last bound it is charged 0", LIMITED, "3500", "1500", [("1500", "500", "300"), ("2000", "1500", "0")]),
    ("no tiers", [], "5000", "0", []),
]


@pytest.mark.parametrize(("_case", "rows", "total", "mark", "parts"), ABOVE, ids=[row[0] for row in ABOVE])
def test_what_of_each_band_lies_above_the_mark(
    _case: str, rows: list[TierTerm], total: str, mark: str, parts: list[tuple[str, str, str]]
) -> None:
    """The weights of validations (rules R49)."""
    found = [(band.lower, band.amount, band.due) for band in bands_above(money(total), money(mark), rows)]

    assert found == [tuple(map(money, part)) for part in parts]


def test_a_part_above_the_mark_keeps_the_bound_of_its_band() -> None:
    assert bands_above(money("130000"), money("40000"), TWO) == (
        Band(money("40000"), money("100000"), money("70"), money("60000"), money("42000")),
        Band(money("100000"), None, money("80"), money("30000"), money("24000")),
    )


DUES = [
    # case, tiers, month, to-date, high-water mark, due by R11, due by the reference rule
    ("18.2", terms(("50", "100000"), ("60", "300000"), ("75", None)), "60000", "250000", "250000", "37500", "37500"),
    ("18.3", terms(("50", "1000"), ("60", None)), "-500", "0", "0", "0", "0"),
    ("18.4, a loss carried forward", terms(("20", "5000"), ("30", None)), "10000", "-4000", "0", "1300", "1300"),
    ("18.5, the dip itself", terms(("20", "80"), ("30", None)), "-40", "100", "100", "0", "0"),
    ("18.5, after the dip (B19)", terms(("20", "80"), ("30", None)), "50", "60", "100", "3", "13"),
    ("exactly back at the mark", terms(("20", "80"), ("30", None)), "40", "60", "100", "0", "10"),
    ("to-date on a bound", terms(("20", "80"), ("30", None)), "10", "80", "80", "3", "3"),
    ("above the last bound", terms(("20", "80")), "10", "100", "100", "0", "0"),
    ("across the last bound", terms(("20", "80")), "50", "60", "60", "4", "4"),
]


@pytest.mark.parametrize(
    ("_case", "rows", "month", "to_date", "mark", "by_rule", "_by_reference"), DUES, ids=[row[0] for row in DUES]
)
def test_high_water_mark(
    _case: str, rows: list[TierTerm], month: str, to_date: str, mark: str, by_rule: str, _by_reference: str
) -> None:
    assert still_due(charge(money(month) + money(to_date), rows), charge(money(mark), rows)) == money(by_rule)


@pytest.mark.parametrize(
    ("_case", "rows", "month", "to_date", "_mark", "_by_rule", "by_reference"), DUES, ids=[row[0] for row in DUES]
)
def test_reference_rule_charges_a_recovered_band_again(
    _case: str, rows: list[TierTerm], month: str, to_date: str, _mark: str, _by_rule: str, by_reference: str
) -> None:
    """The loop of billing-flows 6.4."""
    assert due_by_bands(money(month), money(to_date), rows) == money(by_reference)


cents = st.integers(-50_000_000, 500_000_000).map(lambda whole: Decimal(whole).scaleb(-2))
shares = st.integers(0, 10_000).map(lambda whole: Decimal(whole).scaleb(-2))


@st.composite
def ladders(draw: st.DrawFn) -> list[TierTerm]:
    """Tiers in rising order; the last one is unbounded or not."""
    bounds = sorted(draw(st.sets(st.integers(1, 400_000_000), max_size=4)))
    last: list[Decimal | None] = draw(st.sampled_from([[None], []]))
    limits = [*(Decimal(bound).scaleb(-2) for bound in bounds), *last]
    return [TierTerm(draw(shares), limit) for limit in limits]


@given(cents, ladders())
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_law_bands_sum_to_a_positive_total_and_their_dues_to_the_charge(total: Decimal, rows: list[TierTerm]) -> None:
    found = bands(total, rows)

    assert sum((band.amount for band in found), Decimal(0)) == (max(total, Decimal(0)) if rows else 0)
    assert abs(sum((band.due for band in found), Decimal(0)) - charge(total, rows).cents) <= Decimal("0.005")


@given(cents, cents.map(abs), ladders())
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_law_bands_above_a_mark_sum_to_what_is_above_it_and_to_the_due(
    total: Decimal, mark: Decimal, rows: list[TierTerm]
) -> None:
    found = bands_above(total, mark, rows)

    assert sum((band.amount for band in found), Decimal(0)) == (max(total - mark, Decimal(0)) if rows else 0)
    # Both charges are rounded, the parts are not.
    due = sum((band.due for band in found), Decimal(0))
    assert abs(due - still_due(charge(total, rows), charge(mark, rows))) <= Decimal("0.01")


@given(ladders())
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
def test_law_charges_are_continuous_at_every_bound(rows: list[TierTerm]) -> None:
    for tier in rows:
        if tier.up_to is not None:
            step = charge(tier.up_to + Decimal("0.01"), rows).cents - charge(tier.up_to, rows).cents
            assert Decimal(0) <= step <= Decimal("0.01")


@given(cents, cents, ladders())
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_law_a_higher_total_never_costs_less(one: Decimal, other: Decimal, rows: list[TierTerm]) -> None:
    low, high = sorted((one, other))

    assert charge(low, rows).cents <= charge(high, rows).cents


@given(st.lists(cents, min_size=1, max_size=13), ladders())
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_law_a_window_telescopes_to_the_charge_on_its_highest_total(
    months: list[Decimal], rows: list[TierTerm]
) -> None:
    total = mark = charged = Decimal(0)
    for month in months:
        total += month
        charged += still_due(charge(total, rows), charge(mark, rows))
        mark = max(mark, total)

    assert charged == charge(mark, rows).cents


@given(st.lists(cents.filter(lambda amount: amount >= 0), min_size=1, max_size=13), ladders())
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_law_without_a_loss_both_rules_agree_to_a_cent(months: list[Decimal], rows: list[TierTerm]) -> None:
    to_date = Decimal(0)
    for month in months:
        by_rule = still_due(charge(to_date + month, rows), charge(to_date, rows))
        assert abs(by_rule - due_by_bands(month, to_date, rows)) <= Decimal("0.01")
        to_date += month
