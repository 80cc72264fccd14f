"""Profit share (billing-flows 7, requirements 2.8): the month's profit, and the operator's tiers of it."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.billing.calculation import compute
from shared_code.billing.given import NO_HISTORY, History, Opening
from shared_code.billing.model import AdHocLine, AdHocType, Line, Outcome, Step
from shared_code.billing.tiers import TierTerm, charge
from shared_code.contracts.schema import (
    Agreement,
    Component,
    Contract,
    FeeFixed,
    InsuranceFixed,
    ManagementAgreement,
    NonGlAmount,
    ProfitShareOn,
    PtebActual,
    SupportFixed,
    Tier,
    ValidationMoney,
    ValidationPercentage,
    ValidationVehicles,
)
from shared_code.contracts.terms import terms_for
from shared_code.facts.model import SiteFacts
from shared_code.foundation.calendar import Period
from tests.unit.billing.builders import (
    CONTEXT,
    PERIOD,
    TierText,
    amounts,
    codes,
    contract,
    facts,
    fees,
    grouped,
    managed,
    measured,
    money,
    monthly,
    october,
    on_accounts,
    selected,
    service,
    tiers,
    together,
)

TWO_TIERS: tuple[TierText, ...] = (("20", "5000"), ("30", None))


def sharing(*rows: TierText, window: str = "Monthly", **fields: object) -> ManagementAgreement:
    """An agreement that shares profit by these tiers, 10 % of it where a test does not care."""
    share = ProfitShareOn.model_validate({"accumulation": window, "tiers": tiers(*(rows or (("10", None),)))})
    return managed(profit_share=share, **fields)


def profits(*earlier: str) -> History:
    """Profits of the months before the service month, the last one being September."""
    first = PERIOD.plus(-len(earlier))
    return History({first.plus(place): money(profit) for place, profit in enumerate(earlier)})


def opening(as_of: str, to_date: str, mark: str = "0", **known: str) -> History:
    """An opening of the profit share, and profits of later months: `m09="1"` is September."""
    found = {Period(PERIOD.year, int(name[1:])): money(profit) for name, profit in known.items()}
    opened = Opening(Period.parse(as_of), money(to_date), money(mark))
    return History(found, {("profitShare", "deal"): opened})


def added(kind: AdHocType, amount: str, title: str = "Repairs", group: int = 1) -> AdHocLine:
    return AdHocLine(title, group, kind, title, "4791", "", money(amount))


def revenue(amount: str) -> SiteFacts:
    return facts(revenue=monthly(amount))


def bill(deal: Contract, found: SiteFacts, history: History = NO_HISTORY, adhoc: Sequence[AdHocLine] = ()) -> Outcome:
    return compute(terms_for(deal, found.period), found, CONTEXT, history, adhoc)


def shared(outcome: Outcome) -> Line:
    """The line of the profit share."""
    assert not outcome.reasons, outcome.reasons
    (line,) = (line for line in outcome.lines if line.block == "profitShare")
    return line


def calendar(*rows: TierText, started: date | None = None, **fields: object) -> tuple[Contract, SiteFacts]:
    """A share over the calendar year of a site that started on its first of July, and October's facts of 0."""
    deal = contract(sharing(*rows, window="AnnualCalendar"), **fields)
    return deal, facts(revenue=monthly("0"), started=started or date(2026, 7, 1))


# ------------------------------------------------------------------------------------------------------- a month


MONTHS = [
    # case, tiers, profit of the month, due
    ("TV-MA-9: 125,000", (("20", "50000"), ("30", "100000"), ("40", None)), "125000", "35000.00"),
    ("18.7: tiers on 55,949.50, 15,082.325 to the cent (R1)", (("20", "30000"), ("35", None)), "55949.50", "15082.33"),
    ("at a bound the next tier has nothing", TWO_TIERS, "5000", "1000.00"),
    ("a cent above the bound", TWO_TIERS, "5000.05", "1000.02"),
    ("R10: above the last bound nothing is shared", (("20", "5000"),), "9000", "1000.00"),
    ("R10: 0 is no bound", (("20", "0"),), "9000", "1800.00"),
]


