"""Bodies of requests: JSON that says one thing only, checked by the model that the route declares."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from functions.body_faults import details_of
from functions.declarations import Body, resolve
from shared_code.foundation.errors import BillingError, Detail
from shared_code.operations.errors import BODY_INVALID, BODY_MALFORMED

MOST_NAMED = 20


def read_body(wanted: Body, raw: bytes) -> object:
    """The body as its model.

    Raises BODY_MALFORMED for what is no JSON object in UTF-8 or does not say one thing only (a field stated twice, half
    a character, NaN), and BODY_INVALID with every field that the model does not take. A byte order mark is left aside.
    """
    from pydantic import TypeAdapter, ValidationError

    if not raw:
        raise BillingError(BODY_MALFORMED, "the body is empty; this route takes a JSON object")
    try:
        text = raw.decode("utf-8-sig")
        body = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
        json.dumps(body, ensure_ascii=False).encode()  # JSON can spell half of a character, which nothing can hold
    except (ValueError, RecursionError) as fault:
        raise BillingError(BODY_MALFORMED, f"the body is not JSON: {fault}") from fault
    if not isinstance(body, dict):
        raise BillingError(BODY_MALFORMED, "the body is a JSON object: { … }")
    try:
        return TypeAdapter(resolve(wanted.model)).validate_json(text)
    except ValidationError as fault:
        raise _refusal(fault, wanted.model) from fault


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose fields are stated once. Of two values for one field, neither is known to be meant."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    times = Counter(name for name, _ in pairs)
    twice = [name for name, number in times.items() if number > 1][:MOST_NAMED]
    message = f"stated twice in one object, so nobody knows which value is meant: {', '.join(map(ascii, twice))}"
    raise BillingError(BODY_MALFORMED, message, [Detail(ascii(name)[1:-1], "is stated twice") for name in twice])


def _constant(token: str) -> Any:
    raise ValueError(f"{token} is no number of JSON")


def _refusal(fault: Any, model: str) -> BillingError:
    found = fault.errors(include_url=False, include_input=False)
    if any(error["type"] == "json_invalid" for error in found):  # nested deeper than the model's reader goes
        return BillingError(BODY_MALFORMED, f"the body is not JSON: {found[0]['msg']}")
    details = details_of(found, model)
    message = "; ".join(f"{d.field}: {d.message}" for d in details[:MOST_NAMED])
    return BillingError(BODY_INVALID, message, details)
