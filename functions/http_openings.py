"""Opening balances over HTTP: what accumulated before the first month that is billed here."""

import azure.functions as func

from functions.contract_queries import CONTRACT
from functions.declarations import Body, ok
from functions.http import Call, Reply, route

blueprint = func.Blueprint()
OPENINGS = "shared_code.contracts.openings.model:OpeningBalances"


@route(
    blueprint,
    "GET",
    "opening-balances/{site_number}",
    ok(OPENINGS, "ETag"),
    resource="opening-balances",
    access="read",
    query=(CONTRACT,),
)
def get_opening_balances(call: Call) -> Reply:
    """The opening balances that hold, and every place of the contract that can have one."""
    from shared_code.contracts.openings.service import show

    found = show(call.path["site_number"], call.query("contractId"), call.visible)
    return Reply(found, headers={"ETag": found.etag})


@route(
    blueprint,
    "PUT",
    "opening-balances/{site_number}",
    ok(OPENINGS, "ETag"),
    resource="opening-balances",
    access="write",
    body=Body("shared_code.contracts.openings.requests:OpeningsRequest"),
    query=(CONTRACT,),
    idempotency="optional",
    if_match=True,
)
def put_opening_balances(call: Call) -> Reply:
    """Put a whole set in place of the one that holds; zero is a choice of its own. If-Match as it was read, or *."""
    from shared_code.contracts.openings.requests import OpeningsRequest
    from shared_code.contracts.openings.service import change

    wish, contract_id = call.body(OpeningsRequest), call.query("contractId")
    found = change(call.path["site_number"], contract_id, wish, call.required_match, call.visible)
    return Reply(found, headers={"ETag": found.etag})
