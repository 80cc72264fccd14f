"""Profit share of a management agreement (billing-flows 7): the month's profit, and the operator's tiers of it.

Where the flows and the rules differ, the rules decide: to-date from stored profits R3, high-water mark R11, client-paid
and non-billable expenses R18, missing months R39, deductions of the whole statement R44, printed amounts R45.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from shared_code.billing import non_gl_expense
from shared_code.billing.adhoc import deductions
from shared_code.billing.block import Block
from shared_code.billing.given import Billed, Given, Opening, Value
from shared_code.billing.ledger_lines import HUNDRED, agreement
from shared_code.billing.model import FactReference, Line, Reason, Step, Trace, required
from shared_code.billing.references import revenue_reference
from shared_code.billing.revenue_share import due_steps, high_water_mark
from shared_code.billing.tiers import Band, TierTerm, above, bands_above, charged, due_by_bands, still_due
from shared_code.billing.windows import Accumulation, window_start
from shared_code.contracts.terms import in_force
from shared_code.facts.completeness import FactReason, Need
from shared_code.facts.model import REVENUE, FactSum
from shared_code.facts.predicates import SHAREABLE, VALIDATED_FOR_PROFIT
from shared_code.foundation.calendar import Period
from shared_code.foundation.money import dollars, plain, to_cents, to_places

if TYPE_CHECKING:
    from shared_code.contracts.schema import Agreement, ProfitShareOn, Validation

NAME = "profitShare"
_NOTHING = Decimal(0)
PROFIT_DECIMALS = 10  # more than the product of an amount and a percentage has

MONTHLY_PROFIT: Value[Decimal | None] = Value("profitShare.monthlyProfit", None)
"""The month's profit, stored per contract and period even when nothing is billed (rules R44).

None only where no profit share is on. Exact: printed lines are in cents, facts and thresholds may have more decimals.
"""


def needs(given: Given) -> Iterable[Need]:
    """Revenue of the service month. Earlier months of a window are profits, and no facts (rules R3)."""
    return (Need(REVENUE, given.facts.period),) if _shared(given) is not None else ()


def problems(given: Given) -> Iterable[Reason]:
    """An anniversary window without an anchor date (rules R2); months without a profit (rules R39)."""
    if (found := _shared(given)) is None:
        return
    row, on = found
    start = _start(on, given)
    if start is None:
        yield Reason("ANCHOR_MISSING", "an anniversary window needs a date: enter the contract's anchor or site start")
        return
    for month in _window(row, start, given).missing:
        message = f"profit of {month} is not known; bill that month, or enter the opening of the profit share"
        yield Reason(FactReason.HISTORY.value, message)


def bill(given: Given) -> Billed:
    """One line on the agreement's group; a 0.00 stays on an invoice that exists (rules R54).

    The profit is given whether or not anything is printed (rules R44).
    """
    if (found := _shared(given)) is None:
        return Billed()
    row, on = found
    month = _month(row, given)
    window = _window(row, _start(on, given) or given.facts.period, given)
    share = _share(month.profit, window, on, by_bands=given.terms.loss_rule == "reference")
    return Billed([_line(row, on, month, window, share, given)], {MONTHLY_PROFIT.name: month.profit})


def _shared(given: Given) -> tuple[Agreement, ProfitShareOn] | None:
    """The active agreement, when its profit share is on."""
    row = agreement(given)
    return (row, row.profit_share) if row is not None and row.profit_share.kind == "on" else None


class _Item(NamedTuple):
    """What lowers the profit: a printed line, or an expense that a person added. A negative amount raises it."""

    title: str
    amount: Decimal


class _Month(NamedTuple):
    """The month's profit and its parts, each list in the order of rules R55."""

    revenue: FactSum
    validated: FactSum | None
    over: Decimal
    deducted: tuple[_Item, ...]
    client_paid: tuple[_Item, ...]
    non_billable: tuple[_Item, ...]
    non_gl: tuple[_Item, ...]
    profit: Decimal


