"""Which revenue rows count for what: the predicates of billing-flows A.1 as data, each in one place.

The differences between them are small and easy to get wrong, so SQL, traces and drill-down all read them from here.
Categories, flags and collection types are upper case, as ingestion stores them (rules R46).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

PER_MAN_HOUR: Final = "PER MAN HOUR"
OTHER_REVENUE: Final = "OTHER REVENUE"

BELL_COLLECTION_TYPES: Final = frozenset(
    {
        "BELL SERVICE FEE",
        "BAG DROPS",
        "BELL PORTERAGE",
        "BELL REVENUE",
        "BILLABLE TIPS/GRATUITIES",
        "PORTORAGE",  # as the warehouse spells it
        "BELL GRATUITIES",
        "GRATUITIES",
        "SERVICE CHARGE",
        "PORTERAGE SERVICE FEE",
        "GRATUITIES/TIPS",
        "PORTERAGE",
        "ROOM DROPS",
    }
)


@dataclass(frozen=True, slots=True)
class RevenuePredicate:
    """Which rows of `revenue_daily` are summed, and which of their columns.

    `flag` and `not_flag` are of the deposit flag; `tax` is net × the row's own rate, summed over the days (rules R20).
    """

    name: str
    column: Literal["net", "gross", "validation", "tax"]
    flag: str | None = None
    not_flag: str | None = None
    only_category: str | None = None
    not_categories: tuple[str, ...] = ()
    collection_types: frozenset[str] = frozenset()

    text: str = field(init=False, compare=False)
    """The predicate in words, for the trace of a line."""

    def __post_init__(self) -> None:
        parts = [
            f"deposit flag {self.flag}" if self.flag else "",
            f"deposit flag not {self.not_flag}" if self.not_flag else "",
            f"category {self.only_category.title()}" if self.only_category else "",
            f"category not {' or '.join(name.title() for name in self.not_categories)}" if self.not_categories else "",
            "collection type of bell service" if self.collection_types else "",
        ]
        object.__setattr__(self, "text", ", ".join(part for part in parts if part))

    def matches(self, flag: str, category: str, collection_type: str) -> bool:
        """Whether a row with these texts counts."""
        return (
            self.flag in (None, flag)
            and self.not_flag != flag
            and self.only_category in (None, category)
            and category not in self.not_categories
            and (not self.collection_types or collection_type in self.collection_types)
        )


SHAREABLE = RevenuePredicate("shareable", "net", not_flag="V", not_categories=(PER_MAN_HOUR,))
VALIDATED = RevenuePredicate("validated", "validation", flag="V")
VALIDATED_FOR_PROFIT = RevenuePredicate("validatedForProfit", "validation", flag="V", not_categories=(PER_MAN_HOUR,))
BELL = RevenuePredicate("bell", "net", only_category=OTHER_REVENUE, collection_types=BELL_COLLECTION_TYPES)
DEPOSITED_NET = RevenuePredicate("depositedNet", "net", flag="Y")
DEPOSITED_GROSS = RevenuePredicate("depositedGross", "gross", flag="Y")
DEPOSITED_TAX = RevenuePredicate("depositedTax", "tax", flag="Y")
_TAXED = (PER_MAN_HOUR, OTHER_REVENUE)
CLIENT_COLLECTED_NET = RevenuePredicate("clientCollectedNet", "net", flag="N", not_categories=_TAXED)
CLIENT_COLLECTED_TAX = RevenuePredicate("clientCollectedTax", "tax", flag="N", not_categories=_TAXED)

MEASURES: Final = (
    VALIDATED,
    VALIDATED_FOR_PROFIT,
    BELL,
    DEPOSITED_NET,
    DEPOSITED_GROSS,
    DEPOSITED_TAX,
    CLIENT_COLLECTED_NET,
    CLIENT_COLLECTED_TAX,
)
"""Sums of the service month that are taken over all revenue codes. Revenue itself is kept by code."""

BY_NAME: Final = {one.name: one for one in (SHAREABLE, *MEASURES)}
