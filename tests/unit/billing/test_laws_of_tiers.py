"""Laws of tiers, and of the windows over which they add up: revenue share and profit share alike (rules R10, R11)."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from shared_code.billing.calculation import compute
from shared_code.billing.given import History
from shared_code.billing.tiers import TierTerm, bands
from shared_code.contracts.schema import FeeFixed, ProfitShareOn
from shared_code.contracts.terms import terms_for
from shared_code.foundation.calendar import Period
from tests.unit.billing.builders import (
    CONTEXT,
    TierText,
    bill,
    contract,
    facts,
    managed,
    maybe,
    money,
    monthly,
    share,
    structure,
    tiers,
)
from tests.unit.billing.deals import decimals, ladders
from tests.unit.billing.exact import LAW, in_cents, on_tiers, total_of

CENT = Decimal("0.01")

# ------------------------------------------------------------------------------------------------------------ tiers


def exact(total: Decimal, rows: Sequence[TierText]) -> Decimal:
    """The sum of what the bands of a total come to."""
    terms = [TierTerm(money(percent or "0"), maybe(bound)) for percent, bound in rows]
    return sum((band.due for band in bands(total, terms)), Decimal(0))


def shared(revenue: Decimal, rows: Sequence[TierText]) -> Decimal:
    """What a month's revenue is billed."""
    outcome = bill(contract(share(structure(*rows))), facts(revenue=monthly(str(revenue))))
    assert not outcome.reasons, outcome.reasons
    return total_of(outcome.lines)


@LAW
@given(ladders(), decimals(0, 1_000).map(lambda step: step + Decimal("0.0001")))
def test_law_tiers_are_continuous_at_their_bounds(rows: tuple[TierText, ...], step: Decimal) -> None:
    """Rules R10: around a bound the charge rises by at most the highest rate times the step; billed, by a cent more."""
    most = max(money(percent or "0") for percent, _ in rows) * step / 100
    for bound in [money(bound) for _, bound in rows if bound is not None]:
        for low, high in ((bound - step, bound), (bound, bound + step)):
            assert 0 <= exact(high, rows) - exact(low, rows) <= most
            assert 0 <= shared(high, rows) - shared(low, rows) <= most + CENT


@LAW
@given(ladders(), decimals(-50_000, 200_000), decimals(-50_000, 200_000))
def test_law_tiers_are_monotone_and_nothing_is_charged_below_zero(
    rows: tuple[TierText, ...], one: Decimal, other: Decimal
) -> None:
    """Rules R1, R10: more revenue never costs less, a loss costs nothing; a month is charged what its bands come to."""
    low, high = sorted((one, other))

    assert shared(low, rows) <= shared(high, rows)
    for revenue in (low, high):
        assert shared(revenue, rows) == in_cents(on_tiers(Fraction(revenue), rows))
        assert revenue > 0 or exact(revenue, rows) == 0


# ---------------------------------------------------------------------------------------------------------- windows


YEAR = st.lists(decimals(-30_000, 60_000), min_size=12, max_size=12)
WINDOWS = st.sampled_from(
    [
        # window, anchor, its first month
        ("AnnualCalendar", None, Period(2026, 1)),
        ("AnnualAnniversary", date(2024, 4, 1), Period(2026, 4)),
        ("AnnualAnniversary", date(2023, 6, 15), Period(2026, 7)),
        ("AnnualAnniversary", date(2024, 2, 29), Period(2027, 3)),
    ]
)


def expected(year: Sequence[Decimal], rows: Sequence[TierText]) -> Decimal:
    """The charge on the highest running total of the window, 0 at least."""
    return in_cents(on_tiers(Fraction(max(Decimal(0), *accumulate(year))), rows))


@LAW
@given(ladders(), YEAR, WINDOWS)
def test_law_twelve_shares_of_revenue_are_the_charge_on_the_highest_total(
    rows: tuple[TierText, ...], year: list[Decimal], window: tuple[str, date | None, Period]
) -> None:
    """Rules R11: to the cent, with months of losses, and each window from nothing: the month before it is not in it."""
    kind, anchor, first = window
    deal = contract(share(structure(*rows, window=kind)), anchor_date=anchor)
    revenue = {str(first.previous): {"SD1": "99999"}}
    charges = []
    for place, amount in enumerate(year):
        month = first.plus(place)
        revenue[str(month)] = {"SD1": str(amount)}
        outcome = bill(deal, facts(period=month, revenue=revenue))
        assert not outcome.reasons, outcome.reasons
        charges.append(total_of(outcome.lines))

    assert min(charges) >= 0
    assert sum(charges) == expected(year, rows)


@LAW
@given(ladders(), YEAR, WINDOWS, decimals(0, 20_000, 2))
def test_law_twelve_shares_of_profit_are_the_charge_on_the_highest_total(
    rows: tuple[TierText, ...], year: list[Decimal], window: tuple[str, date | None, Period], fee: Decimal
) -> None:
    """Rules R3, R11, R44: a month's profit, less the fee as printed, is kept, losses too; later months count it."""
    kind, anchor, first = window
    on = ProfitShareOn.model_validate({"accumulation": kind, "tiers": tiers(*rows)})
    deal = contract(managed(profit_share=on, fee=FeeFixed(amount=fee)), anchor_date=anchor)
    profits = {first.previous: Decimal(99_999)}
    charges = []
    for place, amount in enumerate(year):
        month = first.plus(place)
        found = facts(period=month, revenue={str(month): {"SD1": str(amount)}})
        outcome = compute(terms_for(deal, month), found, CONTEXT, History(dict(profits)))
        assert not outcome.reasons, outcome.reasons
        assert outcome.profit == amount - fee
        profits[month] = outcome.profit
        charges.append(total_of(line for line in outcome.lines if line.block == "profitShare"))

    assert min(charges) >= 0
    assert sum(charges) == expected([amount - fee for amount in year], rows)
