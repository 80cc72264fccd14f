"""Validations of revenue-share contracts (billing-flows 6.5): validated parking above a threshold, at the shares.

Charged once per contract, by the rule of its first structure (rules R9). The excess is weighted by what that structure
charges this month (rules R49); where it charges nothing, the first tier's percentage holds (rules R5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from shared_code.billing.block import Block
from shared_code.billing.given import Billed, Given
from shared_code.billing.model import Line, Step, Trace, required
from shared_code.billing.references import revenue_reference
from shared_code.billing.revenue_share import FIRST_BANDS, MONTH_REVENUE
from shared_code.billing.tiers import Band
from shared_code.facts.completeness import Need
from shared_code.facts.model import REVENUE
from shared_code.facts.predicates import VALIDATED
from shared_code.foundation.money import dollars, plain, to_cents

if TYPE_CHECKING:
    from shared_code.contracts.schema import Structure

NAME = "validations"
_HUNDRED = Decimal(100)


def needs(given: Given) -> Iterable[Need]:
    """Revenue of the service month, when validations are charged."""
    return (Need(REVENUE, given.facts.period),) if _charged(given) is not None else ()


def bill(given: Given) -> Billed:
    """One line on the first structure's group; none where nothing is above the threshold."""
    row = _charged(given)
    if row is None:
        return Billed()
    found = given.facts.measure(VALIDATED)
    over, threshold = _over(row, found.amount, given.value(MONTH_REVENUE))
    if over <= 0:
        return Billed()
    exact, how = _due(row, over, _weights(row, given.value(FIRST_BANDS)))
    amount = to_cents(exact)
    inputs: dict[str, object] = {
        "row": row.id,
        "type": row.validation.kind,
        "validated": found.amount,
        "threshold": threshold,
        "over": over,
    }
    steps = (
        Step(_counted(row, found.amount, threshold), over),
        Step(how, exact),
        Step("Validated parking, in cents", amount),
    )
    trace = Trace(inputs, steps, (revenue_reference(given.facts, given.facts.period, VALIDATED, found),))
    title = f"{given.context.operator_name} Fees for Validated Parking"
    return Billed([Line(NAME, row.group, title, given.context.gl.validations, "", amount, trace)])


def _charged(given: Given) -> Structure | None:
    """The first structure, when its rule charges validations."""
    first = given.terms.structures[0] if given.terms.structures else None
    return first if first is not None and first.validation.kind != "none" else None


def _over(row: Structure, validated: Decimal, month: Decimal) -> tuple[Decimal, Decimal]:
    """What is above the threshold, and the threshold in dollars. Vehicles have none (rules R6)."""
    rule = row.validation
    if rule.kind == "VehicleCount" or rule.kind == "none":
        return validated, Decimal(0)
    stated = required(rule.value, "validation threshold")
    limit = stated if rule.kind == "ValidationAmount" else max(month, Decimal(0)) * stated / _HUNDRED
    return validated - limit, limit


def _counted(row: Structure, validated: Decimal, threshold: Decimal) -> str:
    if row.validation.kind == "VehicleCount":
        return f"Validations of {dollars(validated)}, by vehicle count all of them"
    return f"Validations of {dollars(validated)} above the threshold of {dollars(threshold)}"


def _weights(row: Structure, charged: Sequence[Band]) -> list[Band]:
    """The bands of tiers; revenue above the last bound is in no tier and has no weight (rules R10, R49)."""
    bound = row.tiers[-1].up_to if row.tiers else None
    return [band for band in charged if bound is None or band.lower < bound]


def _due(row: Structure, over: Decimal, weights: Sequence[Band]) -> tuple[Decimal, str]:
    """The charge on the excess, exact, and how it comes about."""
    if row.validation.kind == "VehicleCount" and row.charge_in_full:
        return over, "Charged in full, as agreed"
    total = sum((band.amount for band in weights), Decimal(0))
    if not total:
        percent = required(row.tiers[0].share_pct, "share") if row.tiers else Decimal(0)
        return over * percent / _HUNDRED, f"{plain(percent)} %, the first share, since the month charges none"
    weighted = sum((band.due for band in weights), Decimal(0))
    parts = ", ".join(f"{plain(band.percent)} % on {dollars(band.amount)}" for band in weights)
    return over * weighted / total, f"Weighted as the month is charged: {parts}"


BLOCK = Block(NAME, "revenueShare", bill, needs, reads=(MONTH_REVENUE, FIRST_BANDS))
