"""JSON merge patch (RFC 7386): a document that shows only what is to change. Pure, and exact in its numbers."""

from __future__ import annotations

import json
from decimal import Decimal

from shared_code.contracts.parsing import NAN


def merge(target: object, patch: object) -> object:
    """`target` as `patch` asks for it: objects are merged, null removes a field, everything else is put in its place.

    A list is replaced as a whole, whatever it holds.
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def to_json(value: object) -> str:
    """JSON text with numbers as they were written; `json` would turn a Decimal into a float."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{to_json(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(to_json, value)) + "]"
    if isinstance(value, Decimal):
        return str(value)
    return "NaN" if value is NAN else json.dumps(value)
