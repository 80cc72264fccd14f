"""Readings that several blocks of the legacy form share: groups, tiers, validation rules."""

from collections.abc import Sequence
from decimal import Decimal

from shared_code.contracts.legacy import form
from shared_code.contracts.schema.components import (
    NoValidation,
    Tier,
    Validation,
    ValidationMoney,
    ValidationPercentage,
    ValidationVehicles,
)


def group_of(number: int | None) -> int:
    """A missing group means 1, in every block (rules R7)."""
    return 1 if number is None else number


def read_tiers(rows: Sequence[form.TierForm]) -> tuple[Tier, ...]:
    """Tiers by rising bound, the unbounded last: a legacy import sorts (rules R10). 0 or null = unbounded."""
    tiers = [Tier(share_pct=row.share_percentage, up_to=row.amount or None) for row in rows]
    if len(tiers) > 1:
        tiers.sort(key=lambda tier: (tier.up_to is None, tier.up_to or Decimal(0)))
    return tuple(tiers)


def read_validation(kind: form.ValidationType | None, amount: Decimal | None) -> Validation:
    """The validation rule of a type and its amount; no type = no rule."""
    match kind:
        case None:
            return NoValidation()
        case "RevenuePercentage":
            return ValidationPercentage(value=amount)
        case "VehicleCount":
            return ValidationVehicles(value=amount)
        case "ValidationAmount":
            return ValidationMoney(value=amount)
