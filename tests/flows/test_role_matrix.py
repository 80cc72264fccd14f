"""Every route × every role × own and other sites × every kind of identity: who gets in, and what they see.

The matrix is the app's own data, which `tests/unit/access/test_roles.py` compares with its documented table. Here it is
asked of the running app: a route that is declared without an example fails, so nothing is left out.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

import function_app  # noqa: F401 - declares every route
from functions.declarations import Route, routes
from localhost.identity import Issuer
from shared_code.access.roles import MATRIX, ROLES
from shared_code.access.tables import district_assignment, site_assignment
from shared_code.contracts.notes import merge
from shared_code.documents.paths import CONTRACT_DROPS
from shared_code.foundation.dead_letters.tables import dead_letter
from tests.flows.conftest import PERIOD, App, contract_files, csv_file, fixed_fees, running_app, site_master

pytestmark = pytest.mark.flow
OWN, OTHER = "0901", "0977"
NOBODY = "nobody"
NOTE = "Fixed fee: 3% increase each January."
ACCESS_LETTERS = ("read", "write", "approve")


@dataclass(frozen=True, slots=True)
class Example:
    """A harmless call of a route: what it answers to somebody who may, and whether its path belongs to one site."""

    path: str
    allowed: int = 200
    of_site: bool = False
    body: bytes | None = None


EMPTY = b"{}"
UNKNOWN = "0" * 32
EXAMPLES = {
    "start_statement_run": Example("statement-runs", 400, body=EMPTY),
    "list_statement_runs": Example("statement-runs"),
    "get_statement_run": Example("statement-runs/{run}"),
    "list_statement_run_items": Example("statement-runs/{run}/items"),
    "retry_statement_run": Example(f"statement-runs/{UNKNOWN}/retry", 404, body=b""),
    "cancel_statement_run": Example(f"statement-runs/{UNKNOWN}", 404),
    "list_statement_run_previews": Example("statement-runs/{dry_run}/preview"),
    "get_missed_periods": Example("contracts/{site}/missed-periods"),
    "bill_missed_periods": Example("contracts/0999/missed-periods", 404, body=b""),
    "list_statements": Example("statements"),
    "get_statement": Example("statements/{statement}", of_site=True),
    "regenerate_statement": Example(f"statements/{UNKNOWN}/regenerate", 400, body=b""),  # without a key
    "get_statement_pdf": Example("statements/{statement}/pdf", of_site=True),
    "change_statement_status": Example("statements/{statement}/transitions", 400, body=EMPTY),
    "release_statement": Example("statements/{statement}/release", 400, body=EMPTY),
    "list_statement_comments": Example("statements/{statement}/comments", of_site=True),
    "add_statement_comment": Example("statements/{statement}/comments", 400, body=EMPTY),
    "list_site_comments": Example("sites/{site}/comments", of_site=True),
    "add_site_comment": Example("sites/{site}/comments", 400, body=EMPTY),
    "get_invoice": Example("invoices/{invoice}", of_site=True),
    "list_ad_hoc_lines": Example("invoices/{invoice}/ad-hoc-lines"),
    "add_ad_hoc_line": Example("invoices/{invoice}/ad-hoc-lines", 400, body=EMPTY),
    "remove_ad_hoc_line": Example(f"invoices/{{invoice}}/ad-hoc-lines/{UNKNOWN}", 404),
    "explain_line": Example("lines/{line}/explanation", of_site=True),
    "list_source_rows": Example("lines/{line}/explanation/facts/1", 404, of_site=True),  # a monthly fee counts no rows
    "get_contract": Example("sites/{site}/contract", of_site=True),
    "put_contract": Example("sites/{site}/contract?dryRun=true", 400, body=EMPTY),
    "list_site_contracts": Example("sites/{site}/contracts", of_site=True),
    "patch_contract": Example("sites/{site}/contract?dryRun=true", 400, body=EMPTY),
    "list_contract_versions": Example("sites/{site}/contract/versions", of_site=True),
    "get_contract_version": Example("sites/{site}/contract/versions/1", of_site=True),
    "validate_contract": Example("contracts/validate", 400, body=EMPTY),
    "export_legacy_contract": Example("contracts/legacy-export/{site}", of_site=True),
    "get_contract_timeline": Example("contracts/{site}/timeline", of_site=True),
    "list_proposals": Example("contracts/{site}/proposals", of_site=True),
    "get_proposal": Example("contracts/{site}/proposals/{proposal}", of_site=True),
    "decide_proposal": Example(f"contracts/{{site}}/proposals/{UNKNOWN}", 400, body=EMPTY),
    "get_index_values": Example("index-values"),
    "put_index_values": Example("index-values", 400, body=EMPTY),
    "list_index_value_changes": Example("index-values/CPI/2026/history", 404),
    "get_opening_balances": Example("opening-balances/{site}", of_site=True),
    "put_opening_balances": Example("opening-balances/{site}", 400, body=EMPTY),
    "get_period": Example(f"periods/{PERIOD}"),
    "decide_period": Example(f"periods/{PERIOD}", 400, body=EMPTY),
    "list_imports": Example("imports"),
    "get_import": Example("imports/{batch}", of_site=True),
    "list_rejections": Example("imports/{batch}/rejections", of_site=True),
    "get_facts": Example(f"facts/{PERIOD}"),
    "get_me": Example("me"),
    "list_users": Example("users"),
    "get_user": Example("users/auditor@example.com"),
    "put_user": Example("users/auditor@example.com", 400, body=EMPTY),
    "get_user_sites": Example("users/auditor@example.com/sites"),
    "put_user_sites": Example("users/auditor@example.com/sites", 400, body=EMPTY),
    "get_settings": Example("settings"),
    "change_settings": Example("settings", 400, body=EMPTY),
    "list_setting_changes": Example("settings/gapDays/history"),
    "list_audit_events": Example("operations/audit"),
    "verify_audit": Example("operations/audit/verification"),
    "check_all_invariants": Example("operations/invariants"),
    "list_dead_letters": Example("operations/dead-letters"),
    "get_dead_letter": Example("operations/dead-letters/{letter}"),
    "replay_dead_letter": Example(f"operations/dead-letters/{UNKNOWN}/replay", 400, body=EMPTY),
    "discard_dead_letter": Example(f"operations/dead-letters/{UNKNOWN}/discard", 400, body=EMPTY),
    "health_live": Example("health/live"),
    "health_ready": Example("health/ready"),
    "health_dependency": Example("health/database"),
    "version": Example("version"),
    "openapi": Example("openapi.json"),
    "connector": Example("connector.json"),
    "list_errors": Example("errors"),
    "explain_error": Example("errors/FORBIDDEN"),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A month with two sites in two districts; one belongs to the managers, the other does not."""

    app: App
    values: dict[str, dict[str, str]]

    def call(self, route: Route, headers: dict[str, str], site: str = OWN) -> httpx.Response:
        example = EXAMPLES[route.name]
        path = example.path.format(**self.values[site])
        if example.body is not None:
            headers = {**headers, "Content-Type": "application/json"}
        answer = self.app.http.request(route.method, path, headers=headers, content=example.body)
        self.app.conformance.check(answer)
        return answer


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with running_app(tmp_path_factory.mktemp("roles")) as app:
        master = site_master(OWN, OTHER).replace(f"Hotel {OTHER},East".encode(), f"Hotel {OTHER},West".encode())
        app.take_in({f"site_master/{PERIOD}/sites.csv": master})
        deals = (fixed_fees(site, (fee, 1), notes=NOTE) for site, fee in ((OWN, "10.00"), (OTHER, "20.00")))
        app.take_in(contract_files(*deals), CONTRACT_DROPS)
        batches = app.take_in({f"site_statistics/{PERIOD}/{site}.csv": statistics(site) for site in (OWN, OTHER)})
        both = f"forecast/{PERIOD}/{OWN}-and-{OTHER}.csv"
        app.take_in({both: forecast(OWN, OTHER)})
        run = app.bill()
        dry_run = app.bill(dryRun=True)
        statements = {row["siteNumber"]: row["id"] for row in app.every("statements")}
        with app.database() as connection:
            user, district = "accountManager@example.com", "districtManager@example.com"
            connection.execute(site_assignment.insert().values(user_id=user, site_number=OWN))
            connection.execute(district_assignment.insert().values(user_id=district, district="East"))
            connection.execute(dead_letter.insert().values(**a_dead_letter()))
        values = {
            site: {
                "site": site,
                "run": run.id,
                "dry_run": dry_run.id,
                "statement": statements[site],
                "invoice": f"{site}-202610-01-01",
                "line": app.get(f"statements/{statements[site]}")["invoices"][0]["lines"][0]["id"],
                "batch": batches[f"site_statistics/{PERIOD}/{site}.csv"]["batchId"],
                "letter": "d" * 32,
                "proposal": merge((), NOTE)[0].key,
            }
            for site in (OWN, OTHER)
        }
        yield Scene(app, values)


