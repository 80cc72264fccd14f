"""Swagger 2.0 for a custom connector of the Power Platform, made from the OpenAPI document (azure-facts C.5).

Connectors know less than OpenAPI 3.1: no unions, no null type, one schema for each body. What they cannot say becomes
a free object here; the routes check it all the same. Every name gets a summary for the designer's form.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import urlsplit

from functions.declarations import JSON, Route, routes
from functions.http import API
from functions.openapi.document import CORRELATION, document, parameters_of
from functions.openapi.headers import ALWAYS, LIMITS
from functions.openapi.headers import REF as HEADER
from functions.openapi.swagger import Translation
from functions.openapi.texts import title_of

type Json = dict[str, Any]

# Pick-lists of the designer: the operation that fills them, and which fields of an item are the value and the label.
_LISTS: dict[str, tuple[str, str, str]] = {
    "runId": ("ListStatementRuns", "id", "period"),
    "run": ("ListStatementRuns", "id", "period"),
    "statementId": ("ListStatements", "id", "siteName"),
    "batchId": ("ListImports", "batchId", "sourceName"),
    "userId": ("ListUsers", "userId", "name"),
    "deadLetterId": ("ListDeadLetters", "id", "reason"),
}
_ADVANCED = frozenset({"limit", "cursor", "sort", "dryRun", "additional", "Idempotency-Key", "If-Match"})
# A default of a connector is a plain text: an expression there would give every flow the same key. So the builder of
# a flow writes it (docs/connector.md).
_KEY = (
    "new for a new request, the same for a retry: enter the expression "
    "concat(workflow()['run']['name'], '-', 'name of this action'), and inside a loop add what the loop is at"
)


@cache
def connector() -> Json:
    """The whole document. Routes that identify nobody are left out: a flow acts as somebody."""
    api = document()
    translation = Translation(api["components"]["schemas"])
    paths: Json = {}
    for path, verbs in api["paths"].items():
        for method, described in verbs.items():
            route = _route_of(described["operationId"])
            if route.door in ("role", "caller"):
                paths.setdefault(path, {})[method] = _operation(api, translation, route, described)
    return {
        "swagger": "2.0",
        "info": api["info"],
        **_address(),
        "consumes": [JSON],
        "produces": [JSON],
        "securityDefinitions": {
            "accessToken": {
                "type": "oauth2",
                "flow": "accessCode",
                "authorizationUrl": "https://login.microsoftonline.com/common/oauth2/authorize",
                "tokenUrl": "https://login.microsoftonline.com/common/oauth2/token",
                "scopes": {},
            }
        },
        "security": [{"accessToken": []}],
        "paths": paths,
        "definitions": translation.definitions(paths),
    }


def _address() -> Json:
    """Where the API stands. Without PUBLIC_URL no host: better asked for at import than guessed wrongly."""
    from shared_code.foundation.settings import settings

    base = urlsplit(settings().public_url)
    return {
        **({"host": base.netloc} if base.netloc else {}),
        "basePath": f"{base.path.rstrip('/')}/api/{API}",
        "schemes": [base.scheme or "https"],
    }


def _route_of(operation_id: str) -> Route:
    return next(route for route in routes().values() if route.operation_id == operation_id)


def _operation(api: Json, translation: Translation, route: Route, described: Json) -> Json:
    found: Json = {
        "operationId": route.operation_id,
        "summary": title_of(route.operation_id),
        "description": described["description"],
        "tags": described["tags"],
        "x-ms-visibility": "important" if route.method in ("GET", "POST") else "advanced",
        "parameters": [_parameter(translation, parameter) for parameter in (*parameters_of(route), CORRELATION)],
        "responses": {status: _response(api, translation, answer) for status, answer in described["responses"].items()},
    }
    found["responses"]["default"] = found["responses"].pop("500")
    if route.body is not None:
        schema = described["requestBody"]["content"][JSON]["schema"]
        found["parameters"].append(
            {"name": "body", "in": "body", "required": not route.body.optional, "schema": translation.schema(schema)}
            | _shown("body", "important")
        )
    media = [answer.media for answer in route.answers if answer.media != JSON]
    return found | ({"produces": [*media, JSON]} if media else {})


def _parameter(translation: Translation, described: Json) -> Json:
    name = described["name"]
    advanced = name in _ADVANCED or name == CORRELATION["name"]
    found: Json = {
        "name": name,
        "in": described["in"],
        "required": described["required"],
        "description": _KEY if name == "Idempotency-Key" else described["description"],
        **_shown(name, "advanced" if advanced and not described["required"] else "important"),
        **translation.schema(described["schema"]),
    }
    if described["in"] == "path":
        found["x-ms-url-encoding"] = "single"
    if name in _LISTS:
        operation, value, title = _LISTS[name]
        found["x-ms-dynamic-values"] = {
            "operationId": operation,
            "parameters": {},
            "value-collection": "items",
            "value-path": value,
            "value-title": title,
        }
    return found


def _shown(name: str, visibility: str) -> Json:
    return {"x-ms-summary": title_of(name), "x-ms-visibility": visibility}


def _response(api: Json, translation: Translation, described: Json) -> Json:
    found: Json = {"description": described["description"]}
    content = described.get("content")
    if content:
        schema = next(iter(content.values()))["schema"]
        found["schema"] = {"type": "file"} if schema.get("format") == "binary" else translation.answer(schema)
    known = api["components"]["headers"]
    names = [header["$ref"].removeprefix(HEADER) for header in described.get("headers", {}).values()]
    # Those of every answer stay out: a flow reads them as well without, and the designer grows by thousands of lines.
    own = {name: _header(known[name]) for name in names if name not in (*ALWAYS, *LIMITS)}
    return found | ({"headers": own} if own else {})


def _header(described: Json) -> Json:
    return {"type": described["schema"]["type"], "description": described["description"]}
