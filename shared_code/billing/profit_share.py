"""Profit share of a management agreement (billing-flows 7): the month's profit, and the operator's tiers of it.

Where the flows and the rules differ, the rules decide: to-date from stored profits R3, high-water mark R11, client-paid
and non-billable expenses R18, missing months R39, deductions of the whole statement R44, printed amounts R45.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from shared_code.billing import non_gl_expense
from shared_code.billing.block import Block
from shared_code.billing.given import NOTHING_BILLED, Billed, Given, Opening, Value
from shared_code.billing.ledger_lines import agreement
from shared_code.billing.model import FactReference, Line, Reason, Step, Trace, required
from shared_code.billing.references import revenue_reference
from shared_code.billing.tiers import Band
from shared_code.billing.window_due import WindowDue, window_due, window_inputs
from shared_code.billing.windows import window_start
from shared_code.contracts.terms import in_force
from shared_code.facts.completeness import FactReason
from shared_code.facts.model import REVENUE, FactSum
from shared_code.facts.predicates import SHAREABLE, VALIDATED_FOR_PROFIT
from shared_code.foundation.calendar import Period
from shared_code.foundation.money import HUNDRED, NOTHING, dollars, plain, to_cents, to_places
from shared_code.foundation.values import value_class

if TYPE_CHECKING:
    from shared_code.contracts.schema import Agreement, ProfitShareOn, Validation

NAME = "profitShare"
EARLIER = "Profit from {start} to the month before"
_NIL = dollars(NOTHING)
PROFIT_DECIMALS = 10  # more than the product of an amount and a percentage has

MONTHLY_PROFIT: Value[Decimal | None] = Value("profitShare.monthlyProfit", None)
"""The month's profit, stored per contract and period even when nothing is billed (rules R44).

None only where no profit share is on. Exact: printed lines are in cents, facts and thresholds may have more decimals.
"""


def problems(given: Given) -> Iterable[Reason]:
    """An anniversary window without an anchor date (rules R2); months without a profit (rules R39)."""
    if _shared(given) is None:
        return ()
    window = given.once(_window)
    if window is None:
        message = "an anniversary window needs a date: enter the contract's anchor or site start"
        return [Reason("ANCHOR_MISSING", message)]
    advice = "is not known; bill that month, or enter the opening of the profit share"
    return [Reason(FactReason.HISTORY.value, f"profit of {month} {advice}") for month in _missing(window, given)]


def bill(given: Given) -> Billed:
    """One line on the agreement's group; a 0.00 stays on an invoice that exists (rules R54).

    The profit is given whether or not anything is printed (rules R44).
    """
    found, window = _shared(given), given.once(_window)
    if found is None or window is None:
        return NOTHING_BILLED
    row, on = found
    month = _month(row, given)
    owed = window_due(month.profit, window.profits, window.opening, on.tiers, given.terms.loss_rule)
    return Billed([_line(row, on, month, window, owed, given)], {MONTHLY_PROFIT.name: month.profit})


def _shared(given: Given) -> tuple[Agreement, ProfitShareOn] | None:
    """The active agreement, when its profit share is on."""
    row = agreement(given)
    return (row, row.profit_share) if row is not None and row.profit_share.kind == "on" else None


def _is_shared(given: Given) -> bool:
    return _shared(given) is not None


type _Item = tuple[str, Decimal]
"""What lowers the profit: title and amount of a printed line, or of an expense that a person added."""


@value_class
class _Month:
    """The month's profit and its parts, each list in the order of rules R55."""

    revenue: FactSum
    validated: FactSum | None
    over: Decimal
    deducted: list[_Item]
    client_paid: list[_Item]
    non_billable: list[_Item]
    non_gl: list[_Item]
    profit: Decimal