def statistics(site: str) -> bytes:
    """A day that is accepted, and one that is not."""
    header = "FILE_NAME,SITE,DATE,REVENUE_CODE,REVENUE_CATEGORY,VALUE_TYPE,VALUE,IS_DRAFT,DW_LOADED_DTTM"
    rest = "OR9,Occupied Rooms,Other"
    days = {"2026-10-01": "10", **{f"2026-10-{day:02d}": "10" for day in range(3, 31)}, "2026-10-31": "ten"}
    return csv_file(header, [f"b.xlsm,{site},{day},{rest},{rooms},false," for day, rooms in days.items()])


def forecast(*sites: str) -> bytes:
    header = "COST_CENTER,PERIOD,IS_SUMMARY_CATEGORY,FD_BALANCE,DW_LOADED_DTTM"
    return csv_file(header, [f"{site},202610,Revenue,{site}.25,x" for site in sites])


def a_dead_letter() -> dict[str, Any]:
    from shared_code.foundation import clock

    return {
        "dead_letter_id": "d" * 32,
        "queue": "run-progress",
        "message_id": "m",
        "body": "{}",
        "correlation_id": "c",
        "reason": "MESSAGE_MALFORMED",
        "description": "no run",
        "deliveries": 1,
        "state": "Open",
        "died_at": clock.now(),
    }


