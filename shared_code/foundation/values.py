"""Values that are made by the dozen for every contract of a month."""

from dataclasses import dataclass
from typing import dataclass_transform


@dataclass_transform(frozen_default=True)
def value_class[T](kind: type[T]) -> type[T]:
    """A data class with slots whose instances nobody changes: the type checker sees to that, and nothing at run time.

    One that is frozen at run time takes several times as long to make, and a named tuple nearly twice; its fields
    take longer to read, too. Such values have no hash of their own.
    """
    return dataclass(slots=True)(kind)