@pytest.mark.parametrize(("_case", "rows", "profit", "due"), MONTHS, ids=[row[0] for row in MONTHS])
def test_tiers_share_the_profit_of_a_month(_case: str, rows: tuple[TierText, ...], profit: str, due: str) -> None:
    assert amounts(bill(contract(sharing(*rows)), revenue(profit))) == [due]


def example_18_7() -> tuple[Contract, SiteFacts, list[AdHocLine]]:
    """Billing-flows 18.7: 120,000 of revenue, deductions of 64,500.50, validations 1,500 above their threshold."""
    accounts = on_accounts(
        payroll=selected("6002"),
        pteb=PtebActual(),
        expense=selected("7000"),
        support=SupportFixed(amount=money("2500")),
    )
    agreement = sharing(
        ("20", "30000"),
        ("35", None),
        fee=FeeFixed(amount=money("5000")),
        validation=ValidationMoney(value=money("3500")),
        non_gl_enabled=True,
        non_gl=(NonGlAmount(id="n", title="Uniforms", amount=money("750")),),
    )
    ledger = october(a6002="40000", a6200="9000.50", a7000="8000")
    found = measured(together(revenue("120000"), ledger), validatedForProfit="5000")
    return contract(accounts, agreement), found, [added("nonBillableExpense", "-300", "Tow")]


def test_18_7_every_deduction_lowers_the_profit() -> None:
    deal, found, adhoc = example_18_7()

    outcome = bill(deal, found, adhoc=adhoc)

    assert outcome.profit == money("55949.50")
    assert shared(outcome).amount == money("15082.33")  # 15,082.325 in the flows, rounded by R1


def test_18_7_the_text_states_the_calculation_line_by_line() -> None:
    """Billing-flows 7.7, rules R55. The parts of the tiers sum to the amount of the line."""
    deal, found, adhoc = example_18_7()

    assert shared(bill(deal, found, adhoc=adhoc)).description.split("\n") == [
        "Monthly Revenue: $120,000.00",
        "Value of Validations Over Threshold: $1,500.00",
        "Total Other Expenses: -$8,000.00",
        "Site Salaries & Wages: -$40,000.00",
        "PTEB: -$9,000.50",
        "Support Services: -$2,500.00",
        "Management Fee: -$5,000.00",
        "Tow: -$300.00",
        "Uniforms: -$750.00",
        "Profit Share 20%: $6,000.00",
        "Profit Share 35%: $9,082.33",
        "",
    ]


def test_18_7_the_details_mark_each_row() -> None:
    """As the flows mark them: validations as a deduction too, expenses outside deductions not at all."""
    deal, found, adhoc = example_18_7()

    line = shared(bill(deal, found, adhoc=adhoc))

    details = line.meta["profitShareCalculationDetails"]
    assert isinstance(details, list)
    assert details[:3] == [
        {"description": "Monthly Revenue", "amount": "$120,000.00", "isProfitAddition": True},
        {"description": "Value of Validations Over Threshold", "amount": "$1,500.00", "isProfitDeduction": True},
        {"description": "Total Other Expenses", "amount": "-$8,000.00", "isProfitDeduction": True},
    ]
    assert details[7:] == [
        {"description": "Tow", "amount": "-$300.00"},
        {"description": "Uniforms", "amount": "-$750.00"},
        {"description": "Profit Share 20%", "amount": "$6,000.00", "isProfitCalculation": True},
        {"description": "Profit Share 35%", "amount": "$9,082.33", "isProfitCalculation": True},
    ]


def test_lines_of_an_agreement_stand_behind_the_accounts_and_the_share_stands_last() -> None:
    """Billing-flows 5.5, steps 5 and 7."""
    deal, found, adhoc = example_18_7()

    outcome = bill(deal, found, adhoc=[*adhoc, added("miscellaneous", "9")])

    assert [line.block for line in outcome.lines][-4:] == ["managementFee", "nonGlExpense", "adHoc", "profitShare"]


