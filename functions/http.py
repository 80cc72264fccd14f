"""The one way in: parse, authenticate, limit, authorise, validate, run once, reply. A door's own body stays short.

`route(...)` declares a function and registers it; everything that the declaration says is enforced here, and the API
documents are written from the same declaration. Errors leave as one body (http-api, errors); anything unforeseen is
logged with its trace and leaves as INTERNAL_ERROR.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import azure.functions as func

from functions.body import read_body
from functions.call import API as API
from functions.call import Call as Call
from functions.call import Reply as Reply
from functions.call import running as running
from functions.declarations import Access, Answer, Body, Door, Idempotency, Query, Route, declare
from functions.invocation import correlation_of, invocation
from functions.parameters import PLATFORM_PARAMETERS, check_query
from functions.wire import dumps
from shared_code.foundation import context
from shared_code.foundation.context import Context
from shared_code.foundation.errors import BillingError, Detail
from shared_code.foundation.idempotency import errors as idempotency
from shared_code.operations.errors import (
    BODY_TOO_LARGE,
    INTERNAL_ERROR,
    MEDIA_TYPE_UNKNOWN,
    RATE_EXCEEDED,
)

if TYPE_CHECKING:
    from shared_code.access.identity import Caller
    from shared_code.foundation.idempotency.service import Stored
    from shared_code.foundation.limits import Buckets, Rate

log = logging.getLogger(__name__)
API_VERSION = "1.0"
MAX_BODY_BYTES = 10_000_000
MAX_KEY = 255
MAX_MESSAGE = 2_000
MAX_FIELD = 300
MAX_DETAILS = 100


type Handler = Callable[[Call], Reply]
type OpenHandler = Callable[[func.HttpRequest], Reply]


def route(
    blueprint: func.Blueprint,
    method: str,
    path: str,
    *answers: Answer,
    door: Door = "role",
    resource: str = "",
    access: Access = "read",
    query: tuple[Query, ...] = (),
    body: Body | None = None,
    idempotency: Idempotency = "none",
    if_match: bool = False,
) -> Callable[[Handler], Handler]:
    """Declare a route for callers whose roles allow `access` to `resource`, or for every known caller (door "caller").

    Raises DeclarationError, and then the app does not start.
    """

    def register(handler: Handler) -> Handler:
        declared = declare(
            Route(
                *_names(handler, method, path, answers),
                door=door,
                resource=resource,
                access=access,
                query=query,
                body=body,
                idempotency=idempotency,
                if_match=if_match,
                **_texts(handler),
            )
        )
        _register(blueprint, declared, func.AuthLevel.ANONYMOUS, functools.partial(_enter, declared, handler))
        return handler

    return register


def open_route(
    blueprint: func.Blueprint, method: str, path: str, *answers: Answer, door: Door
) -> Callable[[OpenHandler], OpenHandler]:
    """Declare a route that a function key opens ("key"), or nothing at all ("anyone"): no caller is identified."""

    def register(handler: OpenHandler) -> OpenHandler:
        declared = declare(Route(*_names(handler, method, path, answers), door=door, **_texts(handler)))
        level = func.AuthLevel.FUNCTION if door == "key" else func.AuthLevel.ANONYMOUS
        _register(blueprint, declared, level, lambda request: _open(declared, handler, request))
        return handler

    return register


def _open(declared: Route, handler: OpenHandler, req: func.HttpRequest) -> Reply:
    check_query(declared, req.params)
    return handler(req)


def _names(
    handler: Callable[..., Reply], method: str, path: str, answers: tuple[Answer, ...]
) -> tuple[str, str, str, tuple[Answer, ...]]:
    return handler.__name__, method, path, answers


def _texts(handler: Callable[..., Reply]) -> dict[str, Any]:
    subject = handler.__module__.rpartition("http_")[2]
    return {"summary": " ".join((handler.__doc__ or "").split()), "tag": subject.replace("_", " ")}


def _register(
    blueprint: func.Blueprint,
    declared: Route,
    level: func.AuthLevel,
    proceed: Callable[[func.HttpRequest], Reply],
) -> None:
    def handle(req: func.HttpRequest) -> func.HttpResponse:
        return _answer(declared, req, proceed)

    handle.__name__ = declared.name
    triggered = blueprint.route(route=f"{API}/{declared.path}", methods=[declared.method], auth_level=level)(handle)
    blueprint.function_name(declared.name)(triggered)


def _answer(declared: Route, req: func.HttpRequest, proceed: Callable[[func.HttpRequest], Reply]) -> func.HttpResponse:
    known = Context(
        request_id=uuid.uuid4().hex,
        correlation_id=correlation_of(req.headers.get("x-correlation-id")),
        trace_parent=req.headers.get("traceparent") or "",
    )
    attributes = {"http.request.method": declared.method, "http.route": declared.path}
    with invocation(f"{declared.method} {declared.path}", "server", known, **attributes) as span:
        reply = _guarded(proceed, req, known)
        span.set("http.response.status_code", reply.status)
        headers = {
            "X-Request-ID": known.request_id,
            "X-Correlation-ID": known.correlation_id,
            "X-API-Version": API_VERSION,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            **reply.headers,
        }
        log.info("%s %s: %d", declared.method, declared.path, reply.status)
    body = cast(bytes, reply.body)
    return func.HttpResponse(body, status_code=reply.status, headers=headers, mimetype=reply.content_type)


def _guarded(proceed: Callable[[func.HttpRequest], Reply], req: func.HttpRequest, known: Context) -> Reply:
    """The reply with its body as bytes; whatever fails on the way there, its serialising included, is a refusal."""
    try:
        return _as_bytes(proceed(req))
    except BillingError as error:
        log.info("request %s refused: %s", known.request_id, error.code)
        return _as_bytes(_refusal(error, known))
    except Exception:
        log.exception("request %s failed", known.request_id)
        return _as_bytes(_refusal(BillingError(INTERNAL_ERROR, INTERNAL_ERROR.meaning), known))


def _as_bytes(reply: Reply) -> Reply:
    if reply.status == 204:  # a repetition under an Idempotency-Key, too
        return replace(reply, body=b"")
    return reply if isinstance(reply.body, bytes) else replace(reply, body=dumps(reply.body).encode())


def _enter(declared: Route, handler: Handler, req: func.HttpRequest) -> Reply:
    from shared_code.access.identity import identify

    caller = identify(req.headers)
    rate = _rate_of(caller)
    allowance = _buckets().take(caller.user_id, rate)
    limits = {
        "X-RateLimit-Limit": str(allowance.limit),
        "X-RateLimit-Remaining": str(allowance.remaining),
        "X-RateLimit-Reset": str(allowance.reset_after),
    }
    if not allowance.allowed:
        message = (
            f"you may call {rate.burst} times at once and {rate.per_minute} times a minute; "
            f"the next call is possible in {allowance.retry_after} s"
        )
        refusal = _refusal(BillingError(RATE_EXCEEDED, message), context.current())
        return replace(refusal, headers={**limits, "Retry-After": str(allowance.retry_after)})
    with context.acting(_context_of(caller, req)):
        try:
            reply = _proceed(declared, handler, caller, req)
        except BillingError as error:
            log.info("%s of %s refused: %s", declared.name, caller.user_id, error.code)
            reply = _refusal(error, context.current())
    return _with_headers(reply, limits)


def _proceed(declared: Route, handler: Handler, caller: Caller, req: func.HttpRequest) -> Reply:
    from shared_code.access.identity import authorise

    granted = authorise(caller, declared.resource, declared.access) if declared.door == "role" else None
    known = granted.caller if granted else caller
    with context.acting(_context_of(known, req)):  # from here on with the roles that the database knows
        return _once(Call(declared, req, known, granted, _checked(declared, req)), handler)


def _context_of(caller: Caller, req: func.HttpRequest) -> Context:
    return replace(
        context.current(),
        actor_id=caller.user_id,
        actor_name=caller.name,
        actor_kind=caller.kind,
        roles=tuple(sorted(caller.roles)),
        idempotency_key=req.headers.get("idempotency-key") or "",
    )


def _rate_of(caller: Caller) -> Rate:
    from shared_code.foundation.limits import Rate
    from shared_code.foundation.settings import settings

    known = settings()
    if caller.kind == "service":
        return Rate(known.service_calls_per_minute, known.service_calls_burst)
    return Rate(known.person_calls_per_minute, known.person_calls_burst)


@functools.cache
def _buckets() -> Buckets:
    from shared_code.foundation.limits import Buckets

    return Buckets()


def _checked(declared: Route, req: func.HttpRequest) -> object:
    """Everything that the declaration says of query and body; the body as its model."""
    check_query(declared, req.params)
    raw = req.get_body() or b""
    if len(raw) > MAX_BODY_BYTES:
        raise BillingError(BODY_TOO_LARGE, f"the body may have {MAX_BODY_BYTES:,} bytes; it has {len(raw):,}")
    wanted = declared.body
    if wanted is None or (wanted.optional and not raw):
        return None
    given = (req.headers.get("content-type") or "").partition(";")[0].strip().lower()
    if given not in wanted.media:
        message = f"the body is sent as {given or 'no type at all'}; this route takes {' or '.join(wanted.media)}"
        raise BillingError(MEDIA_TYPE_UNKNOWN, message, [Detail("Content-Type", message)])
    return read_body(wanted, raw) if wanted.parsed else None


def _once(call: Call, handler: Handler) -> Reply:
    """Run the use case; with an Idempotency-Key, once for all its repetitions."""
    key = context.current().idempotency_key
    if not call.route.changes:
        return handler(call)
    if not key:
        if call.route.idempotency == "required":
            message = "this request needs the header Idempotency-Key"
            raise BillingError(idempotency.IDEMPOTENCY_KEY_REQUIRED, message, [Detail("Idempotency-Key", message)])
        return handler(call)
    if len(key) > MAX_KEY or not key.isprintable():
        message = f"the key has {len(key)} characters, or some that do not print; it may have {MAX_KEY} that do"
        raise BillingError(idempotency.IDEMPOTENCY_KEY_INVALID, message, [Detail("Idempotency-Key", message)])
    from shared_code.foundation.idempotency.service import Request, once

    stored = once(Request(context.current().actor_id, key, _fingerprint(call)), lambda: _stored(handler(call)))
    headers = dict(stored.headers) | ({"Idempotent-Replayed": "true"} if stored.replayed else {})
    return Reply(stored.body.encode(), stored.status, headers)


def _stored(reply: Reply) -> Stored:
    from shared_code.foundation.idempotency.service import Stored

    return Stored(reply.status, reply.headers, dumps(reply.body))


def _fingerprint(call: Call) -> str:
    """What makes a repetition the same request: route, places, parameters, precondition and body.

    Not the address as it was written: routes match however `/api/` is capitalised.
    """
    query = {name: value for name, value in call.request.params.items() if name not in PLATFORM_PARAMETERS}
    parts = (call.route.name, sorted(call.path.items()), sorted(query.items()), call.if_match, call.content_type)
    return hashlib.sha256(json.dumps(parts).encode() + b"\n" + call.raw_body).hexdigest()


def _details(error: BillingError) -> list[dict[str, str]]:
    """The findings by place; of very many, the first ones and how many more there are."""
    shown = [
        {"field": _shortened(detail.field, MAX_FIELD), "message": _shortened(detail.message, MAX_MESSAGE)}
        for detail in error.details[:MAX_DETAILS]
    ]
    more = len(error.details) - len(shown)
    return [*shown, {"field": "", "message": f"and {more:,} more"}] if more else shown


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _with_headers(reply: Reply, headers: Mapping[str, str]) -> Reply:
    return replace(reply, headers={**headers, **reply.headers})


def _refusal(error: BillingError, known: Context) -> Reply:
    kind = error.kind
    headers = {"Retry-After": "5"} if kind.retryable or kind.status == 503 else {}
    if kind.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = {
        "error": {
            "code": kind.code,
            "number": kind.number,
            "message": _shortened(error.message, MAX_MESSAGE),
            "details": _details(error),
            "suggestions": [kind.cure],
            "retryable": kind.retryable,
            "requestId": known.request_id,
            "correlationId": known.correlation_id,
        }
    }
    return Reply(body, kind.status, headers)
