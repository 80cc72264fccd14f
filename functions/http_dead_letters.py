"""What operators ask and decide about messages that could not be processed."""

import azure.functions as func

from functions.declarations import PAGED, Body, Query, ok, page_of
from functions.http import Call, Reply, route

blueprint = func.Blueprint()
DEAD_LETTER = "shared_code.foundation.dead_letters.model:DeadLetterDetail"
REASON = Body("shared_code.foundation.shapes:WithReason")


@route(
    blueprint,
    "GET",
    "operations/dead-letters",
    page_of("shared_code.foundation.dead_letters.model:DeadLetterSummary"),
    resource="operations",
    access="read",
    query=(
        *PAGED,
        Query("queue", "only those of this queue"),
        Query("state", "only those in this state", choices=("Open", "Replayed", "Discarded")),
    ),
)
def list_dead_letters(call: Call) -> Reply:
    """Messages that could not be processed, newest first, each with its reason."""
    from shared_code.foundation.dead_letters import DeadLetterFilter, list_dead_letters

    wanted = DeadLetterFilter(call.query("queue"), call.choice("state"))
    return Reply(list_dead_letters(wanted, call.limit, call.cursor))


@route(
    blueprint,
    "GET",
    "operations/dead-letters/{dead_letter_id}",
    ok(DEAD_LETTER),
    resource="operations",
    access="read",
)
def get_dead_letter(call: Call) -> Reply:
    """One dead letter with its content and with what became of it."""
    from shared_code.foundation.dead_letters import get_dead_letter

    return Reply(get_dead_letter(call.path["dead_letter_id"]))


@route(
    blueprint,
    "POST",
    "operations/dead-letters/{dead_letter_id}/replay",
    ok(DEAD_LETTER),
    resource="operations",
    access="write",
    body=REASON,
    idempotency="optional",
)
def replay_dead_letter(call: Call) -> Reply:
    """Send the message again; its effect stays single, since the effect's key is the same."""
    from shared_code.foundation.dead_letters import replay
    from shared_code.foundation.shapes import WithReason

    return Reply(replay(call.path["dead_letter_id"], call.body(WithReason).reason))


@route(
    blueprint,
    "POST",
    "operations/dead-letters/{dead_letter_id}/discard",
    ok(DEAD_LETTER),
    resource="operations",
    access="write",
    body=REASON,
    idempotency="optional",
)
def discard_dead_letter(call: Call) -> Reply:
    """Give the message up."""
    from shared_code.foundation.dead_letters import discard
    from shared_code.foundation.shapes import WithReason

    return Reply(discard(call.path["dead_letter_id"], call.body(WithReason).reason))
