"""Months of the books over HTTP: are they open, who closed them, and how far are they (rules R41)."""

import azure.functions as func

from functions.declarations import Body, ok
from functions.http import Call, Reply, route

blueprint = func.Blueprint()
PERIOD = "shared_code.periods.model:BooksPeriod"
STATUS = "shared_code.statements.readiness.model:PeriodStatus"


@route(blueprint, "GET", "periods/{period}", ok(STATUS), resource="periods", access="read")
def get_period(call: Call) -> Reply:
    """Whether a month is open or closed, what was decided about it, and how far its contracts are."""
    from shared_code.statements.readiness.service import period_status

    return Reply(period_status(call.period, call.visible))


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
