"""Bell service (billing-flows 6.6): the month's bell, porterage and gratuity collections."""

from __future__ import annotations

from collections.abc import Iterable

from shared_code.billing.block import Block
from shared_code.billing.given import NOTHING_BILLED, Billed, Given
from shared_code.billing.model import Line, Reason, Step, Trace
from shared_code.billing.references import revenue_reference
from shared_code.facts.model import REVENUE
from shared_code.facts.predicates import BELL
from shared_code.foundation.money import dollars, to_cents

NAME = "bellServiceFee"
TITLE = "Bell Service Fee"


def bill(given: Given) -> Billed:
    """One line of what was collected, whatever its deposit flag; a negative month passes as it is."""
    if not given.terms.bells:
        return NOTHING_BILLED
    row, found = given.terms.bells[0], given.facts.measure(BELL)
    amount = to_cents(found.amount)
    trace = Trace(
        {"row": row.id, "collected": found.amount},
        (Step("Bell service collected in the month", amount),),
        (revenue_reference(given.facts, given.facts.period, BELL, found),),
    )
    line = Line(NAME, row.group, TITLE, given.context.gl.bell_service, "", amount, trace)
    return Billed([line], warnings=tuple(_stray(given)))


def _collects(given: Given) -> bool:
    return bool(given.terms.bells)


def _stray(given: Given) -> Iterable[Reason]:
    """Bell service under codes that a revenue share keeps is billed twice: here, and as a share (rules R57)."""
    stray = given.facts.stray_bell
    if stray is not None and stray.amount:
        codes = ", ".join(sorted(given.context.bell_excluded_codes))
        message = f"{dollars(stray.amount)} of bell service was collected under codes other than {codes}"
        yield Reason("BELL_UNDER_OTHER_CODES", message)


BLOCK = Block(NAME, NAME, bill, {REVENUE: _collects})
