"""Findings of a document's shape in words that help: what stands there, and what should."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared_code.contracts.errors import CONTRACT_FIELD_INVALID
from shared_code.contracts.parsing import Missing
from shared_code.contracts.pointers import child, pointer
from shared_code.foundation.errors import BillingError, Detail

_LONGEST_QUOTE = 60
_TAGS = ("kind", "rule", "type")
_EXPECTED = {
    "missing": "this field is missing",
    "extra_forbidden": "this field is not known",
    "string_type": "text is expected",
    "string_too_short": "the text must not be empty",
    "bool_type": "true or false is expected",
    "int_type": "a whole number is expected",
    "number_expected": "a number is expected",
    "decimal_type": "a number is expected",
    "decimal_parsing": "a number is expected",
    "finite_number": "a number is expected",
    "list_type": "a list is expected",
    "tuple_type": "a list is expected",
    "dict_type": "an object is expected",
    "model_type": "an object is expected",
    "model_attributes_type": "an object is expected",
}
# For these the found value adds nothing: the field itself is the finding, or the message quotes it.
_WITHOUT_VALUE = frozenset({"missing", "extra_forbidden", "string_too_short", "value_error"})


def shape_details(error: ValidationError, document: object) -> list[Detail]:
    """Every finding of a failed validation, with its place in `document`."""
    return [Detail(pointer(place(found["loc"], document)), _message(found)) for found in error.errors()]


def shape_refusal(details: Sequence[Detail]) -> BillingError:
    """CONTRACT_FIELD_INVALID with every finding."""
    first = details[0]
    more = f" and {len(details) - 1} more" if len(details) > 1 else ""
    where = first.field or "the document"
    return BillingError(CONTRACT_FIELD_INVALID, f"{where}: {first.message}{more}.", details)


def place(loc: Sequence[str | int], document: object) -> list[str | int]:
    """A validation path without the tags of variants, which are no part of the document."""
    kept: list[str | int] = []
    node = document
    for part in loc:
        if _is_tag(node, part):
            continue
        kept.append(part)
        node = child(node, part)
    return kept


def _is_tag(node: object, part: str | int) -> bool:
    return isinstance(node, Mapping) and part not in node and any(node.get(tag) == part for tag in _TAGS)


def _message(found: ErrorDetails) -> str:
    kind = found["type"]
    expected = _EXPECTED.get(kind) or _worded(kind, found)
    return expected if kind in _WITHOUT_VALUE else f"{expected}, not {_quoted(found['input'])}"


def _worded(kind: str, found: ErrorDetails) -> str:
    context: dict[str, Any] = found.get("ctx", {})
    match kind:
        case "literal_error":
            return f"one of {context['expected'].replace("'", '')} is expected"
        case "union_tag_invalid":
            return f"one of {context['expected_tags'].replace("'", '')} is expected"
        case "union_tag_not_found":
            return f"the field {context['discriminator'].replace("'", '')} is missing"
        case "greater_than_equal":
            return f"at least {context['ge']} is expected"
        case "decimal_max_places":
            return f"at most {context['decimal_places']} decimals are expected"
        case "value_error":
            return str(context["error"])
    return found["msg"]


def _quoted(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, Missing):
        return "NaN"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value)
    shown = text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"
    return f'"{shown}"' if isinstance(value, str) else shown
