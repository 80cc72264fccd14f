"""Revenue share (billing-flows 6.4): tiers on the month's revenue, alone or accumulated over a window.

Where the flows and the rules differ, the rules decide: windows R2, reset per structure R3, bell exclusion in month and
to-date alike R4, groups per structure R7, high-water mark R11, one line per group R45.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from shared_code.billing.block import Block
from shared_code.billing.context import BillingContext
from shared_code.billing.given import Billed, Given, Opening, Value
from shared_code.billing.model import FactReference, Line, Reason, Step, Trace, required
from shared_code.billing.references import revenue_reference
from shared_code.billing.tiers import Band, Charge, TierTerm, above, bands_above, charged, due_by_bands, still_due
from shared_code.billing.windows import Accumulation, served_since, window_start
from shared_code.facts.completeness import Need
from shared_code.facts.model import REVENUE, FactSum, SiteFacts
from shared_code.facts.predicates import SHAREABLE
from shared_code.foundation.calendar import Period
from shared_code.foundation.money import ZERO, dollars, plain

if TYPE_CHECKING:
    from shared_code.contracts.schema import Structure

NAME = "revenueShare"
_NOTHING = Decimal(0)

MONTH_REVENUE = Value("revenueShare.monthRevenue", Decimal(0))
"""The month's shareable revenue of all structures: the base of percentage validations (rules R49)."""
FIRST_BANDS: Value[tuple[Band, ...]] = Value("revenueShare.firstBands", ())
"""What the first structure charges this month, by tier: the weights of validations (rules R49)."""


def needs(given: Given) -> Iterable[Need]:
    """Revenue of every month since the later of window start, site start and opening (rules R8, R39)."""
    period = given.facts.period
    for structure in given.terms.structures:
        start = _start(structure, given) or period
        opening = given.history.opening("structure", structure.id, start, period)
        first = opening.as_of.next if opening else start
        for month in served_since(first, given.facts).until(period):
            yield Need(REVENUE, month)
        yield Need(REVENUE, period)


def problems(given: Given) -> Iterable[Reason]:
    """An anniversary structure without an anchor date: neither the contract nor the site states one (rules R2)."""
    if None in [_start(structure, given) for structure in given.terms.structures]:
        yield Reason("ANCHOR_MISSING", "an anniversary window needs a date: enter the contract's anchor or site start")


def bill(given: Given) -> Billed:
    """One line per invoice group: the sum of its structures' dues, each rounded by rules R11."""
    excluded = given.context.bell_excluded_codes if given.terms.bell_enabled else frozenset[str]()
    found = [_share(number, row, given, excluded) for number, row in enumerate(given.terms.structures, start=1)]
    by_group: dict[int, list[_Share]] = {}
    for share in found:
        by_group.setdefault(share.structure.group, []).append(share)
    values: dict[str, object] = {
        MONTH_REVENUE.name: sum([share.month.amount for share in found], _NOTHING),
        FIRST_BANDS.name: found[0].charged if found else (),
    }
    lines = [_line(group, shares, given.facts, given.context) for group, shares in by_group.items()]
    return Billed(lines, values)


class _Share(NamedTuple):
    """One structure's result, with what the trace needs to say."""

    number: int
    structure: Structure
    start: Period
    codes: tuple[str, ...]
    months: tuple[tuple[Period, FactSum], ...]
    month: FactSum
    to_date: Decimal
    opening: Opening | None
    due: Decimal
    charged: tuple[Band, ...]
    steps: tuple[Step, ...]


def _start(structure: Structure, given: Given) -> Period | None:
    anchor = given.terms.anchor_date or given.facts.started
    return window_start(Accumulation(structure.accumulation), given.facts.period, anchor)


