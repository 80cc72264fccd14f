"""The life of a statement over HTTP: approved, sent back, released."""

import azure.functions as func

from functions.declarations import Body, ok
from functions.http import Call, Reply, route

blueprint = func.Blueprint()
DETAIL = "shared_code.statements.reading.model:StatementDetail"


@route(
    blueprint,
    "POST",
    "statements/{statement_id}/transitions",
    ok(DETAIL),
    resource="transitions",
    access="approve",
    body=Body("shared_code.statements.lifecycle.requests:TransitionRequest"),
    idempotency="required",
)
def change_statement_status(call: Call) -> Reply:
    """Approve a statement, send it back to review, or note that it was sent. The answer shows where it went.

    ReadyToSend approves. From ARReview, the server sends on to ApprovalTeam what deviates from its forecast; from Held,
    it routes the statement as one that was just made, and needs a reason. Who has started the run does not approve.
    """
    from shared_code.statements.lifecycle.requests import TransitionRequest
    from shared_code.statements.lifecycle.service import change_status

    wish = call.body(TransitionRequest)
    return Reply(change_status(call.path["statement_id"], wish.to, wish.reason, call.visible, wish.from_status))


@route(
    blueprint,
    "POST",
    "statements/{statement_id}/release",
    ok(DETAIL),
    resource="transitions",
    access="approve",
    body=Body("shared_code.foundation.shapes:WithReason"),
    idempotency="required",
)
def release_statement(call: Call) -> Reply:
    """Let a stale statement go as it is: what has changed since it was made is known and accepted."""
    from shared_code.foundation.shapes import WithReason
    from shared_code.statements.lifecycle.service import release

    return Reply(release(call.path["statement_id"], call.body(WithReason).reason, call.visible))
