"""The connector's document: Swagger 2.0 as the Power Platform takes it, and nothing that it does not know."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft4Validator
from openapi_spec_validator import OpenAPIV2SpecValidator
from openapi_spec_validator.schemas import schema_v2

import function_app  # noqa: F401 - declares the routes
from functions.declarations import routes
from functions.openapi.connector import connector
from functions.openapi.swagger import Translation
from shared_code.foundation.settings import settings

MOST_BYTES = 1_000_000
PUBLIC_URL = "https://billing.example.com"


def written(monkeypatch: pytest.MonkeyPatch, public_url: str) -> dict[str, Any]:
    monkeypatch.setenv("OPERATOR_NAME", "Example Parking")
    monkeypatch.setenv("PUBLIC_URL", public_url)
    settings.cache_clear()
    connector.cache_clear()
    found = connector()
    settings.cache_clear()
    connector.cache_clear()
    return found


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        return written(patch, PUBLIC_URL)


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["operationId"]: one for verbs in document["paths"].values() for one in verbs.values()}


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a document, from outside in."""
    if isinstance(value, list):
        for item in value:
            yield from parts(item)
    elif isinstance(value, dict):
        yield value
        for item in value.values():
            yield from parts(item)


# -- the document as a whole ------------------------------------------------------------------------------------------


def test_it_follows_the_schema_of_swagger_2_0(document: dict[str, Any]) -> None:
    assert [error.message for error in Draft4Validator(dict(schema_v2)).iter_errors(document)] == []


def test_it_is_sound_beyond_its_schema(document: dict[str, Any]) -> None:
    """The validator holds every schema to JSON Schema, which knows no `file`; Swagger 2.0 allows it for an answer."""
    without_files = copy.deepcopy(document)
    files = [part for part in parts(without_files) if part.get("type") == "file"]
    for part in files:
        part["type"] = "string"

    assert len(files) == 2, "the PDF of a statement, and the legacy file of a contract"
    assert [str(error) for error in OpenAPIV2SpecValidator(without_files).iter_errors()] == []


def test_it_is_small_enough_to_be_imported(document: dict[str, Any]) -> None:
    assert len(json.dumps(document).encode()) < MOST_BYTES / 2, "half of the limit is for what is still to come"


def test_every_reference_leads_somewhere_and_every_definition_is_used(document: dict[str, Any]) -> None:
    named = {part["$ref"] for part in parts(document) if isinstance(part.get("$ref"), str)}

    assert named == {f"#/definitions/{name}" for name in document["definitions"]}


UNKNOWN = {"anyOf", "oneOf", "allOf", "const", "$defs", "prefixItems", "discriminator", "examples", "exclusiveMaximum"}


def test_it_says_nothing_that_swagger_2_0_does_not_know(document: dict[str, Any]) -> None:
    assert [part for part in parts(document) if UNKNOWN & part.keys()] == []
    assert [part for part in parts(document) if part.get("type") == "null" or isinstance(part.get("type"), list)] == []


ADDRESSES = [
    # PUBLIC_URL, host, path below it, scheme
    ("https://billing.example.com", "billing.example.com", "/api/v1", "https"),
    ("https://gateway.example.com:8443/billing/", "gateway.example.com:8443", "/billing/api/v1", "https"),
    ("http://127.0.0.1:7071", "127.0.0.1:7071", "/api/v1", "http"),  # on a developer's machine
    ("", None, "/api/v1", "https"),  # asked for at import: a guess would send tokens to a stranger
]


@pytest.mark.parametrize(("public_url", "host", "path", "scheme"), ADDRESSES)
def test_it_names_the_public_address(
    monkeypatch: pytest.MonkeyPatch, public_url: str, host: str | None, path: str, scheme: str
) -> None:
    found = written(monkeypatch, public_url)

    assert (found.get("host"), found["basePath"], found["schemes"]) == (host, path, [scheme])


# -- operations -------------------------------------------------------------------------------------------------------


def test_there_is_an_action_for_every_route_that_identifies_its_caller(operations: dict[str, Any]) -> None:
    acting = {route.operation_id for route in routes().values() if route.door in ("role", "caller")}

    assert operations.keys() == acting


def test_an_action_says_what_it_is(operations: dict[str, Any]) -> None:
    for name, described in operations.items():
        assert described["summary"] and not described["summary"].endswith("."), name
        assert described["description"].endswith("."), name
        assert described["x-ms-visibility"] in ("important", "advanced"), name


def test_an_action_has_a_success_and_a_default_answer(operations: dict[str, Any]) -> None:
    for name, described in operations.items():
        assert any(status.startswith("2") for status in described["responses"]), name
        assert described["responses"]["default"]["schema"] == {"$ref": "#/definitions/Error"}, name


def test_every_parameter_is_shown_with_a_summary(operations: dict[str, Any]) -> None:
    for name, described in operations.items():
        for parameter in described["parameters"]:
            assert parameter["x-ms-summary"], name
            assert parameter["x-ms-visibility"] in ("important", "advanced"), name
            if parameter["required"]:
                assert parameter["x-ms-visibility"] == "important", f"{name}: {parameter['name']} would be hidden"
            if parameter["in"] == "path":
                assert parameter["x-ms-url-encoding"] == "single", name