def test_the_line_says_what_it_is() -> None:
    line = shared(bill(grouped(sharing(group=2)), revenue("70")))

    assert (line.group, line.title, line.code) == (2, "Meridian Profit Share", "4791")
    found = {key: line.meta[key] for key in ("lineItemType", "isProfitShare", "monthlyProfit")}
    assert found == {"lineItemType": "profitShare", "isProfitShare": True, "monthlyProfit": money("70")}
    assert "isProfitDeduction" not in line.meta


# --------------------------------------------------------------------------------------------- what lowers a profit


def test_r44_deductions_count_whatever_their_group() -> None:
    accounts = on_accounts(payroll=selected("6002"), payroll_group=2)
    deal = grouped(accounts, sharing(fee=FeeFixed(amount=money("5"))))

    outcome = bill(deal, together(revenue("100"), october(a6002="40")))

    assert outcome.profit == money("55")
    assert [(line.block, line.group) for line in outcome.lines][-1] == ("profitShare", 1)


def test_lines_that_are_no_deductions_leave_the_profit_alone() -> None:
    deal = contract(sharing(), fees(service("500")))
    adhoc = [added("miscellaneous", "40"), added("reimbursableExpense", "30", "Ice")]

    assert bill(deal, revenue("100"), adhoc=adhoc).profit == money("100")


def test_r45_the_profit_has_the_printed_lines_and_not_exact_amounts() -> None:
    """Payroll of 10.005 is printed as 10.01: the profit is 89.99, and would be 89.995 exactly."""
    deal = contract(on_accounts(payroll=selected("6002")), sharing())

    assert bill(deal, together(revenue("100"), october(a6002="10.005"))).profit == money("89.99")


def test_tv_ma_15_what_the_client_paid_lowers_the_profit_and_is_not_on_the_invoice() -> None:
    outcome = bill(contract(sharing()), revenue("10000"), adhoc=[added("clientPaidExpense", "-1284")])

    assert outcome.profit == money("8716")
    assert [line.block for line in outcome.lines] == ["profitShare"]
    assert "Repairs: -$1,284.00\n" in shared(outcome).description


def test_client_paid_expenses_stand_behind_the_deductions_and_before_those_not_billable() -> None:
    """Rules R55."""
    agreement = sharing(fee=FeeFixed(amount=money("1")))
    adhoc = [added("nonBillableExpense", "-3", "Tow"), added("clientPaidExpense", "-2", "Ice")]

    text = shared(bill(contract(agreement), revenue("100"), adhoc=adhoc)).description

    assert text.split("\n")[1:4] == ["Management Fee: -$1.00", "Ice: -$2.00", "Tow: -$3.00"]


def test_a_negative_deduction_raises_the_profit_and_has_no_second_minus() -> None:
    deal = contract(on_accounts(payroll=selected("6002")), sharing())

    outcome = bill(deal, together(revenue("100"), october(a6002="-10")))

    assert outcome.profit == money("110")
    assert "Site Salaries & Wages: $10.00\n" in shared(outcome).description


def test_r55_rows_of_zero_are_left_out_of_the_text() -> None:
    agreement = sharing(("0", "50"), ("10", None), insurance=InsuranceFixed(amount=money("0"), title="Cover"))

    assert shared(bill(contract(agreement), revenue("100"))).description == (
        "Monthly Revenue: $100.00\nProfit Share 10%: $5.00\n"
    )


VALIDATIONS = [
    # case, rule, revenue, validations, profit
    ("an amount", ValidationMoney(value=money("3500")), "1000", "5000", "2500"),
    ("an amount that is not passed", ValidationMoney(value=money("3500")), "1000", "3500", "1000"),
    ("5 % of revenue", ValidationPercentage(value=money("5")), "1000", "80", "1030"),
    ("R49: the threshold is not below 0", ValidationPercentage(value=money("5")), "-1000", "80", "-920"),
    ("R6: vehicles take all of them", ValidationVehicles(value=money("99")), "1000", "80", "1080"),
    ("R6: vehicles need no number", ValidationVehicles(value=None), "1000", "80", "1080"),
]


