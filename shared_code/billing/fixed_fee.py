"""Fixed fee (billing-flows 6.1): each active service bills its monthly fee, on its own invoice group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared_code.billing.block import Block
from shared_code.billing.given import Billed, Given
from shared_code.billing.model import Line, Step, Trace, required
from shared_code.contracts.terms import PeriodTerms
from shared_code.foundation.money import to_cents

if TYPE_CHECKING:
    from shared_code.contracts.schema import ServiceLine

NAME = "fixedFee"

WHOLE = "Monthly fee {fee:dollars} as agreed, not prorated"
PART = "Monthly fee {fee:dollars} for {days} of {month} days"


def bill(given: Given) -> Billed:
    """One line per service: in full when it is active on the first day of the period (rules R14).

    A contract with `proration: daily` pays a service for the days of the month on which it is active.
    """
    return Billed([_line(service, given.terms) for service in given.terms.services])


def _line(service: ServiceLine, terms: PeriodTerms) -> Line:
    fee = required(service.fee, "fee of", service.display_name)
    month = terms.period.days
    days = terms.active_days(service) if terms.proration == "daily" else month
    amount = to_cents(fee * days / month)
    step = Step(WHOLE, amount, (fee,)) if days == month else Step(PART, amount, (fee, days, month))
    inputs = {"fee": service.fee, "service": service.name, "row": service.id, "days": days, "daysOfMonth": month}
    trace = Trace(inputs, (step,))
    return Line(NAME, service.group, service.display_name, service.code or "", "", amount, trace)


BLOCK = Block(NAME, NAME, bill)
