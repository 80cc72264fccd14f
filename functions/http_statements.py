"""Statements over HTTP: lists, details, PDFs, and making one anew."""

import azure.functions as func

from functions.declarations import PAGED, PDF, Query, accepted, file_of, ok, page_of
from functions.http import Call, Reply, route, running

blueprint = func.Blueprint()


@route(
    blueprint,
    "GET",
    "statements",
    page_of("shared_code.statements.reading.model:Statement"),
    resource="statements",
    access="read",
    query=(
        *PAGED,
        Query("period", "only those of this service period", kind="period"),
        Query("siteNumber", "only those of this site"),
        Query("status", "only those in this status"),
        Query("run", "only those that this run has made"),
        Query("stale", "true: only those that would be billed otherwise by now", kind="flag"),
        Query("sort", "siteNumber (unless given), total or createdAt; with - in front descending"),
    ),
)
def list_statements(call: Call) -> Reply:
    """Statements of the sites that the caller may see."""
    from shared_code.statements.reading.filters import StatementFilter
    from shared_code.statements.reading.queries import list_statements

    wanted = StatementFilter(
        period=call.query("period"),
        site_number=call.query("siteNumber"),
        status=call.query("status"),
        run_id=call.query("run"),
        stale=call.flag("stale"),
    )
    return Reply(list_statements(wanted, call.asked, call.visible))


@route(
    blueprint,
    "GET",
    "statements/{statement_id}",
    ok("shared_code.statements.reading.model:StatementDetail"),
    resource="statements",
    access="read",
)
def get_statement(call: Call) -> Reply:
    """One statement with its invoices and lines."""
    from shared_code.statements.reading.queries import statement_detail

    return Reply(statement_detail(call.path["statement_id"], call.visible))


@route(blueprint, "GET", "statements/{statement_id}/pdf", file_of(PDF), resource="statements", access="read")
def get_statement_pdf(call: Call) -> Reply:
    """The printed statement."""
    from shared_code.statements.reading.queries import statement_pdf

    pdf = statement_pdf(call.path["statement_id"], call.visible)
    disposition = f'inline; filename="{pdf.file_name}"'
    return Reply(pdf.data, headers={"Content-Disposition": disposition}, content_type=PDF)


@route(
    blueprint,
    "POST",
    "statements/{statement_id}/regenerate",
    accepted("shared_code.statements.model:RunAccepted"),
    resource="statements",
    access="write",
    idempotency="required",
)
def regenerate_statement(call: Call) -> Reply:
    """Make a statement anew. The result takes its place, or stands beside it as the next version once it was sent."""
    from shared_code.statements.model import RunAccepted
    from shared_code.statements.regeneration import regenerate

    started = regenerate(call.path["statement_id"], call.caller.name, call.correlation_id, call.visible)
    location = call.url("statement-runs", started.run_id)
    return running(RunAccepted(started.run_id, started.created, location), location)