def _month(row: Agreement, given: Given) -> _Month:
    """Deductions are taken over the whole statement, whatever their group (rules R44), as printed (rules R45)."""
    facts, lines = given.facts, given.lines
    revenue = facts.all_revenue()  # bell service stays in the base (rules R57)
    validated = facts.measure(VALIDATED_FOR_PROFIT) if row.validation.kind != "none" else None
    over = _over(row.validation, validated.amount, revenue.amount) if validated is not None else NOTHING
    deducted = [(line.title, line.amount) for line in lines if line.meta.get("isProfitDeduction")]
    client_paid, non_billable = _added(given, "clientPaidExpense"), _added(given, "nonBillableExpense")
    non_gl = [(line.title, line.amount) for line in lines if line.block == non_gl_expense.NAME]
    profit = revenue.amount + over - _total([*deducted, *client_paid, *non_billable, *non_gl])
    kept = to_places(profit, PROFIT_DECIMALS)  # what is charged is what is stored, so that a window telescopes
    return _Month(revenue, validated, over, deducted, client_paid, non_billable, non_gl, kept)


def _added(given: Given, kind: str) -> list[_Item]:
    """What people added is stored negative, as a credit (rules R18)."""
    return [(one.title, -one.amount) for one in given.adhoc if one.type == kind]


def _over(rule: Validation, validated: Decimal, revenue: Decimal) -> Decimal:
    """Validations above the threshold, which raise the profit (billing-flows 7.2).

    A vehicle count takes all of them; a percentage threshold is not below 0, even where revenue is (rules R49).
    """
    if rule.kind == "none":
        return NOTHING
    if rule.kind == "VehicleCount":
        return validated
    limit = required(rule.value, "validation threshold")
    if rule.kind == "RevenuePercentage":
        limit = max(revenue * limit / HUNDRED, NOTHING)
    return max(validated - limit, NOTHING)


def _total(items: Iterable[_Item]) -> Decimal:
    return sum([amount for _, amount in items], NOTHING)


@value_class
class _Window:
    """A window before the service month: its opening, the months since, and their profits as far as known."""

    start: Period
    opening: Opening | None
    months: tuple[Period, ...]
    profits: list[Decimal]


def _window(given: Given) -> _Window | None:
    """The window of the profit share; None where there is none, or no date on which it rests."""
    found, period = _shared(given), given.facts.period
    if found is None:
        return None
    row, on = found
    start = window_start(on.accumulation, period, given.anchor)
    if start is None:
        return None
    opening = given.history.opening("profitShare", row.id, start, period)
    months = tuple((opening.as_of.next if opening else start).until(period))
    known = [given.history.profits.get(month) for month in months]
    return _Window(start, opening, months, [profit for profit in known if profit is not None])


def _missing(window: _Window, given: Given) -> Iterable[Period]:
    """Months that should have a profit and have none; none is asked of months that were not served."""
    if len(window.profits) == len(window.months):
        return ()
    known = given.history.profits
    return [month for month in window.months if month not in known and _served(month, given)]


def _served(month: Period, given: Given) -> bool:
    """Whether contract and site had started, so that the month should have a statement (rules R39)."""
    started = given.facts.started
    return (started is None or started <= month.last_day) and in_force(given.terms.contract, month)


def _in_cents(owed: WindowDue) -> Iterator[tuple[Band, Decimal]]:
    """Each band with its part of the due: the rise of the rounded charge, so that the parts sum to it to the cent."""
    exact = owed.before
    before = to_cents(exact)
    for band in owed.parts:
        exact += band.due
        after = to_cents(exact)
        yield band, after - before
        before = after


def _line(row: Agreement, on: ProfitShareOn, month: _Month, window: _Window, owed: WindowDue, given: Given) -> Line:
    rows = _rows(month, owed)
    meta: dict[str, object] = {
        "lineItemType": NAME,
        "isProfitShare": True,
        "monthlyProfit": month.profit,
        "profitShareCalculationDetails": rows,
    }
    steps = (*_profit_steps(month, window, owed.to_date), *owed.steps)
    return Line(
        NAME,
        row.group,
        f"{given.context.operator_name} Profit Share",
        given.context.gl.profit_share,
        "".join([f"{one['description']}: {one['amount']}\n" for one in rows]),
        owed.due,
        Trace(_inputs(row, on, month, window, owed, given), steps, _references(month, given)),
        meta,
        shows_zero=True,
    )


