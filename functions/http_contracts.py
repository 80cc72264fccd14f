"""Contracts over HTTP: read the one of a site, or put a document in its place."""

import azure.functions as func

from functions.declarations import JSON, Answer, Body, Query, created, ok
from functions.http import Call, Reply, route

blueprint = func.Blueprint()
LEGACY = "application/vnd.powerbill.legacy+json"
SAVED = "shared_code.contracts.model:SavedContract"


@route(
    blueprint,
    "GET",
    "sites/{site_number}/contract",
    ok("shared_code.contracts.model:SiteContract", "ETag"),
    resource="contracts",
    access="read",
)
def get_contract(call: Call) -> Reply:
    """The latest version of the site's contract document."""
    from shared_code.contracts.saving import contract_of_site

    found = contract_of_site(call.path["site_number"], call.visible)
    return Reply(found, headers={"ETag": f'"{found.hash}"'})


@route(
    blueprint,
    "PUT",
    "sites/{site_number}/contract",
    Answer(200, SAVED, alternative="shared_code.contracts.model:CheckedContract"),
    created(SAVED, "ETag"),
    resource="contracts",
    access="write",
    body=Body("shared_code.contracts.schema:Contract", media=(JSON, LEGACY), parsed=False),
    query=(
        Query("dryRun", "true validates and saves nothing", kind="flag"),
        Query("additional", "true adds another contract to a site that has one (rules R42)", kind="flag"),
    ),
    idempotency="optional",
    if_match=True,
)
def put_contract(call: Call) -> Reply:
    """Save a document, own or legacy by content type. A change needs If-Match."""
    from shared_code.contracts.saving import Saving, checked, read_document, save_document

    site_number = call.path["site_number"]
    document = read_document(call.raw_body, legacy=call.content_type == LEGACY, site_number=site_number)
    if call.flag("dryRun"):
        return Reply(checked(document))
    saving = Saving(call.caller.name, "saved through the API", call.if_match, call.flag("additional"))
    saved = save_document(document, saving)
    headers = {"Location": call.url("sites", site_number, "contract"), "ETag": f'"{saved.hash}"'}
    return Reply(saved, 201 if saved.changed and saved.version == 1 else 200, headers)
