"""The OpenAPI document: valid, complete, the same at every writing, and true of what is checked and written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.validators import extend
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import TypeAdapter
from referencing import Registry
from referencing.jsonschema import DRAFT202012

import function_app  # noqa: F401 - declares the routes
from functions.declarations import Answer, Route, resolve, routes
from functions.openapi import examples
from functions.openapi.document import document
from functions.openapi.texts import public, title_of
from functions.wire import dumps
from shared_code.foundation.calendar import Period
from shared_code.statements.explanation.inputs import INPUTS, SELECTION
from tests.unit.functions import api_surface

ROOT = Path(__file__).parents[3]
API = document()
SCHEMAS: Mapping[str, Any] = API["components"]["schemas"]
OPERATIONS: dict[str, dict[str, Any]] = {
    described["operationId"]: described for verbs in API["paths"].values() for described in verbs.values()
}
DECLARED = {route.operation_id: route for route in routes().values()}
REGISTRY: Registry[Any] = Registry().with_resource("urn:api", DRAFT202012.create_resource(API))
# Patterns are left out, however deep they stand: invented texts follow none.
WITHOUT_PATTERNS = extend(Draft202012Validator, {"pattern": lambda *_: iter(())})

every_operation = pytest.mark.parametrize("name", OPERATIONS)


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a document, from outside in."""
    if isinstance(value, list):
        for item in value:
            yield from parts(item)
    elif isinstance(value, dict):
        yield value
        for item in value.values():
            yield from parts(item)


def faults(reference: str, value: Any) -> list[str]:
    """What is wrong with a value."""
    validator = WITHOUT_PATTERNS({"$ref": f"urn:api{reference}"}, registry=REGISTRY)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


# -- the document as a whole ------------------------------------------------------------------------------------------


def test_the_document_is_openapi_3_1() -> None:
    assert API["openapi"].startswith("3.1")
    assert [str(error) for error in OpenAPIV31SpecValidator(API).iter_errors()] == []


def test_every_declared_route_is_in_it_and_no_other() -> None:
    written = {(path, method.upper()) for path, verbs in API["paths"].items() for method in verbs}

    assert OPERATIONS.keys() == DECLARED.keys()
    assert len(written) == len(DECLARED)


WRITE = """
import function_app
from functions.openapi.connector import connector
from functions.openapi.document import document
from functions.wire import dumps
print(dumps(document()))
print(dumps(connector()))
"""