def _month(row: Agreement, given: Given) -> _Month:
    """Deductions are taken over the whole statement, whatever their group (rules R44), as printed (rules R45)."""
    facts, lines = given.facts, given.lines
    revenue = facts.all_revenue()  # bell service stays in the base (rules R57)
    validated = facts.measure(VALIDATED_FOR_PROFIT) if row.validation.kind != "none" else None
    over = _over(row.validation, validated.amount, revenue.amount) if validated is not None else Decimal(0)
    deducted = tuple([_Item(line.title, line.amount) for line in lines if line.meta.get("isProfitDeduction")])
    client_paid, non_billable = _added(given, "clientPaidExpense"), _added(given, "nonBillableExpense")
    non_gl = tuple([_Item(line.title, line.amount) for line in lines if line.block == non_gl_expense.NAME])
    profit = revenue.amount + over - _total((*deducted, *client_paid, *non_billable, *non_gl))
    kept = to_places(profit, PROFIT_DECIMALS)  # what is charged is what is stored, so that a window telescopes
    return _Month(revenue, validated, over, deducted, client_paid, non_billable, non_gl, kept)


def _added(given: Given, kind: str) -> tuple[_Item, ...]:
    """What people added is stored negative, as a credit (rules R18)."""
    return tuple(_Item(one.title, -one.amount) for one in deductions(given, kind))


def _over(rule: Validation, validated: Decimal, revenue: Decimal) -> Decimal:
    """Validations above the threshold, which raise the profit (billing-flows 7.2).

    A vehicle count takes all of them; a percentage threshold is not below 0, even where revenue is (rules R49).
    """
    if rule.kind == "none":
        return Decimal(0)
    if rule.kind == "VehicleCount":
        return validated
    limit = required(rule.value, "validation threshold")
    if rule.kind == "RevenuePercentage":
        limit = max(revenue * limit / HUNDRED, Decimal(0))
    return max(validated - limit, Decimal(0))


def _total(items: Iterable[_Item]) -> Decimal:
    return sum([item.amount for item in items], _NOTHING)


class _Window(NamedTuple):
    """The part of a window before the service month. `missing`: months that should have a profit and have none."""

    start: Period
    opening: Opening | None
    profits: tuple[Decimal, ...]
    missing: tuple[Period, ...]

    @property
    def to_date(self) -> Decimal:
        return sum(self.profits, self.opening.to_date if self.opening else _NOTHING)


def _start(on: ProfitShareOn, given: Given) -> Period | None:
    anchor = given.terms.anchor_date or given.facts.started
    return window_start(Accumulation(on.accumulation), given.facts.period, anchor)


def _window(row: Agreement, start: Period, given: Given) -> _Window:
    """Stored profits since the later of window start and opening; none is asked of months that were not served."""
    history, period = given.history, given.facts.period
    opening = history.opening("profitShare", row.id, start, period)
    months = tuple((opening.as_of.next if opening else start).until(period))
    known = history.profits
    profits = tuple([known[month] for month in months if month in known])
    missing = tuple([month for month in months if month not in known and _served(month, given)])
    return _Window(start, opening, profits, missing)


def _served(month: Period, given: Given) -> bool:
    """Whether contract and site had started, so that the month should have a statement (rules R39)."""
    started = given.facts.started
    return (started is None or started <= month.last_day) and in_force(given.terms.contract, month)


class _Share(NamedTuple):
    """What the month owes, by band to the cent: the parts sum to `due`, as they are printed."""

    due: Decimal
    parts: tuple[tuple[Band, Decimal], ...]
    steps: tuple[Step, ...]


def _share(profit: Decimal, window: _Window, on: ProfitShareOn, *, by_bands: bool) -> _Share:
    # 0 is unbounded, like null (rules R10)
    tiers = [TierTerm(required(t.share_pct, "share"), t.up_to or None) for t in on.tiers]
    to_date = window.to_date
    total = to_date + profit
    if by_bands:
        due, before = due_by_bands(profit, to_date, tiers), _NOTHING
        parts = bands_above(total, max(to_date, _NOTHING), tiers)
        steps: tuple[Step, ...] = (Step(f"Bands between {dollars(to_date)} and {dollars(total)}", due),)
    else:
        mark = high_water_mark(window.profits, window.opening)
        whole, former = charged(total, tiers), charged(mark, tiers)
        due, before = still_due(whole, former), former.exact
        parts = above(whole.bands, mark)
        steps = tuple(due_steps(whole, former, due))
    return _Share(due, tuple(_in_cents(parts, before)), steps)


def _in_cents(found: Sequence[Band], before: Decimal) -> Iterator[tuple[Band, Decimal]]:
    """Each band with its part of the due: the rise of the rounded charge, so that no cent is lost between bands."""
    for band in found:
        after = before + band.due
        yield band, to_cents(after) - to_cents(before)
        before = after


