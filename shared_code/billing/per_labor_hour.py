"""Per labor hour (billing-flows 6.2): hours of a work role at the job's rates, overtime and holidays at one rate."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from shared_code.billing.block import Block
from shared_code.billing.given import Billed, Given
from shared_code.billing.model import Line, Reason, Step, Trace, required
from shared_code.billing.references import hours_reference
from shared_code.facts.model import TIMESHEET, RoleHours
from shared_code.foundation.money import dollars, plain, to_cents

if TYPE_CHECKING:
    from shared_code.contracts.schema import JobRate

NAME = "perLaborHour"

REGULAR = "{hours:number} regular hours at {rate:dollars}"
OVERTIME = "{hours:number} overtime and holiday hours at {rate:dollars}"

_NO_HOURS = RoleHours(Decimal(0), Decimal(0), 0, "")


def bill(given: Given) -> Billed:
    """Per job a line of regular hours and, where the overtime rate differs and there is overtime, a second line.

    Equal rates make one line of all hours. Both costs are rounded apart even where they share a line (rules R45).
    Hours were rounded per time-sheet row at import (rules R15).
    """
    lines: list[Line] = []
    for job in given.terms.jobs:
        lines += _lines(job, given)
    return Billed(lines)


def problems(given: Given) -> Iterable[Reason]:
    """Jobs that have overtime hours but no overtime rate (rules R48)."""
    return [
        Reason("NULL_NUMBER", f"job {job.job_code} has overtime hours but no overtime rate; enter the rate")
        for job in given.terms.jobs
        if job.ot_rate is None and given.facts.hours.get(_role(job), _NO_HOURS).overtime > 0
    ]


def _role(job: JobRate) -> str:
    """The work role of a job in the form that facts have: trimmed and without regard to case (rules R46)."""
    return job.job_code.strip().upper()


def _lines(job: JobRate, given: Given) -> list[Line]:
    role = _role(job)
    hours = given.facts.hours.get(role, _NO_HOURS)
    rate = required(job.rate, "rate of job", job.job_code)
    references = (hours_reference(given.facts, role, hours),)
    regular = Step(REGULAR, to_cents(rate * hours.regular), (hours.regular, rate))
    if job.ot_rate == rate:
        overtime = _overtime(hours.overtime, rate)
        both = Step("Both together, since their rates are the same", regular.value + overtime.value)
        text = _text("Total Hours Worked", hours.regular + hours.overtime, rate, given)
        trace = Trace(_inputs(job, hours, "all"), (regular, overtime, both), references)
        return [_line(job, text, both.value, trace, given)]
    text = _text("Total Hours Worked", hours.regular, rate, given)
    trace = Trace(_inputs(job, hours, "regular"), (regular,), references)
    lines = [_line(job, text, regular.value, trace, given)]
    if hours.overtime > 0:
        overtime_rate = job.ot_rate if job.ot_rate is not None else Decimal(0)
        overtime = _overtime(hours.overtime, overtime_rate)
        text = _text("Total Overtime / Holiday Hours Worked", hours.overtime, overtime_rate, given)
        trace = Trace(_inputs(job, hours, "overtime"), (overtime,), references)
        lines.append(_line(job, text, overtime.value, trace, given))
    return lines


def _inputs(job: JobRate, hours: RoleHours, billed: str) -> dict[str, object]:
    return {
        "job": job.job_code,
        "row": job.id,
        "rate": job.rate,
        "overtimeRate": job.ot_rate,
        "regularHours": hours.regular,
        "overtimeHours": hours.overtime,
        "billed": billed,
    }


def _overtime(hours: Decimal, rate: Decimal) -> Step:
    return Step(OVERTIME, to_cents(rate * hours), (hours, rate))


def _line(job: JobRate, text: str, amount: Decimal, trace: Trace, given: Given) -> Line:
    code = job.code or given.context.gl.labor_hour  # the job's own account comes first (billing-flows 6.0, rules R54)
    return Line(NAME, job.group, job.display_name, code, text, amount, trace)


def _text(label: str, hours: Decimal, rate: Decimal, given: Given) -> str:
    """Hours with up to four decimals, the rate with two (rules R55)."""
    return f"{label}: {plain(hours)}.\n{given.context.operator_name} Service Fee at {dollars(rate)} Per Person Hour."


def _any_job(given: Given) -> bool:
    return bool(given.terms.jobs)


BLOCK = Block(NAME, NAME, bill, {TIMESHEET: _any_job}, problems=problems)
