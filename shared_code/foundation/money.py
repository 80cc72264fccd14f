"""The one place where money is rounded (rules R1): to cents, halves away from zero."""

from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
NOTHING = Decimal(0)
"""No amount, without decimals of its own: what an exact sum begins with, before anything is rounded."""
HUNDRED = Decimal(100)
"""Of percentages."""


def to_cents(amount: Decimal) -> Decimal:
    """Round to cents, halves away from zero (`ROUND_HALF_UP` rounds the magnitude). Source: rules R1."""
    return amount.quantize(CENT, ROUND_HALF_UP) or ZERO  # -0.00 becomes 0.00


def to_places(value: Decimal, places: int) -> Decimal:
    """Round to `places` decimals, halves away from zero: hours of a time-sheet row, printed rates."""
    return value.quantize(_unit(places), ROUND_HALF_UP)


@lru_cache
def _unit(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def dollars(amount: Decimal) -> str:
    """US currency text with thousands separators, as lines and documents print it: `$1,234.50`, `-$3.00`."""
    text = f"{to_cents(amount):,f}"
    return "-$" + text[1:] if text[0] == "-" else "$" + text


def plain(value: Decimal) -> str:
    """A number without exponent or needless zeros: hours and quantities in descriptions (rules R55)."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