def _share(number: int, structure: Structure, given: Given, excluded: frozenset[str]) -> _Share:
    facts = given.facts
    start = _start(structure, given) or facts.period
    opening = given.history.opening("structure", structure.id, start, facts.period)
    codes = _codes(structure.revenue_codes, excluded)
    first = opening.as_of.next if opening else start
    months = tuple([(p, facts.revenue_of(p, codes)) for p in first.until(facts.period.next)])
    month = months[-1][1]
    before = [found.amount for _, found in months[:-1]]
    to_date = sum(before, opening.to_date if opening else _NOTHING)
    # 0 is unbounded, like null (rules R10)
    tiers = [TierTerm(required(t.share_pct, "share"), t.up_to or None) for t in structure.tiers]
    total = to_date + month.amount
    if given.terms.loss_rule == "reference":
        due = due_by_bands(month.amount, to_date, tiers)
        parts = bands_above(total, max(to_date, _NOTHING), tiers)
        steps: tuple[Step, ...] = (Step(f"Bands between {dollars(to_date)} and {dollars(total)}", due),)
    else:
        mark = high_water_mark(before, opening)
        whole, former = charged(total, tiers), charged(mark, tiers)
        due = still_due(whole, former)
        steps = tuple(due_steps(whole, former, due))
        parts = above(whole.bands, mark)
    return _Share(number, structure, start, codes, months, month, to_date, opening, due, parts, steps)


def high_water_mark(before: Sequence[Decimal], opening: Opening | None) -> Decimal:
    """The highest running total of a window before this month, 0 at least, its opening included (rules R11, R39)."""
    running, mark = (opening.to_date, opening.high_water_mark) if opening else (_NOTHING, _NOTHING)
    mark = max(mark, running, _NOTHING)
    for amount in before:
        running += amount
        mark = max(mark, running)
    return mark


@lru_cache(maxsize=1024)
def _codes(stated: tuple[str, ...], excluded: frozenset[str]) -> tuple[str, ...]:
    """The codes whose revenue counts, each once, in the form that facts have (rules R4, R46)."""
    named = dict.fromkeys(code.strip().upper() for code in stated)
    return tuple(code for code in named if code not in excluded)


def due_steps(whole: Charge, before: Charge, due: Decimal) -> Iterator[Step]:
    """How a running total and its high-water mark come to what is due, in steps."""
    for band in whole.bands:
        yield Step(f"{plain(band.percent)} % of the {dollars(band.amount)} above {dollars(band.lower)}", band.due)
    yield Step(f"Charge on the running total {dollars(whole.total)}", whole.cents)
    if before.total > 0:
        yield Step(f"Less the charge on the high-water mark {dollars(before.total)}", -before.cents)
    yield Step("Due for the month, not below zero", due)


def _line(group: int, shares: Sequence[_Share], facts: SiteFacts, context: BillingContext) -> Line:
    amount = sum([s.due for s in shares], ZERO)
    base = sum([s.month.amount for s in shares], _NOTHING)
    return Line(
        NAME,
        group,
        f"{context.operator_name} Fees for Services",
        context.gl.revenue_share,
        f"Total Base for Fee Calculation: {dollars(base)}",
        amount,
        Trace(
            inputs={f"structure{s.number}": _inputs(s) for s in shares},
            steps=tuple([step for s in shares for step in s.steps]),
            facts=tuple([reference for s in shares for reference in _references(s, facts)]),
        ),
    )


def _inputs(share: _Share) -> dict[str, object]:
    return {
        "row": share.structure.id,
        "accumulation": share.structure.accumulation,
        "windowStart": str(share.start),
        "month": share.month.amount,
        "opening": share.opening.to_date if share.opening else None,
        "toDate": share.to_date,
        "tiers": [{"percent": t.share_pct, "upTo": t.up_to} for t in share.structure.tiers],
    }


def _references(share: _Share, facts: SiteFacts) -> Iterator[FactReference]:
    for period, found in share.months:
        yield revenue_reference(facts, period, SHAREABLE, found, share.codes)


BLOCK = Block(NAME, NAME, bill, needs, problems, gives=(MONTH_REVENUE, FIRST_BANDS))
