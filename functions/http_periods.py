"""Months of the books over HTTP: are they open, and who closed them (rules R41)."""

import azure.functions as func

from functions.declarations import Body, ok
from functions.http import Call, Reply, route

blueprint = func.Blueprint()
PERIOD = "shared_code.periods.model:BooksPeriod"


@route(blueprint, "GET", "periods/{period}", ok(PERIOD), resource="periods", access="read")
def get_period(call: Call) -> Reply:
    """Whether a month is open or closed, with everything that was decided about it."""
    from shared_code.periods.closing import show

    return Reply(show(call.period))


@route(
    blueprint,
    "POST",
    "periods/{period}",
    ok(PERIOD),
    resource="periods",
    access="approve",
    body=Body("shared_code.periods.requests:PeriodRequest"),
    idempotency="natural",
)
def decide_period(call: Call) -> Reply:
    """Open, close or reopen a month. A closed one is not billed anew; reopening needs a reason."""
    from shared_code.periods.closing import decide
    from shared_code.periods.requests import PeriodRequest

    wish = call.body(PeriodRequest)
    return Reply(decide(call.period, wish.action, wish.reason))
