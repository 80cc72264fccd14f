"""Which escalators of a contract raise which rate, and which cannot be followed."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import combinations
from typing import get_args

from shared_code.contracts.findings import Finding
from shared_code.contracts.rates.fields import rates_of
from shared_code.contracts.rates.model import Rate, Unit, overlaps
from shared_code.contracts.schema import (
    Contract,
    Escalator,
    FixedAmount,
    FixedPct,
    GreaterOf,
    IndexRule,
    LesserOf,
    PercentagePoints,
    Schedule,
)
from shared_code.contracts.schema.base import Month, altered
from shared_code.contracts.schema.escalation import TARGETS

ESCALATOR_INVALID = "ESCALATOR_INVALID"
MONTHS: tuple[Month, ...] = get_args(Month)
_FIRST_YEAR, _LAST_YEAR = 1900, 2199  # those of `schema.base.Year`

type Yearly = FixedPct | FixedAmount | PercentagePoints | IndexRule | GreaterOf | LesserOf
type Computed = Yearly | Schedule
_PERCENT = frozenset({"fixed_pct", "index", "greater_of", "lesser_of"})
_OF_RATES = frozenset({"schedule", "percentage_points"})  # whether they can be followed depends on what they raise


def rules_in_force(contract: Contract) -> tuple[Escalator, ...]:
    """The escalators that bill: approved ones (rules R32) without reminders, an anniversary as its month.

    Where a rule came from is left out, so that two that say the same are equal.
    """
    plain = {"source": "api", "status": "approved", "text": None}
    return tuple([altered(rule, plain | _when(rule, contract)) for rule in contract.escalators if _bills(rule)])


def _bills(rule: Escalator) -> bool:
    return rule.status == "approved" and rule.rule != "negotiated"


def rules_for(rate: Rate, rules: Iterable[Escalator]) -> tuple[Escalator, ...]:
    """The rules that aim at a rate, in their order."""
    return tuple([rule for rule in rules if closeness(rate, rule) is not None])


def closeness(rate: Rate, rule: Escalator) -> tuple[int, bool] | None:
    """How closely a rule points at a rate; None when it does not. A closer rule stands in for a broader one."""
    target, target_id, found = rule.target, rule.target_id, None
    for place, aim in enumerate(rate.aims):
        if (
            aim.target == target
            and (target_id is None or _folded(target_id) == _folded(aim.row))
            and (not aim.percent_only or rule.rule in _PERCENT)
        ):
            found = place, target_id is not None
    return found


def escalator_findings(contract: Contract) -> Iterator[Finding]:
    """Approved escalators that cannot be followed: billing without them would be too little without a sign (R8)."""
    billing = [(index, rule) for index, rule in enumerate(contract.escalators) if _bills(rule)]
    rates = rates_of(contract) if any(r.target_id is not None or r.rule in _OF_RATES for _, r in billing) else []
    for index, rule in billing:
        for place, message in _faults(contract, rule, rates):
            yield Finding(ESCALATOR_INVALID, f"/escalators/{index}/{place}", message, "incomplete")


def _faults(contract: Contract, rule: Escalator, rates: Sequence[Rate]) -> Iterator[tuple[str, str]]:
    raised = [rate for rate in rates if closeness(rate, rule) is not None]
    if rule.target not in TARGETS:
        yield "target", f"{rule.target!r} is nothing that escalates"
    elif rule.target_id is not None and not raised:
        yield "targetId", f"the contract has no {rule.target} of {rule.target_id!r}"
    if rule.rule == "schedule" and _at_once(raised):
        # Two services at the price of one, each: a note that names one fee would be billed twice.
        yield "targetId", f"a dated value is that of one row, and {rule.target} has several at a time: name the row"
    if rule.rule == "schedule" and not rule.steps:
        yield "steps", "a schedule needs at least one day with a value"
    if rule.rule == "percentage_points" and any(rate.unit is Unit.AMOUNT for rate in raised):
        yield "rule", f"{rule.target} is an amount, which cannot grow by percentage points"
    if rule.rule != "schedule" and _when(rule, contract)["month"] is None:
        need = "the contract has no anchor or start date" if rule.month else "it states no month"
        yield "month", f"nobody knows when {rule.target} escalates: {need}"
    for place, exception in enumerate(rule.exceptions):
        needed = {"defer": exception.to, "replace": exception.value}
        if needed.get(exception.action, "nothing") is None:
            yield f"exceptions/{place}", f"the exception of {exception.year} does not say to what"


def _at_once(rates: Sequence[Rate]) -> bool:
    """Whether two of the rates are billed on the same day."""
    ends = ((rate.start or date.min, rate.end or date.max) for rate in rates if rate.on)
    return any(overlaps(*one, *other) for one, other in combinations(ends, 2))


def _first_anniversary(contract: Contract) -> tuple[int, int] | None:
    """Year and month of a contract's first anniversary; one inside a month counts at the next first (rules R2).

    It is that of the anchor date, else of the contract's start. None when the contract states neither.
    """
    start = contract.anchor_date or contract.start_date
    if start is None:
        return None
    years, month = divmod(start.month - 1 + (start.day > 1), 12)
    # The year goes into a rule, whose years have bounds; beyond them nothing is billed.
    return min(max(start.year + 1 + years, _FIRST_YEAR), _LAST_YEAR), month + 1


def _when(rule: Escalator, contract: Contract) -> dict[str, object]:
    """Month and first year of a yearly rule. An anniversary is none before a year has passed."""
    if rule.month != "anniversary":
        return {"month": rule.month}
    anniversary = _first_anniversary(contract)
    if anniversary is None:
        return {"month": None}
    year, month = anniversary
    return {"month": MONTHS[month - 1], "first_year": max(rule.first_year or year, year)}


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    return text.strip().casefold()
