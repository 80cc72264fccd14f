"""Management fee of a management agreement (billing-flows 6.11): a monthly fee, hours of jobs, or part of the revenue.

Hours are the minutes of the month, summed first; holiday and double time are overtime (rules R15).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from shared_code.billing.block import Block
from shared_code.billing.given import NOTHING_BILLED, Billed, Given
from shared_code.billing.ledger_lines import agreement
from shared_code.billing.model import Line, Reason, Step, Trace, required
from shared_code.billing.references import hours_reference, revenue_reference
from shared_code.facts.model import REVENUE, TIMESHEET, RoleHours, SiteFacts
from shared_code.facts.predicates import SHAREABLE
from shared_code.foundation.money import HUNDRED, NOTHING, dollars, plain, to_cents, to_places

if TYPE_CHECKING:
    from shared_code.contracts.schema import Agreement, FeeFixed, FeeJob, FeePercentage

NAME = "managementFee"
TITLE = "Management Fee"

AGREED = "Monthly fee {fee:dollars} as agreed"
PERCENTAGE = "{percent:number} % of the month's revenue of {revenue:dollars}"
MINUTES = "{minutes:number} {kind} minutes at {rate:dollars} per hour"

_MINUTES = Decimal(60)  # of an hour
_HOUR_PLACES = 4  # hours are printed with up to four decimals (rules R55)
_NO_HOURS = RoleHours(NOTHING, NOTHING, 0, "")


def problems(given: Given) -> Iterable[Reason]:
    """Jobs that have overtime but no overtime rate (rules R48)."""
    row = agreement(given)
    if row is None or row.fee.kind != "PerLaborHour":
        return ()
    return [
        Reason("NULL_NUMBER", f"job {job.code} of the management fee has overtime but no overtime rate; enter the rate")
        for job in row.fee.job_codes
        if job.ot_rate is None and _hours(job, given.facts).overtime_minutes
    ]


def bill(given: Given) -> Billed:
    """One line on the agreement's group; by labor hour one per job, all under one title (billing-flows 6.11)."""
    row = agreement(given)
    if row is None:
        return NOTHING_BILLED
    if row.fee.kind == "FixedFee":
        return Billed([_fixed(row, row.fee, given)])
    if row.fee.kind == "PerLaborHour":
        return Billed([_job_line(row, job, given) for job in row.fee.job_codes])
    return Billed([_percentage(row, row.fee, given)])


def _fixed(row: Agreement, fee: FeeFixed, given: Given) -> Line:
    agreed = required(fee.amount, "management fee")
    amount = to_cents(agreed)
    inputs: dict[str, object] = {"row": row.id, "type": fee.kind, "amount": agreed}
    step = Step(AGREED, amount, (agreed,))
    return _line(row, given, "", amount, Trace(inputs, (step,)))


def _percentage(row: Agreement, fee: FeePercentage, given: Given) -> Line:
    """A percentage of all shareable revenue of the month, whatever its code; bell service stays in it (rules R57)."""
    percent, found = required(fee.pct, "management fee percentage"), given.facts.all_revenue()
    exact = found.amount * percent / HUNDRED
    amount = to_cents(exact)
    inputs: dict[str, object] = {"row": row.id, "type": fee.kind, "percent": percent, "revenue": found.amount}
    steps = (
        Step(PERCENTAGE, exact, (percent, found.amount)),
        Step("Management fee, in cents", amount),
    )
    trace = Trace(inputs, steps, (revenue_reference(given.facts, given.facts.period, SHAREABLE, found),))
    return _line(row, given, f"Total Base for Fee Calculation: {dollars(found.amount)}", amount, trace)


def _job_line(row: Agreement, job: FeeJob, given: Given) -> Line:
    """Regular and overtime cost are rounded apart, though they share the line (rules R45)."""
    hours = _hours(job, given.facts)
    rate = required(job.rate, "rate of job", job.code)
    overtime_rate = job.ot_rate if job.ot_rate is not None else NOTHING
    steps = [_step(hours.regular_minutes, rate, "regular")]
    texts = [*_texts("", hours.regular_minutes, rate, given)]
    if hours.overtime_minutes:
        steps.append(_step(hours.overtime_minutes, overtime_rate, "overtime"))
    amount = sum([step.value for step in steps], NOTHING)
    if len(steps) > 1:
        steps.append(Step("Regular time and overtime together", amount))
    if hours.overtime_minutes > 0:
        texts += _texts("Overtime ", hours.overtime_minutes, overtime_rate, given)
    inputs: dict[str, object] = {
        "row": row.id,
        "type": "PerLaborHour",
        "job": job.code,
        "rate": job.rate,
        "overtimeRate": job.ot_rate,
        "regularMinutes": hours.regular_minutes,
        "overtimeMinutes": hours.overtime_minutes,
    }
    trace = Trace(inputs, tuple(steps), (hours_reference(given.facts, _role(job), hours, minutes=True),))
    return _line(row, given, "\n".join(texts), amount, trace)


def _role(job: FeeJob) -> str:
    return job.code.strip().upper()


def _hours(job: FeeJob, facts: SiteFacts) -> RoleHours:
    """The month's time of a job's work role, compared trimmed and without regard to case (rules R46)."""
    return facts.hours.get(_role(job), _NO_HOURS)


def _step(minutes: Decimal, rate: Decimal, kind: str) -> Step:
    """Minutes times rate are divided last, so that half a cent is found exactly."""
    cost = to_cents(minutes * rate / _MINUTES)
    return Step(MINUTES, cost, (minutes, kind, rate))


def _texts(kind: str, minutes: Decimal, rate: Decimal, given: Given) -> Iterator[str]:
    """Two lines of the description: hours with up to four decimals, the rate with two (rules R55).

    Only the sentence on overtime ends with a full stop, as in the flow (billing-flows 6.11).
    """
    hours = plain(to_places(minutes / _MINUTES, _HOUR_PLACES))
    yield f"Total {kind}Hours Worked: {hours}."
    stop = "." if kind else ""
    yield f"{given.context.operator_name} Service {kind}Fee at {dollars(rate)} Per Person Hour{stop}"


def _line(row: Agreement, given: Given, text: str, amount: Decimal, trace: Trace) -> Line:
    """A line that lowers the profit of a profit share (billing-flows 6.0)."""
    meta = {"lineItemType": NAME, "isManagementFee": True, "isProfitDeduction": True}
    return Line(NAME, row.group, TITLE, given.context.gl.management_fee, text, amount, trace, meta)


def _by_hours(given: Given) -> bool:
    row = agreement(given)
    return row is not None and row.fee.kind == "PerLaborHour"


def _by_revenue(given: Given) -> bool:
    row = agreement(given)
    return row is not None and row.fee.kind == "RevenuePercentage"


BLOCK = Block(
    NAME, "managementAgreement", bill, {TIMESHEET: _by_hours, REVENUE: _by_revenue}, problems=problems, part="fee"
)
