"""Claims (billing-flows 6.10, 18.10, requirements 2.8): claims accounts, up to the cap of a year."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.billing.calculation import compute, needs_of
from shared_code.billing.claims import BLOCK
from shared_code.billing.given import NO_HISTORY, Given, History, Opening
from shared_code.billing.model import Outcome, Step
from shared_code.contracts.schema import BillableAccounts, ClaimsCapped, Contract
from shared_code.contracts.terms import terms_for
from shared_code.facts.completeness import Need
from shared_code.facts.model import ACCOUNTS, SiteFacts
from shared_code.foundation.calendar import Period
from tests.unit.billing.builders import (
    CONTEXT,
    PERIOD,
    amounts,
    bill,
    codes,
    contract,
    facts,
    fees,
    grouped,
    ledger,
    managed,
    maybe,
    money,
    october,
    on_accounts,
    selected,
    service,
    titled,
)

EXPENSES = selected("7000", "7099", "7100", "7101", "7102")


def yearly(cap: str | None, **fields: str) -> ClaimsCapped:
    return ClaimsCapped(kind="AnnualCalendar", cap=maybe(cap), **fields)


def anniversary(cap: str | None) -> ClaimsCapped:
    return ClaimsCapped(kind="AnnualAnniversary", cap=maybe(cap))


def per_claim(cap: str | None) -> ClaimsCapped:
    return ClaimsCapped(kind="PerClaim", cap=maybe(cap))


def deal(claims: ClaimsCapped, **fields: object) -> Contract:
    return contract(on_accounts(expense=EXPENSES), managed(claims=claims), **fields)


def months(*claims: str, last: Period = PERIOD) -> dict[str, dict[str, str]]:
    """Claims of successive months on account 7100, the last one being `last`."""
    first = last.plus(1 - len(claims))
    return {str(first.plus(place)): {"7100": amount} for place, amount in enumerate(claims)}


def year(to_date: str, month: str) -> SiteFacts:
    """A calendar year: all earlier claims in January, those of the month in October."""
    return ledger(months(to_date, *["0"] * 8, month))


def claims_line(outcome: Outcome) -> Decimal:
    assert not outcome.reasons, outcome.reasons
    return sum((line.amount for line in outcome.lines if line.block == "claims"), Decimal(0))


CAPPED = [
    # case, cap, to date, month, line
    ("billing-flows 18.10: within the cap", "50000", "10000", "5000", "5000.00"),
    ("billing-flows 18.10: the rest of the cap", "50000", "48000", "5000", "2000.00"),
    ("billing-flows 18.10: the cap is used up", "50000", "52000", "5000", "0"),
    ("exactly at the cap", "50000", "45000", "5000", "5000.00"),
    ("one cent above the cap", "50000", "45000.01", "5000", "4999.99"),
    ("exactly used up", "50000", "50000", "5000", "0"),
    ("a negative month passes as it is", "50000", "10000", "-700", "-700.00"),
    ("a negative month that brings the year back under the cap passes", "50000", "50300", "-700", "-700.00"),
    ("a negative month that brings the year back to exactly the cap passes", "50000", "50700", "-700", "-700.00"),
    ("a negative month of a year that stays above the cap bills nothing", "50000", "52000", "-700", "0"),
    ("a negative year leaves more than the cap", "50000", "-1000", "60000", "51000.00"),
    ("R1: rounded once", "50000", "0", "10.005", "10.01"),
    ("R1: what is left is rounded too", "100", "99.995", "5", "0.01"),
]


@pytest.mark.parametrize(("_case", "cap", "to_date", "month", "line"), CAPPED, ids=[row[0] for row in CAPPED])
def test_claims_are_billed_up_to_the_cap_of_the_year(_case: str, cap: str, to_date: str, month: str, line: str) -> None:
    assert claims_line(bill(deal(yearly(cap)), year(to_date, month))) == money(line)


@pytest.mark.parametrize("to_date", ["10000", "48000", "52000"])
def test_18_10_the_expenses_fall_by_all_claims_in_each_case(to_date: str) -> None:
    """What is above the cap is borne by the operator: out of the expenses, and not billed as claims."""
    found = ledger({**months(to_date, *["0"] * 9), "2026-10": {"7000": "80", "7100": "5000"}})

    assert titled(bill(deal(yearly("50000")), found))[0] == ("billableExpenses", "80.00")


def test_tv_ma_8_quarters_of_a_capped_year() -> None:
    quarters = {"2026-03": "15000", "2026-06": "20000", "2026-09": "18000", "2026-12": "10000"}
    booked = {f"2026-{month:02}": {"7100": quarters.get(f"2026-{month:02}", "0")} for month in range(1, 13)}

    billed = [
        claims_line(bill(deal(yearly("50000")), ledger(booked, period=Period.parse(quarter)))) for quarter in quarters
    ]

    assert billed == [money("15000.00"), money("20000.00"), money("15000.00"), money("0")]


UNCAPPED = [
    # case, claims, to date, month, line
    ("R16, B14: per claim is uncapped", per_claim("1000"), "52000", "5000", "5000.00"),
    ("R16: per claim without a cap passes; the source fails", per_claim(None), "0", "5000", "5000.00"),
    ("R16: a yearly cap that is null is no cap; the source fails", yearly(None), "52000", "5000", "5000.00"),
    ("R16: also of an anniversary", anniversary(None), "52000", "5000", "5000.00"),
    ("a per-claim cap of 0 is not read", per_claim("0"), "0", "5000", "5000.00"),
]


@pytest.mark.parametrize(("_case", "claims", "to_date", "month", "line"), UNCAPPED, ids=[row[0] for row in UNCAPPED])
def test_claims_without_a_cap_are_billed_as_booked(
    _case: str, claims: ClaimsCapped, to_date: str, month: str, line: str
) -> None:
    assert claims_line(bill(deal(claims), year(to_date, month))) == money(line)
    assert amounts(bill(deal(claims), october(a7100=month))) == [line], "no window, so no earlier month is needed"


def test_every_enabled_claims_account_counts_and_no_other() -> None:
    split = contract(
        on_accounts(expense=selected("7000", "7099", "7100", "7101", off=("7102",))), managed(claims=yearly("100"))
    )
    before = {"7000": "900", "7099": "10", "7101": "10", "7102": "500"}
    found = ledger(
        {**months(*["0"] * 9, last=PERIOD.previous), "2026-09": before, "2026-10": {"7099": "90", "7102": "9"}}
    )

    assert titled(bill(split, found)) == [("claims", "80.00")]


WINDOWS = [
    # case, claims, anchor, site start, months whose claims count before October 2026
    ("R2: the calendar of the service year", yearly("1000"), None, None, 9),
    ("R2: an anniversary of the contract's anchor", anniversary("1000"), date(2024, 7, 1), None, 3),
    ("R2: inside a month, from the next first", anniversary("1000"), date(2024, 7, 2), None, 2),
    ("R2: without an anchor, of the site's start", anniversary("1000"), None, date(2023, 6, 1), 4),
    ("R2: the anchor comes before the site's start", anniversary("1000"), date(2024, 9, 1), date(2023, 6, 1), 1),
    ("R2: a window that begins with the month", anniversary("1000"), date(2025, 10, 1), None, 0),
]


@pytest.mark.parametrize(("_case", "claims", "anchor", "started", "count"), WINDOWS, ids=[row[0] for row in WINDOWS])
def test_the_window_of_the_service_period(
    _case: str, claims: ClaimsCapped, anchor: date | None, started: date | None, count: int
) -> None:
    """100 a month with a cap of 1,000; a month of 5,000 is billed for what the window has left."""
    found = ledger(months(*["100"] * 14, "5000"), started=started)

    assert claims_line(bill(deal(claims, anchor_date=anchor), found)) == money("1000") - 100 * count


def test_b1_december_belongs_to_its_own_year_whenever_it_is_billed() -> None:
    """The source takes the year of today: December billed in January had a window of its own, 900 instead of 100."""
    found = ledger(months("900", *["0"] * 10, "900", last=Period(2026, 12)), period=Period(2026, 12))

    assert claims_line(bill(deal(yearly("1000")), found)) == money("100.00")


def test_an_anniversary_without_a_date_fails_the_contract() -> None:
    outcome = bill(deal(anniversary("1000")), october(a7100="5"))

    assert codes(outcome) == ["ANCHOR_MISSING"]
    assert outcome.reasons[0].message.endswith("enter the contract's anchor or site start")


def opened(as_of: str, to_date: str, *, row: str = "deal") -> History:
    opening = Opening(Period.parse(as_of), money(to_date), money(to_date))
    return History(openings={("claims", row): opening})


OPENINGS = [
    # case, opening, months that are loaded, line of a month of 500 under a cap of 1,000
    ("R39: the opening counts, its month included", opened("2026-08", "700"), months("0", "500"), "300.00"),
    (
        "R39: facts of months that the opening holds are not counted twice",
        opened("2026-08", "700"),
        months("900", "0", "500"),
        "300.00",
    ),
    ("R39: months after it come from facts", opened("2026-08", "400"), months("300", "500"), "300.00"),
    ("R39: an opening that ends in the month before", opened("2026-09", "1000"), months("500"), "0"),
    ("R39: zero by choice", opened("2026-09", "0"), months("500"), "500.00"),
]


@pytest.mark.parametrize(("_case", "history", "booked", "line"), OPENINGS, ids=[row[0] for row in OPENINGS])
def test_an_opening_stands_for_the_months_before_it(
    _case: str, history: History, booked: dict[str, dict[str, str]], line: str
) -> None:
    outcome = compute(terms_for(deal(yearly("1000")), PERIOD), ledger(booked), CONTEXT, history)

    assert claims_line(outcome) == money(line)


@pytest.mark.parametrize("history", [opened("2025-12", "700"), opened("2026-09", "700", row="other"), NO_HISTORY])
def test_an_opening_of_another_year_or_row_does_not_count(history: History) -> None:
    outcome = compute(terms_for(deal(yearly("1000")), PERIOD), ledger(months(*["0"] * 9, "500")), CONTEXT, history)

    assert claims_line(outcome) == money("500.00")


NEEDS = [
    # case, claims, site start, history, earliest month that is needed
    ("the window", yearly("1000"), None, NO_HISTORY, "2026-01"),
    ("R8: the site's start", yearly("1000"), date(2026, 6, 17), NO_HISTORY, "2026-06"),
    ("R8: a start on the last day of a month", yearly("1000"), date(2026, 6, 30), NO_HISTORY, "2026-06"),
    ("R39: the month after the opening", yearly("1000"), None, opened("2026-08", "1"), "2026-09"),
    ("R60: no cap, no window", yearly(None), None, NO_HISTORY, "2026-10"),
    ("R60: per claim, no window", per_claim("1000"), None, NO_HISTORY, "2026-10"),
]


@pytest.mark.parametrize(("_case", "claims", "started", "history", "first"), NEEDS, ids=[row[0] for row in NEEDS])
def test_the_ledger_months_that_claims_need(
    _case: str, claims: ClaimsCapped, started: date | None, history: History, first: str
) -> None:
    given = Given(terms_for(deal(claims), PERIOD), facts(started=started), CONTEXT, history)

    expected = {Need(ACCOUNTS, month) for month in Period.parse(first).until(PERIOD.next)}
    assert set(needs_of(given)) == expected


def test_claims_accounts_that_are_all_off_need_no_history() -> None:
    """Rules R60: no predicate reads them, so the window is not asked for, and claims are nothing."""
    split = contract(on_accounts(expense=selected("7000", off=("7100",))), managed(claims=yearly("1000")))

    assert titled(bill(split, october(a7000="3", a7100="9"))) == [("billableExpenses", "3.00")]


def test_a_month_of_the_window_that_is_not_there_fails_the_contract() -> None:
    """Rules R8, R39: not a zero, and no other line is billed either."""
    missing = {month: booked for month, booked in months(*["5"] * 10).items() if month != "2026-04"}
    with_fee = contract(fees(service("1")), on_accounts(expense=EXPENSES), managed(claims=yearly("1000")))

    assert codes(bill(with_fee, ledger(missing))) == ["MISSING_HISTORY"]


def test_claims_on_accounts_that_are_off_fail_the_contract() -> None:
    """Rules R62, and rules R8 for a block without rows."""
    assert codes(bill(contract(managed(claims=per_claim(None))), facts())) == ["ACCOUNTS_OFF"]
    empty = contract(BillableAccounts(enabled=True), managed(claims=per_claim(None)))
    outcome = bill(empty, facts())
    assert codes(outcome) == ["ACCOUNTS_OFF"]
    assert outcome.reasons[0].message.startswith("claims rest on the billable accounts")


def test_a_yearly_cap_of_zero_fails_the_contract() -> None:
    """Rules R48."""
    assert codes(bill(deal(yearly("0")), year("0", "5"))) == ["CAP_ZERO"]


def test_claims_leave_the_expenses_on_whatever_group_these_are() -> None:
    """Rules R7, R16."""
    two = grouped(on_accounts(expense=EXPENSES, expense_group=1), managed(claims=per_claim(None), group=2))

    lines = bill(two, october(a7000="10", a7100="100")).lines

    assert [(line.group, line.block, str(line.amount)) for line in lines] == [
        (1, "billableExpenses", "10.00"),
        (2, "claims", "100.00"),
    ]


def test_a_capped_line_says_what_it_is_and_why() -> None:
    history = opened("2026-08", "700")
    outcome = compute(terms_for(deal(yearly("1000")), PERIOD), ledger(months("100", "500")), CONTEXT, history)

    [line] = outcome.lines
    assert (line.title, line.code, line.description) == ("Loss & Damage Claims", "4791", "")
    assert line.meta == {"lineItemType": "claims", "isClaims": True, "isProfitDeduction": True}
    assert line.trace.inputs == {
        "row": "deal",
        "type": "AnnualCalendar",
        "cap": money("1000"),
        "accounts": {"7100": money("500")},
        "month": money("500"),
        "windowStart": "2026-01",
        "opening": money("700"),
        "openingAsOf": "2026-08",
        "toDate": money("800"),
    }
    assert line.trace.steps == (
        Step("Claims accounts of the month", money("500")),
        Step("Claims from 2026-01 to the month before", money("800")),
        Step("Left of the yearly cap of $1,000.00", money("200")),
        Step("Above the cap, borne by the operator", money("300")),
        Step("Claims, in cents", money("200.00")),
    )
    assert [(reference.period, reference.amount) for reference in line.trace.facts] == [
        ("2026-09", money("100")),
        ("2026-10", money("500")),
    ]


def test_a_line_within_the_cap_bears_nothing_and_knows_no_opening() -> None:
    line = bill(deal(yearly("1000")), year("800", "200")).lines[0]

    assert (line.trace.inputs["opening"], line.trace.inputs["openingAsOf"]) == (None, None)
    assert line.trace.inputs["toDate"] == money("800")
    assert [step.text for step in line.trace.steps] == [
        "Claims accounts of the month",
        "Claims from 2026-01 to the month before",
        "Left of the yearly cap of $1,000.00",
        "Claims, in cents",
    ]


def test_a_line_without_a_cap_does_not_speak_of_one() -> None:
    line = bill(deal(per_claim("1000")), october(a7100="5")).lines[0]

    assert [step.text for step in line.trace.steps] == ["Claims accounts of the month", "Claims, in cents"]
    assert "toDate" not in line.trace.inputs


def test_the_contract_may_name_the_line() -> None:
    assert bill(deal(yearly("10", title="Claims")), year("0", "5")).lines[0].title == "Claims"


@given(st.lists(st.decimals("0", "20000", places=2), min_size=12, max_size=12), st.decimals("1", "60000", places=2))
def test_a_year_of_claims_comes_to_the_cap_or_to_what_was_booked(booked: list[Decimal], cap: Decimal) -> None:
    """Law of months that are not negative: the charges of a window sum to the lesser of the two."""
    whole = {f"2026-{number:02}": {"7100": str(amount)} for number, amount in enumerate(booked, start=1)}

    billed = [
        claims_line(bill(deal(yearly(str(cap))), ledger(whole, period=Period(2026, number)))) for number in range(1, 13)
    ]

    assert sum(billed) == min(cap, sum(booked))


@pytest.mark.parametrize(
    ("claims", "first"), [(yearly("1000"), "2026-08"), (per_claim(None), "2026-10")], ids=["a window", "a month"]
)
def test_claims_ask_for_their_own_months(claims: ClaimsCapped, first: str) -> None:
    """Asked of the block itself, since the expenses need the service month for their own accounts."""
    given = Given(terms_for(deal(claims), PERIOD), facts(started=date(2026, 8, 3)), CONTEXT)

    expected = {Need(ACCOUNTS, month) for month in Period.parse(first).until(PERIOD.next)}
    assert set(BLOCK.needs(given)) == expected
