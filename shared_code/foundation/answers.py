"""Types of what routes answer with, as the API's documents show them. What comes in has its own (`shapes.py`).

An answer is a frozen, slotted dataclass below `Described`; the text under a field is its description. The serialiser
writes the names in camelCase, money as an exact number, and months as text.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import ConfigDict, Field, WithJsonSchema


class Described:
    """Base of answers: the text below a field says what it means, and stands in the API's documents."""

    __slots__ = ()
    __pydantic_config__ = ConfigDict(use_attribute_docstrings=True)


def _number(description: str, example: float) -> WithJsonSchema:
    return WithJsonSchema({"type": "number", "description": description, "examples": [example]})


Money = Annotated[Decimal, _number("US dollars with two decimals.", 1234.50)]
"""An amount that was rounded to cents (rules R1)."""

SourceMoney = Annotated[Decimal, _number("US dollars as the source states them, with up to four decimals.", 1234.5678)]
"""An amount as a file gives it, before any rounding (rules R45)."""

PeriodText = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", examples=["2026-10"])]
"""A month, written YYYY-MM."""
