"""JSON schemas of what comes in and goes out, as the wire has it: camelCase, money as numbers, months as text.

A model comes in or goes out, never both, so that each is one component; a test looks after that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from functions.declarations import JSON, Answer, Body, resolve
from functions.openapi.texts import public
from functions.wire import camel

type Json = dict[str, Any]

_VALUES = frozenset({"default", "examples", "enum", "const", "mapping"})
_ERROR: Json = {
    "type": "object",
    "description": "Why a request was refused, and what helps.",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "description": "the refusal",
            "required": [
                "code",
                "number",
                "message",
                "details",
                "suggestions",
                "retryable",
                "requestId",
                "correlationId",
            ],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "string", "description": "stable; GET /errors/{code} explains it"},
                "number": {
                    "type": "integer",
                    "description": "1xxx access, 2xxx input, 3xxx rule, 4xxx conflict, 5xxx dependency or fault",
                },
                "message": {"type": "string", "description": "what is wrong here, for a person"},
                "details": {
                    "type": "array",
                    "description": "what is wrong, place by place",
                    "items": {
                        "type": "object",
                        "required": ["field", "message"],
                        "additionalProperties": False,
                        "properties": {
                            "field": {"type": "string", "description": "the field, parameter or place"},
                            "message": {"type": "string", "description": "what is wrong with it"},
                        },
                    },
                },
                "suggestions": {"type": "array", "description": "what helps", "items": {"type": "string"}},
                "retryable": {"type": "boolean", "description": "true when the same request may succeed later"},
                "requestId": {"type": "string", "description": "names the request in our logs"},
                "correlationId": {"type": "string", "description": "names everything that the request has set going"},
            },
        }
    },
}


class _OnTheWire(GenerateJsonSchema):
    """pydantic's schemas, but for what our serialiser writes otherwise."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        limits = {
            "minimum": schema.get("ge"),
            "exclusiveMinimum": schema.get("gt"),
            "maximum": schema.get("le"),
            "exclusiveMaximum": schema.get("lt"),
        }
        found = {word: float(limit) for word, limit in limits.items() if limit is not None}
        digits, places = schema.get("max_digits"), schema.get("decimal_places")
        if digits is not None and places is not None:
            most = float(10 ** (digits - places))
            found = {"exclusiveMinimum": -most, "exclusiveMaximum": most} | found
            if "minimum" in found:
                del found["exclusiveMinimum"]
        return {"type": "number", **found}

    def field_title_should_be_set(self, schema: object) -> bool:
        """No titles: they say nothing that the name of the field does not say."""
        return False


class Schemas:
    """Collects the models of a document; each becomes one component, referred to from everywhere."""

    def __init__(self, ref: str) -> None:
        self._ref = ref
        self._adapters: dict[tuple[str, JsonSchemaMode], TypeAdapter[Any]] = {}
        self._pages: Json = {}

    def body(self, body: Body, media: str) -> Json:
        """The schema of a request body; only JSON of our own is described field by field."""
        if media != JSON:
            return {"type": "object", "description": "a document in the form of its media type"}
        return self._refer(body.model, "validation")

    def answer(self, answer: Answer) -> Json:
        """The schema of an answer's body."""
        item = self._refer(answer.model or "", "serialization")
        if answer.alternative is not None:
            return {"anyOf": [item, self._refer(answer.alternative, "serialization")]}
        if not answer.paged:
            return item
        name = f"{_component(answer.model or '')}Page"
        self._pages[name] = {
            "type": "object",
            "description": "Some items in order of their list; `nextCursor` leads to the next page.",
            "required": ["items", "nextCursor", "total"],
            "additionalProperties": False,
            "properties": {
                "items": {"type": "array", "description": "the items of this page", "items": item},
                "nextCursor": {
                    "type": ["string", "null"],
                    "description": "send it as `cursor` for the next page; null on the last",
                },
                "total": {"type": "integer", "minimum": 0, "description": "the number of items on all pages"},
            },
        }
        return {"$ref": f"{self._ref}{name}"}

    def components(self) -> Json:
        """All schemas by name."""
        inputs = [(name, mode, adapter) for (name, mode), adapter in self._adapters.items()]
        placed, defined = TypeAdapter.json_schemas(
            inputs, ref_template=f"{self._ref}{{model}}", schema_generator=_OnTheWire
        )
        found: Json = dict(defined.get("$defs", {}))
        for (name, _), schema in placed.items():
            if schema.get("$ref") != f"{self._ref}{_component(name)}":
                found[_component(name)] = schema
        named = {name: _public(schema) for name, schema in sorted(found.items())}
        for alternatives, field in _discriminated(named):
            for name in alternatives:
                chosen = named[name.removeprefix(self._ref)]
                chosen["required"] = sorted({field, *chosen.get("required", ())})
        return {"Error": _ERROR, **named, **self._pages}

    def _refer(self, model: str, mode: JsonSchemaMode) -> Json:
        self._adapters.setdefault((model, mode), TypeAdapter(resolve(model)))
        return {"$ref": f"{self._ref}{_component(model)}"}


def _component(model: str) -> str:
    return model.rpartition(":")[2]


def _discriminated(value: Any) -> Iterator[tuple[list[str], str]]:
    """Alternatives that a field tells apart. It must be there, although their models give it a default."""
    if isinstance(value, list):
        for item in value:
            yield from _discriminated(item)
    elif isinstance(value, dict):
        if isinstance(told := value.get("discriminator"), dict):
            yield [choice["$ref"] for choice in value["oneOf"] if "$ref" in choice], told["propertyName"]
        for item in value.values():
            yield from _discriminated(item)


def _public(schema: Any) -> Any:
    """A schema in the words of the wire. Values (defaults, examples) are left as they are."""
    if isinstance(schema, list):
        return [_public(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: value if key in _VALUES else _public(value) for key, value in schema.items()}
    if isinstance(found.get("description"), str):
        found["description"] = public(found["description"])
    if isinstance(found.get("properties"), dict):
        found["properties"] = {camel(name): form for name, form in found["properties"].items()}
    if isinstance(found.get("required"), list):
        found["required"] = [camel(name) for name in found["required"]]
    return found
