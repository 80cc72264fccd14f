"""How an HTTP request becomes a use case: authenticate, authorise, call, reply. The bodies of the doors stay short.

Errors leave as one body (http-api, errors); anything unforeseen is logged with its trace and leaves as INTERNAL_ERROR.
"""

from __future__ import annotations

import functools
import json
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import azure.functions as func

from functions.wire import dumps
from shared_code.foundation.calendar import Period
from shared_code.foundation.errors import BillingError, Detail
from shared_code.operations.errors import BODY_MALFORMED, BODY_TOO_LARGE, INTERNAL_ERROR, PARAMETER_INVALID

if TYPE_CHECKING:
    from shared_code.access.identity import Permission

log = logging.getLogger(__name__)
API = "v1"
API_VERSION = "1.0"
MAX_BODY_BYTES = 10_000_000
MAX_LIMIT = 1000
DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may proceed: who asks and what they may see, and the parts of the request."""

    permission: Permission
    request: func.HttpRequest
    correlation_id: str

    @property
    def path(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.request.route_params
        return found

    def query(self, name: str) -> str | None:
        value: str | None = self.request.params.get(name)
        return value or None

    @property
    def cursor(self) -> str | None:
        return self.query("cursor")

    @property
    def limit(self) -> int:
        return self._whole("limit", DEFAULT_LIMIT, 1, MAX_LIMIT)

    @property
    def offset(self) -> int:
        return self._whole("cursor", 0, 0, 2**31)

    @property
    def period(self) -> Period:
        try:
            return Period.parse(self.path["period"])
        except ValueError as fault:
            raise BillingError(PARAMETER_INVALID, str(fault), [Detail("period", str(fault))]) from fault

    def flag(self, name: str) -> bool:
        """A query parameter that is true or false, false when it is absent. Anything else is refused, not guessed."""
        text = (self.query(name) or "false").lower()
        if text not in ("true", "false"):
            message = f"{name} is true or false; got {text!r}"
            raise BillingError(PARAMETER_INVALID, message, [Detail(name, message)])
        return text == "true"

    def _whole(self, name: str, default: int, least: int, most: int) -> int:
        text = self.query(name) or str(default)
        if len(text) > 10 or not text.isdecimal() or not least <= int(text) <= most:
            message = f"{name} is a whole number from {least} to {most}; got {text!r}"
            raise BillingError(PARAMETER_INVALID, message, [Detail(name, message)])
        return int(text)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises BODY_MALFORMED with the place."""
        raw = self.request.get_body() or b"{}"
        try:
            body = json.loads(raw)
            if b"\\u" in raw:  # JSON can spell half of a character, which no answer and no database can hold
                json.dumps(body, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as fault:
            raise BillingError(BODY_MALFORMED, f"the body is not JSON: {fault}") from fault
        if not isinstance(body, dict):
            raise BillingError(BODY_MALFORMED, "the body is a JSON object: { … }")
        return body

    def url(self, path: str) -> str:
        """An absolute address of this API, as a poller needs it (azure-facts, Power Automate)."""
        from shared_code.foundation.settings import settings

        base = settings().public_url or self.request.url.split("/api/", 1)[0]
        return f"{base.rstrip('/')}/api/{API}/{path}"


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: a value that becomes JSON, or bytes with their type."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def route(
    blueprint: func.Blueprint,
    method: str,
    path: str,
    resource: str,
    access: Literal["read", "write", "approve"],
) -> Callable[[Callable[[Call], Reply]], Callable[[Call], Reply]]:
    """Declare a route: who may call it is part of the declaration."""

    def declare(body: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
        def handle(req: func.HttpRequest) -> func.HttpResponse:
            return _answer(req, functools.partial(_enter, body, resource, access))

        _register(blueprint, body.__name__, method, f"{API}/{path}", func.AuthLevel.ANONYMOUS, handle)
        return body

    return declare


def key_route(
    blueprint: func.Blueprint, method: str, path: str, level: func.AuthLevel
) -> Callable[[Callable[[func.HttpRequest], Reply]], Callable[[func.HttpRequest], Reply]]:
    """Declare a route that a function key opens, or nothing at all: no caller is identified (health)."""

    def declare(body: Callable[[func.HttpRequest], Reply]) -> Callable[[func.HttpRequest], Reply]:
        def handle(req: func.HttpRequest) -> func.HttpResponse:
            return _answer(req, lambda request, _correlation: body(request))

        _register(blueprint, body.__name__, method, f"{API}/{path}", level, handle)
        return body

    return declare


def _register(
    blueprint: func.Blueprint, name: str, method: str, path: str, level: func.AuthLevel, handle: Callable[..., Any]
) -> None:
    handle.__name__ = name
    blueprint.function_name(name)(blueprint.route(route=path, methods=[method], auth_level=level)(handle))


def _enter(
    body: Callable[[Call], Reply],
    resource: str,
    access: Literal["read", "write", "approve"],
    req: func.HttpRequest,
    correlation_id: str,
) -> Reply:
    from shared_code.access.identity import authorise, identify

    permission = authorise(identify(req.headers.get("authorization")), resource, access)
    if len(req.get_body() or b"") > MAX_BODY_BYTES:
        raise BillingError(BODY_TOO_LARGE, f"the body may have {MAX_BODY_BYTES:,} bytes")
    return body(Call(permission, req, correlation_id))


def _answer(req: func.HttpRequest, proceed: Callable[[func.HttpRequest, str], Reply]) -> func.HttpResponse:
    request_id = uuid.uuid4().hex
    correlation_id = (req.headers.get("x-correlation-id") or request_id)[:64]
    try:
        reply = proceed(req, correlation_id)
    except BillingError as error:
        log.info("request %s refused: %s", request_id, error.code)
        reply = _refusal(error, request_id, correlation_id)
    except Exception:
        log.exception("request %s failed", request_id)
        reply = _refusal(BillingError(INTERNAL_ERROR, INTERNAL_ERROR.meaning), request_id, correlation_id)
    body = reply.body if isinstance(reply.body, bytes) else dumps(reply.body).encode()
    headers = {
        "X-Request-ID": request_id,
        "X-Correlation-ID": correlation_id,
        "X-API-Version": API_VERSION,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        **reply.headers,
    }
    return func.HttpResponse(body, status_code=reply.status, headers=headers, mimetype=reply.content_type)


def _refusal(error: BillingError, request_id: str, correlation_id: str) -> Reply:
    kind = error.kind
    headers = {"Retry-After": "5"} if kind.retryable else {}
    if kind.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = {
        "error": {
            "code": kind.code,
            "number": kind.number,
            "message": error.message,
            "details": [{"field": detail.field, "message": detail.message} for detail in error.details],
            "suggestions": [kind.cure],
            "retryable": kind.retryable,
            "requestId": request_id,
            "correlationId": correlation_id,
        }
    }
    return Reply(body, kind.status, headers)
