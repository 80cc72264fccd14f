"""The month is closed as Power Automate closes it: files are dropped, a run is started over HTTP, results are read.

Sixteen invented sites with all kinds of contracts, and two whose statements are worked out by hand.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pypdfium2  # type: ignore[import-untyped]  # it comes without types
import pytest

from localhost.identity import Issuer
from localhost.processes import wait_until
from sample_data.generate import generate
from sample_data.legacy_form import document, to_bytes
from sample_data.manifest import Manifest
from sample_data.options import SampleOptions
from shared_code.access.tables import site_assignment
from shared_code.documents.paths import CONTRACT_DROPS, EDW_DROPS, RUN_REPORTS, STATEMENTS
from shared_code.foundation.calendar import Period
from shared_code.foundation.money import dollars
from tests.flows.conftest import (
    PERIOD,
    App,
    Polled,
    as_bytes,
    contract_files,
    error_of,
    exact,
    fixed_fees,
    running_app,
    sample_files,
    site_master,
)
from tests.unit.statements.recompute import recomputed

pytestmark = pytest.mark.flow

SITES = 16
DATASETS = ("site_master", "revenue_daily", "site_statistics", "timesheet", "account_summary", "forecast")
BY_HAND = (
    fixed_fees("0901", ("1000.00", 1), ("234.50", 2), ("0.005", 2)),
    fixed_fees("0902", ("1234567.89", 1), billingType="Advanced", paymentTerms={"kind": "on_receipt"}),
)
LEGACY = "application/vnd.powerbill.legacy+json"
NOBODY = "0" * 32


@dataclass(frozen=True, slots=True)
class Closed:
    """A month that was closed once; tests read it, and those that add to it use sites of their own."""

    app: App
    manifest: Manifest
    polled: Polled
    contracts: dict[str, bytes]

    @property
    def run(self) -> dict[str, Any]:
        return self.polled.run

    def statements(self) -> list[dict[str, Any]]:
        return self.app.every("statements", run=self.polled.id, limit=1000)

    def detail(self, site: str) -> dict[str, Any]:
        """The statement of a site in the run, with invoices and lines."""
        (found,) = self.app.every("statements", run=self.polled.id, siteNumber=site)
        detail: dict[str, Any] = self.app.get(f"statements/{found['id']}")
        return detail


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    folder = tmp_path_factory.mktemp("month")
    manifest = generate(SampleOptions(out=folder / "drops", sites=SITES, volume="light"))
    files = sample_files(folder / "drops", DATASETS)
    contracts = files[CONTRACT_DROPS]
    with running_app(
        folder / "state", SCHEDULED_BILLING_DAY="0", DOCUMENTS_PER_MESSAGE="3", CHUNK_CONTRACTS="7"
    ) as app:
        app.take_in(files[EDW_DROPS] | {f"site_master/{PERIOD}/by-hand.csv": site_master("0901", "0902")})
        app.take_in({**contracts, **contract_files(*BY_HAND)}, CONTRACT_DROPS)
        yield Closed(app, manifest, app.bill(), contracts)


# -- files come in ------------------------------------------------------------------------------------------------


def test_every_dropped_file_is_current_and_every_row_is_accounted_for(closed: Closed) -> None:
    batches = closed.app.imports()
    assert Counter(batch["state"] for batch in batches) == {"current": len(batches)}
    assert len(closed.app.imports(dataset="contracts")) == SITES + len(BY_HAND)
    for entry in closed.manifest.files:
        if entry.dataset in DATASETS:
            (batch,) = [b for b in batches if b["sourceName"] == entry.path.partition("/")[2]]
            assert batch["rowsRead"] == entry.rows == batch["rowsAccepted"]
            assert batch["moneyRead"] == batch["moneyAccepted"]
            detail = closed.app.get(f"imports/{batch['batchId']}")
            assert sum(part["rowCount"] for part in detail["slices"]) == entry.rows
            assert json.loads(closed.app.blob("import-reports", f"{batch['batchId']}.json"))["state"] == "current"


def test_facts_of_the_period_say_what_is_loaded_by_dataset_and_site(closed: Closed) -> None:
    loaded = {facts["dataset"]: facts for facts in closed.app.get(f"facts/{PERIOD}")["items"]}
    assert set(loaded) == set(DATASETS) - {"site_master"}
    for name, facts in loaded.items():
        (entry,) = closed.manifest.entries(name)
        assert facts["rows"] == sum(site["rowCount"] for site in facts["sites"]) == entry.rows


# -- the run ------------------------------------------------------------------------------------------------------


def test_a_run_answers_202_with_an_address_that_answers_202_until_it_answers_200(closed: Closed) -> None:
    started = closed.polled.started
    assert started.status_code == 202
    assert started.headers["Location"].startswith(f"{closed.app.stack.host.url}/api/v1/statement-runs/")
    assert int(started.headers["Retry-After"]) > 0
    assert started.json() == {"id": closed.polled.id, "created": True, "status": started.headers["Location"]}
    *waiting, last = closed.polled.answers
    for answer in waiting:
        assert (answer.status_code, answer.json()["state"]) == (202, "Running")
        assert answer.headers["Location"] == started.headers["Location"]
        assert int(answer.headers["Retry-After"]) > 0
    assert (last.status_code, last.json()["state"]) == (200, "Completed")
    assert "Retry-After" not in last.headers


def test_every_contract_of_a_run_has_an_outcome_and_every_failure_a_reason(closed: Closed) -> None:
    run, items = closed.run, closed.app.every(f"statement-runs/{closed.polled.id}/items", limit=1000)
    assert run["expected"] == SITES + len(BY_HAND) == len(items) == sum(run["outcomes"].values())
    assert run["outcomes"]["pending"] == run["documents"]["pending"] == 0
    counted = Counter(item["outcome"] for item in items)
    assert (counted["Generated"], counted["Failed"]) == (run["outcomes"]["generated"], run["outcomes"]["failed"])
    assert counted["Generated"] > len(BY_HAND)
    assert run["reasons"] == Counter(item["reason"] for item in items if item["reason"])
    for item in items:
        assert bool(item["statementId"]) == (item["outcome"] == "Generated")
        assert (item["outcome"] == "Failed") <= bool(item["reason"] and item["message"])


def test_lines_add_up_to_invoices_to_statements_and_to_the_run(closed: Closed) -> None:
    statements = closed.statements()
    assert len(statements) == closed.run["statements"] == closed.run["outcomes"]["generated"]
    invoices = 0
    for statement in statements:
        detail = closed.app.get(f"statements/{statement['id']}")
        for invoice in detail["invoices"]:
            assert sum(line["amount"] for line in invoice["lines"]) == invoice["amount"]
        assert sum(invoice["amount"] for invoice in detail["invoices"]) == detail["total"] == statement["total"]
        invoices += len(detail["invoices"])
    assert invoices == closed.run["invoices"]
    assert sum(statement["total"] for statement in statements) == closed.run["total"]


def test_the_run_report_says_what_the_api_says(closed: Closed) -> None:
    report = json.loads(closed.app.blob(RUN_REPORTS, f"{closed.polled.id}.json"))
    assert report["reconciles"] is True
    for key in ("id", "period", "expected", "outcomes", "reasons", "statements", "invoices", "documents"):
        assert report[key] == closed.run[key]
    assert Decimal(report["total"]) == closed.run["total"]
    assert sum(Decimal(item["total"]) for item in report["items"] if item["total"]) == closed.run["total"]
    items = closed.app.every(f"statement-runs/{closed.polled.id}/items", limit=1000)
    shared = ("siteNumber", "contractId", "outcome", "reason", "message", "statementId")
    assert [[item[key] for key in shared] for item in report["items"]] == [
        [item[key] for key in shared] for item in items
    ]
    assert sorted(item["pdf"] for item in report["items"] if item["pdf"]) == closed.app.names(STATEMENTS)


# -- statements ---------------------------------------------------------------------------------------------------


def test_a_statement_in_arrears_is_what_it_was_worked_out_to_be(closed: Closed) -> None:
    detail = closed.detail("0901")
    first, second = detail["invoices"]
    assert (detail["total"], first["amount"], second["amount"]) == (
        Decimal("1234.51"),  # 1,000.00 on group 1; 234.50 and half a cent, rounded away from zero, on group 2
        Decimal("1000.00"),
        Decimal("234.51"),
    )
    assert (first["number"], second["number"]) == ("0901-202610-01-01", "0901-202610-02-01")
    assert (first["invoiceDate"], first["dueDate"]) == ("2026-10-31", "2026-11-30")
    assert [line["amount"] for line in second["lines"]] == [Decimal("234.50"), Decimal("0.01")]
    assert (detail["status"], detail["version"], detail["period"]) == ("ApprovalTeam", 1, PERIOD)


def test_an_advanced_statement_is_dated_and_numbered_by_the_month_before(closed: Closed) -> None:
    (invoice,) = closed.detail("0902")["invoices"]
    assert (invoice["number"], invoice["invoiceDate"], invoice["dueDate"]) == (
        "0902-202609-01-01",
        "2026-09-01",
        "2026-09-01",
    )
    assert invoice["paymentTerms"] == "Due on Receipt"


def test_money_is_a_number_with_exactly_two_decimals(closed: Closed) -> None:
    answer = closed.app.call("GET", "statements", params={"siteNumber": "0902"})
    assert '"total":1234567.89,' in answer.text
    answer = closed.app.call("GET", f"statements/{closed.detail('0901')['id']}")
    assert '"amount":234.50' in answer.text


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_range() for page in document)


def test_every_statement_has_a_pdf_that_prints_its_invoices_and_totals(closed: Closed) -> None:
    statements = closed.statements()
    for statement in statements:
        answer = closed.app.call("GET", f"statements/{statement['id']}/pdf")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        assert answer.content.startswith(b"%PDF-")
        text = text_of(answer.content)
        invoices = closed.app.get(f"statements/{statement['id']}")["invoices"]
        for invoice in invoices:
            assert invoice["number"] in text
            assert dollars(invoice["amount"]) in text
        assert f'filename="{invoices[-1]["number"]}_Invoice.pdf"' in answer.headers["content-disposition"]
    stored = [closed.app.blob(STATEMENTS, name) for name in closed.app.names(STATEMENTS)]
    assert len(stored) == len(statements)
    assert closed.app.call("GET", f"statements/{statements[0]['id']}/pdf").content in stored


# -- explanations -------------------------------------------------------------------------------------------------


def test_every_printed_amount_explains_itself_down_to_the_rows_of_its_files(closed: Closed) -> None:
    """From any line: clause and version, steps, and sums whose rows are found again, to the last of them.

    Whoever works a line out again from the inputs alone comes to its amount.
    """
    names = {batch["batchId"]: batch["sourceName"] for batch in closed.app.imports()}
    summed: set[str] = set()
    for statement in closed.statements():
        detail = closed.app.get(f"statements/{statement['id']}")
        for line in (line for invoice in detail["invoices"] for line in invoice["lines"]):
            explained = closed.app.get(f"lines/{line['id']}/explanation")
            assert (explained["amount"], explained["title"]) == (line["amount"], line["title"])
            assert (explained["contractId"], explained["contractVersion"]) == (detail["contractId"], 1)
            assert all(step["text"] for step in explained["steps"])
            assert explained["steps"][-1]["value"] == recomputed(explained) == line["amount"], explained
            assert not any(fact["replaced"] for fact in explained["facts"])
            for fact in explained["facts"]:
                rows = closed.app.every(f"lines/{line['id']}/explanation/facts/{fact['number']}", limit=1000)
                assert len(rows) == fact["rows"], (line, fact)
                assert sum(row["amount"] for row in rows) == fact["amount"], (line, fact)
                assert {row["file"] for row in rows} == {names[batch] for batch in fact["batches"] if rows}
                summed.add(fact["dataset"])
    assert summed >= {"revenue_daily", "account_summary", "timesheet"}


def test_an_explanation_of_what_is_not_there_is_refused(closed: Closed) -> None:
    line = closed.detail("0901")["invoices"][0]["lines"][0]["id"]
    wrong = [f"lines/{NOBODY}/explanation", f"lines/{NOBODY}/explanation/facts/1", f"lines/{line}/explanation/facts/9"]

    refused = [error_of(closed.app.call("GET", path))["code"] for path in wrong]

    assert refused == ["LINE_NOT_FOUND", "LINE_NOT_FOUND", "FACT_NOT_FOUND"]


# -- once only ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{"period": "2026-10"}, {"period": "202610", "source": "manual", "dryRun": False}])
def test_asking_again_for_the_same_run_finds_it_and_writes_nothing(closed: Closed, body: dict[str, Any]) -> None:
    before = closed.statements()
    again = closed.app.call("POST", "statement-runs", json=body)
    assert again.status_code == 202
    assert again.json()["id"] == closed.polled.id and again.json()["created"] is False
    assert closed.app.call("GET", again.headers["Location"]).status_code == 200
    assert closed.statements() == before


def test_a_run_of_another_scope_skips_what_is_billed_and_says_by_which_run(closed: Closed) -> None:
    before = closed.app.get("statements", period=PERIOD)["total"]
    other = closed.app.bill(siteNumbers=["0902", "0901", "0901"])
    assert other.id != closed.polled.id
    assert {name: number for name, number in other.run["outcomes"].items() if number} == {"skipped": 2}
    items = closed.app.every(f"statement-runs/{other.id}/items")
    assert {item["reason"] for item in items} == {"ALREADY_GENERATED"}
    assert all(closed.polled.id in item["message"] for item in items)
    assert closed.app.get("statements", period=PERIOD)["total"] == before
    assert closed.app.call("POST", "statement-runs", json={"period": PERIOD, "siteNumbers": ["0901", "0902"]}).json()[
        "id"
    ] == (other.id)


# -- lists --------------------------------------------------------------------------------------------------------


SORTED = [
    # a list, the field that sorts it (backwards with -), and the parameter that asks for it
    ("statements", "siteNumber", {}),
    ("statements", "siteNumber", {"sort": "siteNumber"}),
    ("statements", "-siteNumber", {"sort": "-siteNumber"}),
    ("statements", "total", {"sort": "total"}),
    ("statements", "-total", {"sort": "-total"}),
    ("statements", "createdAt", {"sort": "createdAt"}),
    ("statement-runs/{run}/items", "siteNumber", {}),
    ("statement-runs", "-createdAt", {}),
    ("statement-runs", "createdAt", {"sort": "createdAt"}),
    ("imports", "-createdAt", {}),
    ("imports", "createdAt", {"sort": "createdAt"}),
]


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize(("path", "order", "query"), SORTED)
def test_pages_of_any_size_make_the_whole_list_in_its_order(
    closed: Closed, path: str, order: str, query: dict[str, str], limit: int
) -> None:
    path = path.format(run=closed.polled.id)
    whole = closed.app.get(path, limit=1000, **query)
    assert whole["nextCursor"] is None and whole["total"] == len(whole["items"]) > 0
    assert closed.app.every(path, limit=limit, **query) == whole["items"]
    assert closed.app.get(path, limit=limit, **query)["total"] == whole["total"]
    values = [item[order.removeprefix("-")] for item in whole["items"]]
    assert values == sorted(values, reverse=order.startswith("-"))


def test_filters_narrow_lists(closed: Closed) -> None:
    statements = closed.statements()
    (one,) = closed.app.every("statements", siteNumber="0901")
    assert one in statements
    by_status = [
        closed.app.get("statements", status=one, period=PERIOD)["total"] for one in ("ApprovalTeam", "ReadyToSend")
    ]
    assert by_status == [sum(one["status"] == name for one in statements) for name in ("ApprovalTeam", "ReadyToSend")]
    assert sum(by_status) == len(statements)
    for nothing in ({"status": "sent"}, {"period": "2026-09"}, {"siteNumber": "9"}, {"run": NOBODY}):
        assert closed.app.get("statements", **nothing) == {"items": [], "nextCursor": None, "total": 0}
    failed = closed.app.every(f"statement-runs/{closed.polled.id}/items", outcome="Failed")
    assert len(failed) == closed.run["outcomes"]["failed"]
    assert {item["outcome"] for item in failed} <= {"Failed"}
    assert closed.app.imports(dataset="timesheet", period=PERIOD, state="current")[0]["dataset"] == "timesheet"
    assert closed.app.imports(dataset="timesheet", state="held") == []
    (run,) = closed.app.every("statement-runs", period=PERIOD, source="manual", state="completed", limit=1)[-1:]
    assert run["id"] == closed.polled.id  # the first of the period
    assert closed.app.get("statement-runs", state="Running") == {"items": [], "nextCursor": None, "total": 0}


REFUSED_LISTS = [
    ("statements", {"limit": "0"}, 400, "PARAMETER_INVALID"),
    ("statements", {"limit": "1001"}, 400, "PARAMETER_INVALID"),
    ("statements", {"limit": "many"}, 400, "PARAMETER_INVALID"),
    ("statements", {"cursor": "nonsense"}, 400, "CURSOR_INVALID"),
    ("statements", {"cursor": "****"}, 400, "CURSOR_INVALID"),
    ("statements", {"period": "October"}, 400, "PERIOD_INVALID"),
    ("statements", {"status": "Lost"}, 400, "FILTER_INVALID"),
    ("statements", {"sort": "siteName"}, 400, "SORT_INVALID"),
    ("statement-runs", {"cursor": "WzFd"}, 400, "CURSOR_INVALID"),
    ("statement-runs", {"period": "2026-00"}, 400, "PERIOD_INVALID"),
    ("statement-runs", {"state": "Resting"}, 400, "FILTER_INVALID"),
    ("statement-runs", {"sort": "--createdAt"}, 400, "SORT_INVALID"),
    ("imports", {"cursor": "50"}, 400, "CURSOR_INVALID"),
    ("imports", {"period": "10/2026"}, 400, "PERIOD_INVALID"),
    ("imports", {"state": "lost"}, 400, "FILTER_INVALID"),
    ("imports", {"sort": "total"}, 400, "SORT_INVALID"),
    ("facts/2026-13", {}, 400, "PERIOD_INVALID"),
]


@pytest.mark.parametrize(("path", "query", "status", "code"), REFUSED_LISTS)
def test_a_list_refuses_what_it_cannot_read(
    closed: Closed, path: str, query: dict[str, str], status: int, code: str
) -> None:
    answer = closed.app.call("GET", path, params=query)
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (status, code)
    assert [detail["field"] for detail in error["details"]] == [*query] or query == {}


def test_a_refusal_names_what_there_is(closed: Closed) -> None:
    status = error_of(closed.app.call("GET", "statements", params={"status": "Lost"}))
    assert all(name in status["message"] for name in ("ApprovalTeam", "ReadyToSend", "Sent"))
    sort = error_of(closed.app.call("GET", "statements", params={"sort": "siteName"}))
    assert all(name in sort["message"] for name in ("siteNumber", "total", "createdAt"))


UNKNOWN = [
    (f"statement-runs/{NOBODY}", "RUN_NOT_FOUND"),
    (f"statements/{NOBODY}", "STATEMENT_NOT_FOUND"),
    (f"statements/{NOBODY}/pdf", "STATEMENT_NOT_FOUND"),
    (f"imports/{NOBODY}", "IMPORT_NOT_FOUND"),
    (f"imports/{NOBODY}/rejections", "IMPORT_NOT_FOUND"),
    ("sites/0999/contract", "CONTRACT_NOT_FOUND"),
    ("errors/NO_SUCH_CODE", "ERROR_UNKNOWN"),
]


@pytest.mark.parametrize(("path", "code"), UNKNOWN)
def test_what_is_not_there_answers_404_with_a_cure(closed: Closed, path: str, code: str) -> None:
    answer = closed.app.call("GET", path)
    assert (answer.status_code, error_of(answer)["code"]) == (404, code)


def test_an_error_code_explains_itself(closed: Closed) -> None:
    kind = closed.app.get("errors/STATEMENT_NOT_FOUND")
    assert (kind["code"], kind["number"], kind["status"]) == ("STATEMENT_NOT_FOUND", 2305, 404)
    assert kind["meaning"] and kind["cure"]


# -- health -------------------------------------------------------------------------------------------------------


def test_health_is_open_where_it_says_nothing_and_needs_a_key_where_it_does(closed: Closed) -> None:
    http, host = closed.app.http, closed.app.stack.host
    assert http.get("health/live").json() == {"status": "live"}
    for path in ("health/ready", "health/database", "health/storage", "health/bus", "version"):
        assert http.get(path).status_code == 401
        assert http.get(path, headers={"x-functions-key": "wrong"}).status_code == 401
        assert http.get(path, headers=closed.app.stack.headers("systemAdmin")).status_code == 401  # a token is no key
        assert http.get(path, params={"code": host.function_key}).status_code == 200
        assert http.get(path, headers={"x-functions-key": host.master_key}).status_code == 200
    ready = http.get("health/ready", params={"code": host.function_key}).json()
    assert ready["ready"] and {d["name"]: d["ok"] for d in ready["dependencies"]} == {
        "database": True,
        "storage": True,
        "bus": True,
    }
    assert http.get("version", params={"code": host.function_key}).json()["schema"]
    unknown = http.get("health/moon", params={"code": host.function_key})
    assert (unknown.status_code, error_of(unknown)["code"]) == (404, "DEPENDENCY_UNKNOWN")


def test_a_key_alone_identifies_nobody(closed: Closed) -> None:
    answer = closed.app.http.get("statements", headers={"x-functions-key": closed.app.stack.host.master_key})
    assert (answer.status_code, error_of(answer)["code"]) == (401, "TOKEN_MISSING")


# -- who may do what ----------------------------------------------------------------------------------------------

ALLOWED = [
    ("billingAdmin", "GET", "statements", 200),
    ("auditor", "GET", "statements", 200),
    ("accountManager", "GET", "statements", 200),
    ("systemAdmin", "GET", "statements", 403),
    ("nobody", "GET", "statements", 403),
    ("integration", "GET", "statement-runs", 200),
    ("accountManager", "GET", "statement-runs", 403),
    ("contractAdmin", "GET", "statement-runs", 403),
    ("auditor", "POST", "statement-runs", 403),
    ("contractAdmin", "POST", "statement-runs", 403),
    ("districtManager", "POST", "statement-runs", 403),
    ("systemAdmin", "GET", "imports", 200),
    ("nobody", "GET", "imports", 403),
    ("billingAdmin", "PUT", "sites/0901/contract", 403),
    ("accountManager", "PUT", "sites/0901/contract", 403),
    ("systemAdmin", "GET", "sites/0901/contract", 403),
]


@pytest.mark.parametrize(("role", "method", "path", "status"), ALLOWED)
def test_a_role_may_do_what_the_matrix_says(closed: Closed, role: str, method: str, path: str, status: int) -> None:
    answer = closed.app.call(method, path, role, json={} if method != "GET" else None)
    assert answer.status_code == status
    if status == 403:
        assert error_of(answer)["code"] == "FORBIDDEN"


def bad_tokens(issuer: Issuer, folder: Path) -> dict[str, str]:
    good = issuer.token("billingAdmin")
    head, body, signature = good.split(".")
    return {
        "expired": issuer.token("billingAdmin", exp=1_700_000_000),
        "not valid yet": issuer.token("billingAdmin", nbf=4_000_000_000),
        "for another app": issuer.token("billingAdmin", aud="api://another"),
        "of another tenant": issuer.token("billingAdmin", tid="00000000-0000-0000-0000-000000000002"),
        "of another issuer": issuer.token("billingAdmin", iss="https://issuer.example.com"),
        "of no user": issuer.token("billingAdmin", sub=None),
        "signed by another key": Issuer(folder).prepare().token("billingAdmin"),
        "altered": f"{head}.{body[:-2]}AA.{signature}",
        "unsigned": f"eyJhbGciOiJub25lIiwia2lkIjoibG9jYWwtMSJ9.{body}.",
        "no token": "password",
    }


def test_only_a_token_of_the_known_issuer_for_this_app_and_tenant_opens(closed: Closed, tmp_path: Path) -> None:
    http = closed.app.http
    for kind, token in bad_tokens(closed.app.stack.issuer, tmp_path).items():
        answer = http.get("statements", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, error_of(answer)["code"]) == (401, "TOKEN_INVALID"), kind
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Basic dTpw"}):
        answer = http.get("statements", headers=headers)
        assert (answer.status_code, error_of(answer)["code"]) == (401, "TOKEN_MISSING")


@pytest.mark.parametrize("role", ["accountManager", "districtManager"])
def test_a_manager_sees_assigned_sites_only_in_lists_and_by_id(closed: Closed, role: str) -> None:
    loaded = next(f for f in closed.app.get(f"facts/{PERIOD}")["items"] if f["dataset"] == "revenue_daily")
    own = loaded["sites"][0]["site"]
    rows = [{"user_id": f"{role}@example.com", "site_number": number} for number in ("0902", own)]
    with closed.app.database() as connection:
        connection.execute(site_assignment.insert(), rows)
    mine, others = closed.detail("0902"), closed.detail("0901")
    listed = closed.app.get("statements", role)
    assert mine["id"] in [statement["id"] for statement in listed["items"]]
    assert {statement["siteNumber"] for statement in listed["items"]} <= {"0902", own}
    assert listed["total"] == len(listed["items"])
    assert closed.app.get("statements", role, siteNumber="0901")["total"] == 0
    assert closed.app.get(f"statements/{mine['id']}", role) == mine
    assert closed.app.call("GET", f"statements/{mine['id']}/pdf", role).status_code == 200
    assert closed.app.get("sites/0902/contract", role)["siteNumber"] == "0902"
    hidden = (f"statements/{others['id']}", f"statements/{others['id']}/pdf", "sites/0901/contract")
    for path in hidden:
        assert closed.app.call("GET", path, role).status_code == 404
    facts = closed.app.get(f"facts/{PERIOD}", role)["items"]
    assert {site["site"] for dataset in facts for site in dataset["sites"]} == {own}


# -- contracts ----------------------------------------------------------------------------------------------------


def put(
    app: App, site: str, data: bytes, kind: str = "application/json", if_match: str | None = None, **query: str
) -> httpx.Response:
    headers = {"Content-Type": kind} | ({"If-Match": if_match} if if_match else {})
    return app.call("PUT", f"sites/{site}/contract", "contractAdmin", content=data, params=query, headers=headers)


def test_a_contract_of_our_own_form_is_saved_read_with_its_etag_and_saved_again_without_effect(closed: Closed) -> None:
    first = as_bytes(fixed_fees("0910", ("10.00", 1)))
    tried = put(closed.app, "0910", first, dryRun="true")
    assert (tried.status_code, tried.json()["valid"]) == (200, True)
    assert closed.app.call("GET", "sites/0910/contract").status_code == 404  # a dry run saves nothing
    saved = put(closed.app, "0910", first)
    assert (saved.status_code, saved.json()["version"], saved.json()["changed"]) == (201, 1, True)
    read = closed.app.call("GET", saved.headers["Location"])
    body = exact(read)
    assert read.headers["ETag"] == f'"{body["hash"]}"'
    assert body["document"]["components"][0]["lines"][0]["fee"] == "10.00"
    etag = read.headers["ETag"]
    again = put(closed.app, "0910", json.dumps(body["document"], indent=4).encode(), if_match=etag)
    assert (again.status_code, again.json()["version"], again.json()["changed"]) == (200, 1, False)
    other = as_bytes(fixed_fees("0910", ("11.00", 1)))
    unread, stale = put(closed.app, "0910", other), put(closed.app, "0910", other, if_match='"stale"')
    assert (unread.status_code, error_of(unread)["code"]) == (400, "IF_MATCH_REQUIRED")
    assert (stale.status_code, error_of(stale)["code"]) == (412, "CONTRACT_CHANGED")
    unsure = put(closed.app, "0910", other, if_match=etag, dryRun="yes")
    assert (unsure.status_code, error_of(unsure)["code"]) == (400, "PARAMETER_INVALID")
    assert put(closed.app, "0910", other, if_match=etag, dryRun="True").json()["valid"] is True
    changed = put(closed.app, "0910", other, if_match=etag)
    assert (changed.status_code, changed.json()["version"], changed.json()["changed"]) == (200, 2, True)
    assert closed.app.call("GET", "sites/0910/contract").headers["ETag"] != read.headers["ETag"]


def test_a_legacy_document_is_known_again_and_a_changed_one_is_a_new_version(closed: Closed) -> None:
    name, data = next((name, data) for name, data in closed.contracts.items() if "Unknown" not in name)
    site = name[:4]
    same = put(closed.app, site, data, LEGACY, if_match="*")
    assert (same.status_code, same.json()["version"], same.json()["changed"]) == (200, 1, False)
    legacy = json.loads(data)
    legacy["original"]["purchaseOrder"] = "PO 7"
    changed = put(
        closed.app, site, to_bytes(document(legacy["metadata"], legacy["original"])), f"{LEGACY}; charset=utf-8", "*"
    )
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    contract = closed.app.get(f"sites/{site}/contract")
    assert contract["document"]["purchaseOrder"] == "PO 7"
    # the month before is billed, so that the new version serves from the month after (decision 0004)
    billed = closed.app.get("statements", siteNumber=site, period=PERIOD)["total"]
    assert contract["effectiveFrom"] == ("2026-11-01" if billed else None)


def test_a_contract_of_another_site_is_refused_at_its_place(closed: Closed) -> None:
    answer = put(closed.app, "0911", as_bytes(fixed_fees("0912", ("10.00", 1))))
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (400, "CONTRACT_SITE_MISMATCH")
    assert error["details"][0]["field"] == "/site/number"
    assert "0911" in error["message"] and "0912" in error["message"]
    assert closed.app.call("GET", "sites/0912/contract").status_code == 404


# -- the clock ----------------------------------------------------------------------------------------------------


def tick(app: App, times: int) -> None:
    """Fire the hourly timer by hand, all at once, and wait until each has ended."""
    before = len(app.stack.host.invocations("start_scheduled_billing"))
    for _ in range(times):
        app.stack.host.fire("start_scheduled_billing")
    wait_until(lambda: len(app.stack.host.invocations("start_scheduled_billing")) >= before + times, app.stack.host)
    assert app.stack.host.invocations("start_scheduled_billing", "failed") == []


def scheduled_runs(app: App) -> list[dict[str, Any]]:
    return [run for run in app.get("statement-runs")["items"] if run["source"] == "scheduled"]


def test_the_hourly_tick_does_nothing_where_scheduled_billing_is_off(closed: Closed) -> None:
    tick(closed.app, 1)
    assert scheduled_runs(closed.app) == []


def test_the_hourly_tick_starts_the_run_of_the_month_once_however_often_it_fires(
    tmp_path: Path, short_locks: Path
) -> None:
    with running_app(tmp_path, queues=short_locks, SCHEDULED_BILLING_DAY="1") as app:
        tick(app, 1)
        assert scheduled_runs(app) == []  # no contract yet, which is no failure
        app.take_in({f"site_master/{PERIOD}/sites.csv": site_master("0901")})
        app.take_in(contract_files(fixed_fees("0901", ("100.00", 1))), CONTRACT_DROPS)
        tick(app, 3)
        app.stack.host.kill9()
        app.stack.host.start()  # another instance
        tick(app, 2)
        (run,) = wait_until(lambda: [run for run in scheduled_runs(app) if run["state"] == "Completed"], app.stack.host)
        (found,) = scheduled_runs(app)
        assert found["id"] == run["id"]
        run = app.get(f"statement-runs/{run['id']}")
        assert (run["requestedBy"], run["statements"], run["total"]) == ("schedule", 1, Decimal("100.00"))
        assert run["period"] == str(business_month(run["createdAt"]).previous)


def business_month(instant: str) -> Period:
    return Period.of(datetime.fromisoformat(instant).astimezone(ZoneInfo("America/New_York")).date())
