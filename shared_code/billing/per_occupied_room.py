"""Per occupied room (billing-flows 6.3): the month's occupied rooms at the room rate."""

from __future__ import annotations

from decimal import Decimal

from shared_code.billing.block import Block
from shared_code.billing.given import NOTHING_BILLED, Billed, Given
from shared_code.billing.model import Line, Step, Trace, required
from shared_code.billing.references import rooms_reference
from shared_code.facts.model import STATISTICS, FactSum
from shared_code.foundation.money import dollars, to_cents, to_places

NAME = "perOccupiedRoom"
ROOMS = "{rooms:number} occupied rooms at {rate:dollars}"


def bill(given: Given) -> Billed:
    """One line: rooms × rate. Draft rows never count (rules R47)."""
    terms, facts, context = given.terms, given.facts, given.context
    if terms.rooms is None:
        return NOTHING_BILLED
    rooms = facts.rooms or FactSum(Decimal(0), 0, "")
    rate = required(terms.rooms.room_rate, "room rate")
    amount = to_cents(rooms.amount * rate)
    text = (
        f"Total Occupied Rooms: {to_places(rooms.amount, 0):,}.\n"
        f"{context.operator_name} Service Fee at {dollars(rate)} Per Occupied Room"
    )
    steps = (Step(ROOMS, amount, (rooms.amount, rate)),)
    trace = Trace({"rooms": rooms.amount, "rate": rate}, steps, (rooms_reference(facts, rooms),))
    code = terms.rooms.code or context.gl.occupied_room
    return Billed([Line(NAME, terms.rooms.group, "Occupied Rooms", code, text, amount, trace)])


def _any_rooms(given: Given) -> bool:
    return given.terms.rooms is not None


BLOCK = Block(NAME, NAME, bill, {STATISTICS: _any_rooms})