@pytest.mark.parametrize(
    ("_case", "rule", "month", "validated", "profit"), VALIDATIONS, ids=[row[0] for row in VALIDATIONS]
)
def test_validations_above_the_threshold_raise_the_profit(
    _case: str,
    rule: ValidationMoney | ValidationPercentage | ValidationVehicles,
    month: str,
    validated: str,
    profit: str,
) -> None:
    """Those without Per Man Hour (billing-flows A.1); the other sum of validations is not read."""
    found = measured(revenue(month), validatedForProfit=validated, validated="77777")

    assert bill(contract(sharing(validation=rule)), found).profit == money(profit)


# ------------------------------------------------------------------------------------------- nothing to be printed


def test_tv_ma_14_a_loss_shares_nothing_and_is_kept() -> None:
    deal = contract(sharing(fee=FeeFixed(amount=money("10000"))))

    outcome = bill(deal, revenue("0"))

    assert amounts(outcome) == ["10000.00", "0.00"]  # the 0.00 shows the calculation (R54)
    assert outcome.profit == money("-10000")
    assert shared(outcome).meta["monthlyProfit"] == money("-10000")


def test_r44_the_profit_is_kept_even_when_nothing_is_billed() -> None:
    outcome = bill(contract(sharing()), revenue("-5.5"))

    assert outcome.lines == ()
    assert outcome.profit == money("-5.5")


def test_there_is_no_profit_without_a_profit_share() -> None:
    outcome = bill(contract(managed(fee=FeeFixed(amount=money("7")))), facts())

    assert amounts(outcome) == ["7.00"]
    assert outcome.profit is None


# ------------------------------------------------------------------------------------------------------- windows


FLAT: tuple[TierText, ...] = (("50", None),)
DIP: tuple[TierText, ...] = (("20", "80"), ("30", None))
WINDOWS = [
    # case, tiers, loss rule, earlier profits (the last is September), the month, due
    ("18.4: a loss is carried forward", TWO_TIERS, "highWaterMark", ("-4000", "0", "0"), "10000", "1300.00"),
    ("18.5 by R11: 3.00 above the mark, the flows 13.00", DIP, "highWaterMark", ("100", "-40", "0"), "50", "3.00"),
    ("18.5 as the flows: 13.00, twice for a band", DIP, "reference", ("100", "-40", "0"), "50", "13.00"),
    ("below the mark nothing is due", FLAT, "highWaterMark", ("100", "-40", "0"), "40", "0.00"),
    ("a band that is used up is not shared again", TWO_TIERS, "highWaterMark", ("5000", "0", "0"), "100", "30.00"),
    (
        "R11: cents telescope, 0.03 on 0.05 less 0.02 on 0.03",
        FLAT,
        "highWaterMark",
        ("0.01", "0.02", "0"),
        "0.02",
        "0.01",
    ),
]


@pytest.mark.parametrize(("_case", "rows", "rule", "earlier", "month", "due"), WINDOWS, ids=[row[0] for row in WINDOWS])
def test_profits_of_a_window_add_up(
    _case: str, rows: tuple[TierText, ...], rule: str, earlier: tuple[str, ...], month: str, due: str
) -> None:
    deal, found = calendar(*rows, loss_rule=rule)

    line = shared(bill(deal_with_fee(deal), together(found, revenue(month)), profits(*earlier)))

    assert str(line.amount) == due


def deal_with_fee(deal: Contract) -> Contract:
    """With another line, so that a 0.00 is printed."""
    fixed: Component = fees(service("1"))
    return deal.model_copy(update={"components": (*deal.components, fixed)})


