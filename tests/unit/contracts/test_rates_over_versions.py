"""Rates over the versions of a contract: what an edit keeps, what it starts anew, and laws of any history."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.contracts.rates.bases import RatedVersion, bases_json, bases_of_version, read_bases
from shared_code.contracts.rates.model import Indexes, RateBase, RateBases, RateInPeriod
from shared_code.contracts.rates.timeline import serving, timeline
from shared_code.contracts.schema import Contract, Escalator, FixedAmount, FixedPct, GreaterOf, LesserOf
from shared_code.foundation.calendar import Period
from tests.unit.contracts import parts
from tests.unit.contracts.documents import contract, money
from tests.unit.contracts.rated import eci, first_version, next_version, rule

FEE = "fixedFee.fee"
FIRST, LAST = Period(2026, 6), Period(2031, 12)
JUNE = date(2026, 6, 1)


def deal(fee: str = "1000", *rules: Escalator, **fields: object) -> Contract:
    return contract(parts.fees(parts.fee(fee=money(fee))), escalators=rules, **fields)


def yearly(size: str, month: str = "January", **fields: object) -> Escalator:
    return rule(FixedPct, FEE, month, pct=size, **fields)


def rates(
    *versions: RatedVersion, first: Period = FIRST, last: Period = LAST, indexes: Indexes | None = None
) -> list[RateInPeriod]:
    """The one rate of the contract in each month."""
    return [rate for month in timeline(versions, first, last, indexes or {}) for rate in month.rates]


def fees(*versions: RatedVersion, periods: list[str]) -> list[str]:
    found = [rates(*versions, first=Period.parse(text), last=Period.parse(text))[0].value for text in periods]
    return [str(value) for value in found]


def test_an_edit_that_leaves_the_rate_alone_keeps_base_and_value() -> None:
    """Rules R43: else any edit in February would switch January's increase off, and nobody would see it."""
    one = first_version(deal("1000", yearly("3")))
    two = next_version(one, deal("1000.00", yearly("3"), purchase_order="PO 7"), date(2027, 3, 1))

    assert two.bases.by_key == {"fixedFee/f/fee": RateBase(money("1000"), JUNE, 1)}
    assert fees(one, two, periods=["2027-02", "2027-03", "2028-01"]) == ["1030.00", "1030.00", "1060.90"]


def test_a_changed_rate_starts_anew_on_the_day_of_its_version() -> None:
    one = first_version(deal("1000", yearly("3")))
    two = next_version(one, deal("1500", yearly("3")), date(2027, 1, 1))

    assert two.bases.by_key == {"fixedFee/f/fee": RateBase(money("1500"), date(2027, 1, 1), 2)}
    assert fees(one, two, periods=["2026-12", "2027-01", "2028-01"]) == ["1000", "1500", "1545.00"]


def test_each_rate_has_its_own_base() -> None:
    rows = (parts.fee(id="a"), parts.fee(id="b"))
    one = first_version(contract(parts.fees(*rows), escalators=(yearly("3"),)))
    changed = parts.fees(rows[0], parts.fee(id="b", fee=money("200")), parts.fee(id="c"))
    two = next_version(one, contract(changed, escalators=(yearly("3"),)), date(2027, 3, 1))

    assert [str(rate.value) for rate in rates(one, two, first=Period(2027, 3), last=Period(2027, 3))] == [
        "103.00",
        "200",
        "100",
    ]


EDITS = [
    # the escalators of the second version, from when it serves, fee in 2027-12, 2028-01 and 2028-07
    ([yearly("5")], date(2028, 1, 1), ["1030.00", "1081.50", "1081.50"]),  # the step of that January is its own
    ([yearly("5")], date(2028, 2, 1), ["1030.00", "1060.90", "1060.90"]),
    ([yearly("5", "July")], date(2027, 12, 1), ["1030.00", "1030.00", "1081.50"]),
    ([yearly("5", "July")], date(2028, 2, 1), ["1030.00", "1060.90", "1060.90"]),  # once a year
    ([], date(2027, 6, 1), ["1030.00", "1030.00", "1030.00"]),  # reductions only by a dated schedule
    ([yearly("3", text="as agreed", source="api")], date(2027, 6, 1), ["1030.00", "1060.90", "1060.90"]),
]


