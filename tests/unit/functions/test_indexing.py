"""The app as the platform indexes it, in a fresh interpreter: its functions, and what indexing must not import."""

import ast
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]

# Each of these costs more than indexing itself, and no function needs it before it runs (design 5).
HEAVY = (
    "fpdf",
    "PIL",
    "polars",
    "pyodbc",
    "sqlalchemy",
    "alembic",
    "azure.identity",
    "azure.servicebus",
    "azure.storage.blob",
    "azure.monitor",
    "opentelemetry",
    "httpx",
    "jwt",
)

INDEX = """
import json, sys
for name in json.loads(sys.argv[1]):
    __import__(name)
import function_app
functions = {
    found.get_function_name(): {
        key: str(value.value if hasattr(value, "value") else value)
        for key, value in found.get_trigger().get_dict_repr().items()
        if key != "methods"
    } | {"method": ",".join(m.value for m in getattr(found.get_trigger(), "methods", None) or ())}
    for found in function_app.app.get_functions()
}
heavy = [name for name in json.loads(sys.argv[2]) if name in sys.modules]
print(json.dumps({"functions": functions, "heavy": heavy}))
"""


def index(*imported_before: str) -> dict[str, Any]:
    """Index the app in a new interpreter; `imported_before` stand for imports that a module must not have."""
    arguments = [json.dumps(imported_before), json.dumps(HEAVY)]
    done = subprocess.run(
        [sys.executable, "-c", INDEX, *arguments],
        cwd=ROOT,
        env={**os.environ, "OPERATOR_NAME": "Example Parking"},  # settings are checked at indexing
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def indexed() -> dict[str, Any]:
    return index()


# function, method, route, who may call: a key opens "function", the app itself identifies callers of the others
HTTP = {
    ("start_statement_run", "POST", "v1/statement-runs", "anonymous"),
    ("list_statement_runs", "GET", "v1/statement-runs", "anonymous"),
    ("get_statement_run", "GET", "v1/statement-runs/{run_id}", "anonymous"),
    ("list_statement_run_items", "GET", "v1/statement-runs/{run_id}/items", "anonymous"),
    ("retry_statement_run", "POST", "v1/statement-runs/{run_id}/retry", "anonymous"),
    ("cancel_statement_run", "DELETE", "v1/statement-runs/{run_id}", "anonymous"),
    ("list_statement_run_previews", "GET", "v1/statement-runs/{run_id}/preview", "anonymous"),
    ("get_missed_periods", "GET", "v1/contracts/{site_number}/missed-periods", "anonymous"),
    ("bill_missed_periods", "POST", "v1/contracts/{site_number}/missed-periods", "anonymous"),
    ("list_statements", "GET", "v1/statements", "anonymous"),
    ("get_statement", "GET", "v1/statements/{statement_id}", "anonymous"),
    ("regenerate_statement", "POST", "v1/statements/{statement_id}/regenerate", "anonymous"),
    ("get_statement_pdf", "GET", "v1/statements/{statement_id}/pdf", "anonymous"),
    ("change_statement_status", "POST", "v1/statements/{statement_id}/transitions", "anonymous"),
    ("release_statement", "POST", "v1/statements/{statement_id}/release", "anonymous"),
    ("list_statement_comments", "GET", "v1/statements/{statement_id}/comments", "anonymous"),
    ("add_statement_comment", "POST", "v1/statements/{statement_id}/comments", "anonymous"),
    ("list_site_comments", "GET", "v1/sites/{site_number}/comments", "anonymous"),
    ("add_site_comment", "POST", "v1/sites/{site_number}/comments", "anonymous"),
    ("get_invoice", "GET", "v1/invoices/{number}", "anonymous"),
    ("list_ad_hoc_lines", "GET", "v1/invoices/{number}/ad-hoc-lines", "anonymous"),
    ("add_ad_hoc_line", "POST", "v1/invoices/{number}/ad-hoc-lines", "anonymous"),
    ("remove_ad_hoc_line", "DELETE", "v1/invoices/{number}/ad-hoc-lines/{line_id}", "anonymous"),
    ("explain_line", "GET", "v1/lines/{line_id}/explanation", "anonymous"),
    ("list_source_rows", "GET", "v1/lines/{line_id}/explanation/facts/{fact}", "anonymous"),
    ("get_contract", "GET", "v1/sites/{site_number}/contract", "anonymous"),
    ("put_contract", "PUT", "v1/sites/{site_number}/contract", "anonymous"),
    ("list_site_contracts", "GET", "v1/sites/{site_number}/contracts", "anonymous"),
    ("patch_contract", "PATCH", "v1/sites/{site_number}/contract", "anonymous"),
    ("list_contract_versions", "GET", "v1/sites/{site_number}/contract/versions", "anonymous"),
    ("get_contract_version", "GET", "v1/sites/{site_number}/contract/versions/{version}", "anonymous"),
    ("validate_contract", "POST", "v1/contracts/validate", "anonymous"),
    ("export_legacy_contract", "GET", "v1/contracts/legacy-export/{site_number}", "anonymous"),
    ("get_contract_timeline", "GET", "v1/contracts/{site_number}/timeline", "anonymous"),
    ("list_proposals", "GET", "v1/contracts/{site_number}/proposals", "anonymous"),
    ("get_proposal", "GET", "v1/contracts/{site_number}/proposals/{proposal_id}", "anonymous"),
    ("decide_proposal", "POST", "v1/contracts/{site_number}/proposals/{proposal_id}", "anonymous"),
    ("get_index_values", "GET", "v1/index-values", "anonymous"),
    ("put_index_values", "PUT", "v1/index-values", "anonymous"),
    ("list_index_value_changes", "GET", "v1/index-values/{index}/{year}/history", "anonymous"),
    ("get_opening_balances", "GET", "v1/opening-balances/{site_number}", "anonymous"),
    ("put_opening_balances", "PUT", "v1/opening-balances/{site_number}", "anonymous"),
    ("get_period", "GET", "v1/periods/{period}", "anonymous"),
    ("decide_period", "POST", "v1/periods/{period}", "anonymous"),
    ("list_imports", "GET", "v1/imports", "anonymous"),
    ("get_import", "GET", "v1/imports/{batch_id}", "anonymous"),
    ("list_rejections", "GET", "v1/imports/{batch_id}/rejections", "anonymous"),
    ("get_facts", "GET", "v1/facts/{period}", "anonymous"),
    ("get_me", "GET", "v1/me", "anonymous"),
    ("list_users", "GET", "v1/users", "anonymous"),
    ("get_user", "GET", "v1/users/{user_id}", "anonymous"),
    ("put_user", "PUT", "v1/users/{user_id}", "anonymous"),
    ("get_user_sites", "GET", "v1/users/{user_id}/sites", "anonymous"),
    ("put_user_sites", "PUT", "v1/users/{user_id}/sites", "anonymous"),
    ("get_settings", "GET", "v1/settings", "anonymous"),
    ("change_settings", "PATCH", "v1/settings", "anonymous"),
    ("list_setting_changes", "GET", "v1/settings/{name}/history", "anonymous"),
    ("list_audit_events", "GET", "v1/operations/audit", "anonymous"),
    ("verify_audit", "GET", "v1/operations/audit/verification", "anonymous"),
    ("check_all_invariants", "GET", "v1/operations/invariants", "anonymous"),
    ("list_dead_letters", "GET", "v1/operations/dead-letters", "anonymous"),
    ("get_dead_letter", "GET", "v1/operations/dead-letters/{dead_letter_id}", "anonymous"),
    ("replay_dead_letter", "POST", "v1/operations/dead-letters/{dead_letter_id}/replay", "anonymous"),
    ("discard_dead_letter", "POST", "v1/operations/dead-letters/{dead_letter_id}/discard", "anonymous"),
    ("health_live", "GET", "v1/health/live", "anonymous"),
    ("health_ready", "GET", "v1/health/ready", "function"),
    ("health_dependency", "GET", "v1/health/{dependency}", "function"),
    ("version", "GET", "v1/version", "function"),
    ("openapi", "GET", "v1/openapi.json", "anonymous"),
    ("connector", "GET", "v1/connector.json", "anonymous"),
    ("list_errors", "GET", "v1/errors", "anonymous"),
    ("explain_error", "GET", "v1/errors/{code}", "anonymous"),
}
BLOB = {
    ("receive_edw_drop", "edw-drops/{name}", "BillingStorage", "EventGrid"),
    ("receive_contract_drop", "contract-drops/{name}", "BillingStorage", "EventGrid"),
}
QUEUE = {
    ("import_slice", "import-slices", "BillingServiceBus"),
    ("generate_statement_chunk", "statement-chunks", "BillingServiceBus"),
    ("render_statement_documents", "statement-documents", "BillingServiceBus"),
    ("settle_statement_run", "run-progress", "BillingServiceBus"),
    ("keep_dead_letters_of_import_slices", "import-slices/$DeadLetterQueue", "BillingServiceBus"),
    ("keep_dead_letters_of_statement_chunks", "statement-chunks/$DeadLetterQueue", "BillingServiceBus"),
    ("keep_dead_letters_of_statement_documents", "statement-documents/$DeadLetterQueue", "BillingServiceBus"),
    ("keep_dead_letters_of_run_progress", "run-progress/$DeadLetterQueue", "BillingServiceBus"),
}
TIMER = {
    ("start_scheduled_billing", "0 0 * * * *"),
    ("sweep_unfinished_work", "*/15 * * * * *"),
    ("watch_statements", "10 * * * * *"),
    ("forget_old_requests", "0 40 * * * *"),
    ("prove_audit", "0 20 6 * * *"),
    ("check_invariants", "0 50 * * * *"),
    ("draw_forgotten_documents", "0 35 * * * *"),
    ("receive_missed_drops", "0 */10 * * * *"),
}


def triggers(indexed: dict[str, Any], kind: str, *keys: str) -> set[tuple[str, ...]]:
    return {
        (name, *(trigger[key] for key in keys))
        for name, trigger in indexed["functions"].items()
        if trigger["type"] == kind
    }


def test_http_functions_with_method_route_and_level(indexed: dict[str, Any]) -> None:
    assert triggers(indexed, "httpTrigger", "method", "route", "authLevel") == HTTP


def test_blob_functions(indexed: dict[str, Any]) -> None:
    assert triggers(indexed, "blobTrigger", "path", "connection", "source") == BLOB


def test_queue_functions(indexed: dict[str, Any]) -> None:
    assert triggers(indexed, "serviceBusTrigger", "queueName", "connection") == QUEUE


def test_timers(indexed: dict[str, Any]) -> None:
    assert triggers(indexed, "timerTrigger", "schedule") == TIMER


def test_there_is_no_other_function(indexed: dict[str, Any]) -> None:
    assert set(indexed["functions"]) == {row[0] for table in (HTTP, BLOB, QUEUE, TIMER) for row in table}


def test_indexing_imports_nothing_heavy(indexed: dict[str, Any]) -> None:
    assert indexed["heavy"] == []


def test_the_guard_sees_a_heavy_import() -> None:
    assert index("jwt", "httpx")["heavy"] == ["httpx", "jwt"]


# Decision 0003: what the binding package imports of the libraries that indexing leaves alone.
STOOD_IN = {
    ("azure.storage.blob", "BlobClient"),
    ("azure.storage.blob", "ContainerClient"),
    ("azure.storage.blob", "StorageStreamDownloader"),
    ("azure.storage.blob", "BlobServiceClient"),
    ("azure.identity", "ManagedIdentityCredential"),
}


def test_the_binding_package_imports_exactly_what_is_stood_in_for() -> None:
    """An upgrade of the package that takes more, or less, or from elsewhere fails here and names the difference."""
    folder = Path(str(find_spec("azurefunctions.extensions.bindings.blob").origin)).parent  # type: ignore[union-attr]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in folder.glob("*.py")]
    imports = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    heavy = [node for node in imports if str(node.module).startswith(("azure.", "msal", "requests"))]

    assert {(str(node.module), alias.name) for node in heavy for alias in node.names} == STOOD_IN


# Serves a blob as the worker does: annotation, decoding, client; run in a fresh interpreter.
SERVE = """
import json, os, sys
from types import SimpleNamespace
from functions.blob_binding import BlobClient
from azurefunctions.extensions.base import Datum, get_binding_registry

registry = get_binding_registry()
place = json.dumps({"Connection": "BillingStorage", "ContainerName": "edw-drops", "BlobName": "a.csv"})
data = SimpleNamespace(version="1.0", source="AzureStorageBlobs", content_type="application/json", content=place)
accepted = [registry.check_supported_type(kind) for kind in (BlobClient, str)]
loaded = [name for name in ("azure.storage.blob", "azure.identity") if name in sys.modules]
converter = registry.get("blobTrigger")
client = converter.decode(Datum(data, "model_binding_data"), trigger_metadata=None, pytype=BlobClient)

import azure.identity, azure.storage.blob
print(json.dumps({
    "accepted": accepted,
    "converter": converter.check_input_type_annotation(BlobClient),
    "loaded": loaded,
    "real": type(client) is azure.storage.blob.BlobClient,
    "identity": type(client.credential) is azure.identity.ManagedIdentityCredential,
    "url": client.url,
}))
"""
KEY = "AccountName=local;AccountKey=bG9jYWw=;BlobEndpoint=http://127.0.0.1:1/local"
CONNECTIONS = [
    # app settings, with an identity, address of the blob
    ({"BillingStorage": KEY}, False, "http://127.0.0.1:1/local/edw-drops/a.csv"),
    ({"BillingStorage__blobServiceUri": "https://storage.example"}, True, "https://storage.example/edw-drops/a.csv"),
    (
        {
            "BillingStorage__blobServiceUri": "https://storage.example",
            "BillingStorage__credential": "managedidentity",
            "BillingStorage__clientId": "c-1",
        },
        True,
        "https://storage.example/edw-drops/a.csv",
    ),
]


@pytest.mark.parametrize(("connection", "identity", "url"), CONNECTIONS)
def test_the_first_blob_loads_the_real_client(connection: dict[str, str], identity: bool, url: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("BillingStorage")}
    done = subprocess.run(
        [sys.executable, "-c", SERVE],
        cwd=ROOT,
        env=environment | connection,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "accepted": [True, False],
        "converter": True,
        "loaded": [],
        "real": True,
        "identity": identity,
        "url": url,
    }