def test_a_monthly_share_knows_no_earlier_months() -> None:
    assert amounts(bill(contract(sharing()), revenue("100"), profits("-4000"))) == ["10.00"]


def test_a_calendar_window_begins_in_january() -> None:
    """December's profit is of another window (rules R2)."""
    deal, found = calendar()

    line = shared(bill(deal, together(found, revenue("100")), profits("-999", *["0"] * 9)))

    assert (line.amount, line.trace.inputs["windowStart"]) == (money("10.00"), "2026-01")


def test_an_anniversary_window_begins_on_the_anchor() -> None:
    deal = contract(sharing(window="AnnualAnniversary"), anchor_date=date(2024, 9, 1))

    line = shared(bill(deal, revenue("100"), profits("-999", "-20")))  # August is of the window before

    assert (line.amount, line.trace.inputs["windowStart"]) == (money("8.00"), "2026-09")


OPENINGS = [
    # case, history, due of 100 at 10 %
    ("R39: the to-date through August, and September", opening("2026-08", "-40", m09="-10"), "5.00"),
    ("R39: its month is included", opening("2026-09", "-40", m09="-10"), "6.00"),
    ("R39: an opening mark is what was charged", opening("2026-09", "20", "90"), "3.00"),
    ("R39: zero by choice", opening("2026-09", "0"), "10.00"),
]


@pytest.mark.parametrize(("_case", "history", "due"), OPENINGS, ids=[row[0] for row in OPENINGS])
def test_an_opening_stands_for_the_months_before(_case: str, history: History, due: str) -> None:
    deal = contract(sharing(window="AnnualCalendar"))

    assert amounts(bill(deal, revenue("100"), history)) == [due]


MISSING = [
    # case, start of the site, fields of the contract, history, reason codes
    ("R39: months without a profit", None, {}, profits("1", "1"), ["MISSING_HISTORY"] * 7),
    ("R39: a gap in the window", None, {}, opening("2026-06", "0", m07="1", m09="1"), ["MISSING_HISTORY"]),
    ("R39: an opening of last year is of another window", None, {}, opening("2025-12", "0"), ["MISSING_HISTORY"] * 9),
    ("the month in which the site started has a profit", date(2026, 9, 30), {}, NO_HISTORY, ["MISSING_HISTORY"]),
    ("R2: a window without an anchor", None, {"window": "AnnualAnniversary"}, NO_HISTORY, ["ANCHOR_MISSING"]),
]


@pytest.mark.parametrize(("_case", "started", "fields", "history", "reasons"), MISSING, ids=[row[0] for row in MISSING])
def test_history_that_is_not_there_fails_the_contract(
    _case: str, started: date | None, fields: Mapping[str, str], history: History, reasons: list[str]
) -> None:
    deal = contract(sharing(**{"window": "AnnualCalendar", **fields}))

    assert codes(bill(deal, facts(revenue=monthly("1"), started=started), history)) == reasons


def test_r39_months_before_the_site_or_the_contract_need_no_profit() -> None:
    late_site = facts(revenue=monthly("100"), started=date(2026, 10, 1))
    late_contract = contract(sharing(window="AnnualCalendar"), start_date=date(2026, 9, 2))  # serves from October

    assert amounts(bill(contract(sharing(window="AnnualCalendar")), late_site)) == ["10.00"]
    assert amounts(bill(late_contract, revenue("100"))) == ["10.00"]


def test_revenue_that_is_not_loaded_fails_the_contract_and_keeps_no_profit() -> None:
    outcome = bill(contract(sharing()), facts())

    assert codes(outcome) == ["MISSING_FACTS"]
    assert outcome.profit is None


def test_r61_facts_that_are_missing_come_before_history_that_is() -> None:
    """The first reason is the one that is reported: without the facts of the month nothing else helps."""
    outcome = bill(contract(sharing(window="AnnualCalendar")), facts(), opening("2026-08", "0"))

    assert codes(outcome) == ["MISSING_FACTS", "MISSING_HISTORY"]


