"""Schemas of OpenAPI 3.1 in the words of Swagger 2.0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from functions.openapi.document import REF
from functions.openapi.texts import title_of

type Json = dict[str, Any]

DEFINITION = "#/definitions/"
_KEPT = ("type", "format", "description", "enum", "items", "properties", "required", "default", "pattern")
_BOUNDS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "x-nullable")


class Translation:
    """Translates schemas that may refer to the named `schemas`: no unions and no null afterwards."""

    def __init__(self, schemas: Mapping[str, Json]) -> None:
        self._schemas = schemas

    def schema(self, schema: Json) -> Json:
        """A union becomes a free object, or anything where it holds more than objects; null becomes `x-nullable`."""
        schema = _without_null(schema)
        if "$ref" in schema:
            # A reference stands alone in Swagger 2.0: what is written beside it is ignored.
            return {"$ref": schema["$ref"].replace(REF, DEFINITION)}
        if choices := _choices(schema):
            free = {"type": "object"} if all(map(self._is_object, choices)) else {}
            return {**free, **_description(schema)}
        found = {key: schema[key] for key in (*_KEPT, *_BOUNDS) if key in schema}
        if "const" in schema:
            found["enum"] = [schema["const"]]
        if found.get("default", "") is None:
            del found["default"]
        if "items" in found:
            found["items"] = self.schema(found["items"])
        if "properties" in found:
            found["properties"] = {name: self._property(name, form) for name, form in found["properties"].items()}
        return found

    def answer(self, schema: Json) -> Json:
        """The schema of an answer. One of several objects becomes one with the fields of all: a flow sees them."""
        choices = _choices(schema)
        if not choices:
            return self.schema(schema)
        fields: Json = {}
        for choice in choices:
            fields = self._resolved(choice).get("properties", {}) | fields
        return self.schema({"type": "object", "properties": fields})

    def definitions(self, paths: Json) -> Json:
        """What `paths` refer to, directly or through one another, each with a summary for the designer."""
        found: Json = {}
        awaited = list(dict.fromkeys(_names(paths)))
        while awaited:
            name = awaited.pop()
            if name not in found:
                found[name] = {"x-ms-summary": title_of(name), **self.schema(self._schemas[name])}
                awaited.extend(_names(found[name]))
        return dict(sorted(found.items()))

    def _property(self, name: str, form: Json) -> Json:
        found = self.schema(form)
        return found if "$ref" in found else {"x-ms-summary": title_of(name), **found}

    def _is_object(self, schema: Json) -> bool:
        schema = self._resolved(schema)
        choices = _choices(schema)
        return all(map(self._is_object, choices)) if choices else schema.get("type") == "object"

    def _resolved(self, schema: Json) -> Json:
        return self._schemas[schema["$ref"].removeprefix(REF)] if "$ref" in schema else schema


def _names(value: Any) -> Iterator[str]:
    """Names of the definitions that a piece of the document refers to."""
    if isinstance(value, list):
        for item in value:
            yield from _names(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "$ref" and isinstance(item, str):
                yield item.removeprefix(DEFINITION)
            else:
                yield from _names(item)


def _without_null(schema: Json) -> Json:
    kinds = schema.get("type")
    if isinstance(kinds, list):
        others = [kind for kind in kinds if kind != "null"]
        return {**schema, "type": others[0], "x-nullable": "null" in kinds}
    choices = schema.get("anyOf", [])
    others = [choice for choice in choices if choice.get("type") != "null"]
    if len(others) == 1 and len(choices) == 2:
        return {**others[0], **_description(schema), "x-nullable": True}
    return schema


def _choices(schema: Json) -> list[Json]:
    """The alternatives of a union; null is none of them, since every field may be absent in an answer."""
    named: list[Json] = next((schema[word] for word in ("anyOf", "oneOf", "allOf") if word in schema), [])
    return [choice for choice in named if choice.get("type") != "null"]


def _description(schema: Json) -> Json:
    return {"description": schema["description"]} if "description" in schema else {}
