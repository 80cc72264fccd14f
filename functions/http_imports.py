"""What came in: import batches, their rejected rows, and what is loaded for a period."""

import azure.functions as func

from functions.http import Call, Reply, route

blueprint = func.Blueprint()


@route(blueprint, "GET", "imports", "imports", "read")
def list_imports(call: Call) -> Reply:
    """Import batches, newest first; `?dataset=`, `?period=` and `?state=` narrow."""
    from shared_code.edw.queries import filtered, list_imports

    wanted = filtered(call.query("dataset"), call.query("period"), call.query("state"))
    return Reply(list_imports(wanted, call.limit, call.offset, call.permission.sites))


@route(blueprint, "GET", "imports/{batch_id}", "imports", "read")
def get_import(call: Call) -> Reply:
    """One batch with its slices, counts and totals."""
    from shared_code.edw.queries import get_import

    return Reply(get_import(call.path["batch_id"], call.permission.sites))


@route(blueprint, "GET", "imports/{batch_id}/rejections", "imports", "read")
def list_rejections(call: Call) -> Reply:
    """Rejected rows of the caller's sites, with row number, column, rule and value."""
    from shared_code.edw.queries import list_rejections

    return Reply(list_rejections(call.path["batch_id"], call.limit, call.offset, call.permission.sites))


@route(blueprint, "GET", "facts/{period}", "imports", "read")
def get_facts(call: Call) -> Reply:
    """What is loaded for a period, by dataset and site."""
    from shared_code.edw.queries import facts_of_period

    return Reply({"items": facts_of_period(call.period, call.permission.sites)})