def test_every_route_has_an_example() -> None:
    assert set(EXAMPLES) == set(routes())


WITH_ROLES = [route for route in routes().values() if route.door == "role"]
IDENTIFIED = [route for route in routes().values() if route.door in ("role", "caller")]


def named(route: Route) -> str:
    return route.name


@pytest.mark.parametrize("route", WITH_ROLES, ids=named)
@pytest.mark.parametrize("role", [*ROLES, NOBODY])
def test_a_role_gets_in_where_the_matrix_says_and_sees_no_other_site(scene: Scene, route: Route, role: str) -> None:
    headers = scene.app.stack.headers(role)
    cell = MATRIX[route.resource].get(role) if role != NOBODY else None  # type: ignore[call-overload]  # any text
    example = EXAMPLES[route.name]

    own, other = (scene.call(route, headers, site) for site in (OWN, OTHER))

    if cell is None or route.access not in cell.allowed:
        assert (own.status_code, other.status_code) == (403, 403), (own.text, other.text)
        return
    assert own.status_code == example.allowed, own.text
    if not cell.own:
        assert other.status_code == example.allowed, other.text
        return
    assert other.status_code == (404 if example.of_site else example.allowed), other.text
    assert OTHER not in own.text
    assert OTHER not in other.text or other.status_code == 404  # the path that was asked for, and nothing more