def test_r48_a_tier_without_a_share_fails_the_contract() -> None:
    assert codes(bill(contract(sharing((None, None))), revenue("1"))) == ["NULL_NUMBER"]


# ------------------------------------------------------------------------------------------------- explanation


def test_the_share_explains_itself() -> None:
    deal, found = calendar(*TWO_TIERS)

    line = shared(bill(deal, together(found, revenue("10000")), profits("-4000", "1000", "-1000")))

    assert line.trace.steps == (
        Step("Revenue of the month", money("10000")),
        Step("Less the deductions of the statement", money("0.00")),
        Step("Profit of the month", money("10000")),
        Step("Profit from 2026-01 to the month before", money("-4000")),
        Step("20 % of the $5,000.00 above $0.00", money("1000")),
        Step("30 % of the $1,000.00 above $5,000.00", money("300")),
        Step("Charge on the running total $6,000.00", money("1300.00")),
        Step("Due for the month, not below zero", money("1300.00")),
    )
    assert [(ref.dataset, ref.amount) for ref in line.trace.facts] == [("revenue_daily", money("10000"))]


def test_the_share_names_what_it_took() -> None:
    deal, found, adhoc = example_18_7()

    line = shared(bill(deal, found, adhoc=adhoc))

    assert line.trace.inputs["nonGl"] == [{"title": "Uniforms", "amount": money("750.00")}]
    assert line.trace.inputs["nonBillable"] == [{"title": "Tow", "amount": money("300")}]
    assert line.trace.inputs["profit"] == money("55949.50")
    assert [ref.selection["measure"] for ref in line.trace.facts] == ["shareable", "validatedForProfit"]


def test_18_7_every_number_of_the_calculation_is_among_the_inputs() -> None:
    deal, found, adhoc = example_18_7()
    adhoc = [*adhoc, added("clientPaidExpense", "-50", "Gate")]

    inputs = shared(bill(deal, found, adhoc=adhoc)).trace.inputs

    assert inputs == {
        "row": "deal",
        "accumulation": "Monthly",
        "windowStart": "2026-10",
        "revenue": money("120000"),
        "validations": money("5000"),
        "validationType": "ValidationAmount",
        "stated": money("3500"),
        "validationsOverThreshold": money("1500"),
        "deductions": [
            {"title": "Total Other Expenses", "amount": money("8000.00")},
            {"title": "Site Salaries & Wages", "amount": money("40000.00")},
            {"title": "PTEB", "amount": money("9000.50")},
            {"title": "Support Services", "amount": money("2500.00")},
            {"title": "Management Fee", "amount": money("5000.00")},
        ],
        "clientPaid": [{"title": "Gate", "amount": money("50")}],
        "nonBillable": [{"title": "Tow", "amount": money("300")}],
        "nonGl": [{"title": "Uniforms", "amount": money("750.00")}],
        "profit": money("55899.50"),
        "earlierProfits": {},
        "opening": None,
        "openingAsOf": None,
        "toDate": money("0"),
        "highWaterMark": money("0"),
        "lossRule": "highWaterMark",
        "tiers": [{"percent": money("20"), "upTo": money("30000")}, {"percent": money("35"), "upTo": None}],
    }


def test_18_7_every_step_from_revenue_to_profit_is_told_with_its_sign() -> None:
    deal, found, adhoc = example_18_7()
    adhoc = [*adhoc, added("clientPaidExpense", "-50", "Gate")]

    line = shared(bill(deal, found, adhoc=adhoc))

    assert line.trace.steps[:7] == (
        Step("Revenue of the month", money("120000")),
        Step("Validations above the threshold", money("1500")),
        Step("Less the deductions of the statement", money("-64500.50")),
        Step("Less expenses that the client paid", money("-50")),
        Step("Less expenses that are not billable", money("-300")),
        Step("Less expenses outside the ledger", money("-750.00")),
        Step("Profit of the month", money("55899.50")),
    )
    assert [reference.period for reference in line.trace.facts] == ["2026-10", "2026-10"]


