"""Price indexes by year over HTTP: what escalators of contracts grow with."""

import azure.functions as func

from functions.declarations import PAGED, Body, ok, page_of
from functions.http import Call, Reply, route

blueprint = func.Blueprint()
VALUES = "shared_code.contracts.index_values.model:IndexValues"


@route(blueprint, "GET", "index-values", ok(VALUES, "ETag"), resource="index-values", access="read")
def get_index_values(_call: Call) -> Reply:
    """Every index value by name and year, those that were taken back included."""
    from shared_code.contracts.index_values.service import show

    found = show()
    return Reply(found, headers={"ETag": found.etag})


@route(
    blueprint,
    "PUT",
    "index-values",
    ok(VALUES, "ETag"),
    resource="index-values",
    access="write",
    body=Body("shared_code.contracts.index_values.requests:IndexValuesRequest"),
    idempotency="optional",
    if_match=True,
)
def put_index_values(call: Call) -> Reply:
    """Enter the values that are to hold, all of them or none. If-Match is the ETag that was read, or * to overwrite."""
    from shared_code.contracts.index_values.requests import IndexValuesRequest
    from shared_code.contracts.index_values.service import change

    found = change(call.body(IndexValuesRequest), call.required_match)
    return Reply(found, headers={"ETag": found.etag})


@route(
    blueprint,
    "GET",
    "index-values/{index}/{year}/history",
    page_of("shared_code.contracts.index_values.model:IndexValue"),
    resource="index-values",
    access="read",
    query=PAGED,
)
def list_index_value_changes(call: Call) -> Reply:
    """Every value that was stored for an index and year, newest first, with who and why."""
    from shared_code.contracts.index_values.service import history

    return Reply(history(call.path["index"], call.path["year"], call.asked))
