"""Fixed fee (billing-flows 6.1): each active service bills its monthly fee, on its own invoice group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared_code.billing.block import Block
from shared_code.billing.given import Billed, Given
from shared_code.billing.model import Line, Step, Trace, required
from shared_code.contracts.terms import PeriodTerms
from shared_code.foundation.money import dollars, to_cents

if TYPE_CHECKING:
    from shared_code.contracts.schema import ServiceLine

NAME = "fixedFee"


def bill(given: Given) -> Billed:
    """One line per service: in full when it is active on the first day of the period (rules R14).

    A contract with `proration: daily` pays a service for the days of the month on which it is active.
    """
    return Billed([_line(service, given.terms) for service in given.terms.services])


def _line(service: ServiceLine, terms: PeriodTerms) -> Line:
    fee = required(service.fee, f"fee of {service.display_name}")
    month = terms.period.days
    days = terms.active_days(service) if terms.proration == "daily" else month
    amount = to_cents(fee * days / month)
    text = "as agreed, not prorated" if days == month else f"for {days} of {month} days"
    trace = Trace(
        inputs={"fee": service.fee, "service": service.name, "row": service.id, "days": days, "daysOfMonth": month},
        steps=(Step(f"Monthly fee {dollars(fee)} {text}", amount),),
    )
    return Line(NAME, service.group, service.display_name, service.code or "", "", amount, trace)


BLOCK = Block(NAME, NAME, bill)
