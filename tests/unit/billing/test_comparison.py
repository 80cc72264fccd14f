"""Comparison to forecast (billing-flows 8): figures, limits, and when a person has to look."""

from dataclasses import replace
from decimal import Decimal

import pytest

from shared_code.billing.comparison import Comparison, DeviationLimits, compare, compare_again
from shared_code.billing.context import LedgerAccounts
from shared_code.billing.model import Line, Trace
from shared_code.facts.model import ACCOUNTS, FactSum, SiteFacts
from tests.unit.billing.builders import PERIOD, facts, maybe, money, october, present

NO_LIMITS = DeviationLimits()


def line(amount: str, code: str = "4790") -> Line:
    return Line("adHoc", 1, "Fee", code, "", money(amount), Trace())


def expected(ledger: SiteFacts, forecast: str | None) -> SiteFacts:
    """Facts with a forecast balance; revenue is negative there, as in the ledger."""
    found = FactSum(money(forecast), 1, "batch-f") if forecast is not None else None
    return replace(ledger, forecast=found, forecast_loaded="2026-10-02 06:30" if found else None)


POSTED = october(a4000="-50000", a4999="-30000", a3999="-1", a5000="-2", a6200="70000")
EXAMPLE = expected(POSTED, "-100000")


def test_18_14_figures_are_exact() -> None:
    assert compare([line("18000")], EXAMPLE, NO_LIMITS) == Comparison(
        posted=money("80000"),
        invoiced=money("18000"),
        forecast=money("100000"),
        deviation_amount=money("2000"),
        deviation_percent=money("2"),
        why=(),
        forecast_loaded="2026-10-02 06:30",
    )


def test_18_14_the_actual_is_what_was_posted_and_invoiced() -> None:
    assert compare([line("18000")], EXAMPLE, NO_LIMITS).actual == money("98000")


LIMITS = [
    # case, limit in dollars, limit in percent, AND or OR, whether a person looks. Deviations are 2,000 and 2 %.
    ("18.14: only the percentage is exceeded", "2500", "1.5", "AND", False),
    ("both are exceeded", "1999.99", "1.99", "AND", True),
    ("R25: strictly greater, in dollars", "2000", "1.5", "AND", False),
    ("R25: strictly greater, in percent", "1500", "2", "AND", False),
    ("R25: the setting OR asks for one", "2500", "1.5", "OR", True),
    ("R25: none of them with OR", "2500", "2", "OR", False),
    ("R51: no limit in percent drops out", "1500", None, "AND", True),
    ("R51: no limit in dollars drops out", None, "1.5", "AND", True),
    ("R51: 0 is no limit either", "0", "1.5", "AND", True),
    ("R51: 0 is no limit with OR", "2500", "0", "OR", False),
    ("R51: without limits nobody has to look", None, "0", "AND", False),
    ("R51: without limits, OR", None, None, "OR", False),
]


@pytest.mark.parametrize(("_case", "amount", "percent", "combined", "looks"), LIMITS, ids=[row[0] for row in LIMITS])
def test_limits_decide_whether_a_person_looks(
    _case: str, amount: str | None, percent: str | None, combined: str, looks: bool
) -> None:
    limits = DeviationLimits(maybe(amount), maybe(percent), "OR" if combined == "OR" else "AND")

    assert compare([line("18000")], EXAMPLE, limits).why == (("DEVIATION",) if looks else ())


DEVIATIONS = [
    # case, forecast, posted, lines, deviation in dollars and in percent to four decimals, why, limits of 2,500 and 10 %
    ("TV-LIF-1: only the percentage is exceeded", "20000", "17600", "0", "2400", "12", ()),
    ("TV-LIF-2: both are exceeded", "21666.6667", "19066.6667", "0", "2600", "12", ("DEVIATION",)),
    ("TV-LIF-3: exactly at both limits", "25000", "22500", "0", "2500", "10", ()),
    ("TV-LIF-6: posted and invoiced make the actual", "15000", "12000", "13000", "10000", "66.6667", ("DEVIATION",)),
]


@pytest.mark.parametrize(
    ("_case", "forecast", "posted", "invoiced", "amount", "percent", "why"), DEVIATIONS, ids=[r[0] for r in DEVIATIONS]
)
def test_a_deviation_above_both_limits_goes_to_a_person(
    _case: str, forecast: str, posted: str, invoiced: str, amount: str, percent: str, why: tuple[str, ...]
) -> None:
    """Rules R25: strictly greater, and both of them by default."""
    limits = DeviationLimits(amount=money("2500"), percent=money("10"))

    found = compare([line(invoiced)], expected(october(a4000=f"-{posted}"), f"-{forecast}"), limits)

    assert found.actual == money(posted) + money(invoiced)
    assert (found.deviation_amount, round(found.deviation_percent, 4)) == (money(amount), money(percent))
    assert found.why == why


def test_r51_exact_figures_are_compared() -> None:
    """A third of a cent above a limit is above it."""
    found = compare([], expected(october(a4000="-100.0033"), "-100"), DeviationLimits(amount=money("0.0032")))

    assert found.why == ("DEVIATION",)
    assert found.deviation_percent == money("0.0033")


CODES = [
    ("4000", "7.00"),
    ("4999", "7.00"),
    (" 4790 ", "7.00"),
    ("3999", "0"),
    ("5000", "0"),
    ("40000", "0"),
    ("", "0"),
    ("OR1", "0"),
    ("4790-A", "0"),
    ("\u00b2", "0"),
]


