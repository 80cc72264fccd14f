"""The audit read back, and proven."""

import azure.functions as func

from functions.declarations import PAGED, Query, ok, page_of
from functions.http import Call, Reply, route

blueprint = func.Blueprint()


@route(
    blueprint,
    "GET",
    "operations/audit",
    page_of("shared_code.operations.audit:AuditEvent"),
    resource="audit",
    access="read",
    query=(
        *PAGED,
        Query("stream", "only events of this stream, for example settings or access"),
        Query("subject", "only events about this thing"),
        Query("site", "only events about this site"),
        Query("actor", "only what this user or service did"),
        Query("action", "only events of this kind, for example user.roles.changed"),
        Query("correlationId", "only what one request brought about, its queue messages included"),
        Query("from", "from this day on (UTC)", kind="date"),
        Query("to", "up to this day, which is included (UTC)", kind="date"),
    ),
)
def list_audit_events(call: Call) -> Reply:
    """Who did what to which thing and why, newest first."""
    from shared_code.operations.audit import AuditQuery, events

    wanted = AuditQuery(
        stream=call.query("stream"),
        subject=call.query("subject"),
        site=call.query("site"),
        actor_id=call.query("actor"),
        action=call.query("action"),
        correlation_id=call.query("correlationId"),
        since=call.instant("from"),
        before=call.instant("to", days=1),
    )
    return Reply(events(wanted, call.limit, call.cursor))


@route(
    blueprint,
    "GET",
    "operations/audit/verification",
    ok("shared_code.operations.audit:Verification"),
    resource="audit",
    access="read",
    query=(Query("stream", "prove this stream only"),),
)
def verify_audit(call: Call) -> Reply:
    """Prove that no event was changed, removed or added past the app; every broken place is named."""
    from shared_code.operations.audit import verify

    return Reply(verify(call.query("stream")))
