"""Per occupied room (billing-flows 6.3): the month's occupied rooms at the room rate."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from shared_code.billing.context import BillingContext
from shared_code.billing.model import FactReference, Line, Step, Trace, required
from shared_code.contracts.terms import PeriodTerms
from shared_code.facts.completeness import Need
from shared_code.facts.model import STATISTICS, FactSum, SiteFacts
from shared_code.foundation.money import dollars, plain, to_cents, to_places

NAME = "perOccupiedRoom"


def needs(terms: PeriodTerms, facts: SiteFacts) -> Sequence[Need]:
    """Site statistics of the service month, when the block is on."""
    return (Need(STATISTICS, facts.period),) if terms.rooms is not None else ()


def bill(terms: PeriodTerms, facts: SiteFacts, context: BillingContext) -> Sequence[Line]:
    """One line: rooms × rate. Draft rows never count (rules R47)."""
    if terms.rooms is None:
        return ()
    rooms = facts.rooms or FactSum(Decimal(0), 0, "")
    rate = required(terms.rooms.room_rate, "room rate")
    amount = to_cents(rooms.amount * rate)
    text = (
        f"Total Occupied Rooms: {to_places(rooms.amount, 0):,}.\n"
        f"{context.operator_name} Service Fee at {dollars(rate)} Per Occupied Room"
    )
    reference = FactReference(
        STATISTICS,
        f"site {facts.site}, month {facts.period}, category Occupied Rooms, not draft",
        rooms.rows,
        rooms.amount,
        (rooms.batch,) if rooms.batch else (),
    )
    trace = Trace(
        inputs={"rooms": rooms.amount, "rate": rate},
        steps=(Step(f"{plain(rooms.amount)} occupied rooms at {dollars(rate)}", amount),),
        facts=(reference,),
    )
    code = terms.rooms.code or context.gl.occupied_room
    return [Line(NAME, terms.rooms.group, "Occupied Rooms", code, text, amount, trace)]
