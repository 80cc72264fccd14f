"""Contracts over HTTP: read them and their history, put a document in place or change a part of it, check, export."""

import azure.functions as func

from functions.contract_queries import CONTRACT, EFFECTIVE, RATES_AS_OF, saving_of
from functions.declarations import JSON, PAGED, Answer, Body, Query, created, file_of, ok, page_of
from functions.http import Call, Reply, route
from shared_code.foundation.calendar import read_period

blueprint = func.Blueprint()
LEGACY = "application/vnd.powerbill.legacy+json"
MERGE_PATCH = "application/merge-patch+json"
SAVED = "shared_code.contracts.model:SavedContract"
CHECKED = "shared_code.contracts.model:CheckedContract"
DOCUMENT = "shared_code.contracts.schema:Contract"
VERSIONS = "shared_code.contracts.versions.model"
DRY_RUN = Query("dryRun", "true validates and saves nothing", kind="flag")
REASON = Query("reason", "why, in at most 400 characters; kept with the version and in the audit")
WITHOUT_REASON = "saved through the API"
FROM = Query("from", "the first month; the present one unless given", kind="period")
TO = Query("to", "the last month, at most 120 in all; a year in all unless given", kind="period")


@route(
    blueprint,
    "GET",
    "sites/{site_number}/contract",
    ok("shared_code.contracts.model:SiteContract", "ETag"),
    resource="contracts",
    access="read",
    query=(CONTRACT,),
)
def get_contract(call: Call) -> Reply:
    """The latest version of the site's contract document."""
    from shared_code.contracts.saving import contract_of_site

    found = contract_of_site(call.path["site_number"], call.visible, call.query("contractId"))
    return Reply(found, headers={"ETag": f'"{found.hash}"'})


@route(
    blueprint,
    "GET",
    "sites/{site_number}/contracts",
    page_of(f"{VERSIONS}:ContractOfSite"),
    resource="contracts",
    access="read",
    query=PAGED,
)
def list_site_contracts(call: Call) -> Reply:
    """Every contract of a site with its start and end; a site may have several, and may change its client."""
    from shared_code.contracts.versions.history import contracts_of

    return Reply(contracts_of(call.path["site_number"], call.asked, call.visible))


@route(
    blueprint,
    "PUT",
    "sites/{site_number}/contract",
    Answer(200, SAVED, alternative=CHECKED),
    created(SAVED, "ETag"),
    resource="contracts",
    access="write",
    body=Body(DOCUMENT, media=(JSON, LEGACY), parsed=False),
    query=(
        DRY_RUN,
        Query("additional", "true adds another contract to a site that has one (rules R42)", kind="flag"),
        EFFECTIVE,
        RATES_AS_OF,
        REASON,
    ),
    idempotency="optional",
    if_match=True,
)
def put_contract(call: Call) -> Reply:
    """Save a document, own or legacy by content type. A change needs If-Match."""
    from shared_code.contracts.saving import checked, read_document, save_document

    site_number = call.path["site_number"]
    document = read_document(call.raw_body, legacy=call.content_type == LEGACY, site_number=site_number)
    if call.flag("dryRun"):
        return Reply(checked(document))
    reason = call.query(REASON.name) or WITHOUT_REASON
    saved = save_document(document, saving_of(call, reason, call.if_match, additional=call.flag("additional")))
    headers = {"Location": call.url("sites", site_number, "contract"), "ETag": f'"{saved.hash}"'}
    return Reply(saved, 201 if saved.changed and saved.version == 1 else 200, headers)


@route(
    blueprint,
    "PATCH",
    "sites/{site_number}/contract",
    Answer(200, SAVED, alternative=CHECKED),
    resource="contracts",
    access="write",
    body=Body(f"{VERSIONS}:ContractPatch", media=(JSON, MERGE_PATCH), parsed=False),
    query=(CONTRACT, DRY_RUN, EFFECTIVE, RATES_AS_OF, REASON),
    idempotency="optional",
    if_match=True,
)
def patch_contract(call: Call) -> Reply:
    """Change a part of the latest document by a JSON merge patch: null removes a field, a list is replaced whole."""
    from shared_code.contracts.saving import checked, save_document
    from shared_code.contracts.versions.patching import patched

    site_number, match = call.path["site_number"], call.required_match
    document, etag = patched(call.raw_body, site_number, call.query("contractId"), match, call.visible)
    if call.flag("dryRun"):
        return Reply(checked(document))
    saved = save_document(document, saving_of(call, call.query(REASON.name) or WITHOUT_REASON, etag))
    return Reply(saved, headers={"ETag": f'"{saved.hash}"'})


@route(
    blueprint,
    "GET",
    "sites/{site_number}/contract/versions",
    page_of(f"{VERSIONS}:ContractVersion"),
    resource="contracts",
    access="read",
    query=(*PAGED, CONTRACT),
)
def list_contract_versions(call: Call) -> Reply:
    """Versions of a contract, the newest first: who made each, why, and from when it serves."""
    from shared_code.contracts.versions.history import versions_of

    return Reply(versions_of(call.path["site_number"], call.query("contractId"), call.asked, call.visible))


@route(
    blueprint,
    "GET",
    "sites/{site_number}/contract/versions/{version}",
    ok(f"{VERSIONS}:ContractVersionDetail", "ETag"),
    resource="contracts",
    access="read",
    query=(CONTRACT,),
)
def get_contract_version(call: Call) -> Reply:
    """One version with its document, and what it has changed place by place."""
    from shared_code.contracts.versions.history import version_of

    found = version_of(call.path["site_number"], call.query("contractId"), call.path["version"], call.visible)
    return Reply(found, headers={"ETag": f'"{found.about.hash}"'})


@route(
    blueprint,
    "POST",
    "contracts/validate",
    ok(CHECKED),
    resource="contracts",
    access="read",
    body=Body(DOCUMENT, media=(JSON, LEGACY), parsed=False),
    idempotency="natural",
)
def validate_contract(call: Call) -> Reply:
    """Check a document, own or legacy by content type. Nothing is saved."""
    from shared_code.contracts.saving import checked, read_document

    return Reply(checked(read_document(call.raw_body, legacy=call.content_type == LEGACY)))


@route(
    blueprint,
    "GET",
    "contracts/legacy-export/{site_number}",
    file_of(LEGACY),
    resource="contracts",
    access="read",
    query=(CONTRACT, Query("partial", "true leaves out what the legacy form cannot hold", kind="flag")),
)
def export_legacy_contract(call: Call) -> Reply:
    """The legacy file of the latest version: byte for byte the file that it came from, unless it was changed since."""
    from shared_code.contracts.versions.legacy_file import legacy_file_of

    wanted = call.path["site_number"], call.query("contractId")
    file = legacy_file_of(*wanted, call.visible, partial=call.flag("partial"))
    disposition = f'attachment; filename="{file.file_name}"'
    return Reply(file.data, headers={"Content-Disposition": disposition}, content_type=LEGACY)


@route(
    blueprint,
    "GET",
    "contracts/{site_number}/timeline",
    ok("shared_code.contracts.versions.rate_model:ContractTimeline"),
    resource="contracts",
    access="read",
    query=(CONTRACT, FROM, TO),
)
def get_contract_timeline(call: Call) -> Reply:
    """The rates of a contract month by month, past and future, each with the steps that lead to it."""
    from shared_code.contracts.versions.rates_by_month import timeline_of

    first, last = (read_period(text, name) if (text := call.query(name)) else None for name in (FROM.name, TO.name))
    return Reply(timeline_of(call.path["site_number"], call.query("contractId"), first, last, call.visible))
