"""What came in: import batches, their rejected rows, and what is loaded for a period."""

import azure.functions as func

from functions.declarations import PAGED, Query, ok, page_of
from functions.http import Call, Reply, route

blueprint = func.Blueprint()


@route(
    blueprint,
    "GET",
    "imports",
    page_of("shared_code.edw.model:Import"),
    resource="imports",
    access="read",
    query=(
        *PAGED,
        Query("dataset", "only those of this dataset"),
        Query("period", "only those of this month", kind="period"),
        Query("state", "only those in this state"),
        Query("sort", "createdAt, or -createdAt (unless given) for the newest first"),
    ),
)
def list_imports(call: Call) -> Reply:
    """Import batches that concern the caller's sites, the newest first unless sorted otherwise."""
    from shared_code.edw.model import ImportFilter
    from shared_code.edw.queries import list_imports

    wanted = ImportFilter(call.query("dataset"), call.query("period"), call.query("state"))
    return Reply(list_imports(wanted, call.asked, call.visible))


@route(
    blueprint,
    "GET",
    "imports/{batch_id}",
    ok("shared_code.edw.model:ImportDetail"),
    resource="imports",
    access="read",
)
def get_import(call: Call) -> Reply:
    """One batch with its slices, counts and totals."""
    from shared_code.edw.queries import get_import

    return Reply(get_import(call.path["batch_id"], call.visible))


@route(
    blueprint,
    "GET",
    "imports/{batch_id}/rejections",
    page_of("shared_code.edw.model:Rejection"),
    resource="imports",
    access="read",
    query=PAGED,
)
def list_rejections(call: Call) -> Reply:
    """Rejected rows of the caller's sites, with row number, column, rule and value."""
    from shared_code.edw.queries import list_rejections

    return Reply(list_rejections(call.path["batch_id"], call.asked, call.visible))


@route(blueprint, "GET", "facts/{period}", ok("shared_code.edw.model:LoadedFacts"), resource="facts", access="read")
def get_facts(call: Call) -> Reply:
    """What is loaded for a month, by dataset and site."""
    from shared_code.edw.queries import facts_of_period

    return Reply(facts_of_period(call.period, call.visible))
