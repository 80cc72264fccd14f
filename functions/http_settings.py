"""What billing people decide, with its history."""

import azure.functions as func

from functions.declarations import PAGED, Body, ok, page_of
from functions.http import Call, Reply, route

blueprint = func.Blueprint()
SERVICE = "shared_code.foundation.business_settings.service"
SETTINGS = f"{SERVICE}:SettingsView"


@route(blueprint, "GET", "settings", ok(SETTINGS, "ETag"), resource="settings", access="read")
def get_settings(_call: Call) -> Reply:
    """Every business setting: the value that holds, where it comes from, and what it means."""
    from shared_code.foundation.business_settings.service import show

    found = show()
    return Reply(found, headers={"ETag": found.etag})


@route(
    blueprint,
    "PATCH",
    "settings",
    ok(SETTINGS, "ETag"),
    resource="settings",
    access="write",
    body=Body("shared_code.foundation.business_settings.requests:SettingsRequest"),
    idempotency="optional",
    if_match=True,
)
def change_settings(call: Call) -> Reply:
    """Change settings, all of those named or none. If-Match is the ETag that was read, or * to overwrite."""
    from shared_code.foundation.business_settings.requests import SettingsRequest
    from shared_code.foundation.business_settings.service import change

    wish = call.body(SettingsRequest)
    found = change(wish.changes, wish.reason, call.required_match)
    return Reply(found, headers={"ETag": found.etag})


@route(
    blueprint,
    "GET",
    "settings/{name}/history",
    page_of(f"{SERVICE}:SettingChange"),
    resource="settings",
    access="read",
    query=PAGED,
)
def list_setting_changes(call: Call) -> Reply:
    """Every value that was stored for a setting, newest first, with who and why."""
    from shared_code.foundation.business_settings.service import history

    return Reply(history(call.path["name"], call.limit, call.cursor))
