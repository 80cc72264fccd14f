"""Checks of the components that stand by themselves, and of what management agreements share with them."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

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
    ValidationMoney,
    ValidationPercentage,
)
from shared_code.foundation.money import plain

HUNDRED = Decimal(100)

type Simple = (
    FixedFee | PerLaborHour | PerOccupiedRoom | RevenueShare | BellService | MidMonthAdvance | DepositedRevenue
)


def component_findings(component: Simple, at: str) -> Iterator[Finding]:
    """Findings inside one enabled component that stands at `at`."""
    match component:
        case FixedFee():
            yield from _fixed_fee(component, at)
        case PerLaborHour():
            yield from _labor(component, at)
        case PerOccupiedRoom():
            yield from missing(component.room_rate, f"{at}/roomRate", "the room rate")
        case RevenueShare():
            yield from _revenue_share(component, at)
        case MidMonthAdvance():
            yield from _advances(component, at)
        case BellService() | DepositedRevenue():
            yield from empty(component.items, f"{at}/items")


def missing(number: Decimal | None, at: str, name: str, severity: Severity = "incomplete") -> Iterator[Finding]:
    """A null where billing needs a number: readiness incomplete, never billed as zero (rules R8, R48)."""
    if number is None:
        yield Finding("NULL_NUMBER", at, f"{name} is missing", severity)


def percent(number: Decimal | None, at: str, name: str) -> Iterator[Finding]:
    """A percentage that is missing or above 100."""
    yield from missing(number, at, name)
    if number is not None and number > HUNDRED:
        yield Finding("PERCENT_RANGE", at, f"{name} is {plain(number)}; at most 100 is possible")


def empty(rows: Sequence[object], at: str) -> Iterator[Finding]:
    """A block that is switched on and has nothing to bill."""
    if not rows:
        yield Finding("EMPTY_BLOCK", at, "the block is on and has no rows, so it bills nothing", "warning")


def _fixed_fee(component: FixedFee, at: str) -> Iterator[Finding]:
    yield from empty(component.lines, f"{at}/lines")
    for index, line in enumerate(component.lines):
        place = f"{at}/lines/{index}"
        yield from missing(line.fee, f"{place}/fee", f"the fee of {line.display_name!r}")
        if not (line.code or "").strip():
            yield Finding(
                "CODE_MISSING", f"{place}/code", f"the fee {line.display_name!r} has no GL code", "incomplete"
            )
        yield from _dates(line, place)


def _labor(component: PerLaborHour, at: str) -> Iterator[Finding]:
    yield from empty(component.lines, f"{at}/lines")
    for index, line in enumerate(component.lines):
        place = f"{at}/lines/{index}"
        yield from missing(line.rate, f"{place}/rate", f"the rate of {line.display_name!r}")
        # Only overtime hours need it: then generation fails, not before (rules R48).
        name = f"the overtime rate of {line.display_name!r}"
        yield from missing(line.ot_rate, f"{place}/otRate", name, "warning")
        yield from _dates(line, place)
        if any(_same_hours(line, earlier) for earlier in component.lines[:index]):
            message = f"job code {line.job_code} stands twice for the same days"
            yield Finding("JOB_CODE_REPEATED", f"{place}/jobCode", message)


def _same_hours(one: JobRate, other: JobRate) -> bool:
    if key(one.job_code) != key(other.job_code):
        return False
    latest_start = max(one.start or date.min, other.start or date.min)
    earliest_end = min(one.end or date.max, other.end or date.max)
    return latest_start <= earliest_end


def key(text: str) -> str:
    """Codes are compared trimmed and without regard to case (rules R46)."""
    return text.strip().casefold()


def _dates(line: ServiceLine | JobRate, at: str) -> Iterator[Finding]:
    if line.start is not None and line.end is not None and line.start > line.end:
        yield Finding("DATES_REVERSED", f"{at}/start", f"it starts on {line.start} and ends on {line.end}")


def _advances(component: MidMonthAdvance, at: str) -> Iterator[Finding]:
    yield from empty(component.items, f"{at}/items")
    for index, item in enumerate(component.items):
        place = f"{at}/items/{index}"
        yield from missing(item.amount, f"{place}/amount", "the amount of the advance")
        if item.start is not None and item.end is not None and item.start > item.end:
            message = f"it starts in {item.start} and ends in {item.end}"
            yield Finding("DATES_REVERSED", f"{place}/start", message)


def _revenue_share(component: RevenueShare, at: str) -> Iterator[Finding]:
    yield from empty(component.structures, f"{at}/structures")
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
        yield from missing(tier.share_pct, f"{at}/{index}/sharePct", f"the share of tier {index + 1}")
        if tier.share_pct is not None and tier.share_pct > HUNDRED:
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
    match rule:
        case ValidationPercentage():
            yield from percent(rule.value, f"{at}/value", "the validation percentage")
        case ValidationMoney():
            yield from missing(rule.value, f"{at}/value", "the validation amount")
        case _:
            return
