"""Statement runs over HTTP: start one, watch it, read its items."""

import azure.functions as func

from functions.http import Call, Reply, route

blueprint = func.Blueprint()


@route(blueprint, "POST", "statement-runs", "runs", "write")
def start_statement_run(call: Call) -> Reply:
    """202 with the address of the run; the same period, scope and source finds the same run again."""
    from shared_code.statements.requests import run_command
    from shared_code.statements.runs import start_run

    started = start_run(run_command(call.json(), call.permission.caller.name, call.correlation_id))
    location = call.url(f"statement-runs/{started.run_id}")
    body = {"id": started.run_id, "created": started.created, "status": location}
    return Reply(body, 202, {"Location": location, "Retry-After": "2"})


@route(blueprint, "GET", "statement-runs", "runs", "read")
def list_statement_runs(call: Call) -> Reply:
    """The newest runs."""
    from shared_code.statements.reading.queries import list_runs

    return Reply({"items": list_runs(call.limit)})


@route(blueprint, "GET", "statement-runs/{run_id}", "runs", "read")
def get_statement_run(call: Call) -> Reply:
    """The run's state: 202 with Retry-After while it runs, 200 when it is done, as pollers expect."""
    from shared_code.statements.reading.queries import run_status

    status = run_status(call.path["run_id"])
    if status["state"] == "Completed":
        return Reply(status)
    location = call.url(f"statement-runs/{call.path['run_id']}")
    return Reply(status, 202, {"Location": location, "Retry-After": "2"})


@route(blueprint, "GET", "statement-runs/{run_id}/items", "runs", "read")
def list_statement_run_items(call: Call) -> Reply:
    """What became of each contract; `?outcome=Failed` narrows."""
    from shared_code.statements.reading.queries import run_items

    return Reply(run_items(call.path["run_id"], call.limit, call.cursor, call.query("outcome")))


@route(blueprint, "POST", "statement-runs/{run_id}/retry", "runs", "write")
def retry_statement_run(call: Call) -> Reply:
    """Bill what has failed once more; what is billed stays as it is."""
    from shared_code.statements.runs import retry_run

    retried = retry_run(call.path["run_id"])
    location = call.url(f"statement-runs/{call.path['run_id']}")
    body = {"id": call.path["run_id"], "retried": retried, "status": location}
    return Reply(body, 202, {"Location": location, "Retry-After": "2"})
