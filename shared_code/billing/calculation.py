"""One contract, one period: every block in order, wholly or not at all. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from shared_code.billing import profit_share
from shared_code.billing.block import Block, no_problem, nothing_needed
from shared_code.billing.blocks import BLOCKS, SUPPORTED, in_order
from shared_code.billing.context import BillingContext
from shared_code.billing.given import NO_HISTORY, NOTHING_BILLED, Given, History
from shared_code.billing.model import AdHocLine, Line, Outcome, Reason
from shared_code.billing.rate_history import with_rate_history
from shared_code.contracts.terms import PeriodTerms
from shared_code.facts.completeness import FactReason, Need, Shortfall, month_is_whole, shortfalls
from shared_code.facts.model import SiteFacts

_ORDER = in_order(BLOCKS)
_PLACE = {block.name: 2 * number for number, block in enumerate(BLOCKS)}  # with room for what is printed behind
_RATES = {block.name: block.place for block in BLOCKS}
_place = itemgetter(0)
_FACT_REASONS = {reason.value: rank for rank, reason in enumerate(FactReason, start=1)}


def compute(
    terms: PeriodTerms,
    facts: SiteFacts,
    context: BillingContext,
    history: History = NO_HISTORY,
    adhoc: Sequence[AdHocLine] = (),
) -> Outcome:
    """Bill one contract for one period.

    Reasons come in the order of rules R61: contract errors first, then missing, incomplete, rejected facts, missing
    history. Lines of 0.00 are dropped (billing-flows 5.5, step 6; R54); no lines at all means nothing to bill.
    """
    values: dict[str, object] = {}
    given = Given(terms, facts, context, history, values, (), adhoc)
    active = _active(terms.blocks)
    if reasons := _reasons(given, active):
        return Outcome(reasons=tuple(reasons))
    placed: list[tuple[int, Sequence[Line]]] = []
    warnings: list[Reason] = []
    for block in active.blocks:
        if block.last:
            given.lines = printed(placed)
        billed = block.bill(given)
        if billed is NOTHING_BILLED:
            continue
        if billed.lines:
            place = _behind(billed.behind) if billed.behind else _PLACE[block.name]
            placed.append((place, billed.lines))
        if billed.values:
            values.update(billed.values)
        if billed.warnings:
            warnings += billed.warnings
    lines = with_rate_history(_without_zeros(printed(placed)), terms.rates, _RATES)
    return Outcome(tuple(lines), (), tuple(warnings), given.value(profit_share.MONTHLY_PROFIT))


def needs_of(given: Given) -> list[Need]:
    """Every dataset and month that the contract's active rows read (rules R60)."""
    return [need for block in _active(given.terms.blocks).blocks for need in block.needs(given)]


class _Active(NamedTuple):
    """The blocks of a contract, in the order in which they are computed, and what those that ask have to ask.

    `datasets` are those of the service month that any of them may read.
    """

    blocks: tuple[Block, ...]
    datasets: tuple[str, ...]
    earlier: tuple[Callable[[Given], Iterable[Need]], ...]
    problems: tuple[Callable[[Given], Iterable[Reason]], ...]
    unsupported: tuple[str, ...]


@lru_cache(maxsize=1024)
def _active(components: tuple[str, ...]) -> _Active:
    blocks = tuple(block for block in _ORDER if block.component is None or block.component in components)
    return _Active(
        blocks,
        tuple(dict.fromkeys(dataset for block in blocks for dataset in block.month)),
        tuple(block.earlier for block in blocks if block.earlier is not nothing_needed),
        tuple(block.problems for block in blocks if block.problems is not no_problem),
        tuple(name for name in components if name not in SUPPORTED),
    )


def _behind(name: str) -> int:
    """The place right behind a block, before the next one."""
    return _PLACE[name] + 1


def printed(placed: Iterable[tuple[int, Sequence[Line]]]) -> list[Line]:
    """Lines by the places of their blocks; those of one place as they were made."""
    return [line for _, lines in sorted(placed, key=_place) for line in lines]


def _without_zeros(lines: Sequence[Line]) -> list[Line]:
    """The lines but those of 0.00; one that shows a calculation stays on an invoice that exists (rules R54)."""
    exist = [line for line in lines if line.amount]
    if len(exist) == len(lines):
        return exist
    groups = {line.group for line in exist}
    return [line for line in lines if line.amount or (line.shows_zero and line.group in groups)]


def _reasons(given: Given, active: _Active) -> list[Reason]:
    """Everything that stops the contract, the worst first (rules R61)."""
    found = [_unsupported(name) for name in active.unsupported]
    found += [Reason(finding.code, f"{finding.pointer}: {finding.message}") for finding in given.terms.errors]
    for problems in active.problems:
        found += problems(given)
    found += [Reason(one.reason.value, one.message) for one in _shortfalls(given, active)]
    return sorted(found, key=_rank) if found else found


def _shortfalls(given: Given, active: _Active) -> list[Shortfall]:
    """What the facts lack. As a rule the month is whole, and nobody has to be asked what of it he reads."""
    facts, gap_days = given.facts, given.context.gap_days
    if not month_is_whole(facts, active.datasets, gap_days):
        return shortfalls(facts, needs_of(given), gap_days)
    needs = [need for earlier in active.earlier for need in earlier(given)]
    return shortfalls(facts, needs, gap_days) if needs else []


def _rank(reason: Reason) -> int:
    """Contract errors in the order in which they are found, then what facts lack."""
    return _FACT_REASONS.get(reason.code, 0)


def _unsupported(name: str) -> Reason:
    message = f"the contract bills '{name}', which this version cannot compute; nothing is billed in part"
    return Reason("COMPONENT_NOT_SUPPORTED", message)
