"""Statement runs over HTTP: start one, watch it, cancel it, read its items and what a dry run would have written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from functions.declarations import PAGED, Body, Query, accepted, ok, page_of
from functions.http import Call, Reply, route, running

if TYPE_CHECKING:
    from shared_code.statements.reading.model import RunStatus

blueprint = func.Blueprint()
STATUS = "shared_code.statements.reading.model:RunStatus"


@route(
    blueprint,
    "POST",
    "statement-runs",
    accepted("shared_code.statements.model:RunAccepted"),
    resource="runs",
    access="write",
    body=Body("shared_code.statements.requests:RunRequest"),
    idempotency="natural",
)
def start_statement_run(call: Call) -> Reply:
    """Bill a month. The same period, scope and source finds the same run again, running or finished."""
    from shared_code.statements.model import RunAccepted
    from shared_code.statements.requests import RunRequest
    from shared_code.statements.runs import start_run

    started = start_run(call.body(RunRequest).command(call.caller.name, call.correlation_id))
    location = call.url("statement-runs", started.run_id)
    return running(RunAccepted(started.run_id, started.created, location), location)


@route(
    blueprint,
    "GET",
    "statement-runs",
    page_of("shared_code.statements.reading.model:Run"),
    resource="runs",
    access="read",
    query=(
        *PAGED,
        Query("period", "only those of this month", kind="period"),
        Query("source", "only those that this source has asked for"),
        Query("state", "Running, Completed or Cancelled"),
        Query("sort", "createdAt, or -createdAt (unless given) for the newest first"),
    ),
)
def list_statement_runs(call: Call) -> Reply:
    """Runs with their outcomes, the newest first unless sorted otherwise."""
    from shared_code.statements.reading.filters import RunFilter
    from shared_code.statements.reading.queries import list_runs

    wanted = RunFilter(call.query("period"), call.query("source"), call.query("state"))
    return Reply(list_runs(wanted, call.asked))


@route(
    blueprint,
    "GET",
    "statement-runs/{run_id}",
    ok(STATUS),
    accepted(STATUS),
    resource="runs",
    access="read",
)
def get_statement_run(call: Call) -> Reply:
    """The run's state: 202 with Retry-After while it runs, 200 when it is done, as pollers expect."""
    from shared_code.statements.reading.queries import run_status

    return _state_of(call, run_status(call.path["run_id"]))


def _state_of(call: Call, status: RunStatus) -> Reply:
    return running(status, call.url("statement-runs", status.id)) if status.state == "Running" else Reply(status)


@route(
    blueprint,
    "DELETE",
    "statement-runs/{run_id}",
    ok(STATUS),
    accepted(STATUS),
    resource="runs",
    access="write",
    idempotency="natural",
)
def cancel_statement_run(call: Call) -> Reply:
    """Cancel what of a run has not begun; what is billed stays. 202 until what was begun has ended."""
    from shared_code.statements.reading.queries import run_status
    from shared_code.statements.runs import cancel_run

    cancel_run(call.path["run_id"])
    return _state_of(call, run_status(call.path["run_id"]))


@route(
    blueprint,
    "GET",
    "statement-runs/{run_id}/items",
    page_of("shared_code.statements.reading.model:RunItem"),
    resource="runs",
    access="read",
    query=(*PAGED, Query("outcome", "only the contracts with this outcome")),
)
def list_statement_run_items(call: Call) -> Reply:
    """What became of each contract of a run, in order of site."""
    from shared_code.statements.reading.queries import run_items

    return Reply(run_items(call.path["run_id"], call.asked, call.query("outcome")))


@route(
    blueprint,
    "GET",
    "statement-runs/{run_id}/preview",
    page_of("shared_code.statements.reading.model:StatementDetail"),
    resource="runs",
    access="read",
    query=PAGED,
)
def list_statement_run_previews(call: Call) -> Reply:
    """The statements that a dry run would have written, in order of site."""
    from shared_code.statements.previews import previews

    return Reply(previews(call.path["run_id"], call.asked))


@route(
    blueprint,
    "POST",
    "statement-runs/{run_id}/retry",
    accepted("shared_code.statements.model:RetryAccepted"),
    resource="runs",
    access="write",
    idempotency="natural",
)
def retry_statement_run(call: Call) -> Reply:
    """Bill what has failed once more; what is billed stays as it is."""
    from shared_code.statements.model import RetryAccepted
    from shared_code.statements.runs import retry_run

    retried = retry_run(call.path["run_id"])
    location = call.url("statement-runs", retried.run_id)
    return running(RetryAccepted(retried.run_id, retried.retried, location), location)
