"""Statements over HTTP: lists, details, PDFs."""

import azure.functions as func

from functions.http import Call, Reply, route

blueprint = func.Blueprint()


@route(blueprint, "GET", "statements", "statements", "read")
def list_statements(call: Call) -> Reply:
    """Statements, filtered by period, siteNumber, status and run."""
    from shared_code.statements.reading.filters import StatementFilter
    from shared_code.statements.reading.queries import list_statements

    wanted = StatementFilter(
        period=call.query("period"),
        site_number=call.query("siteNumber"),
        status=call.query("status"),
        run_id=call.query("run"),
        sites=call.permission.sites,
    )
    return Reply(list_statements(wanted, call.limit, call.cursor))


@route(blueprint, "GET", "statements/{statement_id}", "statements", "read")
def get_statement(call: Call) -> Reply:
    """One statement with its invoices and lines."""
    from shared_code.statements.reading.queries import statement_detail

    return Reply(statement_detail(call.path["statement_id"], call.permission.sites))


@route(blueprint, "GET", "statements/{statement_id}/pdf", "statements", "read")
def get_statement_pdf(call: Call) -> Reply:
    """The printed statement."""
    from shared_code.statements.reading.queries import statement_pdf

    pdf = statement_pdf(call.path["statement_id"], call.permission.sites)
    disposition = f'inline; filename="{pdf.file_name}"'
    return Reply(pdf.data, headers={"Content-Disposition": disposition}, content_type="application/pdf")
