"""Per labor hour (billing-flows 6.2, requirements 2.2). Hours arrive rounded per time-sheet row (rules R15)."""

import pytest

from shared_code.billing.calculation import compute
from shared_code.billing.model import Line
from shared_code.contracts.schema import AdvanceItem, FixedPct, MidMonthAdvance
from shared_code.facts.model import TIMESHEET, SiteFacts
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
    job,
    labor,
    money,
    monthly,
    service,
    share,
    structure,
    together,
)
from tests.unit.contracts import rated

VECTORS = [
    # vector, rate, overtime rate, regular hours, overtime hours, amounts
    ("TV-PLH-1", "25.00", "37.50", "280.0", "40.5", ["7000.00", "1518.75"]),
    ("TV-PLH-2", "25", "37.50", "160", "20", ["4000.00", "750.00"]),
    ("TV-PLH-3 job 1: equal rates make one line", "25.08", "25.08", "160", "20", ["4514.40"]),
    ("TV-PLH-3 job 2", "25.08", "25.08", "40", "5", ["1128.60"]),
    ("TV-PLH-8: three rows of 455 minutes are 7.58 h each", "25.03", None, "22.74", "0", ["569.18"]),
    ("18.8", "28.75", "43.13", "24.53", "0.64", ["705.24", "27.60"]),
    ("R45: both costs are rounded apart on a shared line", "0.5", "0.5", "0.01", "0.01", ["0.02"]),
    ("no overtime, no second line", "20", "30", "10", "0", ["200.00"]),
    ("overtime alone: the empty regular line is dropped", "20", "30", "0", "2", ["60.00"]),
    ("an overtime rate of zero bills no overtime", "20", "0", "10", "2", ["200.00"]),
    ("no hours of the role: nothing", "20", "30", "0", "0", []),
]


@pytest.mark.parametrize(
    ("_vector", "rate", "overtime_rate", "regular", "overtime", "expected"), VECTORS, ids=[row[0] for row in VECTORS]
)
def test_hours_at_the_rates_of_the_job(
    _vector: str, rate: str, overtime_rate: str | None, regular: str, overtime: str, expected: list[str]
) -> None:
    deal = contract(labor(job("VALET", rate, overtime_rate)))

    assert amounts(bill(deal, facts(hours={"VALET": (regular, overtime)}))) == expected


def test_tv_plh_3_two_jobs_make_the_total() -> None:
    deal = contract(labor(job("VALET", "25.08", "25.08"), job("BELL", "25.08", "25.08")))

    outcome = bill(deal, facts(hours={"VALET": ("160", "20"), "BELL": ("40", "5")}))

    assert amounts(outcome) == ["4514.40", "1128.60"]
    assert sum(line.amount for line in outcome.lines) == money("5643.00")
    assert [line.description.partition(".\n")[0] for line in outcome.lines] == [
        "Total Hours Worked: 180",
        "Total Hours Worked: 45",
    ]


def test_tv_plh_6_each_job_bills_on_its_own_group() -> None:
    deal = grouped(
        labor(
            job("VALET", "22.50", "33.75"),
            job("BELL", "26.00", "39.00"),
            job("MANAGER", "32.00", "48.00", group=2),
        )
    )

    outcome = bill(deal, facts(hours={"VALET": ("10", "1"), "BELL": ("10", "0"), "MANAGER": ("10", "2")}))

    assert [(line.group, str(line.amount)) for line in outcome.lines] == [
        (1, "225.00"),
        (1, "33.75"),
        (1, "260.00"),
        (2, "320.00"),
        (2, "96.00"),
    ]


