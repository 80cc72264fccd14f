"""Contracts over HTTP: read the one of a site, or put a document in its place."""

import azure.functions as func

from functions.http import Call, Reply, route

blueprint = func.Blueprint()
LEGACY = "application/vnd.powerbill.legacy+json"


@route(blueprint, "GET", "sites/{site_number}/contract", "contracts", "read")
def get_contract(call: Call) -> Reply:
    """The latest version of the site's contract document."""
    from shared_code.contracts.saving import contract_of_site

    found = contract_of_site(call.path["site_number"], call.permission.sites)
    return Reply(found, headers={"ETag": f'"{found["hash"]}"'})


@route(blueprint, "PUT", "sites/{site_number}/contract", "contracts", "write")
def put_contract(call: Call) -> Reply:
    """Save a document, own or legacy by content type; `?dryRun=true` validates only. A change needs `If-Match`."""
    from shared_code.contracts.saving import Saving, read_document, save_document

    site_number = call.path["site_number"]
    legacy = (call.request.headers.get("content-type") or "").partition(";")[0].strip() == LEGACY
    document = read_document(call.request.get_body(), legacy=legacy, site_number=site_number)
    if call.flag("dryRun"):
        return Reply({"valid": True, "warnings": document.notices})
    author, if_match = call.permission.caller.name, call.request.headers.get("if-match")
    saved = save_document(document, Saving(author, "saved through the API", if_match, call.flag("additional")))
    location = call.url(f"sites/{site_number}/contract")
    return Reply(saved, 201 if saved.changed and saved.version == 1 else 200, {"Location": location})
