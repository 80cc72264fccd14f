"""What site people say about a month, over HTTP: before it is billed, and on its statement."""

from typing import TYPE_CHECKING

import azure.functions as func

from functions.declarations import PAGED, Body, Query, created, ok, page_of
from functions.http import Call, Reply, route

if TYPE_CHECKING:
    from shared_code.statements.lifecycle.model import Commented

blueprint = func.Blueprint()
COMMENT = "shared_code.statements.lifecycle.model:Comment"
SORT = Query("sort", "createdAt (unless given) for the oldest first, or -createdAt")


@route(
    blueprint,
    "GET",
    "statements/{statement_id}/comments",
    page_of(COMMENT),
    resource="comments",
    access="read",
    query=(*PAGED, SORT),
)
def list_statement_comments(call: Call) -> Reply:
    """What was said about the site and month of a statement, the oldest first unless sorted otherwise."""
    from shared_code.statements.lifecycle.comments import comments_of_statement

    return Reply(comments_of_statement(call.path["statement_id"], call.asked, call.visible))


@route(
    blueprint,
    "POST",
    "statements/{statement_id}/comments",
    created(COMMENT),
    ok(COMMENT),
    resource="comments",
    access="write",
    body=Body("shared_code.statements.lifecycle.requests:CommentRequest"),
    idempotency="natural",
)
def add_statement_comment(call: Call) -> Reply:
    """Say something about the month of a statement. The statement stays as it is; its next generation is reviewed."""
    from shared_code.statements.lifecycle.comments import comment_on_statement
    from shared_code.statements.lifecycle.requests import CommentRequest

    statement_id = call.path["statement_id"]
    made = comment_on_statement(statement_id, call.body(CommentRequest).text, call.visible)
    return _kept(made, call.url("statements", statement_id, "comments"))


@route(
    blueprint,
    "GET",
    "sites/{site_number}/comments",
    page_of(COMMENT),
    resource="comments",
    access="read",
    query=(*PAGED, Query("period", "only those about this month", kind="period"), SORT),
)
def list_site_comments(call: Call) -> Reply:
    """What was said about a site, the oldest first unless sorted otherwise."""
    from shared_code.statements.lifecycle.comments import comments_of_site

    return Reply(comments_of_site(call.path["site_number"], call.query("period"), call.asked, call.visible))


@route(
    blueprint,
    "POST",
    "sites/{site_number}/comments",
    created(COMMENT),
    ok(COMMENT),
    resource="comments",
    access="write",
    body=Body("shared_code.statements.lifecycle.requests:SiteCommentRequest"),
    idempotency="natural",
)
def add_site_comment(call: Call) -> Reply:
    """Say something about a month of a site before it is billed. Contracts in arrears are then reviewed first."""
    from shared_code.statements.lifecycle.comments import comment_on_site
    from shared_code.statements.lifecycle.requests import SiteCommentRequest

    wish, site_number = call.body(SiteCommentRequest), call.path["site_number"]
    made = comment_on_site(site_number, wish.period, wish.text, call.visible)
    return _kept(made, call.url("sites", site_number, "comments"))


def _kept(made: "Commented", location: str) -> Reply:
    """201 for a new comment, 200 for one that was there; the list is where it stands."""
    return Reply(made.comment, 201, {"Location": location}) if made.created else Reply(made.comment)