def test_every_property_has_a_summary_of_its_own_or_by_its_definition(document: dict[str, Any]) -> None:
    forms = [
        (name, form)
        for part in parts(document)
        if isinstance(part.get("properties"), dict) and part.get("type") == "object"
        for name, form in part["properties"].items()
    ]

    assert len(forms) > 100
    for name, form in forms:
        named = document["definitions"][form["$ref"].rpartition("/")[2]] if "$ref" in form else form
        assert named["x-ms-summary"], name


def test_pick_lists_are_filled_by_actions_and_fields_that_exist(
    document: dict[str, Any], operations: dict[str, Any]
) -> None:
    lists = [
        parameter["x-ms-dynamic-values"]
        for described in operations.values()
        for parameter in described["parameters"]
        if "x-ms-dynamic-values" in parameter
    ]

    assert {one["operationId"] for one in lists} == {
        "ListStatementRuns",
        "ListStatements",
        "ListImports",
        "ListUsers",
        "ListDeadLetters",
    }
    for one in lists:
        filling = operations[one["operationId"]]
        assert [parameter["name"] for parameter in filling["parameters"] if parameter["required"]] == []
        page = resolved(document, filling["responses"]["200"]["schema"])
        item = resolved(document, page["properties"][one["value-collection"]]["items"])
        assert {one["value-path"], one["value-title"]} <= item["properties"].keys()


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["definitions"][schema["$ref"].removeprefix("#/definitions/")]
    return found


def test_the_key_of_a_request_is_left_to_the_builder_of_the_flow(operations: dict[str, Any]) -> None:
    """A default is a plain text: it would give the requests of all flows one key, and answer one with another's."""
    keys = [p for one in operations.values() for p in one["parameters"] if p["name"] == "Idempotency-Key"]

    assert len(keys) == len([route for route in routes().values() if route.changes])
    assert all("default" not in key and "workflow()['run']['name']" in key["description"] for key in keys)


def test_a_pdf_is_a_file(operations: dict[str, Any]) -> None:
    described = operations["GetStatementPdf"]

    assert described["responses"]["200"]["schema"] == {"type": "file"}
    assert described["produces"] == ["application/pdf", "application/json"]


def test_an_answer_of_two_forms_shows_the_fields_of_both(operations: dict[str, Any]) -> None:
    fields = operations["PutContract"]["responses"]["200"]["schema"]["properties"]

    assert {"version", "changed", "valid", "warnings"} <= fields.keys()


# -- schemas ----------------------------------------------------------------------------------------------------------

NAMED: dict[str, dict[str, Any]] = {
    "Box": {"type": "object", "properties": {"size": {"type": "integer"}}},
    "Name": {"type": "string"},
    "Thing": {"anyOf": [{"$ref": "#/components/schemas/Box"}, {"$ref": "#/components/schemas/Name"}]},
}
BOX = {"$ref": "#/components/schemas/Box"}
NAME = {"$ref": "#/components/schemas/Name"}
TRANSLATED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    # OpenAPI 3.1, Swagger 2.0
    ({"type": "string", "examples": ["a"], "title": "T"}, {"type": "string"}),
    ({"type": ["string", "null"]}, {"type": "string", "x-nullable": True}),
    ({"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}, {"type": "integer", "x-nullable": True}),
    ({"anyOf": [BOX, {"type": "null"}]}, {"$ref": "#/definitions/Box"}),
    ({"const": "fixedFee", "type": "string"}, {"type": "string", "enum": ["fixedFee"]}),
    ({"oneOf": [BOX, BOX], "description": "one of two"}, {"type": "object", "description": "one of two"}),
    ({"anyOf": [BOX, NAME]}, {}),  # an object or a text: anything
    ({"type": "array", "items": {"anyOf": [BOX, NAME]}}, {"type": "array", "items": {}}),
    ({"anyOf": [{"$ref": "#/components/schemas/Thing"}, BOX]}, {}),
    ({"type": "number", "exclusiveMaximum": 5, "minimum": 0}, {"type": "number", "minimum": 0}),
    (
        {"type": "object", "properties": {"siteNumber": {"type": "string"}, "box": BOX}, "required": ["box"]},
        {
            "type": "object",
            "properties": {
                "siteNumber": {"x-ms-summary": "Site number", "type": "string"},
                "box": {"$ref": "#/definitions/Box"},
            },
            "required": ["box"],
        },
    ),
]


@pytest.mark.parametrize(("schema", "swagger"), TRANSLATED)
def test_a_schema_in_the_words_of_swagger(schema: dict[str, Any], swagger: dict[str, Any]) -> None:
    assert Translation(NAMED).schema(schema) == swagger


def test_only_what_is_referred_to_is_defined() -> None:
    paths = {"/things": {"get": {"schema": {"$ref": "#/definitions/Box"}}}}

    assert Translation(NAMED).definitions(paths).keys() == {"Box"}
