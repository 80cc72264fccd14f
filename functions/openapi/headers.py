"""Headers of answers, described once. An answer carries all that it announces, but for those that are not required."""

from __future__ import annotations

from typing import Any

from functions.declarations import Route

type Json = dict[str, Any]

REF = "#/components/headers/"
ALWAYS = ("X-Request-ID", "X-Correlation-ID", "X-API-Version")
LIMITS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
REPLAYED = "Idempotent-Replayed"
_TEXTS = {
    "X-Request-ID": "Names this request in our logs.",
    "X-Correlation-ID": "Names everything that this request has set going: your own, or a new one.",
    "X-API-Version": "Version of the API that answered.",
    "Location": "The absolute address of the resource.",
    "ETag": "The state of the resource; send it as If-Match with a change.",
    "Content-Disposition": "The name under which to save the file.",
    "WWW-Authenticate": "How to say who asks.",
}
_NUMBERS = {
    "X-RateLimit-Limit": "How many calls a minute you have.",
    "X-RateLimit-Remaining": "How many calls you can make at once now.",
    "X-RateLimit-Reset": "Seconds until all of them are there again.",
    "Retry-After": "Seconds after which asking again makes sense.",
}
# Refusals that come before the caller is known and counted, or past the place where the count is added.
_UNCOUNTED = frozenset({401, 500, 503})


def components() -> Json:
    """Every header of answers by its name."""
    texts = {name: _header(text, {"type": "string"}) for name, text in _TEXTS.items()}
    numbers = {name: _header(text, {"type": "integer", "minimum": 0}) for name, text in _NUMBERS.items()}
    replayed = _header("True when the first answer to this key is told again.", {"type": "string", "enum": ["true"]})
    return texts | numbers | {REPLAYED: replayed | {"required": False}}


def of_answer(route: Route, own: tuple[str, ...]) -> tuple[str, ...]:
    """Headers of an answer that the route declares, `own` beside the common ones."""
    replayed = (REPLAYED,) if route.changes else ()
    return (*ALWAYS, *(LIMITS if _counted(route) else ()), *own, *replayed)


def of_refusal(route: Route, status: int) -> tuple[str, ...]:
    """Headers of a refusal. A missing function key is refused by the platform, before any of ours is set."""
    if status == 401:
        return () if route.door == "key" else (*ALWAYS, "WWW-Authenticate")
    limits = LIMITS if _counted(route) and status not in _UNCOUNTED else ()
    return (*ALWAYS, *limits, *(("Retry-After",) if status in (429, 503) else ()))


def refer(names: tuple[str, ...]) -> Json:
    """References to the described headers."""
    return {name: {"$ref": f"{REF}{name}"} for name in names}


def _counted(route: Route) -> bool:
    return route.door in ("role", "caller")


def _header(text: str, schema: Json) -> Json:
    return {"description": text, "required": True, "schema": schema}