def test_an_opening_is_named_with_what_it_stands_for() -> None:
    deal = contract(sharing(window="AnnualCalendar"))

    inputs = shared(bill(deal, revenue("100"), opening("2026-08", "-40", m09="-10"))).trace.inputs

    assert (inputs["opening"], inputs["toDate"], inputs["validations"]) == (money("-40"), money("-50"), None)
    assert (inputs["openingAsOf"], inputs["earlierProfits"]) == ("2026-08", {"2026-09": money("-10")})


def test_a_share_without_validations_states_no_rule_for_them() -> None:
    inputs = shared(bill(contract(sharing()), revenue("100"))).trace.inputs

    assert (inputs["validationType"], inputs["stated"], inputs["validationsOverThreshold"]) == (None, None, money("0"))


def test_the_older_rule_says_which_part_of_the_window_it_charged() -> None:
    deal, found = calendar(*DIP, loss_rule="reference")

    line = shared(bill(deal, together(found, revenue("50")), profits("100", "-40", "0")))

    assert line.trace.steps[-3:] == (
        Step("20 % of the $20.00 above $60.00", money("4")),
        Step("30 % of the $30.00 above $80.00", money("9")),
        Step("Due for the bands between $60.00 and $110.00", money("13.00")),
    )
    assert (line.trace.inputs["lossRule"], line.trace.inputs["highWaterMark"]) == ("reference", None)
    assert line.trace.inputs["toDate"] == money("60")


MESSAGES = [
    # case, window, history, what a person reads
    (
        "R2: where the date is to be entered",
        "AnnualAnniversary",
        NO_HISTORY,
        "an anniversary window needs a date: enter the contract's anchor or site start",
    ),
    (
        "R39: which month, and the two ways out",
        "AnnualCalendar",
        opening("2026-08", "0"),
        "profit of 2026-09 is not known; bill that month, or enter the opening of the profit share",
    ),
]


@pytest.mark.parametrize(("_case", "window", "history", "message"), MESSAGES, ids=[row[0] for row in MESSAGES])
def test_a_refusal_says_what_a_person_can_do(_case: str, window: str, history: History, message: str) -> None:
    outcome = bill(contract(sharing(window=window)), facts(revenue=monthly("1")), history)

    assert [reason.message for reason in outcome.reasons] == [message]


# --------------------------------------------------------------------------------------------------------- laws


CENTS = st.integers(-2_000_000, 2_000_000).map(lambda cents: Decimal(cents) / 100)


@settings(max_examples=60)
@given(st.lists(CENTS, min_size=1, max_size=10))
def test_law_the_charges_of_a_window_are_the_charge_on_its_highest_total(months: list[Decimal]) -> None:
    """Rules R11: to the cent, and the printed parts of each month sum to its line."""
    agreement = sharing(("12.345", "3000"), ("37.5", "9000.01"), ("50", None), window="AnnualCalendar")
    deal = contract(agreement, fees(service("1")))
    known: dict[Period, Decimal] = {}
    charged, total, highest = Decimal(0), Decimal(0), Decimal(0)
    for number, profit in enumerate(months, start=1):
        period = Period(2026, number)
        found = facts(period=period, revenue=monthly(str(profit), last=period), started=date(2026, 1, 1))
        line = shared(bill(deal, found, History(dict(known))))
        parts = [text.split("$")[1] for text in line.description.split("\n") if text.startswith("Profit Share")]
        assert sum((money(part.replace(",", "")) for part in parts), Decimal(0)) == line.amount
        charged, total, known[period] = charged + line.amount, total + profit, profit
        highest = max(highest, total)

    shares = [TierTerm(t.share_pct or Decimal(0), t.up_to) for t in tiers_of(agreement.agreements[0])]
    assert charged == charge(highest, shares).cents


def tiers_of(agreement: Agreement) -> tuple[Tier, ...]:
    assert isinstance(agreement.profit_share, ProfitShareOn)
    return agreement.profit_share.tiers
