"""Missed months over HTTP: which there are, and runs that bill them."""

import azure.functions as func

from functions.declarations import Body, Query, accepted, ok
from functions.http import Call, Reply, route, running

blueprint = func.Blueprint()
ACCEPTED = "shared_code.statements.catch_up.model:CatchUpAccepted"
SINCE = Query("since", "the first month to look at; the first that was ever tried here unless given", kind="period")


@route(
    blueprint,
    "GET",
    "contracts/{site_number}/missed-periods",
    ok("shared_code.statements.catch_up.model:MissedPeriods"),
    resource="missed-periods",
    access="read",
    query=(SINCE,),
)
def get_missed_periods(call: Call) -> Reply:
    """Months that the contracts of a site should have a statement for and have none, each with why."""
    from shared_code.statements.catch_up.service import missed_periods

    return Reply(missed_periods(call.path["site_number"], call.query("since"), call.visible))


@route(
    blueprint,
    "POST",
    "contracts/{site_number}/missed-periods",
    ok(ACCEPTED),
    accepted(ACCEPTED),
    resource="missed-periods",
    access="write",
    body=Body("shared_code.statements.catch_up.requests:CatchUpRequest", optional=True),
    query=(SINCE,),
    idempotency="natural",
)
def bill_missed_periods(call: Call) -> Reply:
    """Bill the missed months of a site, or those that are named: a run each. 200 when none is missed."""
    from shared_code.statements.catch_up.model import CatchUpAccepted, CatchUpRun
    from shared_code.statements.catch_up.requests import CatchUpRequest
    from shared_code.statements.catch_up.service import catch_up

    periods = None if call.checked_body is None else call.body(CatchUpRequest).periods
    wish = (call.path["site_number"], periods, call.query("since"))
    started = catch_up(*wish, call.caller.name, call.correlation_id, call.visible)
    runs = tuple(
        CatchUpRun(one.run_id, one.contract_id, one.period, one.created, call.url("statement-runs", one.run_id))
        for one in started
    )
    return running(CatchUpAccepted(runs), runs[-1].status) if runs else Reply(CatchUpAccepted(runs))