@pytest.mark.parametrize(("rules", "effective", "expected"), EDITS)
def test_another_escalator_takes_over_from_what_the_rate_has_become(
    rules: list[Escalator], effective: date, expected: list[str]
) -> None:
    one = first_version(deal("1000", yearly("3")))
    two = next_version(one, deal("1000", *rules), effective)

    assert fees(one, two, periods=["2027-12", "2028-01", "2028-07"]) == expected


def test_an_escalator_that_comes_later_reaches_no_further_back_than_its_version() -> None:
    one = first_version(deal("1000"))
    two = next_version(one, deal("1000", yearly("3")), date(2028, 6, 1))

    assert fees(one, two, periods=["2028-05", "2028-06", "2029-01"]) == ["1000", "1000", "1030.00"]


def test_an_escalator_that_corrects_the_whole_past_counts_from_the_base_of_the_rate() -> None:
    """A version without a date of its own says what should have been said from the beginning."""
    one = first_version(deal("1000"))
    corrected = deal("1000", yearly("3"))
    two = RatedVersion(2, None, corrected, bases_of_version(corrected, 2, date(2028, 6, 1), None, one))

    assert fees(one, two, periods=["2026-12", "2027-01", "2028-06"]) == ["1000", "1030.00", "1060.90"]


def test_a_year_that_was_skipped_is_still_open_for_another_rule() -> None:
    skipping = yearly("3", exceptions=[{"year": 2028, "action": "skip"}])
    one = first_version(deal("1000", skipping))
    two = next_version(one, deal("1000", yearly("5", "July")), date(2028, 2, 1))

    assert fees(one, two, periods=["2028-01", "2028-06", "2028-07"]) == ["1030.00", "1030.00", "1081.50"]


def test_an_index_value_that_comes_late_raises_what_followed_it() -> None:
    """The steps of an earlier version are kept as rules, not as amounts."""
    one = first_version(deal("1000", rule(GreaterOf, FEE, pct="3", index="ECI")))
    two = next_version(one, deal("1000", yearly("5")), date(2027, 6, 1))
    month = {"first": Period(2028, 1), "last": Period(2028, 1)}

    [without] = rates(one, two, first=Period(2028, 1), last=Period(2028, 1))
    [later] = rates(one, two, indexes=eci(y2027="4"), **month)

    assert (str(without.value), [note.code for note in without.notes]) == ("1050.00", ["INDEX_MISSING"])
    assert (str(later.value), later.notes) == ("1092.00", ())


def test_a_version_for_the_beginning_of_time_corrects_the_one_before_as_a_whole() -> None:
    one = first_version(deal("1000", yearly("3")))
    bases = bases_of_version(deal("1000", yearly("5")), 2, date(2027, 9, 1), None, one)
    two = RatedVersion(2, None, deal("1000", yearly("5")), bases)

    assert fees(one, two, periods=["2026-12", "2027-01", "2028-01"]) == ["1000", "1050.00", "1102.50"]


def test_a_row_that_starts_later_than_before_has_its_base_there() -> None:
    one = first_version(contract(parts.fees(parts.fee()), escalators=(yearly("3"),)))
    moved = contract(parts.fees(parts.fee(start=date(2028, 1, 1))), escalators=(yearly("3"),))
    two = next_version(one, moved, date(2026, 9, 1))

    assert fees(one, two, periods=["2028-01", "2029-01"]) == ["100", "103.00"]