def test_two_processes_write_the_same_bytes() -> None:
    """A document that changes with the process would look like a new version to whoever compares it."""
    written = {
        subprocess.run(
            [sys.executable, "-c", WRITE],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed, "OPERATOR_NAME": "Example Parking"},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(written) == 1


def test_the_public_surface_is_the_one_that_was_agreed() -> None:
    """Names that callers use. If the change is meant: `python -m tests.unit.functions.api_surface`."""
    assert api_surface.text().splitlines() == api_surface.FILE.read_text(encoding="utf-8").splitlines()


# -- operations -------------------------------------------------------------------------------------------------------


@every_operation
def test_an_operation_says_what_it_is(name: str) -> None:
    described = OPERATIONS[name]

    assert re.fullmatch(r"([A-Z][a-z0-9]+)+", name)
    assert described["summary"] and not described["summary"].endswith(".")
    assert described["description"].startswith(described["summary"])
    assert described["tags"] and all(described["tags"])


@every_operation
def test_an_operation_says_who_may_call_it(name: str) -> None:
    opened: dict[str, list[dict[str, list[str]]]] = {
        "role": [{"accessToken": []}],
        "caller": [{"accessToken": []}],
        "key": [{"functionKey": []}],
        "anyone": [],
    }

    assert OPERATIONS[name]["security"] == opened[DECLARED[name].door]


@every_operation
def test_an_operation_announces_its_refusals(name: str) -> None:
    route, announced = DECLARED[name], OPERATIONS[name]["responses"]
    expected = {"500", "503"}
    expected |= {"400", "401", "429"} if route.door in ("role", "caller") else set()
    expected |= {"401"} if route.door == "key" else set()
    expected |= {"403"} if route.door == "role" else set()
    expected |= {"404"} if "{" in route.path else set()
    expected |= {"409", "422"} if route.changes else set()
    expected |= {"409"} if "contractId" in {query.name for query in route.query} else set()
    expected |= {"413", "415"} if route.body else set()
    expected |= {"412"} if route.if_match else set()

    assert announced.keys() - {str(answer.status) for answer in route.answers} <= expected
    assert expected <= announced.keys()


@every_operation
def test_an_operation_describes_its_headers(name: str) -> None:
    route, described = DECLARED[name], OPERATIONS[name]
    sent = {one["name"]: one for one in described["parameters"] if one.get("in") == "header"}
    shared = [one["$ref"] for one in described["parameters"] if "$ref" in one]

    assert shared == ["#/components/parameters/X-Correlation-ID"]
    assert ("Idempotency-Key" in sent) == route.changes
    assert ("If-Match" in sent) == route.if_match
    if route.method == "PATCH":
        assert sent["If-Match"]["required"]


def headers_of(name: str, status: int) -> set[str]:
    return set(OPERATIONS[name]["responses"][str(status)].get("headers", {}))


COMMON = {"X-Request-ID", "X-Correlation-ID", "X-API-Version"}
LIMITS = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
HEADERS = [
    # operation, status, its headers
    ("GetSettings", 200, COMMON | LIMITS | {"ETag"}),
    ("PutUser", 201, COMMON | LIMITS | {"ETag", "Location", "Idempotent-Replayed"}),
    ("StartStatementRun", 202, COMMON | LIMITS | {"Location", "Retry-After", "Idempotent-Replayed"}),
    ("GetStatementPdf", 200, COMMON | LIMITS | {"Content-Disposition"}),
    ("GetStatement", 401, COMMON | {"WWW-Authenticate"}),
    ("GetStatement", 404, COMMON | LIMITS),
    ("GetStatement", 429, COMMON | LIMITS | {"Retry-After"}),
    ("GetStatement", 500, COMMON),
    ("GetStatement", 503, COMMON | {"Retry-After"}),
    ("HealthLive", 200, COMMON),
    ("HealthReady", 401, set()),  # the platform's own answer
]


@pytest.mark.parametrize(("name", "status", "headers"), HEADERS)
def test_answers_announce_their_headers(name: str, status: int, headers: set[str]) -> None:
    assert headers_of(name, status) == headers


def test_every_announced_header_is_described() -> None:
    named = {
        name
        for one in OPERATIONS.values()
        for answer in one["responses"].values()
        for name in answer.get("headers", {})
    }

    assert named == API["components"]["headers"].keys()
    assert all(header["description"] for header in API["components"]["headers"].values())


# -- schemas ----------------------------------------------------------------------------------------------------------


def test_names_on_the_wire_are_camel_case() -> None:
    names = {name for part in parts(SCHEMAS) for name in (part["properties"] if is_object(part) else ())}

    assert len(names) > 100
    assert [name for name in names if not re.fullmatch(r"[a-z][A-Za-z0-9]*", name)] == []


def is_object(part: Mapping[str, Any]) -> bool:
    return part.get("type") == "object" and isinstance(part.get("properties"), dict)


def test_components_are_named_after_their_models() -> None:
    """Two models of one name, or one that comes in and goes out, would be told apart by dashes and underscores."""
    assert [name for name in SCHEMAS if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)] == []


PYTHON = r"\bNone\b(?! of)|`[a-z]+_[a-z_]+`"
OUR_NOTES = r"\bDQ\d|\brules? R\d|\bR\d{1,2}\b|\bB\d{1,2}\b|\(rules |\(http-api|\w\.(?:py|md)\b"


def test_texts_are_free_of_python_and_of_our_notes() -> None:
    """Whoever reads the document has neither our source nor our specification."""
    texts = [part["description"] for part in parts(API) if isinstance(part.get("description"), str)]

    assert [text for text in texts if re.search(PYTHON, text)] == []
    assert re.findall(OUR_NOTES, json.dumps(API)) == []


TEXTS = [
    ("Due on `long_form`; None is\nunbounded (rules R10).", "Due on `longForm`; null is unbounded."),
    ("None of them.\n\nA second paragraph (billing-flows 6.9).", "None of them.\n\nA second paragraph."),
    ("Kept (DQ25, DQ26), see `deviation_*`.", "Kept, see `deviation*`."),
    ("The account (None: the configured one, rules R54).", "The account (null: the configured one)."),
    ("Both rules (below) hold.", "Both rules (below) hold."),
]


