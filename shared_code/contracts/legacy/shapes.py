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
    return tuple(Tier(share_pct=row.share_percentage, up_to=row.amount or None) for row in sorted_tiers(rows))


def read_share_tiers(rows: Sequence[form.TierForm]) -> tuple[Tier, ...]:
    """Tiers of a revenue share, which keep their step as a record: no switch beside them turns it on."""
    return tuple(
        tier.model_copy(update={"escalator_value": row.escalator_value}) if row.escalator_value is not None else tier
        for tier, row in zip(read_tiers(rows), sorted_tiers(rows), strict=True)
    )


def sorted_tiers(rows: Sequence[form.TierForm]) -> Sequence[form.TierForm]:
    """The rows of tiers by rising bound, the unbounded last."""
    return rows if len(rows) < 2 else sorted(rows, key=lambda row: (not row.amount, row.amount or Decimal(0)))


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
