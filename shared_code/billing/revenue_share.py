"""Revenue share (billing-flows 6.4): tiers on the month's revenue, alone or accumulated over a window.

Where the flows and the rules differ, the rules decide: windows R2, reset per structure R3, bell exclusion in month and
to-date alike R4, groups per structure R7, high-water mark R11, one line per group R45.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from shared_code.billing.context import BillingContext
from shared_code.billing.model import FactReference, Line, Step, Trace, required
from shared_code.billing.tiers import TierTerm, bands, charge, due_above, due_by_bands
from shared_code.billing.windows import Accumulation, window_start
from shared_code.contracts.terms import PeriodTerms
from shared_code.facts.completeness import Need
from shared_code.facts.model import REVENUE, FactSum, SiteFacts
from shared_code.foundation.calendar import Period
from shared_code.foundation.money import ZERO, dollars, plain

if TYPE_CHECKING:
    from shared_code.contracts.schema import Structure

NAME = "revenueShare"


def needs(terms: PeriodTerms, facts: SiteFacts) -> Sequence[Need]:
    """Revenue of every month since the later of window start and site start (rules R8)."""
    found: list[Need] = []
    for structure in terms.structures:
        start = _start(structure, terms, facts) or facts.period
        found.extend(Need(REVENUE, month) for month in start.until(facts.period.next) if _open(month, facts))
    return found


def _open(month: Period, facts: SiteFacts) -> bool:
    """Whether the site had started by the end of `month`; the service period is always asked for."""
    return month == facts.period or facts.started is None or facts.started <= month.last_day


def anchor_missing(terms: PeriodTerms, facts: SiteFacts) -> bool:
    """An anniversary structure without an anchor date: neither the contract nor the site states one (rules R2)."""
    return any(_start(structure, terms, facts) is None for structure in terms.structures)


def bill(terms: PeriodTerms, facts: SiteFacts, context: BillingContext) -> Sequence[Line]:
    """One line per invoice group: the sum of its structures' dues, each rounded by rules R11."""
    excluded = context.bell_excluded_codes if terms.bell_enabled else frozenset[str]()
    shares: dict[int, list[_Share]] = {}
    for number, structure in enumerate(terms.structures, start=1):
        share = _share(number, structure, terms, facts, excluded)
        shares.setdefault(structure.group, []).append(share)
    return [_line(group, found, facts.site, context) for group, found in shares.items()]


@dataclass(frozen=True, slots=True)
class _Share:
    """One structure's result, with what the trace needs to say."""

    number: int
    structure: Structure
    codes: tuple[str, ...]
    months: tuple[tuple[Period, FactSum], ...]
    month: FactSum
    due: Decimal
    steps: tuple[Step, ...]


def _start(structure: Structure, terms: PeriodTerms, facts: SiteFacts) -> Period | None:
    anchor = terms.anchor_date or facts.started
    return window_start(Accumulation(structure.accumulation), facts.period, anchor)


def _share(number: int, structure: Structure, terms: PeriodTerms, facts: SiteFacts, excluded: frozenset[str]) -> _Share:
    start = _start(structure, terms, facts) or facts.period
    codes = _codes(structure, excluded)
    months = tuple((p, facts.revenue_of(p, codes)) for p in start.until(facts.period.next))
    month = months[-1][1]
    to_date = sum((s.amount for _, s in months[:-1]), Decimal(0))
    # 0 is unbounded, like null (rules R10)
    tiers = [TierTerm(required(t.share_pct, "share"), t.up_to or None) for t in structure.tiers]
    if terms.loss_rule == "reference":
        due = due_by_bands(month.amount, to_date, tiers)
        steps: tuple[Step, ...] = (
            Step(f"Bands between {dollars(to_date)} and {dollars(to_date + month.amount)}", due),
        )
    else:
        mark = max(_running(months[:-1]), default=Decimal(0))
        mark = max(mark, Decimal(0))
        due = due_above(to_date + month.amount, mark, tiers)
        steps = tuple(_steps(to_date + month.amount, mark, tiers, due))
    return _Share(number, structure, codes, months, month, due, steps)


def _codes(structure: Structure, excluded: frozenset[str]) -> tuple[str, ...]:
    """The codes whose revenue counts, each once, in the form that facts have (rules R4, R46)."""
    named = dict.fromkeys(code.strip().upper() for code in structure.revenue_codes)
    return tuple(code for code in named if code not in excluded)


def _running(months: Sequence[tuple[Period, FactSum]]) -> Iterator[Decimal]:
    total = Decimal(0)
    for _, found in months:
        total += found.amount
        yield total


def _steps(total: Decimal, mark: Decimal, tiers: Sequence[TierTerm], due: Decimal) -> Iterator[Step]:
    for band in bands(total, tiers):
        yield Step(f"{plain(band.percent)} % of the {dollars(band.amount)} above {dollars(band.lower)}", band.due)
    yield Step(f"Charge on the running total {dollars(total)}", charge(total, tiers))
    if mark > 0:
        yield Step(f"Less the charge on the high-water mark {dollars(mark)}", -charge(mark, tiers))
    yield Step("Due for the month, not below zero", due)


def _line(group: int, shares: Sequence[_Share], site: str, context: BillingContext) -> Line:
    amount = sum((s.due for s in shares), ZERO)
    base = sum((s.month.amount for s in shares), Decimal(0))
    return Line(
        NAME,
        group,
        f"{context.operator_name} Fees for Services",
        context.gl.revenue_share,
        f"Total Base for Fee Calculation: {dollars(base)}",
        amount,
        Trace(
            inputs={f"structure{s.number}": _inputs(s) for s in shares},
            steps=tuple(step for s in shares for step in s.steps),
            facts=tuple(reference for s in shares for reference in _references(s, site)),
        ),
    )


def _inputs(share: _Share) -> dict[str, object]:
    return {
        "row": share.structure.id,
        "accumulation": share.structure.accumulation,
        "windowStart": str(share.months[0][0]),
        "month": share.month.amount,
        "toDate": sum((s.amount for _, s in share.months[:-1]), Decimal(0)),
        "tiers": [{"percent": t.share_pct, "upTo": t.up_to} for t in share.structure.tiers],
    }


def _references(share: _Share, site: str) -> Iterator[FactReference]:
    codes = ", ".join(share.codes)
    for period, found in share.months:
        yield FactReference(
            REVENUE,
            f"site {site}, month {period}, deposit flag not V, category not Per Man Hour, codes {codes}",
            found.rows,
            found.amount,
            (found.batch,) if found.batch else (),
        )
