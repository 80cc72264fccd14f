"""Mid-month advance (billing-flows 6.7): what the client has paid in advance is credited on every statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared_code.billing.block import Block
from shared_code.billing.given import Billed, Given
from shared_code.billing.model import Line, Step, Trace, required
from shared_code.foundation.money import to_cents

if TYPE_CHECKING:
    from shared_code.contracts.schema import AdvanceItem

NAME = "midMonthAdvance"
TITLES = {"MidMonthBilling": "Less: Mid-Month Billing", "PreBill": "Less: Pre-Bill"}
LESS = "Less the advance of {advance:dollars}"


def bill(given: Given) -> Billed:
    """A negative line for each advance of the period, on its own group (rules R9, R21). It needs no facts."""
    return Billed([_line(row, given) for row in given.terms.advances])


def _line(row: AdvanceItem, given: Given) -> Line:
    """A missing title is that of mid-month billing (rules R55)."""
    advance = required(row.amount, "mid-month advance")
    amount = to_cents(-advance)
    title = TITLES[row.line_title or "MidMonthBilling"]
    inputs: dict[str, object] = {"row": row.id, "advance": advance}
    trace = Trace(inputs, (Step(LESS, amount, (advance,)),))
    return Line(NAME, row.group, title, given.context.gl.mid_month_advance, "", amount, trace)


BLOCK = Block(NAME, NAME, bill)