@pytest.mark.parametrize(("docstring", "text"), TEXTS)
def test_a_docstring_becomes_public(docstring: str, text: str) -> None:
    assert public(docstring) == text


@pytest.mark.parametrize(
    ("name", "title"),
    [("siteNumber", "Site number"), ("ListSites", "List sites"), ("X-Correlation-ID", "Correlation id"), ("id", "Id")],
)
def test_a_name_becomes_a_title(name: str, title: str) -> None:
    assert title_of(name) == title


NUMBERS = [("Statement", "total"), ("RunStatus", "total"), ("InvoiceLine", "amount"), ("ImportSlice", "moneyAccepted")]


@pytest.mark.parametrize(("model", "field"), NUMBERS)
def test_money_is_a_number(model: str, field: str) -> None:
    assert SCHEMAS[model]["properties"][field]["type"] == "number"


def test_a_contract_is_described_field_by_field() -> None:
    contract = SCHEMAS["Contract"]

    assert contract["additionalProperties"] is False
    assert {"id", "site", "paymentTerms"} <= set(contract["required"])
    assert contract["properties"]["deviationAmount"]["anyOf"][0] == {
        "type": "number",
        "minimum": 0,
        "exclusiveMaximum": 1e12,
    }


def test_alternatives_require_the_field_that_tells_them_apart() -> None:
    for part in parts(SCHEMAS):
        if isinstance(part.get("discriminator"), dict):
            field = part["discriminator"]["propertyName"]
            names = [choice["$ref"].rpartition("/")[2] for choice in part["oneOf"]]
            assert all(field in SCHEMAS[name]["required"] for name in names)


def test_list_answers_are_pages() -> None:
    paged = [answer for route in DECLARED.values() for answer in route.answers if answer.paged]

    assert len(paged) >= 8
    for answer in paged:
        name = str(answer.model).rpartition(":")[2]
        assert set(SCHEMAS[f"{name}Page"]["required"]) == {"items", "nextCursor", "total"}


# -- the document against what checks and what writes -----------------------------------------------------------------

BODIES = [(name, route) for name, route in DECLARED.items() if route.body]


@pytest.mark.parametrize(("name", "route"), BODIES, ids=[name for name, _ in BODIES])
def test_examples_pass_the_model_and_the_schema(name: str, route: Route) -> None:
    assert route.body
    content = OPERATIONS[name]["requestBody"]["content"]["application/json"]
    assert content["examples"], "a request body has an example"
    for example in content["examples"].values():
        assert example["summary"]
        TypeAdapter(resolve(route.body.model)).validate_json(json.dumps(example["value"]))
        assert faults(content["schema"]["$ref"], example["value"]) == []


def test_every_example_is_shown() -> None:
    assert set(examples.models()) <= {route.body.model for _, route in BODIES if route.body}


ANSWERED = sorted(
    {
        (name, answer)
        for name, route in DECLARED.items()
        for answer in route.answers
        if answer.model and isinstance(resolve(answer.model), type)  # the API's own documents are any object
    },
    key=str,
)
st.register_type_strategy(Period, st.builds(Period, st.integers(2000, 2100), st.integers(1, 12)))
st.register_type_strategy(Decimal, st.decimals(-(10**9), 10**9, places=2))
st.register_type_strategy(object, st.text() | st.integers() | st.none())


@pytest.mark.parametrize(("name", "answer"), ANSWERED, ids=[f"{name}-{one.status}" for name, one in ANSWERED])
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_the_serialiser_writes_is_what_the_schema_says(name: str, answer: Answer, data: st.DataObject) -> None:
    model = resolve(str(answer.model))
    value = json.loads(dumps(data.draw(st.from_type(model))))
    assume(not (NAMED & set(names_in(value, "inputs", "selection"))))

    assert faults(f"#/components/schemas/{model.__name__}", value) == []


# Names that the schema of an explanation describes: calculators write them, with values that are drawn elsewhere.
NAMED = {*INPUTS["properties"], *SELECTION["properties"]}


def names_in(value: Any, *fields: str) -> Iterator[str]:
    """The names in those fields of an answer that hold whatever a calculator writes."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        if name in fields:
            yield from part
        yield from names_in(part, *fields)