def test_bases_are_stored_as_json_with_values_days_and_past_rules() -> None:
    one = first_version(deal("1000.50", yearly("3")))
    two = next_version(one, deal("1000.50", rule(FixedAmount, FEE, "May", amount="7.5")), date(2027, 3, 1))

    assert json.loads(bases_json(two.bases)) == {
        "fixedFee/f/fee": {
            "value": "1000.50",
            "base": "2026-06-01",
            "version": 1,
            "earlier": [
                {
                    "before": "2027-03-01",
                    "rules": [{"rule": "fixed_pct", "target": FEE, "month": "January", "pct": "3"}],
                }
            ],
        }
    }
    assert read_bases(bases_json(two.bases), two.bases.otherwise) == two.bases


def test_a_version_that_was_stored_without_bases_is_of_its_month() -> None:
    old = RatedVersion(1, None, deal("1000", yearly("3")), read_bases("{}", JUNE))

    assert fees(old, periods=["2026-12", "2027-01"]) == ["1000", "1030.00"]


def test_a_timeline_says_which_version_serves_and_how_each_rate_came_about() -> None:
    ending = {"end_date": date(2027, 3, 31)}
    one = RatedVersion(
        1, date(2026, 11, 15), deal("1000", yearly("3"), **ending), RateBases(otherwise=date(2026, 11, 15))
    )
    two = next_version(one, deal("1100", yearly("3"), **ending), date(2027, 2, 1))

    found = timeline([one, two], Period(2026, 11), Period(2027, 4))

    assert [(str(month.period), month.version, [str(rate.value) for rate in month.rates]) for month in found] == [
        ("2026-11", None, []),  # effective inside a month: from the next first (R12)
        ("2026-12", 1, ["1000"]),
        ("2027-01", 1, ["1030.00"]),
        ("2027-02", 2, ["1100"]),
        ("2027-03", 2, ["1100"]),
        ("2027-04", 2, []),  # out of force
    ]
    assert found[3].rates[0].explanation == ("$1,100.00 stated as of 2027-02-01 by version 2",)
    assert found[2].rates[0].explanation == (
        "$1,000.00 stated as of 2026-11-15",
        "2027-01-01: $1,000.00 to $1,030.00, 3 % more",
    )


def test_a_version_replaces_from_its_day_on_all_that_was_saved_before() -> None:
    one = first_version(deal("1000"))
    future = next_version(one, deal("1200"), date(2028, 1, 1))
    bases = bases_of_version(deal("1000", yearly("3")), 3, date(2027, 6, 1), date(2027, 6, 1), one)
    three = RatedVersion(3, date(2027, 6, 1), deal("1000", yearly("3")), bases)

    assert fees(one, future, three, periods=["2027-05", "2028-01"]) == ["1000", "1030.00"]


# --- laws -------------------------------------------------------------------------------------------------------------

MONTH_NAMES = st.sampled_from(["January", "March", "July", "December"])
SIZES = st.decimals(0, 20, places=2).map(str)
INDEXES: Indexes = {("ECI", year): Decimal(year % 5) for year in range(2026, 2031)}  # and none for 2031


@st.composite
def escalators(draw: st.DrawFn) -> Escalator:
    kind = draw(st.sampled_from(["pct", "amount", "greater", "lesser"]))
    month, size = draw(MONTH_NAMES), draw(SIZES)
    match kind:
        case "pct":
            return yearly(size, month)
        case "amount":
            return rule(FixedAmount, FEE, month, amount=size)
        case "greater":
            return rule(GreaterOf, FEE, month, pct=size, index="ECI")
        case _:
            return rule(LesserOf, FEE, month, pct=size, index="ECI")


