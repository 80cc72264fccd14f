"""Lines of invoices: why an amount is what it is, down to the rows of the files that were dropped."""

import azure.functions as func

from functions.declarations import PAGED, Query, ok, page_of
from functions.http import Call, Reply, route

blueprint = func.Blueprint()


@route(
    blueprint,
    "GET",
    "lines/{line_id}/explanation",
    ok("shared_code.statements.explanation.model:Explanation"),
    resource="statements",
    access="read",
)
def explain_line(call: Call) -> Reply:
    """How the amount of a line came about: clause, rate version, inputs, steps, and the sums behind them."""
    from shared_code.statements.explanation.queries import explain

    return Reply(explain(call.path["line_id"], call.visible))


@route(
    blueprint,
    "GET",
    "lines/{line_id}/explanation/facts/{fact}",
    page_of("shared_code.facts.source_rows.model:SourceRow"),
    resource="statements",
    access="read",
    query=(*PAGED, Query("sort", "rowNumber (unless given); with - in front descending")),
)
def list_source_rows(call: Call) -> Reply:
    """The source rows that one of the sums counts, with file and row number."""
    from shared_code.statements.explanation.queries import source_rows

    return Reply(source_rows(call.path["line_id"], call.path["fact"], call.asked, call.visible))
