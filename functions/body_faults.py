"""What is wrong with a body in words that help: what is wanted at each place, taken from the model's own schema."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from functions.declarations import resolve
from shared_code.foundation.errors import Detail

type Json = dict[str, Any]

MOST_LOOKED_AT = 100
"""Guesses at misspelt names are made for so many faults of a body; an answer shows no more."""
_LONGEST_NAME = 60
_KINDS = {
    "string": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "an object",
}


def details_of(faults: Sequence[Any], model: str) -> list[Detail]:
    """Every fault that pydantic has found in a body of `model`, with its place."""
    schema = _schema(model)
    return [
        Detail(".".join(map(str, fault["loc"])) or "body", _message(schema, fault, guess=number < MOST_LOOKED_AT))
        for number, fault in enumerate(faults)
    ]


@cache
def _schema(model: str) -> Json:
    from pydantic import TypeAdapter

    return TypeAdapter(resolve(model)).json_schema()


def _message(schema: Json, fault: Any, *, guess: bool) -> str:
    kind, context, place = fault["type"], fault.get("ctx", {}), fault["loc"]
    match kind:
        case "missing":
            return "this field is missing"
        case "extra_forbidden":
            meant = _meant(_at(schema, place[:-1]), str(place[-1])) if guess else ""
            return f"there is no such field{meant}"
        case "value_error":
            return str(context["error"])
        case "too_long" | "too_short":
            bound = "at most" if kind == "too_long" else "at least"
            entries = context["max_length" if kind == "too_long" else "min_length"]
            return f"{bound} {entries:,} {'entry is' if entries == 1 else 'entries are'} wanted"
        case "string_pattern_mismatch":
            return f"a text of the form {context['pattern']} is wanted"
    wanted = _wanted(schema, _at(schema, place))
    return f"{wanted} is wanted" if wanted else str(fault["msg"])


def _meant(around: Json, name: str) -> str:
    known = {field.lower(): field for field in around.get("properties", {})}
    if len(name) > _LONGEST_NAME:
        return ""
    near = difflib.get_close_matches(name.lower().replace("_", ""), known, n=1)
    if near:
        return f"; did you mean {known[near[0]]}?"
    return f"; there are {', '.join(known.values())}" if known else ""


def _at(schema: Json, place: Sequence[str | int]) -> Json:
    """The schema of a place in the body; empty where the schema does not say."""
    found = _plain(schema, schema)
    for part in place:
        inner = found.get("items", {}) if isinstance(part, int) else found.get("properties", {}).get(part, {})
        found = _plain(schema, inner)
    return found


def _plain(schema: Json, part: Json) -> Json:
    """A part of the schema itself: a reference followed, the one alternative beside null taken."""
    if "$ref" in part:
        return _plain(schema, schema["$defs"][part["$ref"].rpartition("/")[2]])
    choices = [choice for choice in part.get("anyOf", ()) if choice.get("type") != "null"]
    return _plain(schema, choices[0] | {"examples": part.get("examples", [])}) if len(choices) == 1 else part


def _wanted(schema: Json, part: Json) -> str:
    if choices := part.get("enum"):
        return f"one of {', '.join(map(str, choices))}"
    kind = part.get("type")
    if not isinstance(kind, str):
        return ""
    found = _KINDS[kind] + _lengths(part)
    example = _example(schema, part)
    return f"{found}, for example {json.dumps(example, ensure_ascii=False)}," if example is not None else found


def _lengths(part: Json) -> str:
    """The lengths that a text may have; empty where there is no bound."""
    match part.get("minLength"), part.get("maxLength"):
        case None, None:
            return ""
        case least, None:
            return f" of at least {least:,} characters"
        case None, most:
            return f" of at most {most:,} characters"
        case least, most:
            return f" of {least:,} to {most:,} characters"


def _example(schema: Json, part: Json) -> Any:
    """One that the schema states, or an object with the fields that it requires; None where nothing is known."""
    stated = part.get("examples") or part.get("enum")
    if stated:
        return stated[0]
    if part.get("type") == "array":
        item = _example(schema, _plain(schema, part.get("items", {})))
        return None if item is None else [item]
    known = part.get("properties", {})
    fields = {name: _example(schema, _plain(schema, known[name])) for name in part.get("required", ())}
    return fields if fields and None not in fields.values() else None