def test_tv_plh_4_an_increment_of_3_is_a_percentage_and_the_rate_is_rounded_first() -> None:
    """The document adds 3 dollars: 28.08 and 6,318.00. Exact 25.8324 would bill 5,812.29; rules R13 bill 25.83."""
    rise = rated.rule(FixedPct, "perLaborHour.rate", "May", pct="3")
    jobs = labor(job("VALET", "25.08", "25.08"), job("BELL", "25.08", "25.08"))
    terms = rated.terms(contract(jobs, escalators=(rise,)), str(PERIOD), PERIOD.plus(-9).first_day)

    outcome = compute(terms, facts(hours={"VALET": ("160", "20"), "BELL": ("40", "5")}), CONTEXT)

    assert amounts(outcome) == ["4649.40", "1162.35"]
    assert sum(line.amount for line in outcome.lines) == money("5811.75")


def test_tv_plh_7_hours_of_group_2_beside_share_and_advance_of_group_1() -> None:
    rows = labor(job("VALET", "24.84", "24.84", group=2), job("BELL", "26.00", "32.50", group=2))
    advance = MidMonthAdvance(enabled=True, items=(AdvanceItem(id="a", amount=money("11000")),))
    deal = grouped(rows, share(structure(("25", None))), advance)

    outcome = bill(deal, together(facts(hours={"VALET": ("100", "10"), "BELL": ("10", "2")}), revenue_of("50000")))

    assert [(line.group, str(line.amount)) for line in outcome.lines] == [
        (1, "-11000.00"),
        (2, "2732.40"),
        (2, "260.00"),
        (2, "65.00"),
        (1, "12500.00"),
    ]


def revenue_of(amount: str) -> SiteFacts:
    return facts(revenue=monthly(amount))


HYBRIDS = [
    # vector, fee, rates, amounts at one hundred hours each; the fee stands first (billing-flows 5.5)
    ("TV-FF-5", "7096.27", ("25.03",), ["7096.27", "2503.00"]),
    ("TV-FF-6", "3125.00", ("23.21", "21.99", "20.54"), ["3125.00", "2321.00", "2199.00", "2054.00"]),
    ("TV-FF-7", "38642.00", ("19.95",), ["38642.00", "1995.00"]),
]


@pytest.mark.parametrize(("_vector", "fee", "rates", "expected"), HYBRIDS, ids=[row[0] for row in HYBRIDS])
def test_hybrids_of_fee_and_hours(_vector: str, fee: str, rates: tuple[str, ...], expected: list[str]) -> None:
    jobs = [job(f"ROLE{place}", rate, rate) for place, rate in enumerate(rates)]

    outcome = bill(
        contract(labor(*jobs), fees(service(fee))),
        facts(hours={row.job_code: ("100", "0") for row in jobs}),
    )

    assert amounts(outcome) == expected


def billed() -> tuple[Line, ...]:
    deal = contract(labor(job("VALET", "28.755", "43.13")))
    return bill(deal, facts(hours={"VALET": ("24.5300", "0.6400")})).lines


def test_the_texts_print_hours_plain_and_rates_with_two_decimals() -> None:
    """Rules R55."""
    assert [line.description for line in billed()] == [
        "Total Hours Worked: 24.53.\nMeridian Service Fee at $28.76 Per Person Hour.",
        "Total Overtime / Holiday Hours Worked: 0.64.\nMeridian Service Fee at $43.13 Per Person Hour.",
    ]


def test_the_trace_names_the_time_sheets() -> None:
    reference = billed()[0].trace.facts[0]

    assert (reference.dataset, reference.rows, reference.amount) == (TIMESHEET, 5, money("25.17"))
    assert reference.predicate == "site 0042, month 2026-10, work role VALET, hours"
    assert reference.batches == ("batch-2026-10",)


ACCOUNTS = [(None, "4791"), ("4725", "4725")]


@pytest.mark.parametrize(("own", "printed"), ACCOUNTS)
def test_the_account_of_the_job_comes_before_the_configured_one(own: str | None, printed: str) -> None:
    """Billing-flows 6.0 bills on the job's account; rules R54 fills in 4791 where it has none."""
    outcome = bill(contract(labor(job("VALET", "20", "30", code=own))), facts(hours={"VALET": ("1", "1")}))

    assert [line.code for line in outcome.lines] == [printed, printed]


