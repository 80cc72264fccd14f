"""Windows, openings and sums of months, as the rules say them (R2, R3, R39, R58). Part of the oracle."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tests.oracle.case import Case, Month, OpeningRow


def next_month(month: Month) -> Month:
    return (month[0] + 1, 1) if month[1] == 12 else (month[0], month[1] + 1)


def _anchor(case: Case) -> date | None:
    text = case.contract.get("anchorDate")
    return date.fromisoformat(text) if text else case.site_start


def has_anchor(case: Case) -> bool:
    """Whether an anniversary window can begin: its anchor is not after the service period (R2, R58)."""
    anchor = _anchor(case)
    return anchor is not None and (anchor.year, anchor.month) <= case.month


def window_start(case: Case, kind: str) -> Month | None:
    """The first month of the window that holds the service period; None when nothing accumulates (R2)."""
    if kind == "AnnualCalendar":
        return (case.month[0], 1)
    if kind != "AnnualAnniversary":
        return None
    anchor = _anchor(case)
    assert anchor is not None, "an anniversary window needs an anchor"
    # An anniversary inside a month takes effect at the next first of a month.
    start: Month = (anchor.year, anchor.month)
    takes_effect = start if anchor.day == 1 else next_month(start)
    found = start  # the part month before the first window belongs to it (R58)
    year = 1
    while (takes_effect[0] + year, takes_effect[1]) <= case.month:
        found = (takes_effect[0] + year, takes_effect[1])
        year += 1
    return found


def opening_of(case: Case, kind: str, row: str, accumulation: str) -> OpeningRow | None:
    """The opening of a row, when it belongs to this window (R39)."""
    start, found = window_start(case, accumulation), case.openings.get((kind, row))
    return found if start is not None and found is not None and start <= found.as_of < case.month else None


def earlier_months(case: Case, accumulation: str, opening: OpeningRow | None) -> list[Month]:
    """The months of the window before the service period that the opening does not hold: what to-date sums (R2)."""
    month = window_start(case, accumulation)
    if month is None:
        return []
    if opening is not None:
        month = max(month, next_month(opening.as_of))
    found = []
    while month < case.month:
        found.append(month)
        month = next_month(month)
    return found


def needed_months(case: Case, accumulation: str, opening: OpeningRow | None) -> list[Month]:
    """Those of them that must be there: a site has no months before it started (R8)."""
    start = (case.site_start.year, case.site_start.month) if case.site_start else (0, 0)
    return [month for month in earlier_months(case, accumulation, opening) if month >= start]


def net_of_codes(case: Case, month: Month, codes: set[str]) -> int:
    """Net revenue that shares are taken of (A.1): not validations, not Per Man Hour."""
    total = 0
    for row in case.revenue:
        if row.code in codes and (row.day.year, row.day.month) == month:
            total += row.net if row.flag != "V" and row.category != "PER MAN HOUR" else 0
    return total


def balance(case: Case, month: Month, accounts: Iterable[str]) -> int:
    """Ledger balance without entity 06 (R17)."""
    wanted = set(accounts)
    return sum(r.balance for r in case.ledger if r.month == month and r.account in wanted and r.entity != "06")
