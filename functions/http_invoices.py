"""Invoices by their number, and the lines that people add to them."""

import azure.functions as func

from functions.declarations import Answer, Body, created, ok
from functions.http import Call, Reply, route

blueprint = func.Blueprint()


@route(
    blueprint,
    "GET",
    "invoices/{number}",
    ok("shared_code.statements.reading.invoices:InvoiceDetail"),
    resource="invoices",
    access="read",
)
def get_invoice(call: Call) -> Reply:
    """One invoice with its lines and its statement in short."""
    from shared_code.statements.reading.invoices import invoice_detail

    return Reply(invoice_detail(call.path["number"], call.visible))


@route(
    blueprint,
    "GET",
    "invoices/{number}/ad-hoc-lines",
    ok("shared_code.statements.adhoc.model:AddedLines"),
    resource="ad-hoc-lines",
    access="read",
)
def list_ad_hoc_lines(call: Call) -> Reply:
    """Every line that people added to the invoice's statement, whether an invoice prints it or not."""
    from shared_code.statements.adhoc.answers import added_lines

    return Reply(added_lines(call.path["number"], call.visible))


@route(
    blueprint,
    "POST",
    "invoices/{number}/ad-hoc-lines",
    created("shared_code.statements.adhoc.model:Addition"),
    resource="ad-hoc-lines",
    access="write",
    body=Body("shared_code.statements.adhoc.requests:AdHocLineRequest"),
    idempotency="required",
)
def add_ad_hoc_line(call: Call) -> Reply:
    """Add a line to a statement that is not sent. Totals, comparison to forecast and PDF follow."""
    from shared_code.statements.adhoc.requests import AdHocLineRequest
    from shared_code.statements.adhoc.service import add

    number = call.path["number"]
    addition = add(number, call.body(AdHocLineRequest), call.visible)
    return Reply(addition, 201, {"Location": call.url("invoices", number, "ad-hoc-lines", addition.line.id)})


@route(
    blueprint,
    "DELETE",
    "invoices/{number}/ad-hoc-lines/{line_id}",
    Answer(204),
    resource="ad-hoc-lines",
    access="write",
    idempotency="optional",
)
def remove_ad_hoc_line(call: Call) -> Reply:
    """Take a line back from a statement that is not sent. Totals, comparison to forecast and PDF follow."""
    from shared_code.statements.adhoc.service import remove

    remove(call.path["number"], call.path["line_id"], call.visible)
    return Reply(status=204)