@pytest.mark.parametrize(("code", "invoiced"), CODES)
def test_only_lines_on_revenue_accounts_are_revenue(code: str, invoiced: str) -> None:
    """A code that is no number is none, where the flow fails (B22)."""
    assert compare([line("7", code)], EXAMPLE, NO_LIMITS).invoiced == Decimal(invoiced)


def test_lines_of_all_invoices_count_and_credits_lower_them() -> None:
    assert compare([line("10"), line("-4", "4791"), line("0.5", "4795")], EXAMPLE, NO_LIMITS).invoiced == money("6.50")


REASONS = [
    # case, facts, lines, why
    ("R25: no forecast", expected(POSTED, None), [], ("NO_FORECAST",)),
    ("R25: no forecast and nothing came in", expected(october(a6200="1"), None), [], ()),
    (
        "R25: no forecast, and as much invoiced as posted",
        expected(october(a4000="-50"), None),
        [line("50")],
        ("NO_FORECAST",),
    ),
    ("a forecast of 0 gives no percentage", expected(POSTED, "0"), [], ("NO_FORECAST",)),
    ("R51: no ledger", expected(facts(), "-100"), [line("100")], ("NO_LEDGER",)),
    ("R51: neither of them", facts(), [line("1")], ("NO_FORECAST", "NO_LEDGER")),
    ("R51: what is not loaded may not be 0", facts(), [], ("NO_FORECAST", "NO_LEDGER")),
    ("a ledger without revenue is a ledger", expected(october(a6200="1"), "-100"), [line("100")], ()),
]


@pytest.mark.parametrize(("_case", "found", "lines", "why"), REASONS, ids=[row[0] for row in REASONS])
def test_what_is_not_known_goes_to_a_person(
    _case: str, found: SiteFacts, lines: list[Line], why: tuple[str, ...]
) -> None:
    assert compare(lines, found, NO_LIMITS).why == why


def test_r25_a_month_without_forecast_may_pass_by_setting() -> None:
    """Its percentage is 0, and the deviation in dollars the whole month (billing-flows 8)."""
    found = compare([], expected(POSTED, None), DeviationLimits(forecast_expected=False))

    assert found.forecast is None
    assert (found.deviation_amount, found.deviation_percent) == (money("80000"), money("0"))
    assert found.why == ()


def test_a_deviation_is_not_reported_of_a_ledger_that_is_not_loaded() -> None:
    found = compare([], expected(facts(), "-100"), DeviationLimits(amount=money("1")))

    assert found.why == ("NO_LEDGER",)


def test_more_revenue_than_expected_deviates_too() -> None:
    found = compare([line("60")], expected(october(a4000="-60"), "-100"), NO_LIMITS)

    assert (found.deviation_amount, found.deviation_percent) == (money("20"), money("20"))


def test_a_negative_forecast_has_a_positive_percentage() -> None:
    found = compare([line("10")], expected(october(a4000="0"), "40"), NO_LIMITS)

    assert (found.forecast, found.deviation_amount, found.deviation_percent) == (
        money("-40"),
        money("50"),
        money("125"),
    )


@pytest.mark.parametrize(("rows", "why"), [(0, ("NO_LEDGER",)), (1, ())])
def test_r51_a_ledger_without_rows_is_not_loaded_and_one_row_is_a_ledger(rows: int, why: tuple[str, ...]) -> None:
    ledger = replace(POSTED, presence={(ACCOUNTS, PERIOD): present(PERIOD, rows=rows)})

    assert compare([line("18000")], expected(ledger, "-100000"), NO_LIMITS).why == why


def test_b22_a_code_that_is_no_number_is_on_no_account_however_low_accounts_begin() -> None:
    ledger = LedgerAccounts(revenue_from="1", revenue_through="4999")

    assert compare([line("7", "OR1"), line("2", "1")], EXAMPLE, NO_LIMITS, ledger).invoiced == money("2")


AGAIN = [
    # case, forecast, ledger loaded, lines before, lines after
    ("a line more", "-100000", True, ["18000"], ["18000", "5000"]),
    ("all lines gone", "-100000", True, ["18000"], []),
    ("beyond the limits by now", "-100000", True, ["20000"], ["900"]),
    ("within them by now", "-100000", True, ["900"], ["20000"]),
    ("no forecast", None, True, ["18000"], ["1"]),
    ("no ledger", "-100000", False, ["18000"], ["1"]),
    ("neither, and nothing is billed", None, False, ["18000"], []),
]


@pytest.mark.parametrize(("_case", "forecast", "loaded", "before", "after"), AGAIN, ids=[row[0] for row in AGAIN])
def test_other_lines_are_compared_as_if_they_had_been_there(
    _case: str, forecast: str | None, loaded: bool, before: list[str], after: list[str]
) -> None:
    """Of an ad-hoc line (requirements ADH-07): what was posted and forecast stays as it was found."""
    month = expected(POSTED if loaded else facts(), forecast)
    limits = DeviationLimits(money("2500"), money("1"))
    ledger = LedgerAccounts()

    found = compare_again(compare([line(one) for one in before], month, limits), map(line, after), limits, ledger)

    assert found == compare([line(one) for one in after], month, limits, ledger)
