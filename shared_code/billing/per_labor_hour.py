"""Per labor hour (billing-flows 6.2): hours of a work role at the job's rates, overtime and holidays at one rate."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from shared_code.billing.block import Block
from shared_code.billing.context import BillingContext
from shared_code.billing.given import Billed, Given
from shared_code.billing.model import Line, Reason, Step, Trace, required
from shared_code.billing.references import hours_reference
from shared_code.facts.completeness import Need
from shared_code.facts.model import TIMESHEET, RoleHours, SiteFacts
from shared_code.foundation.money import dollars, plain, to_cents

if TYPE_CHECKING:
    from shared_code.contracts.schema import JobRate

NAME = "perLaborHour"
_NO_HOURS = RoleHours(Decimal(0), Decimal(0), 0, "")


def needs(given: Given) -> Iterable[Need]:
    """Time sheets of the service month, when any job is active."""
    return (Need(TIMESHEET, given.facts.period),) if given.terms.jobs else ()


def bill(given: Given) -> Billed:
    """Per job a line of regular hours and, where the overtime rate differs and there is overtime, a second line.

    Equal rates make one line of all hours. Both costs are rounded apart even where they share a line (rules R45).
    Hours were rounded per time-sheet row at import (rules R15).
    """
    lines: list[Line] = []
    for job in given.terms.jobs:
        lines += _job_lines(job, _hours(job, given.facts), given.facts, given.context)
    return Billed(lines)


def problems(given: Given) -> Iterable[Reason]:
    """Jobs that have overtime hours but no overtime rate (rules R48)."""
    for job in given.terms.jobs:
        if job.ot_rate is None and _hours(job, given.facts).overtime > 0:
            message = f"job {job.job_code} has overtime hours but no overtime rate; enter the rate"
            yield Reason("NULL_NUMBER", message)


def _hours(job: JobRate, facts: SiteFacts) -> RoleHours:
    """The month's hours of a job's work role, compared trimmed and without regard to case (rules R46)."""
    return facts.hours.get(_role(job), _NO_HOURS)


def _role(job: JobRate) -> str:
    return job.job_code.strip().upper()


def _job_lines(job: JobRate, hours: RoleHours, facts: SiteFacts, context: BillingContext) -> list[Line]:
    rate = required(job.rate, f"rate of job {job.job_code}")
    regular_cost = to_cents(rate * hours.regular)
    overtime_rate = job.ot_rate if job.ot_rate is not None else Decimal(0)
    overtime_cost = to_cents(overtime_rate * hours.overtime)
    code = job.code or context.gl.labor_hour  # the job's own account comes first (billing-flows 6.0, rules R54)
    at, overtime_at = dollars(rate), dollars(overtime_rate)
    if job.ot_rate == rate:
        total = hours.regular + hours.overtime
        both = (
            _step(hours.regular, at, regular_cost, "regular"),
            _step(hours.overtime, overtime_at, overtime_cost, "overtime and holiday"),
        )
        amount = regular_cost + overtime_cost
        text = _text("Total Hours Worked", total, at, context)
        return [_line(job, code, text, amount, _trace(job, hours, facts, both))]
    lines = [
        _line(
            job,
            code,
            _text("Total Hours Worked", hours.regular, at, context),
            regular_cost,
            _trace(job, hours, facts, (_step(hours.regular, at, regular_cost, "regular"),)),
        )
    ]
    if hours.overtime > 0:
        steps = (_step(hours.overtime, overtime_at, overtime_cost, "overtime and holiday"),)
        text = _text("Total Overtime / Holiday Hours Worked", hours.overtime, overtime_at, context)
        lines.append(_line(job, code, text, overtime_cost, _trace(job, hours, facts, steps)))
    return lines


def _line(job: JobRate, code: str, text: str, amount: Decimal, trace: Trace) -> Line:
    return Line(NAME, job.group, job.display_name, code, text, amount, trace)


def _text(label: str, hours: Decimal, at: str, context: BillingContext) -> str:
    """Hours with up to four decimals, the rate with two (rules R55)."""
    return f"{label}: {plain(hours)}.\n{context.operator_name} Service Fee at {at} Per Person Hour."


def _step(hours: Decimal, at: str, cost: Decimal, kind: str) -> Step:
    return Step(f"{plain(hours)} {kind} hours at {at}", cost)


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
        facts=(hours_reference(facts, _role(job), hours),),
    )


BLOCK = Block(NAME, NAME, bill, needs, problems)
