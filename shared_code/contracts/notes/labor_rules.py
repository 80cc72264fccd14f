"""Rules about work: hours, overtime, hourly rates, accounts that are not billed, reports."""

import re

from shared_code.contracts.notes.grammar import Built, Found, rule
from shared_code.contracts.notes.note_terms import HourlyRate, MinimumWage
from shared_code.contracts.schema.base import Report
from shared_code.contracts.schema.clauses import ExcessHours, NonBillableAccounts, OvertimePolicy, ReportSuppression

_OVERTIME = r"\b(?:ot|overtime|over-time)\b(?: hours?| hrs\.?)?"
_HOUR = r"(?:\s?/\s?(?:hr|hour)\b\.?|\s(?:per|an|each) (?:labor )?(?:hour|hr)\b\.?|\shourly\b)"
_BILLED = r"(?:billed|billable|charged|invoiced|paid)"
_BEYOND = r"(?:in excess of|over|above|beyond|exceeding|more than|past|greater than)"
_EACH = r"(?:\s?(?:/|per|a|each|every)?\s?(?P<per>weekly|week|wk|monthly|month|mo)\b\.?)?"
_NOT_JOBS = re.compile(r"\b(?:hours?|hrs|billed|billable|bill|at|rates?|of|is|for|the|all|increase\w*|overtime|ot)\b")
# "OT $30/hr" is no hourly rate of its own.
_OVERTIME_ONLY = re.compile(r"\b(?:ot|overtime)$")
# "Increases $.25/hr" is the size of a step, "increases to $25/hr" a rate.
_STEP = re.compile(r"\b(?:increas\w*|escalat\w*|rais\w+|rises?|go(?:es)? up|decreas\w*)(?:\s+by)?$")
# "Hours over 40 are billed as overtime" says nothing of the hours below.
_AS_OVERTIME = re.compile(r"^[^;\n]{0,30}?\b(?:ot|overtime|1\.50?x?|time and (?:a|one) half)\b")
_COSTS = r"(?:leave|vacation|sick|pto|holiday|training|bonus(?:es)?|recruit\w*|uniforms?|orientation)"


def _excess(found: Found) -> Built:
    if _AS_OVERTIME.search(found.sentence.plain[found.end :]):
        return None
    base = found.number("base")
    per = found.text("before") or found.text("per") or "week"
    values = {"base_hours": base, "per": "month" if per.startswith("mo") else "week", "rate": found.money("rate")}
    return ExcessHours.model_validate(values)


def _overtime_mode(found: Found) -> Built:
    if found.text("straight"):
        return OvertimePolicy(mode="straight_rate")
    return OvertimePolicy(mode="overtime_rate" if found.text("times") else "not_billable")


def _hourly(found: Found) -> Built:
    words = re.sub(
        r"(?:\s+(?:rate|hourly))*\s*(?:is|at|are|=|:|-)?\s*$", "", found.written("job") or "", flags=re.IGNORECASE
    )
    if _OVERTIME_ONLY.search(words.lower()) or _STEP.search(words.lower()):
        return None
    job = words.strip() if words.strip() and not _NOT_JOBS.search(words.lower()) else None
    values = {"rate": found.money("rate"), "ot_rate": found.money("ot"), "job": job, "effective": found.day()}
    return HourlyRate.model_validate(values)


def _not_billed(found: Found) -> Built:
    return NonBillableAccounts(codes=tuple(re.findall("[0-9]{4}", found.text("codes") or "")))


_REPORTS: tuple[tuple[str, Report], ...] = (
    (r"hours?|time ?sheets?", "HoursBackupReport"),
    (r"mix of sales", "MixOfSales"),
    (r"tax", "TaxReport"),
    (r"labor|payroll", "LaborDistributionReport"),
    (r"expenses?", "OtherExpensesReport"),
    (r"parking department", "ParkingDepartmentReport"),
    (r"validations?", "ValidationReport"),
)


def _suppressed(found: Found) -> Built:
    words = found.match[0]
    return ReportSuppression(reports=tuple(name for one, name in _REPORTS if re.search(rf"\b(?:{one})\b", words)))


# Before dated values and increases: their numbers are neither.
HOURS_RULES = (
    rule(
        rf"(?:\b(?P<before>weekly|monthly) )?\b(?:hours|hrs\.?) {_BEYOND} <number:base>(?: (?:hours|hrs\.?))?{_EACH}"
        rf"(?:[^;\n$0-9]{{0,40}}?(?P<rate><money>|[0-9]{{1,3}}\.[0-9]{{2}}(?=\s?/\s?hr)){_HOUR}?)?",
        _excess,
    ),
    rule(
        r"\b(?P<job>[a-z][a-z /]{1,30}?(?:(?: rate)? is|:|=|-| at)?\s?)<money:rate>" + _HOUR + r"(?:[^;\n$]{0,20}?\b"
        r"(?:eff\.?|effective|as of|from|starting|beginning|on) (?P<date><date>))?"
        r"(?:,? (?:ot|overtime)(?: rate)?:? (?P<ot><money>))?",
        _hourly,
    ),
)
WORK_RULES = (
    rule(
        rf"{_OVERTIME}[^;\n]{{0,30}}?\b(?P<straight>(?:straight|regular|reg|base|normal|standard)(?:[ -]time)?"
        rf"(?: hourly)?"
        r"(?: rates?)?)\b",
        _overtime_mode,
    ),
    rule(rf"\bno {_OVERTIME}[^;\n]{{0,20}}?\b{_BILLED}", _overtime_mode, negative=True),
    rule(rf"{_OVERTIME}[^;\n]{{0,20}}?\b(?:not|never|non)[ -](?:be )?{_BILLED}", _overtime_mode, negative=True),
    rule(
        rf"{_OVERTIME}[^;\n]{{0,30}}?(?P<times>\b1\.50?\s?x?\b"
        rf"|time and (?:a|one) half|time-and-a-half)",
        _overtime_mode,
    ),
    rule(
        r"\b(?:accounts?|accts?\.?|gl)(?: codes?)?:? (?P<codes>[0-9]{4}(?:(?:\s?,\s?|\s?&\s?| and "
        r"|\s?/\s?)[0-9]{4}){0,20})"
        r"[^;\n]{0,30}?\b(?:not|never|non)[ -](?:be )?billed?(?:able)?",
        _not_billed,
        negative=True,
    ),
    rule(
        rf"\b{_COSTS}\b(?: (?:pay|time|costs?))?(?:(?:\s?,\s?| and |\s?&\s?){_COSTS}\b(?: (?:pay|time"
        rf"|costs?))?){{0,4}}"
        r"[^;\n]{0,20}?\b(?:not|never|non)[ -](?:be )?bill(?:ed|able)",
        _not_billed,
        "medium",
        negative=True,
    ),
    rule(
        r"\b(?:does not|doesn't|do not|don't|no longer|not to) (?:want|need|require|send|include"
        r"|attach)s?[^;\n]{0,20}?"
        r"\b(?P<what>(?:[a-z]+ ){0,3}?(?:back-?\s?up|reports?)(?: reports?)?)",
        _suppressed,
        "medium",
        negative=True,
    ),
    rule(r"\bno (?:[a-z]+ ){0,2}?back-?\s?up\b", _suppressed, "medium", negative=True),
    rule(r"\bmin(?:imum|\.)? wage\b", lambda _: MinimumWage(), "medium"),
)
