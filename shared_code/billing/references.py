"""References to the source rows of a sum: in words for people, and as a selection that finds the rows again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    selection = {"measure": predicate.name} if codes is None else {"measure": predicate.name, "codes": codes}
    return _reference(REVENUE, facts, month, selection, found)


def ledger_reference(facts: SiteFacts, month: Period, booked: Booked) -> FactReference:
    """Ledger rows of a month of the accounts that have any. Excluded entities are left out (rules R17)."""
    selection: dict[str, object] = {"accounts": tuple(booked.balances), "excludedEntities": facts.excluded_entities}
    return _reference(ACCOUNTS, facts, month, selection, booked.found)


def hours_reference(facts: SiteFacts, role: str, found: RoleHours, *, minutes: bool = False) -> FactReference:
    """Time sheets of a work role; the amount is in hours, rounded per row at import, or in minutes (rules R15)."""
    amount = found.regular_minutes + found.overtime_minutes if minutes else found.regular + found.overtime
    selection: dict[str, object] = {"roles": [role], "unit": "minutes" if minutes else "hours"}
    batches = (found.batch,) if found.batch else ()
    return FactReference(TIMESHEET, facts.site, str(facts.period), selection, found.rows, amount, batches)


def rooms_reference(facts: SiteFacts, found: FactSum) -> FactReference:
    """Statistics of occupied rooms that are not drafts; the amount is in rooms."""
    selection: dict[str, object] = {"category": OCCUPIED_ROOMS, "valueTypes": facts.room_value_types}
    return _reference(STATISTICS, facts, facts.period, selection, found)


def _reference(
    dataset: str, facts: SiteFacts, month: Period, selection: Mapping[str, object], found: FactSum
) -> FactReference:
    batches = (found.batch,) if found.batch else ()
    return FactReference(dataset, facts.site, str(month), selection, found.rows, found.amount, batches)