@st.composite
def histories(draw: st.DrawFn, *, same_rate: bool = False, same_rule: bool = False) -> list[RatedVersion]:
    """Versions that take over one after the other, each with the rate or rule of before, or others."""
    fee, raised = draw(st.decimals(1, 9999, places=2).map(str)), draw(escalators())
    versions = [first_version(deal(fee, raised))]
    starts = draw(st.lists(st.dates(date(2026, 7, 1), date(2031, 6, 30)), max_size=4, unique=True).map(sorted))
    for number, effective in enumerate(starts):
        fee = fee if same_rate or draw(st.booleans()) else draw(st.decimals(1, 9999, places=2).map(str))
        raised = raised if same_rule or draw(st.booleans()) else draw(escalators())
        changed = deal(fee, raised, purchase_order=f"PO {number}")
        versions.append(next_version(versions[-1], changed, effective))
    return versions


@given(histories())
def test_regenerating_a_past_period_after_any_later_change_gives_the_same_rates(history: list[RatedVersion]) -> None:
    """Rules R12: nothing is overwritten."""
    for known in range(1, len(history)):
        change = history[known].effective_from
        assert change is not None
        last = Period.of(change) if change.day > 1 else Period.of(change).previous
        before, after = (timeline(some, FIRST, last, INDEXES) for some in (history[:known], history))
        served = len(after) - sum(1 for month in after if (month.version or 0) > known)
        assert before[:served] == after[:served]
        assert served == len(before)


@st.composite
def corrections(draw: st.DrawFn) -> list[RatedVersion]:
    """Versions in the order of saving, effective in any order: a correction may take over before a later one does."""
    saved = [first_version(deal(draw(st.decimals(1, 9999, places=2).map(str)), draw(escalators())))]
    for effective in draw(st.lists(st.dates(date(2026, 8, 1), date(2031, 6, 30)), max_size=4)):
        before = serving(saved, Period.of(effective - timedelta(days=1)))
        assert before is not None
        fee = draw(st.sampled_from(["1000", "1500"]))
        version, changed = len(saved) + 1, deal(fee, draw(escalators()))
        bases = bases_of_version(changed, version, effective, effective, before)
        saved.append(RatedVersion(version, effective, changed, bases))
    return saved


@given(corrections())
def test_no_version_changes_a_month_that_begins_before_its_day(saved: list[RatedVersion]) -> None:
    for number in range(1, len(saved)):
        begun = saved[number].effective_from
        months = [month for month in FIRST.until(LAST.next) if begun is None or month.first_day < begun]
        before, after = (timeline(some, FIRST, months[-1], INDEXES) for some in (saved[:number], saved[: number + 1]))
        assert before == after


@given(histories())
def test_a_rate_is_raised_at_most_once_a_year(history: list[RatedVersion]) -> None:
    for rate in rates(*history, indexes=INDEXES):
        years = [step.day.year for step in rate.steps]
        assert len(years) == len(set(years))


@given(histories(same_rate=True))
def test_while_nobody_changes_the_stated_rate_it_never_falls(history: list[RatedVersion]) -> None:
    """Monotone for increments that are not negative, whatever escalators come and go (rules R43)."""
    found = [rate.value for rate in rates(*history, indexes=INDEXES)]

    assert None not in found
    assert found == sorted(found, key=lambda value: value or Decimal(0))


@given(histories(same_rate=True, same_rule=True))
def test_edits_that_leave_rate_and_rule_alone_change_nothing(history: list[RatedVersion]) -> None:
    edited = rates(*history, indexes=INDEXES)

    assert edited == rates(history[0], indexes=INDEXES)


@given(histories(), st.integers(2, 4))
def test_saying_a_rule_or_saving_a_version_again_never_doubles_a_step(history: list[RatedVersion], times: int) -> None:
    last = history[-1]
    stored = read_bases(bases_json(last.bases), last.bases.otherwise)
    repeated = last.contract.model_copy(update={"escalators": last.contract.escalators * times})
    again = [*history[:-1], RatedVersion(last.version, last.effective_from, repeated, stored)]
    for _ in range(times):
        again.append(next_version(again[-1], repeated, last.effective_from or JUNE))

    assert [rate.value for rate in rates(*again, indexes=INDEXES)] == [
        rate.value for rate in rates(*history, indexes=INDEXES)
    ]
