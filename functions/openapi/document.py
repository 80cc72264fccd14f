"""OpenAPI 3.1 of every declared route (http-api, documents)."""

from __future__ import annotations

from functools import cache
from typing import Any

from functions.declarations import JSON, Answer, Body, Query, Route, places_of, routes
from functions.http import API, API_VERSION
from functions.openapi import examples, headers
from functions.openapi.schemas import Schemas
from functions.openapi.texts import public
from functions.wire import camel

type Json = dict[str, Any]
type Document = Json
"""An API document as JSON."""

REF = "#/components/schemas/"
TITLE = "PowerBill Functions"
DESCRIPTION = (
    "Contract billing: facts in, statements out. Errors have one form, with a code that `GET /errors/{code}` explains. "
    "Lists are paged by `limit` and `cursor`. Work that takes long answers 202 with the address of a status resource."
)
SECURITY: Json = {
    "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
}
_OPENED_BY: dict[str, list[Json]] = {
    "role": [{"accessToken": []}],
    "caller": [{"accessToken": []}],
    "key": [{"functionKey": []}],
    "anyone": [],
}
_QUERY_FORMS: dict[str, Json] = {
    "text": {"type": "string"},
    "flag": {"type": "boolean", "default": False},
    "period": {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$", "examples": ["2026-10"]},
    "date": {"type": "string", "format": "date"},
}
_PLACES: dict[str, str] = {
    "period": "the month, written YYYY-MM",
    "site_number": "the site's number, leading zeros included",
    "code": "the code of an error in any case, or its number",
}
_ONE_OF_SEVERAL = "contractId"  # without it, a site with several contracts is refused as ambiguous
CORRELATION: Json = {
    "name": "X-Correlation-ID",
    "in": "header",
    "required": False,
    "description": "a name of yours for all that this request sets going; it comes back, and stands in our logs",
    "schema": {"type": "string", "minLength": 1, "maxLength": 64},
}
STATUS_TEXTS = {
    200: "The result.",
    201: "Created.",
    202: "Under way: poll Location.",
    204: "Done.",
    400: "The request is not what the route takes.",
    401: "The request does not say who asks.",
    403: "Your role does not allow this.",
    404: "There is none, or none that you may see.",
    409: "Another change was first, or the present state does not allow it.",
    412: "The resource has changed since it was read.",
    413: "The body is too large.",
    415: "The body is of another type than the route takes.",
    422: "A rule refuses it.",
    429: "Too many calls.",
    500: "A fault that nobody foresaw.",
    503: "Something that the app depends on does not answer.",
}


@cache
def document() -> Json:
    """The whole document."""
    schemas = Schemas(REF)
    paths: Json = {}
    for route in routes().values():
        paths.setdefault(f"/{_camel_places(route.path)}", {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": API_VERSION, "description": DESCRIPTION},
        "servers": [{"url": f"/api/{API}"}],
        "paths": paths,
        "components": {
            "schemas": schemas.components(),
            "parameters": {CORRELATION["name"]: CORRELATION},
            "headers": headers.components(),
            "securitySchemes": SECURITY,
        },
    }


def _operation(route: Route, schemas: Schemas) -> Json:
    text = public(route.summary)
    operation: Json = {
        "operationId": route.operation_id,
        "summary": text.partition(". ")[0].rstrip("."),
        "description": text,
        "tags": [route.tag],
        "security": _OPENED_BY[route.door],
        "parameters": [*parameters_of(route), {"$ref": f"#/components/parameters/{CORRELATION['name']}"}],
        "responses": {
            **{str(answer.status): _answer(route, answer, schemas) for answer in route.answers},
            **{str(status): _error(route, status) for status in error_statuses(route)},
        },
    }
    if route.body is not None:
        content = {media: _content(route.body, media, schemas) for media in route.body.media}
        operation["requestBody"] = {"required": not route.body.optional, "content": content}
    return operation


def _content(body: Body, media: str, schemas: Schemas) -> Json:
    shown = examples.of_body(body.model) if media == JSON else {}
    return {"schema": schemas.body(body, media), **({"examples": shown} if shown else {})}


def parameters_of(route: Route) -> list[Json]:
    """Places in the path, parameters of the query, and the headers that the route takes."""
    found = [
        {
            "name": camel(place),
            "in": "path",
            "required": True,
            "description": _PLACES.get(place, f"the {place.replace('_', ' ')}"),
            "schema": _QUERY_FORMS["period"] if place == "period" else {"type": "string", "minLength": 1},
        }
        for place in places_of(route.path)
    ]
    found += [
        {
            "name": query.name,
            "in": "query",
            "required": False,
            "description": public(query.meaning),
            "schema": _form(query),
        }
        for query in route.query
    ]
    if route.idempotency != "none":
        meaning = "a text of your choice, new for a new request, the same for a retry; kept for 24 hours"
        found.append(_header("Idempotency-Key", meaning, required=route.idempotency == "required", longest=255))
    if route.if_match:
        meaning = "the ETag of the resource as you read it; a change of what is there needs it"
        # What PUT meets may be new, and then it has no ETag; what PATCH meets is there.
        found.append(_header("If-Match", meaning, required=route.method == "PATCH", longest=200))
    return found


def error_statuses(route: Route) -> list[int]:
    """The refusals that a caller of the route may meet, beside faults."""
    found = {500, 503}
    if route.door in ("role", "caller"):
        found |= {400, 401, 429}
    if route.door == "role":
        found.add(403)
    if places_of(route.path):
        found.add(404)
    if route.changes:
        found |= {409, 422}
    if any(query.name == _ONE_OF_SEVERAL for query in route.query):
        found.add(409)
    if route.body is not None:
        found |= {413, 415}
    if route.if_match:
        found.add(412)
    if route.door == "key":
        found.add(401)
    return sorted(found - {answer.status for answer in route.answers})


def _camel_places(path: str) -> str:
    for place in places_of(path):
        path = path.replace(f"{{{place}}}", f"{{{camel(place)}}}")
    return path


def _form(query: Query) -> Json:
    if query.name == "limit":
        return {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}
    return {"type": "string", "enum": list(query.choices)} if query.choices else _QUERY_FORMS[query.kind]


def _header(name: str, meaning: str, *, required: bool, longest: int) -> Json:
    form = {"type": "string", "minLength": 1, "maxLength": longest}
    return {"name": name, "in": "header", "required": required, "description": meaning, "schema": form}


def _answer(route: Route, answer: Answer, schemas: Schemas) -> Json:
    names = headers.of_answer(route, answer.headers)
    found: Json = {"description": STATUS_TEXTS[answer.status], "headers": headers.refer(names)}
    if answer.model is not None:
        found["content"] = {answer.media: {"schema": schemas.answer(answer)}}
    elif answer.status == 200:
        # Whoever parses a file in a form of JSON has no text in hand, so that its type is left open.
        kind = {} if answer.media.endswith("json") else {"type": "string"}
        found["content"] = {answer.media: {"schema": {**kind, "format": "binary"}}}
    return found


def _error(route: Route, status: int) -> Json:
    names = headers.of_refusal(route, status)
    if not names:
        return {"description": "The request has no function key that opens this."}
    content = {JSON: {"schema": {"$ref": f"{REF}Error"}}}
    return {"description": STATUS_TEXTS[status], "headers": headers.refer(names), "content": content}
