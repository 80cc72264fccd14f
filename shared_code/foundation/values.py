"""Values that are made by the dozen for every contract of a month."""

from dataclasses import dataclass
from decimal import Decimal
from typing import dataclass_transform


@dataclass_transform(frozen_default=True)
def value_class[T](kind: type[T]) -> type[T]:
    """A data class with slots whose instances nobody changes: the type checker sees to that, and nothing at run time.

    One that is frozen at run time takes several times as long to make, and a named tuple nearly twice; its fields
    take longer to read, too. Such values have no hash of their own.
    """
    return dataclass(slots=True)(kind)


@dataclass_transform(frozen_default=True)
def document_class[T](kind: type[T]) -> type[T]:
    """A value class that is written as JSON: without slots, since orjson reads those six times as slowly."""
    return dataclass(kind)


def as_text(value: object) -> str:
    """The text of a value; an exact number without an exponent, as people and schemas read it, and nothing is rounded.

    Few numbers have an exponent as text, and to format the others would take twice as long.
    """
    text = str(value)
    return f"{value:f}" if "E" in text and isinstance(value, Decimal) else text
