"""The product's answer to a case: raw rows become its facts. Only this file of the oracle imports the product."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import cast

from shared_code.billing.calculation import compute
from shared_code.billing.context import BillingContext
from shared_code.billing.given import Accumulating, History, Opening
from shared_code.billing.model import AdHocLine, AdHocType, Outcome
from shared_code.contracts.schema import Contract
from shared_code.contracts.terms import terms_for
from shared_code.facts.model import ACCOUNTS, REVENUE, STATISTICS, TIMESHEET, FactSum, Presence, RoleHours, SiteFacts
from shared_code.facts.predicates import MEASURES, SHAREABLE
from shared_code.foundation.calendar import Period
from shared_code.foundation.money import to_places
from tests.oracle.case import Case, Month, Printed, Result, RevenueRow, TimesheetRow

BATCH = "batch"
UNIT = Decimal("0.0001")


def product(case: Case, operator: str) -> Result:
    """What the product prints, or the code of its first reason."""
    outcome = computed(case, operator)
    if outcome.reasons:
        return Result(reasons={outcome.reasons[0].code})
    lines = [Printed(line.group, line.title, line.code, int(line.amount * 100)) for line in outcome.lines]
    off = [line for line in outcome.lines if line.amount * 100 != int(line.amount * 100)]
    assert not off, f"not whole cents: {off}"
    return Result(lines, profit=None if outcome.profit is None else Fraction(outcome.profit))


def computed(case: Case, operator: str) -> Outcome:
    """What the product makes of a case, traces included."""
    terms = terms_for(Contract.model_validate(case.contract), Period(*case.month))
    return compute(terms, _facts(case), BillingContext(operator), _history(case), _adhoc(case))


def _sum(units: int, rows: int) -> FactSum:
    return FactSum(units * UNIT, rows, BATCH)


def _facts(case: Case) -> SiteFacts:
    now = [row for row in case.revenue if (row.day.year, row.day.month) == case.month]
    accounts: dict[Month, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in case.ledger:
        if row.entity != "06":
            accounts[row.month][row.account].append(row.balance)
    rooms = [r.value for r in case.statistics if r.category == "OCCUPIED ROOMS" and not r.draft]
    return SiteFacts(
        site=case.contract["site"]["number"],
        period=Period(*case.month),
        started=case.site_start,
        revenue=_revenue(case.revenue),
        rooms=_sum(sum(rooms), len(rooms)) if rooms else None,
        hours=_hours(case.timesheet),
        measures=_measures(now),
        accounts={
            Period(*month): {account: _sum(sum(found), len(found)) for account, found in by.items()}
            for month, by in accounts.items()
        },
        excluded_entities=("06",),
        presence=_presence(case),
    )


def _revenue(rows: Iterable[RevenueRow]) -> dict[Period, dict[str, FactSum]]:
    found: dict[Month, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if SHAREABLE.matches(row.flag, row.category, row.collection_type):
            found[row.day.year, row.day.month][row.code].append(row.net)
    return {
        Period(*month): {code: _sum(sum(nets), len(nets)) for code, nets in by.items()} for month, by in found.items()
    }


def _measures(rows: list[RevenueRow]) -> dict[str, FactSum]:
    found = {}
    for predicate in MEASURES:
        amounts = [
            Decimal(row.net * row.tax_rate) / 1_000_000 * UNIT
            if predicate.column == "tax"
            else getattr(row, predicate.column) * UNIT
            for row in rows
            if predicate.matches(row.flag, row.category, row.collection_type)
        ]
        if amounts:
            found[predicate.name] = FactSum(sum(amounts, Decimal(0)), len(amounts), BATCH)
    return found


def _hours(rows: list[TimesheetRow]) -> dict[str, RoleHours]:
    by_role: dict[str, list[TimesheetRow]] = defaultdict(list)
    for row in rows:
        by_role[row.role].append(row)
    return {role: _role(found) for role, found in by_role.items()}


def _role(rows: list[TimesheetRow]) -> RoleHours:
    """Hours are rounded per row, as the import does it (rules R15)."""
    regular = [row.regular for row in rows]
    overtime = [row.overtime + row.holiday + row.double_time for row in rows]
    return RoleHours(
        regular=sum((to_places(Decimal(minutes) / 60, 2) for minutes in regular), Decimal(0)),
        overtime=sum((to_places(Decimal(minutes) / 60, 2) for minutes in overtime), Decimal(0)),
        rows=len(rows),
        batch=BATCH,
        regular_minutes=Decimal(sum(regular)),
        overtime_minutes=Decimal(sum(overtime)),
    )


def _presence(case: Case) -> dict[tuple[str, Period], Presence]:
    counts: dict[tuple[str, Month], int] = defaultdict(int)
    for row in case.revenue:
        counts[REVENUE, (row.day.year, row.day.month)] += 1
    for sheet in case.timesheet:
        counts[TIMESHEET, (sheet.day.year, sheet.day.month)] += 1
    for statistics in case.statistics:
        counts[STATISTICS, (statistics.day.year, statistics.day.month)] += not statistics.draft
    for entry in case.ledger:
        counts[ACCOUNTS, entry.month] += 1
    return {
        (dataset, Period(*month)): Presence(BATCH, rows, 0, None, None, 0, None)
        for (dataset, month), rows in counts.items()
        if rows
    }


def _history(case: Case) -> History:
    return History(
        profits={Period(*month): units * UNIT for month, units in case.profits.items()},
        openings={
            (cast("Accumulating", kind), row): Opening(
                Period(*found.as_of), found.to_date * UNIT, found.high_water_mark * UNIT
            )
            for (kind, row), found in case.openings.items()
        },
    )


def _adhoc(case: Case) -> list[AdHocLine]:
    return [
        AdHocLine(str(place), row.group, cast("AdHocType", row.type), row.title, row.code, "", Decimal(row.cents) / 100)
        for place, row in enumerate(case.adhoc)
    ]
