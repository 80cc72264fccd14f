"""The API's documents against the running app: served openly, and nothing that the app answers is missing in them.

Requests are generated from the OpenAPI document: those that it allows, those that it does not allow, and its examples;
places in paths are invented or those of things that are there. `API_SEED` chooses others; the seed is printed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import checks
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

import function_app  # noqa: F401 - declares the routes
from functions.declarations import Route, routes
from functions.http import API
from functions.openapi import examples
from shared_code.access.roles import MATRIX
from shared_code.contracts.notes import merge
from shared_code.documents.paths import CONTRACT_DROPS
from tests.flows.conftest import PERIOD, App, contract_files, csv_file, fixed_fees, running_app, site_master

pytestmark = pytest.mark.flow
SEED = int(os.environ.get("API_SEED", "1"))
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
INVENTED = 4
KNOWN = 2
# No message is dead here, no line was added, no statement is stale, no run is a dry one, and contracts come after
# missed months. Each of these has a test of its own.
NEVER_DONE = {
    "GetDeadLetter",
    "ReplayDeadLetter",
    "DiscardDeadLetter",
    "RemoveAdHocLine",
    "ReleaseStatement",
    "ListStatementRunPreviews",
    "BillMissedPeriods",
}
QUICK = settings(deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
CHECKS: list[Callable[..., Any]] = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@dataclass(frozen=True, slots=True)
class Served:
    """A running app with a billed site, its document, and the ids of what is there."""

    app: App
    document: dict[str, Any]
    ids: Mapping[str, str]

    @property
    def base(self) -> str:
        return f"{self.app.stack.host.url}/api/{API}"

    def headers(self, route: Route) -> dict[str, str]:
        """Headers of somebody who may: a role that the matrix allows it, or a function key."""
        if route.door == "key":
            return {"x-functions-key": self.app.stack.host.function_key}
        if route.door == "anyone":
            return {}
        cells = MATRIX.get(route.resource, {})
        may = [role for role, cell in cells.items() if route.access in cell.allowed and not cell.own]
        return self.app.stack.headers(may[0] if may else "billingAdmin")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with running_app(tmp_path_factory.mktemp("api")) as app:
        master = f"site_master/{PERIOD}/sites.csv"
        batch = app.take_in({master: site_master("0042", "0107", "0901")})[master]
        days = [f"workbook.xlsx,0901,{PERIOD}-{day:02},ROOMS,Occupied Rooms,Actual,10,0,1" for day in range(1, 32)]
        header = "FILE_NAME,SITE,DATE,REVENUE_CODE,REVENUE_CATEGORY,VALUE_TYPE,VALUE,IS_DRAFT,DW_LOADED_DTTM"
        app.take_in({f"site_statistics/{PERIOD}/rooms.csv": csv_file(header, days)})
        rooms = {"kind": "perOccupiedRoom", "enabled": True, "roomRate": "1.25"}  # a line with source rows
        app.take_in(contract_files(fixed_fees("0901", components=[rooms])), CONTRACT_DROPS)
        run = app.bill()
        ids = {
            "siteNumber": "0042",
            "batchId": batch["batchId"],
            "runId": run.id,
            "statementId": (statement := app.get("statements")["items"][0]["id"]),
            "lineId": app.get(f"statements/{statement}")["invoices"][0]["lines"][0]["id"],
            "fact": "1",
            "number": "0901-202610-01-01",
            "userId": "auditor@example.com",
            "period": PERIOD,
            "code": "PERIOD_INVALID",
            "dependency": "database",
            "name": "gapDays",
            "version": "1",
            "index": "CPI",
            "year": "2027",
            "proposalId": merge((), examples.NOTE)[0].key,
        }
        yield Served(app, app.http.get("openapi.json").json(), ids)


@pytest.mark.parametrize("name", ["openapi.json", "connector.json"])
def test_documents_are_served_to_anyone(served: Served, name: str) -> None:
    answer = httpx.get(f"{served.base}/{name}")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["paths"].keys() >= {"/statement-runs", "/statements/{statementId}/pdf"}


def test_the_connector_names_the_host_that_serves_it(served: Served) -> None:
    connector = httpx.get(f"{served.base}/connector.json").json()

    assert connector["host"] == httpx.URL(served.base).netloc.decode()
    assert connector["basePath"] == f"/api/{API}"


def test_methods_that_no_document_names_reach_no_function(served: Served) -> None:
    with httpx.Client() as client:
        for path, verbs in served.document["paths"].items():
            url = served.base + re.sub(r"\{(\w+)\}", lambda place: served.ids.get(place[1], "none"), path)
            for method in METHODS - {verb.upper() for verb in verbs}:
                answer = client.request(method, url, headers=served.app.stack.headers("systemAdmin"))
                assert answer.status_code in (404, 405), f"{method} {path}"
                assert "x-api-version" not in answer.headers, f"{method} {path}"


def test_generated_requests_get_announced_answers_and_no_faults(served: Served) -> None:
    print(f"API_SEED={SEED}")
    schema = schemathesis.openapi.from_dict(served.document)
    declared = {route.operation_id: route for route in routes().values()}
    faults: list[str] = []
    statuses: dict[str, set[int]] = {}
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    for operation in sorted(operations, key=lambda known: known.method.upper() == "GET"):
        name = operation.definition.raw["operationId"]
        statuses[name] = set()
        for strategy, count in strategies(operation, declared[name], served.ids):
            faults += faults_of(strategy, count, served, declared[name], statuses[name])
    assert statuses.keys() == declared.keys()
    print({name: sorted(found) for name, found in statuses.items()})

    assert not faults, f"API_SEED={SEED}: {len(faults)} faults\n" + "\n\n".join(faults[:20])
    assert {name for name, found in statuses.items() if not any(status < 300 for status in found)} == NEVER_DONE


def strategies(operation: Any, route: Route, ids: Mapping[str, str]) -> Iterator[tuple[Any, int]]:
    """Ways to make requests, each with how many: examples first, then invented ones, then about what is there."""
    places = {parameter.name: ids[parameter.name] for parameter in operation.path_parameters if parameter.name in ids}
    known: dict[str, Any] = {"path_parameters": places} if places else {}
    if route.if_match:
        known["headers"] = {"If-Match": "*"}
    if route.idempotency == "required":
        known["headers"] = {"Idempotency-Key": route.name}  # invented ones are soon those of another route
    if any(query.name == "partial" for query in route.query):
        known["query"] = {"partial": "true"}  # by then the contract has a term that its legacy form has no place for
    for example in operation.get_strategies_from_examples(**known):
        yield example, 1
    yield operation.as_strategy(GenerationMode.POSITIVE), INVENTED
    yield operation.as_strategy(GenerationMode.NEGATIVE), INVENTED
    if places:
        yield operation.as_strategy(GenerationMode.POSITIVE, **known), KNOWN


def faults_of(strategy: Any, count: int, served: Served, route: Route, statuses: set[int]) -> list[str]:
    """What the document does not say of the answers to `count` generated requests."""
    faults: list[str] = []

    @seed(SEED)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def ask(case: Any) -> None:
        answer = case.call(base_url=served.base, headers=served.headers(route))
        statuses.add(answer.status_code)
        if "x-api-version" not in answer.headers:
            # The host's own: a function key that is none, or a path that leads nowhere.
            assert answer.status_code in (401, 404), answer.text
            return
        try:
            case.validate_response(answer, checks=CHECKS)
        except (AssertionError, BaseExceptionGroup) as fault:
            parts = fault.exceptions if isinstance(fault, BaseExceptionGroup) else (fault,)
            faults.append(f"{case.as_curl_command()}\n{'; '.join(map(str, parts))[:1500]}")

    with suppress(Unsatisfiable):  # an operation without parameters knows no wrong request
        ask()
    return faults
