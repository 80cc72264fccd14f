"""Values of the legacy form that several blocks write alike."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from shared_code.contracts.parsing import Tree
from shared_code.contracts.schema.components import NoValidation, Tier, Validation
from shared_code.foundation.calendar import Period

ZERO = Decimal("0.0")


def stamp(day: date | None) -> str | None:
    """A date as the legacy form writes it: midnight without a zone."""
    return None if day is None else f"{day.isoformat()}T00:00:00"


def stated(**fields: object) -> Tree:
    """Keys that older exports lack: written only where there is something to say."""
    return {name: value for name, value in fields.items() if value is not None}


def month_text(period: Period | None) -> str | None:
    """A last period as the legacy form writes it: midnight of its first day."""
    return None if period is None else stamp(period.first_day)


def write_tiers(tiers: Iterable[Tier]) -> list[Tree]:
    """Tiers as rows; 0.0 = unbounded."""
    return [
        {
            "sharePercentage": tier.share_pct,
            "amount": ZERO if tier.up_to is None else tier.up_to,
            **stated(escalatorValue=tier.escalator_value),
        }
        for tier in tiers
    ]


def write_validation(rule: Validation) -> tuple[str | None, Decimal | None]:
    """Type and amount of a validation rule, as a revenue-share structure writes them."""
    return (None, ZERO) if isinstance(rule, NoValidation) else (rule.kind, rule.value)
