"""Revenue share (billing-flows 6.4): tiers on the month's revenue, alone or accumulated over a window.

Where the flows and the rules differ, the rules decide: windows R2, reset per structure R3, bell exclusion in month and
to-date alike R4, groups per structure R7, high-water mark R11, one line per group R45.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from shared_code.billing.block import Block
from shared_code.billing.given import Billed, Given, Opening, Value
from shared_code.billing.model import FactReference, Line, Reason, Step, Trace
from shared_code.billing.references import revenue_reference
from shared_code.billing.tiers import Band
from shared_code.billing.window_due import WindowDue, window_due, window_inputs
from shared_code.billing.windows import served_since, window_start
from shared_code.facts.completeness import Need
from shared_code.facts.model import REVENUE, FactSum
from shared_code.facts.predicates import SHAREABLE
from shared_code.foundation.calendar import Period
from shared_code.foundation.money import NOTHING, ZERO, dollars
from shared_code.foundation.values import value_class

if TYPE_CHECKING:
    from shared_code.contracts.schema import Structure

NAME = "revenueShare"
OF_STRUCTURE = "Structure {number}: {step}"
_NO_CODES: frozenset[str] = frozenset()

MONTH_REVENUE = Value("revenueShare.monthRevenue", Decimal(0))
"""The month's shareable revenue of all structures: the base of percentage validations (rules R49)."""
SHARE_FACTS: Value[tuple[FactReference, ...]] = Value("revenueShare.facts", ())
"""The source rows of the month's revenue, by structure, for the traces of validations."""
FIRST_BANDS: Value[tuple[Band, ...]] = Value("revenueShare.firstBands", ())
"""What the first structure charges this month, by tier: the weights of validations (rules R49)."""


def earlier(given: Given) -> Iterable[Need]:
    """Revenue of every month since the later of window start, site start and opening (rules R8, R39)."""
    found: list[Need] = []
    for window in given.once(_windows):
        if window.months:
            first = served_since(window.months[0], given.facts)
            found += [Need(REVENUE, month) for month in first.until(given.facts.period)]
    return found


def problems(given: Given) -> Iterable[Reason]:
    """An anniversary structure without an anchor date: neither the contract nor the site states one (rules R2)."""
    if False not in [window.anchored for window in given.once(_windows)]:
        return ()
    return [Reason("ANCHOR_MISSING", "an anniversary window needs a date: enter the contract's anchor or site start")]


def bill(given: Given) -> Billed:
    """One line per invoice group: the sum of its structures' dues, each rounded by rules R11."""
    excluded = given.context.bell_excluded_codes if given.terms.bell_enabled else _NO_CODES
    found = [_share(number, window, given, excluded) for number, window in enumerate(given.once(_windows), start=1)]
    by_group: dict[int, list[_Share]] = {}
    for share in found:
        by_group.setdefault(share.window.structure.group, []).append(share)
    values: dict[str, object] = {
        MONTH_REVENUE.name: sum([share.month.amount for share in found], NOTHING),
        FIRST_BANDS.name: found[0].owed.parts if found else (),
        SHARE_FACTS.name: tuple([share.facts[-1] for share in found]),
    }
    lines = [_line(group, shares, given) for group, shares in by_group.items()]
    return Billed(lines, values)


@value_class
class _Window:
    """The window of a structure: its opening, and the months since, before the service month.

    Not `anchored`: there is no date on which an anniversary rests.
    """

    structure: Structure
    start: Period
    opening: Opening | None
    months: tuple[Period, ...]
    anchored: bool


@value_class
class _Share:
    """One structure's result, with what the trace needs to say."""

    number: int
    window: _Window
    month: FactSum
    owed: WindowDue
    facts: tuple[FactReference, ...]


def _windows(given: Given) -> list[_Window]:
    return [_window(structure, given) for structure in given.terms.structures]


def _window(structure: Structure, given: Given) -> _Window:
    period = given.facts.period
    start = window_start(structure.accumulation, period, given.anchor)
    opening = given.history.opening("structure", structure.id, start or period, period)
    first = opening.as_of.next if opening else start or period
    return _Window(structure, start or period, opening, tuple(first.until(period)), start is not None)


def _share(number: int, window: _Window, given: Given, excluded: frozenset[str]) -> _Share:
    facts, structure, months = given.facts, window.structure, (*window.months, given.facts.period)
    codes = _codes(structure.revenue_codes, excluded)
    found = [(month, facts.revenue_of(month, codes)) for month in months]
    *earlier, amount = [one.amount for _, one in found]
    owed = window_due(amount, earlier, window.opening, structure.tiers, given.terms.loss_rule)
    references = tuple([revenue_reference(facts, month, SHAREABLE, one, codes) for month, one in found])
    _, of_month = found[-1]
    return _Share(number, window, of_month, owed, references)


@lru_cache(maxsize=1024)
def _codes(stated: tuple[str, ...], excluded: frozenset[str]) -> tuple[str, ...]:
    """The codes whose revenue counts, each once, in the form that facts have (rules R4, R46)."""
    named = dict.fromkeys(code.strip().upper() for code in stated)
    return tuple(code for code in named if code not in excluded)


def _line(group: int, shares: Sequence[_Share], given: Given) -> Line:
    context, rule = given.context, given.terms.loss_rule
    amount = sum([s.owed.due for s in shares], ZERO)
    base = sum([s.month.amount for s in shares], NOTHING)
    return Line(
        NAME,
        group,
        f"{context.operator_name} Fees for Services",
        context.gl.revenue_share,
        f"Total Base for Fee Calculation: {dollars(base)}",
        amount,
        Trace(
            inputs={f"structure{s.number}": _inputs(s, rule) for s in shares},
            steps=shares[0].owed.steps if len(shares) == 1 else tuple(_steps(shares, amount)),
            facts=tuple([reference for s in shares for reference in s.facts]),
        ),
    )


def _steps(shares: Sequence[_Share], amount: Decimal) -> Iterator[Step]:
    """The steps of several structures, told apart by their numbers, and what they come to."""
    for share in shares:
        for step in share.owed.steps:
            yield Step(OF_STRUCTURE, step.value, (share.number, step))
    yield Step("Due for all structures together", amount)


def _inputs(share: _Share, rule: str) -> dict[str, object]:
    window = share.window
    structure = window.structure
    return {
        "row": structure.id,
        "accumulation": structure.accumulation,
        "month": share.month.amount,
        **window_inputs(window.start, window.opening, structure.tiers, rule, share.owed),
    }


def _any_structure(given: Given) -> bool:
    return bool(given.terms.structures)


BLOCK = Block(
    NAME,
    NAME,
    bill,
    {REVENUE: _any_structure},
    earlier,
    problems,
    gives=(MONTH_REVENUE, FIRST_BANDS, SHARE_FACTS),
)
