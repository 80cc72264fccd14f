"""Contracts of every block, and facts or source rows of a quarter, as hypothesis draws them for the laws of billing.

The service month is March of a calendar window; January and February are complete, and their profits are known.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from shared_code.billing.calculation import compute
from shared_code.billing.given import History
from shared_code.billing.model import Outcome
from shared_code.contracts.schema import (
    AdvanceItem,
    BellItem,
    BellService,
    BillableAccounts,
    ClaimsCapped,
    ClaimsOff,
    Component,
    Contract,
    DepositedRevenue,
    DepositItem,
    FeeFixed,
    FeeHourly,
    FeeJob,
    FeePercentage,
    InsuranceFixed,
    InsuranceOff,
    InsuranceOnAccounts,
    ManagementAgreement,
    MidMonthAdvance,
    NonGlAmount,
    NonGlPayroll,
    NonGlRevenue,
    NoValidation,
    Part,
    ProfitShareOff,
    ProfitShareOn,
    PtebActual,
    PtebOff,
    PtebPercentage,
    RevenueShare,
    SupportFixed,
    SupportOff,
    SupportPercentage,
    ValidationMoney,
    ValidationPercentage,
    ValidationVehicles,
)
from shared_code.contracts.terms import terms_for
from shared_code.facts.loading import Reading
from shared_code.facts.model import ACCOUNTS, REVENUE, STATISTICS, TIMESHEET, FactSum, RoleHours, SiteFacts
from shared_code.facts.predicates import MEASURES
from shared_code.foundation.calendar import Period
from tests.unit.billing.builders import (
    CONTEXT,
    SITE,
    TierText,
    fees,
    grouped,
    job,
    labor,
    managed,
    on_accounts,
    present,
    rooms,
    selected,
    service,
    share,
    structure,
    tiers,
)
from tests.unit.billing.source_rows import SourceRow, SourceRows

MARCH = Period(2026, 3)
QUARTER = tuple(Period(2026, 1).until(MARCH.next))
READING = Reading(Period(2026, 1), CONTEXT.ledger.claims, ("06",), (), CONTEXT.bell_excluded_codes)

CODES = ("SD1", "SM1", "OR1")
ROLES = ("VALET", "BELL")
PAYROLL = ("6002", "6015")
EXPENSES = ("7000", "7080", "7100")
LEDGER = (*PAYROLL, *EXPENSES, "6200", "4000")


def numbers(low: int, high: int, places: int = 4) -> SearchStrategy[str]:
    """Numbers from `low` to `high` with so many decimals, as text."""
    scale = 10**places
    return st.integers(low * scale, high * scale).map(lambda whole: f"{Decimal(whole).scaleb(-places):f}")


def decimals(low: int, high: int, places: int = 4) -> SearchStrategy[Decimal]:
    return numbers(low, high, places).map(Decimal)


def parts[P: Part](model: type[P], **fields: SearchStrategy[Any]) -> SearchStrategy[P]:
    """A part of a contract by the names of its fields. `st.builds` would add those it finds by alias."""
    return st.fixed_dictionaries(fields).map(lambda found: model(**found))


GROUP = st.sampled_from((1, 2))
PERCENT = st.sampled_from(("0", "12.5", "33.333333", "100")) | numbers(1, 100)
WINDOW = st.sampled_from(("Monthly", "AnnualCalendar"))


@st.composite
def ladders(draw: st.DrawFn) -> tuple[TierText, ...]:
    """One to four tiers with rising bounds, the last one unbounded."""
    bounds = sorted(Decimal(bound) for bound in draw(st.sets(numbers(1, 60_000), max_size=3)))
    return tuple((draw(PERCENT), None if bound is None else str(bound)) for bound in (*bounds, None))


# ---------------------------------------------------------------------------------------------------- contracts


def _fees(rows: Sequence[tuple[str, int]]) -> Component:
    return fees(*(service(fee, f"Service {place}", group=group) for place, (fee, group) in enumerate(rows)))


def _labor(rows: Sequence[tuple[str, str, int]]) -> Component:
    named = zip(ROLES, rows, strict=True)
    return labor(*(job(role, rate, overtime, group=group) for role, (rate, overtime, group) in named))


VALIDATIONS = st.one_of(
    st.just(NoValidation()),
    parts(ValidationPercentage, value=decimals(0, 20)),
    parts(ValidationMoney, value=decimals(0, 9_000)),
    st.just(ValidationVehicles(value=None)),
)


@st.composite
def shares(draw: st.DrawFn) -> RevenueShare:
    """One to three structures of a code each; validations belong to the first (rules R9)."""
    count = draw(st.integers(1, len(CODES)))
    rules = [draw(VALIDATIONS), *[NoValidation()] * (count - 1)]
    rows = [
        structure(*draw(ladders()), codes=[code], window=draw(WINDOW), validation=rule, group=draw(GROUP))
        for code, rule in zip(CODES[:count], rules, strict=True)
    ]
    if count == 1 and draw(st.booleans()):
        rows[0] = rows[0].model_copy(update={"revenue_codes": draw(st.permutations(CODES).map(tuple))})
    return share(*rows)


def _accounts(payroll: Sequence[str], expenses: Sequence[str], fields: dict[str, Any]) -> BillableAccounts:
    return on_accounts(payroll=selected(*payroll), expense=selected(*expenses), **fields)


ACCOUNT_BLOCKS = st.builds(
    _accounts,
    st.lists(st.sampled_from(PAYROLL), unique=True, min_size=1),
    st.lists(st.sampled_from(EXPENSES), unique=True, min_size=2),
    st.fixed_dictionaries(
        {
            "payroll_group": GROUP,
            "expense_group": GROUP,
            "additional_payroll": st.none() | decimals(0, 5_000),
            "pteb": st.just(PtebOff()) | st.just(PtebActual()) | parts(PtebPercentage, pct=decimals(0, 60)),
            "support": st.just(SupportOff())
            | parts(SupportFixed, amount=decimals(0, 9_000))
            | parts(SupportPercentage, pct=decimals(0, 20), base=st.sampled_from(("Billable", "Total"))),
        }
    ),
)
RATES = decimals(0, 60)
HOURLY_FEES = st.tuples(*[parts(FeeJob, code=st.just(role), rate=RATES, ot_rate=RATES) for role in ROLES])
NON_GL = st.tuples(
    parts(NonGlAmount, id=st.just("n1"), title=st.just("Uniforms"), amount=decimals(0, 900)),
    parts(NonGlRevenue, id=st.just("n2"), title=st.just("Marketing"), pct=decimals(0, 9)),
    parts(NonGlPayroll, id=st.just("n3"), title=st.just("Training"), pct=decimals(0, 9)),
)
AGREEMENTS = st.fixed_dictionaries(
    {
        "group": GROUP,
        "fee": parts(FeeFixed, amount=decimals(0, 5_000))
        | parts(FeePercentage, pct=decimals(0, 20))
        | parts(FeeHourly, job_codes=HOURLY_FEES),
        "insurance": st.just(InsuranceOff())
        | parts(InsuranceFixed, amount=decimals(0, 900))
        | parts(InsuranceOnAccounts, additional_pct=decimals(0, 50)),
        "claims": st.just(ClaimsOff())
        | parts(ClaimsCapped, kind=st.just("PerClaim"), cap=st.none())
        | parts(ClaimsCapped, kind=st.just("AnnualCalendar"), cap=decimals(1, 9_000)),
        "profit_share": parts(ProfitShareOn, accumulation=WINDOW, tiers=ladders().map(lambda rows: tiers(*rows)))
        | st.just(ProfitShareOff()),
        "validation": VALIDATIONS,
        "non_gl_enabled": st.booleans(),
        "non_gl": NON_GL,
    }
)


def _managed(fields: dict[str, Any]) -> ManagementAgreement:
    return managed(**fields)


OTHERS: dict[str, SearchStrategy[Component]] = {
    "fees": st.lists(st.tuples(numbers(0, 20_000), GROUP), min_size=1, max_size=3).map(_fees),
    "labor": st.tuples(*[st.tuples(numbers(0, 60), numbers(0, 90), GROUP)] * len(ROLES)).map(_labor),
    "rooms": st.builds(rooms, numbers(0, 9), group=GROUP),
    "bell": GROUP.map(lambda group: BellService(enabled=True, items=(BellItem(id="b", group=group),))),
    "deposits": parts(
        DepositItem,
        id=st.just("d"),
        deposited_revenue_enabled=st.booleans(),
        operator_pays_parking_tax=st.booleans(),
        group=GROUP,
    ).map(lambda row: DepositedRevenue(enabled=True, items=(row,))),
    "advance": parts(AdvanceItem, id=st.just("a"), amount=decimals(0, 20_000), group=GROUP).map(
        lambda row: MidMonthAdvance(enabled=True, items=(row,))
    ),
}


def deals() -> SearchStrategy[Contract]:
    """Contracts of two invoice groups with any mix of blocks; those whose lines hang together come often."""
    return st.builds(
        lambda others, shared, accounts, agreed: grouped(*others.values(), *shared, *accounts, *agreed),
        st.fixed_dictionaries({}, optional=OTHERS),
        st.tuples(shares()) | st.tuples(shares()) | st.just(()),
        st.tuples(ACCOUNT_BLOCKS),
        st.tuples(AGREEMENTS.map(_managed)) | st.tuples(AGREEMENTS.map(_managed)) | st.just(()),
    )


# --------------------------------------------------------------------------------------------------- source rows


def _days(month: Period) -> SearchStrategy[date]:
    return st.integers(1, month.days).map(lambda day: date(month.year, month.month, day))


def _revenue(month: Period) -> SearchStrategy[list[SourceRow]]:
    row: SearchStrategy[SourceRow] = st.fixed_dictionaries(
        {
            "day": _days(month),
            "revenue_code": st.sampled_from((*CODES, "VL2")),
            "revenue_category": st.sampled_from(("PARKING", "PARKING", "OTHER REVENUE", "PER MAN HOUR")),
            "collection_type": st.sampled_from(("CASH", "BELL SERVICE FEE")),
            "deposit_flag": st.sampled_from(("N", "N", "Y", "V")),
            "net": decimals(-9_000, 60_000),
            "gross": decimals(-9_000, 60_000),
            "tax_rate": decimals(0, 1, 6),
            "validation": decimals(-500, 9_000),
        }
    )
    return st.lists(row, min_size=2, max_size=5)


def _ledger(month: Period) -> SearchStrategy[list[SourceRow]]:
    row: SearchStrategy[SourceRow] = st.fixed_dictionaries(
        {
            "main_account": st.sampled_from(LEDGER),
            "entity": st.sampled_from(("01", "22", "06")),
            "balance": decimals(-900, 5_000),
        }
    )
    return st.lists(row, min_size=3, max_size=6)


def _timesheet(month: Period) -> SearchStrategy[list[SourceRow]]:
    minutes = st.tuples(*[st.integers(0, 60_000)] * 2).map(
        lambda both: {
            "regular_hours": round(Decimal(both[0]) / 60, 2),
            "overtime_hours": round(Decimal(both[1]) / 60, 2),
            "regular_minutes": Decimal(both[0]),
            "overtime_minutes": Decimal(both[1]),
        }
    )
    head = st.fixed_dictionaries({"day": _days(month), "work_role": st.sampled_from(ROLES)})
    return st.lists(st.builds(lambda one, other: {**one, **other}, head, minutes), min_size=1, max_size=4)


def _statistics(month: Period) -> SearchStrategy[list[SourceRow]]:
    row: SearchStrategy[SourceRow] = st.fixed_dictionaries(
        {
            "day": _days(month),
            "revenue_code": st.just("OR1"),
            "revenue_category": st.just("OCCUPIED ROOMS"),
            "value_type": st.sampled_from(("ACTUAL", "ESTIMATE")),
            "value": decimals(0, 900),
            "is_draft": st.sampled_from((0, 0, 1)),
        }
    )
    return st.lists(row, min_size=1, max_size=4)


def quarters_of_rows() -> SearchStrategy[SourceRows]:
    """Revenue and ledger of January to March, time sheets and rooms of March."""
    drawn: dict[tuple[str, Period], SearchStrategy[list[SourceRow]]] = {}
    for month in QUARTER:
        drawn |= {(REVENUE, month): _revenue(month), (ACCOUNTS, month): _ledger(month)}
    drawn |= {(TIMESHEET, MARCH): _timesheet(MARCH), (STATISTICS, MARCH): _statistics(MARCH)}
    return st.fixed_dictionaries(drawn)


# -------------------------------------------------------------------------------------------------------- facts


def sums(low: int, high: int) -> SearchStrategy[FactSum]:
    return decimals(low, high).map(lambda amount: FactSum(amount, 3, "batch"))


HOURS = st.tuples(*[decimals(0, 900, 2)] * 2, *[decimals(0, 54_000, 0)] * 2).map(
    lambda four: RoleHours(four[0], four[1], 5, "batch", four[2], four[3])
)
BY_CODE = st.dictionaries(st.sampled_from((*CODES, "VL2")), sums(-9_000, 60_000), min_size=2)
BY_ACCOUNT = st.dictionaries(st.sampled_from(LEDGER), sums(-900, 5_000), min_size=4)


def quarters() -> SearchStrategy[SiteFacts]:
    """Facts of March with a window from January, every month complete."""
    keys = [(name, month) for name in (REVENUE, ACCOUNTS, TIMESHEET, STATISTICS) for month in QUARTER]
    return st.builds(
        SiteFacts,
        site=st.just(SITE),
        period=st.just(MARCH),
        revenue=st.fixed_dictionaries(dict.fromkeys(QUARTER, BY_CODE)),
        accounts=st.fixed_dictionaries(dict.fromkeys(QUARTER, BY_ACCOUNT)),
        rooms=sums(0, 9_000),
        hours=st.fixed_dictionaries(dict.fromkeys(ROLES, HOURS)),
        measures=st.fixed_dictionaries({one.name: sums(-900, 20_000) for one in MEASURES}),
        presence=st.just({(name, month): present(month) for name, month in keys}),
    )


def profits() -> SearchStrategy[History]:
    """Monthly profits of January and February."""
    return st.tuples(*[decimals(-9_000, 30_000)] * 2).map(lambda two: History(dict(zip(QUARTER, two, strict=False))))


def billed(deal: Contract, facts: SiteFacts, history: History) -> Outcome:
    """What the deal bills in March. It is never refused: facts and history are whole."""
    outcome = compute(terms_for(deal, MARCH), facts, CONTEXT, history)
    assert not outcome.reasons, outcome.reasons
    return outcome
