"""Checks of the rows of components, those that management agreements share among them.

Each check takes one row and points from there; the row's own place is put before it only where something is found.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache

from shared_code.contracts.findings import Finding, Severity
from shared_code.contracts.schema import AdvanceItem, JobRate, PerOccupiedRoom, ServiceLine, Structure, Tier, Validation
from shared_code.foundation.money import HUNDRED, plain


def missing(at: str, name: str, severity: Severity = "incomplete") -> Finding:
    """A null where billing needs a number: readiness incomplete, never billed as zero (rules R8, R48)."""
    return Finding("NULL_NUMBER", at, f"{name} is missing", severity)


def percent(number: Decimal | None, at: str, name: str) -> Sequence[Finding]:
    """A percentage that is missing or above 100."""
    if number is None:
        return (missing(at, name),)
    if number > HUNDRED:
        return (Finding("PERCENT_RANGE", at, f"{name} is {plain(number)}; at most 100 is possible"),)
    return ()


def empty(at: str) -> Finding:
    """A block that is switched on and has nothing to bill."""
    return Finding("EMPTY_BLOCK", at, "the block is on and has no rows, so it bills nothing", "warning")


def room_findings(room: PerOccupiedRoom) -> Sequence[Finding]:
    """Findings inside the block of rooms, which is its own row."""
    return (missing("/roomRate", "the room rate"),) if room.room_rate is None else ()


def service_findings(line: ServiceLine) -> list[Finding]:
    """Findings inside a fixed fee."""
    found: list[Finding] = []
    if line.fee is None:
        found.append(missing("/fee", f"the fee of {line.display_name!r}"))
    if not (line.code and line.code.strip()):
        message = f"the fee {line.display_name!r} has no GL code"
        found.append(Finding("CODE_MISSING", "/code", message, "incomplete"))
    found += _dates(line)
    return found


def job_findings(lines: Sequence[JobRate]) -> list[list[Finding]]:
    """Findings inside each of the jobs."""
    earlier: dict[str, list[JobRate]] = {}
    return [_job(line, earlier.setdefault(key(line.job_code), [])) for line in lines]


def _job(line: JobRate, same_job: list[JobRate]) -> list[Finding]:
    """`same_job` are the earlier lines of the job, which this one joins."""
    found: list[Finding] = []
    if line.rate is None:
        found.append(missing("/rate", f"the rate of {line.display_name!r}"))
    if line.ot_rate is None:
        # Only overtime hours need it: then generation fails, not before (rules R48).
        found.append(missing("/otRate", f"the overtime rate of {line.display_name!r}", "warning"))
    found += _dates(line)
    if same_job and any(_same_days(line, other) for other in same_job):
        message = f"job code {line.job_code} stands twice for the same days"
        found.append(Finding("JOB_CODE_REPEATED", "/jobCode", message))
    same_job.append(line)
    return found


def _same_days(one: JobRate, other: JobRate) -> bool:
    latest_start = max(one.start or date.min, other.start or date.min)
    earliest_end = min(one.end or date.max, other.end or date.max)
    return latest_start <= earliest_end


@lru_cache(maxsize=4096)
def key(text: str) -> str:
    """Codes are compared trimmed and without regard to case (rules R46)."""
    return text.strip().casefold()


def _dates(line: ServiceLine | JobRate) -> Sequence[Finding]:
    if line.start is not None and line.end is not None and line.start > line.end:
        return (Finding("DATES_REVERSED", "/start", f"it starts on {line.start} and ends on {line.end}"),)
    return ()


def advance_findings(item: AdvanceItem) -> list[Finding]:
    """Findings inside an advance."""
    found: list[Finding] = []
    if item.amount is None:
        found.append(missing("/amount", "the amount of the advance"))
    if item.start is not None and item.end is not None and item.start > item.end:
        message = f"it starts in {item.start} and ends in {item.end}"
        found.append(Finding("DATES_REVERSED", "/start", message))
    return found


def structure_findings(structures: Sequence[Structure]) -> list[list[Finding]]:
    """Findings inside each of the structures of a revenue share."""
    found = [_structure(structure) for structure in structures]
    if len(structures) > 1:
        owner: dict[str, int] = {}
        for index, structure in enumerate(structures):
            found[index] += _codes(structure, index, owner)
            found[index] += _other_validation(structures[0], structure)
    return found


def _structure(structure: Structure) -> list[Finding]:
    found: list[Finding] = []
    if not any(map(str.strip, structure.revenue_codes)):
        message = "the structure names no revenue code, so it would bill nothing"
        found.append(Finding("CODE_MISSING", "/revenueCodes", message, "incomplete"))
    if not structure.tiers:
        message = "the structure has no tiers, so it would bill nothing"
        found.append(Finding("TIERS_INVALID", "/tiers", message, "incomplete"))
    found += tier_findings(structure.tiers, "/tiers")
    found += validation_findings(structure.validation)
    return found


def _codes(structure: Structure, index: int, owner: dict[str, int]) -> list[Finding]:
    found: list[Finding] = []
    for place, code in enumerate(structure.revenue_codes):
        first = owner.setdefault(key(code), index)
        if first != index:
            message = f"revenue code {code} belongs to structure {first + 1} already; it would be billed twice"
            found.append(Finding("CODES_OVERLAP", f"/revenueCodes/{place}", message))
    return found


def _other_validation(first: Structure, structure: Structure) -> Sequence[Finding]:
    """Validations are charged once, from the first structure (rules R9)."""
    if structure.validation.kind != "none" and structure.validation != first.validation:
        message = "validations are charged by the first structure's rule, which is another"
        return (Finding("VALIDATION_DIFFERS", "/validation", message),)
    return ()


def tier_findings(tiers: Sequence[Tier], at: str) -> list[Finding]:
    """Order, shares and the unbounded last tier (rules R10)."""
    found: list[Finding] = []
    for index, tier in enumerate(tiers):
        if tier.share_pct is None:
            found.append(missing(f"{at}/{index}/sharePct", f"the share of tier {index + 1}"))
        elif tier.share_pct > HUNDRED:
            message = f"tier {index + 1} shares {plain(tier.share_pct)} %; at most 100 is possible"
            found.append(Finding("TIERS_INVALID", f"{at}/{index}/sharePct", message))
        if index and not _rises(tiers[index - 1], tier):
            message = f"tier {index + 1} does not end above tier {index}; list tiers by rising bound"
            found.append(Finding("TIERS_INVALID", f"{at}/{index}/upTo", message))
    if tiers and tiers[-1].up_to is not None:
        message = f"nothing is charged above {plain(tiers[-1].up_to)}: the last tier has a bound"
        found.append(Finding("TIERS_INVALID", f"{at}/{len(tiers) - 1}/upTo", message, "warning"))
    return found


def _rises(lower: Tier, upper: Tier) -> bool:
    if lower.up_to is None:
        return False
    return upper.up_to is None or upper.up_to > lower.up_to


def validation_findings(rule: Validation) -> Sequence[Finding]:
    """The number that a row's validation rule needs; a vehicle count needs none (rules R6)."""
    if rule.kind == "RevenuePercentage":
        return percent(rule.value, "/validation/value", "the validation percentage")
    if rule.kind == "ValidationAmount" and rule.value is None:
        return (missing("/validation/value", "the validation amount"),)
    return ()