type _Row = Mapping[str, object]
"""One line of the printed calculation: its description, its amount as text, and its mark, where it has one."""


def _rows(month: _Month, owed: WindowDue) -> list[_Row]:
    """The printed calculation (billing-flows 7.7, rules R55): what lowers the profit, and shares, only where not 0.00.

    Validations have the mark of a deduction there, though they raise the profit, and expenses outside the ledger none.
    """
    rows: list[_Row] = [
        {"description": "Monthly Revenue", "amount": dollars(month.revenue.amount), "isProfitAddition": True}
    ]
    if month.validated is not None:
        over = dollars(month.over)
        rows.append({"description": "Value of Validations Over Threshold", "amount": over, "isProfitDeduction": True})
    for title, amount in (*month.deducted, *month.client_paid):
        if (text := dollars(-amount)) != _NIL:
            rows.append({"description": title, "amount": text, "isProfitDeduction": True})
    for title, amount in (*month.non_billable, *month.non_gl):
        if (text := dollars(-amount)) != _NIL:
            rows.append({"description": title, "amount": text})
    for band, part in _in_cents(owed):
        if part:
            label = f"Profit Share {plain(band.percent)}%"
            rows.append({"description": label, "amount": dollars(part), "isProfitCalculation": True})
    return rows


def _profit_steps(month: _Month, window: _Window, to_date: Decimal) -> list[Step]:
    steps = [Step("Revenue of the month", month.revenue.amount)]
    if month.validated is not None:
        steps.append(Step("Validations above the threshold", month.over))
    for text, items in (
        ("Less the deductions of the statement", month.deducted),
        ("Less expenses that the client paid", month.client_paid),
        ("Less expenses that are not billable", month.non_billable),
        ("Less expenses outside the ledger", month.non_gl),
    ):
        if items:
            steps.append(Step(text, -_total(items)))
    steps.append(Step("Profit of the month", month.profit))
    if window.profits or window.opening:
        steps.append(Step(EARLIER, to_date, (window.start,)))
    return steps


def _inputs(
    row: Agreement, on: ProfitShareOn, month: _Month, window: _Window, owed: WindowDue, given: Given
) -> dict[str, object]:
    rule, known = row.validation, given.history.profits
    return {
        "row": row.id,
        "accumulation": on.accumulation,
        "revenue": month.revenue.amount,
        "validations": month.validated.amount if month.validated is not None else None,
        "validationType": rule.kind if rule.kind != "none" else None,
        "stated": rule.value if rule.kind != "none" else None,
        "validationsOverThreshold": month.over,
        "deductions": _named(month.deducted),
        "clientPaid": _named(month.client_paid),
        "nonBillable": _named(month.non_billable),
        "nonGl": _named(month.non_gl),
        "profit": month.profit,
        "earlierProfits": {str(earlier): known[earlier] for earlier in window.months if earlier in known},
        **window_inputs(window.start, window.opening, on.tiers, given.terms.loss_rule, owed),
    }


def _named(items: Iterable[_Item]) -> list[Mapping[str, object]]:
    return [{"title": title, "amount": amount} for title, amount in items]


def _references(month: _Month, given: Given) -> tuple[FactReference, ...]:
    facts = given.facts
    revenue = revenue_reference(facts, facts.period, SHAREABLE, month.revenue)
    if month.validated is None:
        return (revenue,)
    return revenue, revenue_reference(facts, facts.period, VALIDATED_FOR_PROFIT, month.validated)


BLOCK = Block(
    NAME,
    "managementAgreement",
    bill,
    {REVENUE: _is_shared},  # earlier months of a window are profits, and no facts (rules R3)
    problems=problems,
    gives=(MONTHLY_PROFIT,),
    last=True,
    part="profitShare",
)
