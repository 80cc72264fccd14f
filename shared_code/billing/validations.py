"""Validations of revenue-share contracts (billing-flows 6.5): validated parking above a threshold, at the shares.

Charged once per contract, by the rule of its first structure (rules R9). The excess is weighted by what that structure
charges this month (rules R49); where it charges nothing, the first tier's percentage holds (rules R5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from shared_code.billing.block import Block
from shared_code.billing.given import NOTHING_BILLED, Billed, Given
from shared_code.billing.model import FactReference, Line, Step, Trace, required
from shared_code.billing.references import revenue_reference
from shared_code.billing.revenue_share import FIRST_BANDS, MONTH_REVENUE, SHARE_FACTS
from shared_code.billing.tiers import Band
from shared_code.facts.model import REVENUE
from shared_code.facts.predicates import VALIDATED
from shared_code.foundation.money import HUNDRED, NOTHING, to_cents

if TYPE_CHECKING:
    from shared_code.contracts.schema import Structure

NAME = "validations"

THRESHOLD = "Threshold of {percent:number} % of the month's revenue of {revenue:dollars}"
ALL = "Validations of {amount:dollars}, by vehicle count all of them"
ABOVE = "Validations of {amount:dollars} above the threshold of {threshold:dollars}"
FIRST_SHARE = "{percent:number} %, the first share, since the month charges none"
WEIGHTED = "Weighted as the month is charged: {weights:list}"
WEIGHT = "{percent:number} % on {amount:dollars}"


def bill(given: Given) -> Billed:
    """One line on the first structure's group; none where nothing is above the threshold."""
    row = _charged(given)
    if row is None:
        return NOTHING_BILLED
    found = given.facts.measure(VALIDATED)
    month = given.value(MONTH_REVENUE)
    over, threshold = _over(row, found.amount, month)
    if over <= 0:
        return NOTHING_BILLED
    weights = _weights(row, given.value(FIRST_BANDS))
    charged = _due(row, over, weights)
    amount = to_cents(charged.value)
    steps = (
        *_threshold_steps(row, month, threshold),
        _counted(row, found.amount, threshold, over),
        charged,
        Step("Validated parking, in cents", amount),
    )
    inputs = {"validated": found.amount, "threshold": threshold, "over": over, **_inputs(row, month, weights)}
    validated = revenue_reference(given.facts, given.facts.period, VALIDATED, found)
    title = f"{given.context.operator_name} Fees for Validated Parking"
    trace = Trace(inputs, steps, (validated, *_shared(row, given)))
    return Billed([Line(NAME, row.group, title, given.context.gl.validations, "", amount, trace)])


def _inputs(row: Structure, month: Decimal, weights: Sequence[Band]) -> dict[str, object]:
    """What the contract states, and what of the month's shares the charge rests on."""
    rule = row.validation
    found: dict[str, object] = {"row": row.id, "type": rule.kind}
    if rule.kind == "VehicleCount":
        found["chargedInFull"] = row.charge_in_full
    elif rule.kind != "none":
        found["stated"] = rule.value
    if rule.kind == "RevenuePercentage":
        found["monthRevenue"] = month
    found["firstShare"] = row.tiers[0].share_pct if row.tiers else None
    found["weights"] = [{"percent": band.percent, "amount": band.amount} for band in weights]
    return found


def _threshold_steps(row: Structure, month: Decimal, threshold: Decimal) -> Iterator[Step]:
    if row.validation.kind == "RevenuePercentage":
        yield Step(THRESHOLD, threshold, (required(row.validation.value, "validation threshold"), month))


def _shared(row: Structure, given: Given) -> tuple[FactReference, ...]:
    """The revenue that the charge rests on: of all structures for a threshold in percent, else of the first alone."""
    if row.validation.kind == "VehicleCount" and row.charge_in_full:
        return ()
    found = given.value(SHARE_FACTS)
    return found if row.validation.kind == "RevenuePercentage" else found[:1]


def _charged(given: Given) -> Structure | None:
    """The first structure, when its rule charges validations."""
    first = given.terms.structures[0] if given.terms.structures else None
    return first if first is not None and first.validation.kind != "none" else None


def _any_charged(given: Given) -> bool:
    return _charged(given) is not None


def _over(row: Structure, validated: Decimal, month: Decimal) -> tuple[Decimal, Decimal]:
    """What is above the threshold, and the threshold in dollars. Vehicles have none (rules R6)."""
    rule = row.validation
    if rule.kind == "VehicleCount" or rule.kind == "none":
        return validated, NOTHING
    stated = required(rule.value, "validation threshold")
    limit = stated if rule.kind == "ValidationAmount" else max(month, NOTHING) * stated / HUNDRED
    return validated - limit, limit


def _counted(row: Structure, validated: Decimal, threshold: Decimal, over: Decimal) -> Step:
    if row.validation.kind == "VehicleCount":
        return Step(ALL, over, (validated,))
    return Step(ABOVE, over, (validated, threshold))


def _weights(row: Structure, charged: Sequence[Band]) -> list[Band]:
    """The bands of tiers; revenue above the last bound is in no tier and has no weight (rules R10, R49)."""
    bound = row.tiers[-1].up_to if row.tiers else None
    return [band for band in charged if bound is None or band.lower < bound]


def _due(row: Structure, over: Decimal, weights: Sequence[Band]) -> Step:
    """The charge on the excess, exact, and how it comes about."""
    if row.validation.kind == "VehicleCount" and row.charge_in_full:
        return Step("Charged in full, as agreed", over)
    total = sum([band.amount for band in weights], NOTHING)
    if not total:
        percent = required(row.tiers[0].share_pct, "share") if row.tiers else NOTHING
        return Step(FIRST_SHARE, over * percent / HUNDRED, (percent,))
    weighted = sum([band.due for band in weights], NOTHING)
    parts = tuple([Step(WEIGHT, band.due, (band.percent, band.amount)) for band in weights])
    return Step(WEIGHTED, over * weighted / total, (parts,))


BLOCK = Block(NAME, "revenueShare", bill, {REVENUE: _any_charged}, reads=(MONTH_REVENUE, FIRST_BANDS, SHARE_FACTS))
