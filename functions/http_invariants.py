"""What must always be true of the database, checked when somebody asks."""

import azure.functions as func

from functions.declarations import Query, ok
from functions.http import Call, Reply, route

blueprint = func.Blueprint()


@route(
    blueprint,
    "GET",
    "operations/invariants",
    ok("shared_code.operations.invariants.model:InvariantReport"),
    resource="operations",
    access="read",
    query=(Query("name", "only this invariant"),),
)
def check_all_invariants(call: Call) -> Reply:
    """Check every invariant now: its name, what it means when it is violated, and of which things it is."""
    from shared_code.operations.invariants.service import report

    return Reply(report(call.query("name")))
