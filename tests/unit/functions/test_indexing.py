"""The app as the platform indexes it, in a fresh interpreter: its functions, and what indexing must not import."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from azure.identity import ManagedIdentityCredential

from functions.blob_binding import managed_identity_credential

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
    "azure.monitor",
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
        [sys.executable, "-c", INDEX, *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def indexed() -> dict[str, Any]:
    return index()


# function, method, route, who may call: a key opens "function", the app itself identifies callers of the others
HTTP = {
    ("get_contract", "GET", "v1/sites/{site_number}/contract", "anonymous"),
    ("put_contract", "PUT", "v1/sites/{site_number}/contract", "anonymous"),
    ("list_imports", "GET", "v1/imports", "anonymous"),
    ("get_import", "GET", "v1/imports/{batch_id}", "anonymous"),
    ("list_rejections", "GET", "v1/imports/{batch_id}/rejections", "anonymous"),
    ("get_facts", "GET", "v1/facts/{period}", "anonymous"),
    ("start_statement_run", "POST", "v1/statement-runs", "anonymous"),
    ("retry_statement_run", "POST", "v1/statement-runs/{run_id}/retry", "anonymous"),
    ("list_statement_runs", "GET", "v1/statement-runs", "anonymous"),
    ("get_statement_run", "GET", "v1/statement-runs/{run_id}", "anonymous"),
    ("list_statement_run_items", "GET", "v1/statement-runs/{run_id}/items", "anonymous"),
    ("list_statements", "GET", "v1/statements", "anonymous"),
    ("get_statement", "GET", "v1/statements/{statement_id}", "anonymous"),
    ("get_statement_pdf", "GET", "v1/statements/{statement_id}/pdf", "anonymous"),
    ("health_live", "GET", "v1/health/live", "anonymous"),
    ("health_ready", "GET", "v1/health/ready", "function"),
    ("health_dependency", "GET", "v1/health/{dependency}", "function"),
    ("version", "GET", "v1/version", "function"),
    ("explain_error", "GET", "v1/errors/{code}", "anonymous"),
}
BLOB = {
    ("receive_edw_drop", "edw-drops/{name}", "BillingStorage"),
    ("receive_contract_drop", "contract-drops/{name}", "BillingStorage"),
}
QUEUE = {
    ("import_slice", "import-slices", "BillingServiceBus"),
    ("generate_statement_chunk", "statement-chunks", "BillingServiceBus"),
    ("render_statement_documents", "statement-documents", "BillingServiceBus"),
    ("settle_statement_run", "run-progress", "BillingServiceBus"),
}
TIMER = {
    ("start_scheduled_billing", "0 0 * * * *"),
    ("sweep_unfinished_work", "*/15 * * * * *"),
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
    assert triggers(indexed, "blobTrigger", "path", "connection") == BLOB


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


def test_the_stand_in_of_the_blob_binding_makes_a_real_credential() -> None:
    """Decision 0003: the library is imported when an identity is needed."""
    assert isinstance(managed_identity_credential(client_id="c-1"), ManagedIdentityCredential)


def test_the_binding_package_makes_its_client_with_that_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade of the package that takes its credential from elsewhere fails here."""
    from azurefunctions.extensions.bindings.blob import utils

    monkeypatch.setenv("BillingStorage__blobServiceUri", "https://storage.example")
    monkeypatch.delenv("BillingStorage", raising=False)

    client = utils.service_client_factory("BillingStorage")

    assert isinstance(client.credential, ManagedIdentityCredential)
    assert utils.ManagedIdentityCredential in (managed_identity_credential, ManagedIdentityCredential)