def identities(scene: Scene, tmp_path: Path) -> dict[str, dict[str, str]]:
    """Callers that must not get in, with the strongest role that they could claim."""
    issuer = scene.app.stack.issuer
    stranger = Issuer(tmp_path / "stranger").prepare()
    principal = {"auth_typ": "aad", "claims": [{"typ": "roles", "val": "systemAdmin"}], "role_typ": "roles"}
    forged = base64.b64encode(json.dumps(principal).encode()).decode()
    tokens = {
        "expired": issuer.token("systemAdmin", exp=int(time.time()) - 3600),
        "of another audience": issuer.token("systemAdmin", aud="api://another"),
        "of another tenant": issuer.token("systemAdmin", tid="00000000-0000-0000-0000-00000000dead"),
        "of another issuer": issuer.token("systemAdmin", iss="https://issuer.example"),
        "signed by a stranger": stranger.token("systemAdmin"),
        "no token at all": "e30.e30.e30",
    }
    return {
        "no identity": {},
        "a forged principal": {"X-MS-CLIENT-PRINCIPAL": forged, "X-MS-CLIENT-PRINCIPAL-ID": "systemAdmin@example.com"},
        "a function key alone": {"x-functions-key": scene.app.stack.host.function_key},
        **{f"a token {what}": {"Authorization": f"Bearer {token}"} for what, token in tokens.items()},
    }


@pytest.mark.parametrize("route", IDENTIFIED, ids=named)
def test_nobody_gets_in_without_an_identity_that_holds(scene: Scene, route: Route, tmp_path: Path) -> None:
    for what, headers in identities(scene, tmp_path).items():
        answer = scene.call(route, headers)
        assert answer.status_code == 401, f"{what}: {answer.status_code} {answer.text}"
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("route", [route for route in routes().values() if route.door == "key"], ids=named)
def test_a_route_for_the_key_opens_to_the_key_only(scene: Scene, route: Route) -> None:
    host = scene.app.stack.host

    assert scene.call(route, {}).status_code == 401
    assert scene.call(route, {"x-functions-key": "wrong"}).status_code == 401
    assert scene.call(route, scene.app.stack.headers("systemAdmin")).status_code == 401
    for key in (host.function_key, host.master_key):
        assert scene.call(route, {"x-functions-key": key}).status_code == 200


@pytest.mark.parametrize("route", [route for route in routes().values() if route.door == "anyone"], ids=named)
def test_an_open_route_needs_nothing(scene: Scene, route: Route) -> None:
    assert scene.call(route, {}).status_code == 200


@pytest.mark.parametrize("role", [*ROLES, NOBODY])
def test_everybody_with_a_token_learns_who_they_are(scene: Scene, role: str) -> None:
    me = scene.call(routes()["get_me"], scene.app.stack.headers(role)).json()

    assert me["roles"] == ([] if role == NOBODY else [role])
    may = {entry["resource"] for entry in me["capabilities"]}
    assert may == {resource for resource, row in MATRIX.items() if role != NOBODY and row[role].allowed}  # type: ignore[index]


@pytest.mark.parametrize("role", ["accountManager", "districtManager"])
def test_of_a_file_with_several_sites_a_manager_learns_nothing_about_the_others(scene: Scene, role: str) -> None:
    (whole,) = scene.app.imports(dataset="forecast")
    (seen,) = scene.app.get("imports", role, dataset="forecast")["items"]
    detail = scene.app.get(f"imports/{whole['batchId']}", role)

    assert (whole["rowsRead"], seen["batchId"]) == (2, whole["batchId"])
    for shown in (seen, detail["batch"]):
        assert {name for name, value in shown.items() if value is None} >= {
            *("sourceName", "sha256", "byteCount", "lastDay", "message"),
            *(f"{what}{end}" for what in ("rows", "money") for end in ("Read", "Accepted", "Rejected", "Duplicate")),
        }
    assert OTHER not in json.dumps([seen, detail], default=str)