@pytest.mark.parametrize("written", ["VALET", "valet", "Valet ", " valet"])
def test_roles_are_compared_trimmed_and_without_regard_to_case(written: str) -> None:
    """Rules R46. Facts are normalised at ingestion, contracts are not."""
    assert amounts(bill(contract(labor(job(written, "20", "30"))), facts(hours={"VALET": ("10", "0")}))) == ["200.00"]


OVERTIME = [
    # overtime hours of the two roles, both without an overtime rate; the reasons
    (("0", "0"), []),
    (("0.01", "0"), ["VALET"]),
    (("1", "2"), ["VALET", "BELL"]),
]


@pytest.mark.parametrize(("overtime", "missing"), OVERTIME)
def test_a_null_overtime_rate_fails_only_when_there_are_overtime_hours(
    overtime: tuple[str, str], missing: list[str]
) -> None:
    """Rules R48; all of them are listed (R61)."""
    deal = contract(labor(job("VALET", "20", None), job("BELL", "20", None)))

    outcome = bill(deal, facts(hours={"VALET": ("8", overtime[0]), "BELL": ("8", overtime[1])}))

    assert [reason.code for reason in outcome.reasons] == ["NULL_NUMBER"] * len(missing)
    assert all(role in reason.message for role, reason in zip(missing, outcome.reasons, strict=True))
    assert len(outcome.lines) == (0 if missing else 2)


def test_a_null_overtime_rate_of_a_role_that_nobody_worked_in_bills_nothing() -> None:
    outcome = bill(contract(labor(job("VALET", "20", None))), facts(hours={"BELL": ("8", "1")}))

    assert (outcome.lines, outcome.reasons) == ((), ())


def test_a_null_rate_fails_whatever_the_hours() -> None:
    assert codes(bill(contract(labor(job("VALET", None, "30"))), facts(hours={}))) == ["NULL_NUMBER"]


def test_one_role_in_two_jobs_would_be_billed_twice() -> None:
    deal = contract(labor(job("VALET", "20", "30"), job("valet ", "25", "30")))

    assert codes(bill(deal, facts(hours={"VALET": ("8", "0")}))) == ["JOB_CODE_REPEATED"]


def test_no_time_sheets_of_the_site_is_a_reason_and_not_a_zero() -> None:
    assert codes(bill(contract(labor(job("VALET", "20", "30"))), facts())) == ["MISSING_FACTS"]


def test_without_an_active_job_no_time_sheets_are_asked_for() -> None:
    ended = job("VALET", "20", "30", end=PERIOD.previous.last_day)

    assert amounts(bill(contract(labor(ended)), facts())) == []


def test_a_role_that_nobody_worked_in_is_nothing() -> None:
    """The site has time sheets, of other roles alone."""
    assert amounts(bill(contract(labor(job("VALET", "20", "30"))), facts(hours={"BELL": ("8", "1")}))) == []


def test_both_lines_of_a_job_name_their_inputs_and_rows_and_say_which_hours_they_bill() -> None:
    """Without it nobody could tell which of the two amounts an input belongs to."""
    row = job("VALET", "20", "30", id="row-7", display_name="Valet Attendants")

    regular, overtime = bill(contract(labor(row)), facts(hours={"VALET": ("10", "2")})).lines

    inputs = {
        "job": "VALET",
        "row": "row-7",
        "rate": money("20"),
        "overtimeRate": money("30"),
        "regularHours": money("10"),
        "overtimeHours": money("2"),
    }
    assert regular.trace.inputs == {**inputs, "billed": "regular"}
    assert overtime.trace.inputs == {**inputs, "billed": "overtime"}
    assert (regular.title, overtime.title) == ("Valet Attendants", "Valet Attendants")
    assert [reference.amount for line in (regular, overtime) for reference in line.trace.facts] == [money("12")] * 2
