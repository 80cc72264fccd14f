"""Who may do what: users with their roles, and the sites that are theirs."""

from typing import TYPE_CHECKING, cast

import azure.functions as func

from functions.declarations import PAGED, Body, Query, created, ok, page_of
from functions.http import Call, Reply, route

if TYPE_CHECKING:
    from shared_code.access.roles import Role

blueprint = func.Blueprint()
USER = "shared_code.access.model:User"
ASSIGNMENTS = "shared_code.access.model:Assignments"
ROLES = (
    "billingAdmin",
    "billingManager",
    "contractAdmin",
    "accountManager",
    "districtManager",
    "auditor",
    "systemAdmin",
    "integration",
)


@route(blueprint, "GET", "me", ok("shared_code.access.model:Me"), door="caller")
def get_me(call: Call) -> Reply:
    """Who you are here: your roles, your sites, and what they allow."""
    from shared_code.access.users import who_am_i

    return Reply(who_am_i(call.caller))


@route(
    blueprint,
    "GET",
    "users",
    page_of(USER),
    resource="users",
    access="read",
    query=(
        *PAGED,
        Query("role", "only those who have this role", choices=ROLES),
        Query("active", "only those who are let in, or only those who are not", kind="flag"),
    ),
)
def list_users(call: Call) -> Reply:
    """Users by name, with their roles and assignments."""
    from shared_code.access.users import list_users

    active = call.flag("active") if call.query("active") else None
    return Reply(list_users(cast("Role | None", call.choice("role")), active, call.limit, call.cursor))


@route(blueprint, "GET", "users/{user_id}", ok(USER, "ETag"), resource="users", access="read")
def get_user(call: Call) -> Reply:
    """One user with roles and assignments."""
    from shared_code.access.users import get_user

    user = get_user(call.path["user_id"])
    return Reply(user, headers=_etag(user.version))


@route(
    blueprint,
    "PUT",
    "users/{user_id}",
    ok(USER, "ETag"),
    created(USER, "ETag"),
    resource="users",
    access="write",
    body=Body("shared_code.access.requests:UserRequest"),
    idempotency="optional",
    if_match=True,
)
def put_user(call: Call) -> Reply:
    """Make a user as the body says, roles included; nobody changes their own."""
    from shared_code.access.requests import UserRequest
    from shared_code.access.users import put_user

    saved = put_user(call.path["user_id"], call.body(UserRequest), call.if_match)
    headers = _etag(saved.user.version)
    if saved.created:
        return Reply(saved.user, 201, {**headers, "Location": call.url("users", saved.user.user_id)})
    return Reply(saved.user, headers=headers)


@route(blueprint, "GET", "users/{user_id}/sites", ok(ASSIGNMENTS, "ETag"), resource="users", access="read")
def get_user_sites(call: Call) -> Reply:
    """The sites and districts whose data an account or district manager sees."""
    from shared_code.access.users import get_assignments

    found = get_assignments(call.path["user_id"])
    return Reply(found, headers=_etag(found.version))


@route(
    blueprint,
    "PUT",
    "users/{user_id}/sites",
    ok(ASSIGNMENTS, "ETag"),
    resource="users",
    access="write",
    body=Body("shared_code.access.requests:AssignmentsRequest"),
    idempotency="optional",
    if_match=True,
)
def put_user_sites(call: Call) -> Reply:
    """Assign exactly these sites and districts."""
    from shared_code.access.requests import AssignmentsRequest
    from shared_code.access.users import put_assignments

    found = put_assignments(call.path["user_id"], call.body(AssignmentsRequest), call.if_match)
    return Reply(found, headers=_etag(found.version))


def _etag(version: str) -> dict[str, str]:
    return {"ETag": f'"{version}"'}
