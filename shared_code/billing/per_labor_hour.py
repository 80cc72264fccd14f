"""Per labor hour (billing-flows 6.2): hours of a work role at the job's rates, overtime and holidays at one rate."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from shared_code.billing.context import BillingContext
from shared_code.billing.model import FactReference, Line, Step, Trace, required
from shared_code.contracts.terms import PeriodTerms
from shared_code.facts.completeness import Need
from shared_code.facts.model import TIMESHEET, RoleHours, SiteFacts
from shared_code.foundation.money import dollars, plain, to_cents

if TYPE_CHECKING:
    from shared_code.contracts.schema import JobRate

NAME = "perLaborHour"
_NO_HOURS = RoleHours(Decimal(0), Decimal(0), 0, "")


def needs(terms: PeriodTerms, facts: SiteFacts) -> Sequence[Need]:
    """Time sheets of the service month, when any job is active."""
    return (Need(TIMESHEET, facts.period),) if terms.jobs else ()


def bill(terms: PeriodTerms, facts: SiteFacts, context: BillingContext) -> Sequence[Line]:
    """Per job a line of regular hours and, where the overtime rate differs and there is overtime, a second line.

    Equal rates make one line of all hours. Both costs are rounded apart even where they share a line (rules R45).
    Hours were rounded per time-sheet row at import (rules R15).
    """
    lines: list[Line] = []
    for job in terms.jobs:
        lines.extend(_job_lines(job, _hours(job, facts), facts, context))
    return lines


def overtime_rates_missing(terms: PeriodTerms, facts: SiteFacts) -> list[str]:
    """The codes of the jobs that have overtime hours but no overtime rate (rules R48)."""
    return [job.job_code for job in terms.jobs if job.ot_rate is None and _hours(job, facts).overtime > 0]


def _hours(job: JobRate, facts: SiteFacts) -> RoleHours:
    """The month's hours of a job's work role, compared trimmed and without regard to case (rules R46)."""
    return facts.hours.get(job.job_code.strip().upper(), _NO_HOURS)


def _job_lines(job: JobRate, hours: RoleHours, facts: SiteFacts, context: BillingContext) -> list[Line]:
    rate = required(job.rate, f"rate of job {job.job_code}")
    regular_cost = to_cents(rate * hours.regular)
    overtime_rate = job.ot_rate if job.ot_rate is not None else Decimal(0)
    overtime_cost = to_cents(overtime_rate * hours.overtime)
    code = job.code or context.gl.labor_hour  # the job's own account comes first (billing-flows 6.0, rules R54)
    if job.ot_rate == rate:
        total = hours.regular + hours.overtime
        both = (
            _step(hours.regular, rate, regular_cost, "regular"),
            _step(hours.overtime, overtime_rate, overtime_cost, "overtime and holiday"),
        )
        amount = regular_cost + overtime_cost
        text = _text("Total Hours Worked", total, rate, context)
        return [_line(job, code, text, amount, _trace(job, hours, facts, both))]
    lines = [
        _line(
            job,
            code,
            _text("Total Hours Worked", hours.regular, rate, context),
            regular_cost,
            _trace(job, hours, facts, (_step(hours.regular, rate, regular_cost, "regular"),)),
        )
    ]
    if hours.overtime > 0:
        steps = (_step(hours.overtime, overtime_rate, overtime_cost, "overtime and holiday"),)
        text = _text("Total Overtime / Holiday Hours Worked", hours.overtime, overtime_rate, context)
        lines.append(_line(job, code, text, overtime_cost, _trace(job, hours, facts, steps)))
    return lines


def _line(job: JobRate, code: str, text: str, amount: Decimal, trace: Trace) -> Line:
    return Line(NAME, job.group, job.display_name, code, text, amount, trace)


def _text(label: str, hours: Decimal, rate: Decimal, context: BillingContext) -> str:
    """Hours with up to four decimals, the rate with two (rules R55)."""
    return f"{label}: {plain(hours)}.\n{context.operator_name} Service Fee at {dollars(rate)} Per Person Hour."


def _step(hours: Decimal, rate: Decimal, cost: Decimal, kind: str) -> Step:
    return Step(f"{plain(hours)} {kind} hours at {dollars(rate)}", cost)


def _trace(job: JobRate, hours: RoleHours, facts: SiteFacts, steps: tuple[Step, ...]) -> Trace:
    return Trace(
        inputs={
            "job": job.job_code,
            "row": job.id,
            "rate": job.rate,
            "overtimeRate": job.ot_rate,
            "regularHours": hours.regular,
            "overtimeHours": hours.overtime,
        },
        steps=steps,
        facts=(
            FactReference(
                TIMESHEET,
                f"site {facts.site}, month {facts.period}, work role {job.job_code}",
                hours.rows,
                hours.regular + hours.overtime,
                (hours.batch,) if hours.batch else (),
            ),
        ),
    )
