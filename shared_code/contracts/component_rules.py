"""Checks of the components that stand by themselves, and of what management agreements share with them."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache

from shared_code.contracts.findings import Finding, Severity
from shared_code.contracts.schema import (
    BellService,
    DepositedRevenue,
    FixedFee,
    JobRate,
    MidMonthAdvance,
    PerLaborHour,
    PerOccupiedRoom,
    RevenueShare,
    ServiceLine,
    Structure,
    Tier,
    Validation,
)
from shared_code.foundation.money import plain

HUNDRED = Decimal(100)

type Simple = (
    FixedFee | PerLaborHour | PerOccupiedRoom | RevenueShare | BellService | MidMonthAdvance | DepositedRevenue
)


def component_findings(component: Simple, at: str) -> Iterator[Finding]:
    """Findings inside one enabled component that stands at `at`."""
    match component.kind:
        case "fixedFee":
            return _fixed_fee(component, at)
        case "perLaborHour":
            return _labor(component, at)
        case "perOccupiedRoom":
            return _room(component, at)
        case "revenueShare":
            return _revenue_share(component, at)
        case "midMonthAdvance":
            return _advances(component, at)
        case _:
            return iter(() if component.items else (empty(f"{at}/items"),))


def missing(at: str, name: str, severity: Severity = "incomplete") -> Finding:
    """A null where billing needs a number: readiness incomplete, never billed as zero (rules R8, R48)."""
    return Finding("NULL_NUMBER", at, f"{name} is missing", severity)


def percent(number: Decimal | None, at: str, name: str) -> Iterator[Finding]:
    """A percentage that is missing or above 100."""
    if number is None:
        yield missing(at, name)
    elif number > HUNDRED:
        yield Finding("PERCENT_RANGE", at, f"{name} is {plain(number)}; at most 100 is possible")


def empty(at: str) -> Finding:
    """A block that is switched on and has nothing to bill."""
    return Finding("EMPTY_BLOCK", at, "the block is on and has no rows, so it bills nothing", "warning")


def _fixed_fee(component: FixedFee, at: str) -> Iterator[Finding]:
    if not component.lines:
        yield empty(f"{at}/lines")
    for index, line in enumerate(component.lines):
        place = f"{at}/lines/{index}"
        if line.fee is None:
            yield missing(f"{place}/fee", f"the fee of {line.display_name!r}")
        if not (line.code or "").strip():
            yield Finding(
                "CODE_MISSING", f"{place}/code", f"the fee {line.display_name!r} has no GL code", "incomplete"
            )
        yield from _dates(line, place)


def _room(component: PerOccupiedRoom, at: str) -> Iterator[Finding]:
    if component.room_rate is None:
        yield missing(f"{at}/roomRate", "the room rate")


def _labor(component: PerLaborHour, at: str) -> Iterator[Finding]:
    if not component.lines:
        yield empty(f"{at}/lines")
    earlier: dict[str, list[JobRate]] = {}
    for index, line in enumerate(component.lines):
        place = f"{at}/lines/{index}"
        if line.rate is None:
            yield missing(f"{place}/rate", f"the rate of {line.display_name!r}")
        if line.ot_rate is None:
            # Only overtime hours need it: then generation fails, not before (rules R48).
            yield missing(f"{place}/otRate", f"the overtime rate of {line.display_name!r}", "warning")
        yield from _dates(line, place)
        same_job = earlier.setdefault(key(line.job_code), [])
        if any(_same_days(line, other) for other in same_job):
            message = f"job code {line.job_code} stands twice for the same days"
            yield Finding("JOB_CODE_REPEATED", f"{place}/jobCode", message)
        same_job.append(line)


def _same_days(one: JobRate, other: JobRate) -> bool:
    latest_start = max(one.start or date.min, other.start or date.min)
    earliest_end = min(one.end or date.max, other.end or date.max)
    return latest_start <= earliest_end


@lru_cache(maxsize=4096)
def key(text: str) -> str:
    """Codes are compared trimmed and without regard to case (rules R46)."""
    return text.strip().casefold()


def _dates(line: ServiceLine | JobRate, at: str) -> Iterator[Finding]:
    if line.start is not None and line.end is not None and line.start > line.end:
        yield Finding("DATES_REVERSED", f"{at}/start", f"it starts on {line.start} and ends on {line.end}")


def _advances(component: MidMonthAdvance, at: str) -> Iterator[Finding]:
    if not component.items:
        yield empty(f"{at}/items")
    for index, item in enumerate(component.items):
        place = f"{at}/items/{index}"
        if item.amount is None:
            yield missing(f"{place}/amount", "the amount of the advance")
        if item.start is not None and item.end is not None and item.start > item.end:
            message = f"it starts in {item.start} and ends in {item.end}"
            yield Finding("DATES_REVERSED", f"{place}/start", message)


def _revenue_share(component: RevenueShare, at: str) -> Iterator[Finding]:
    if not component.structures:
        yield empty(f"{at}/structures")
    owner: dict[str, int] = {}
    for index, structure in enumerate(component.structures):
        place = f"{at}/structures/{index}"
        if not any(code.strip() for code in structure.revenue_codes):
            message = "the structure names no revenue code, so it would bill nothing"
            yield Finding("CODE_MISSING", f"{place}/revenueCodes", message, "incomplete")
        if not structure.tiers:
            message = "the structure has no tiers, so it would bill nothing"
            yield Finding("TIERS_INVALID", f"{place}/tiers", message, "incomplete")
        yield from tier_findings(structure.tiers, f"{place}/tiers")
        yield from validation_findings(structure.validation, f"{place}/validation")
        if len(component.structures) > 1:
            yield from _codes(structure, index, place, owner)
            yield from _other_validation(component.structures[0], structure, place)


def _codes(structure: Structure, index: int, at: str, owner: dict[str, int]) -> Iterator[Finding]:
    for place, code in enumerate(structure.revenue_codes):
        first = owner.setdefault(key(code), index)
        if first != index:
            message = f"revenue code {code} belongs to structure {first + 1} already; it would be billed twice"
            yield Finding("CODES_OVERLAP", f"{at}/revenueCodes/{place}", message)


def _other_validation(first: Structure, structure: Structure, at: str) -> Iterator[Finding]:
    """Validations are charged once, from the first structure (rules R9)."""
    if structure.validation.kind != "none" and structure.validation != first.validation:
        message = "validations are charged by the first structure's rule, which is another"
        yield Finding("VALIDATION_DIFFERS", f"{at}/validation", message)


def tier_findings(tiers: Sequence[Tier], at: str) -> Iterator[Finding]:
    """Order, shares and the unbounded last tier (rules R10)."""
    for index, tier in enumerate(tiers):
        if tier.share_pct is None:
            yield missing(f"{at}/{index}/sharePct", f"the share of tier {index + 1}")
        elif tier.share_pct > HUNDRED:
            message = f"tier {index + 1} shares {plain(tier.share_pct)} %; at most 100 is possible"
            yield Finding("TIERS_INVALID", f"{at}/{index}/sharePct", message)
        if index and not _rises(tiers[index - 1], tier):
            message = f"tier {index + 1} does not end above tier {index}; list tiers by rising bound"
            yield Finding("TIERS_INVALID", f"{at}/{index}/upTo", message)
    if tiers and tiers[-1].up_to is not None:
        message = f"nothing is charged above {plain(tiers[-1].up_to)}: the last tier has a bound"
        yield Finding("TIERS_INVALID", f"{at}/{len(tiers) - 1}/upTo", message, "warning")


def _rises(lower: Tier, upper: Tier) -> bool:
    if lower.up_to is None:
        return False
    return upper.up_to is None or upper.up_to > lower.up_to


def validation_findings(rule: Validation, at: str) -> Iterator[Finding]:
    """The number that a validation rule needs; a vehicle count needs none (rules R6)."""
    if rule.kind == "RevenuePercentage":
        yield from percent(rule.value, f"{at}/value", "the validation percentage")
    elif rule.kind == "ValidationAmount" and rule.value is None:
        yield missing(f"{at}/value", "the validation amount")
