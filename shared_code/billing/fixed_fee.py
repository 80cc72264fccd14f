"""Fixed fee (billing-flows 6.1): each active service bills its fee in full, on its own invoice group."""

from __future__ import annotations

from collections.abc import Sequence

from shared_code.billing.context import BillingContext
from shared_code.billing.model import Line, Step, Trace, required
from shared_code.contracts.terms import PeriodTerms
from shared_code.facts.completeness import Need
from shared_code.facts.model import SiteFacts
from shared_code.foundation.money import dollars, to_cents

NAME = "fixedFee"


def needs(_terms: PeriodTerms, _facts: SiteFacts) -> Sequence[Need]:
    """A fixed fee needs no facts."""
    return ()


def bill(terms: PeriodTerms, _facts: SiteFacts, _context: BillingContext) -> Sequence[Line]:
    """One line per service that is active on the first day of the period (rules R14: dated rows bill in full)."""
    lines = []
    for service in terms.services:
        amount = to_cents(required(service.fee, f"fee of {service.display_name}"))
        trace = Trace(
            inputs={"fee": service.fee, "service": service.name, "row": service.id},
            steps=(Step(f"Monthly fee {dollars(amount)} as agreed, not prorated", amount),),
        )
        lines.append(Line(NAME, service.group, service.display_name, service.code or "", "", amount, trace))
    return lines