def _line(row: Agreement, on: ProfitShareOn, month: _Month, window: _Window, share: _Share, given: Given) -> Line:
    rows = list(_rows(month, share))
    meta: dict[str, object] = {
        "lineItemType": NAME,
        "isProfitShare": True,
        "monthlyProfit": month.profit,
        "profitShareCalculationDetails": [_detail(one) for one in rows],
    }
    steps = (*_profit_steps(month, window), *share.steps)
    return Line(
        NAME,
        row.group,
        f"{given.context.operator_name} Profit Share",
        given.context.gl.profit_share,
        "".join(f"{one.label}: {one.amount}\n" for one in rows),
        share.due,
        Trace(_inputs(row, on, month, window), steps, tuple(_references(month, given))),
        meta,
        shows_zero=True,
    )


class _Row(NamedTuple):
    """One line of the printed calculation. `flag` is its mark in the calculation details, "" for none."""

    label: str
    amount: str
    flag: str = ""


def _rows(month: _Month, share: _Share) -> Iterator[_Row]:
    """The printed calculation (billing-flows 7.7, rules R55): rows of 0.00 are left out.

    Validations have the mark of a deduction there, though they raise the profit, and expenses outside the ledger none.
    """
    yield _Row("Monthly Revenue", dollars(month.revenue.amount), "isProfitAddition")
    if month.validated is not None:
        yield _Row("Value of Validations Over Threshold", dollars(month.over), "isProfitDeduction")
    yield from _item_rows((*month.deducted, *month.client_paid), "isProfitDeduction")
    yield from _item_rows((*month.non_billable, *month.non_gl), "")
    for band, part in share.parts:
        if part:
            yield _Row(f"Profit Share {plain(band.percent)}%", dollars(part), "isProfitCalculation")


def _item_rows(items: Iterable[_Item], flag: str) -> Iterator[_Row]:
    return (_Row(item.title, dollars(-item.amount), flag) for item in items if to_cents(item.amount))


def _detail(row: _Row) -> Mapping[str, object]:
    found: dict[str, object] = {"description": row.label, "amount": row.amount}
    if row.flag:
        found[row.flag] = True
    return found


def _profit_steps(month: _Month, window: _Window) -> Iterator[Step]:
    yield Step("Revenue of the month", month.revenue.amount)
    if month.validated is not None:
        yield Step("Validations above the threshold", month.over)
    for text, items in (
        ("Less the deductions of the statement", month.deducted),
        ("Less expenses that the client paid", month.client_paid),
        ("Less expenses that are not billable", month.non_billable),
        ("Less expenses outside the ledger", month.non_gl),
    ):
        if items:
            yield Step(text, -_total(items))
    yield Step("Profit of the month", month.profit)
    if window.profits or window.opening:
        yield Step(f"Profit from {window.start} to the month before", window.to_date)


def _inputs(row: Agreement, on: ProfitShareOn, month: _Month, window: _Window) -> dict[str, object]:
    return {
        "row": row.id,
        "accumulation": on.accumulation,
        "windowStart": str(window.start),
        "revenue": month.revenue.amount,
        "validations": month.validated.amount if month.validated is not None else None,
        "validationsOverThreshold": month.over,
        "deductions": _named(month.deducted),
        "clientPaid": _named(month.client_paid),
        "nonBillable": _named(month.non_billable),
        "nonGl": _named(month.non_gl),
        "profit": month.profit,
        "opening": window.opening.to_date if window.opening else None,
        "toDate": window.to_date,
        "tiers": [{"percent": t.share_pct, "upTo": t.up_to} for t in on.tiers],
    }


def _named(items: Iterable[_Item]) -> list[Mapping[str, object]]:
    return [{"title": item.title, "amount": item.amount} for item in items]


def _references(month: _Month, given: Given) -> Iterator[FactReference]:
    facts = given.facts
    yield revenue_reference(facts, facts.period, SHAREABLE, month.revenue)
    if month.validated is not None:
        yield revenue_reference(facts, facts.period, VALIDATED_FOR_PROFIT, month.validated)


BLOCK = Block(
    NAME, "managementAgreement", bill, needs, problems, gives=(MONTHLY_PROFIT,), last=True, part="profitShare"
)
