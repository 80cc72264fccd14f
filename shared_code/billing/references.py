"""References to the source rows of a sum: in words for people, and as a selection that finds the rows again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

from shared_code.billing.model import FactReference
from shared_code.facts.model import (
    ACCOUNTS,
    OCCUPIED_ROOMS,
    REVENUE,
    STATISTICS,
    TIMESHEET,
    Booked,
    FactSum,
    RoleHours,
    SiteFacts,
)
from shared_code.facts.predicates import RevenuePredicate
from shared_code.foundation.calendar import Period


def revenue_reference(
    facts: SiteFacts, month: Period, predicate: RevenuePredicate, found: FactSum, codes: Sequence[str] | None = None
) -> FactReference:
    """Revenue rows of a month that a predicate counts, of these codes or of all."""
    which = predicate.text if codes is None else f"{predicate.text}, codes {_listed(tuple(codes))}"
    selection: dict[str, object] = {"measure": predicate.name}
    if codes is not None:
        selection["codes"] = codes
    return _reference(REVENUE, facts, month, which, found.rows, found.amount, found.batch, selection)


def ledger_reference(facts: SiteFacts, month: Period, booked: Booked) -> FactReference:
    """Ledger rows of a month of the accounts that have any. Excluded entities are left out (rules R17)."""
    accounts, found = tuple(booked.balances), booked.found
    which = f"accounts {_listed(accounts)}" if accounts else "none of the accounts has rows"
    selection: dict[str, object] = {"accounts": accounts, "excludedEntities": facts.excluded_entities}
    return _reference(ACCOUNTS, facts, month, which, found.rows, found.amount, found.batch, selection)


def hours_reference(facts: SiteFacts, role: str, found: RoleHours, *, minutes: bool = False) -> FactReference:
    """Time sheets of a work role; the amount is in hours, rounded per row at import, or in minutes (rules R15)."""
    unit = "minutes" if minutes else "hours"
    amount = found.regular_minutes + found.overtime_minutes if minutes else found.regular + found.overtime
    selection: dict[str, object] = {"roles": [role], "unit": unit}
    which = f"work role {role}, {unit}"
    return _reference(TIMESHEET, facts, facts.period, which, found.rows, amount, found.batch, selection)


def rooms_reference(facts: SiteFacts, found: FactSum) -> FactReference:
    """Statistics of occupied rooms that are not drafts; the amount is in rooms."""
    which = "category Occupied Rooms, not draft"
    selection: dict[str, object] = {"category": OCCUPIED_ROOMS, "valueTypes": facts.room_value_types}
    return _reference(STATISTICS, facts, facts.period, which, found.rows, found.amount, found.batch, selection)


@lru_cache(maxsize=4096)
def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)


def _reference(
    dataset: str,
    facts: SiteFacts,
    month: Period,
    which: str,
    rows: int,
    amount: Decimal,
    batch: str,
    selection: Mapping[str, object],
) -> FactReference:
    named = str(month)
    words = f"site {facts.site}, month {named}, {which}"
    return FactReference(dataset, words, rows, amount, (batch,) if batch else (), named, selection)
