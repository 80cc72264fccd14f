"""HTTP triggers: routing, keys, body limit, and the way from an ASGI request to a worker invocation and back."""

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

from azure_functions_runtime.bindings.datumdef import Datum
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from localhost.host.catalog import Function, HttpTrigger, IndexingError
from localhost.host.keys import Keys
from localhost.host.problems import (
    BODY_TOO_LARGE,
    FUNCTION_FAILED,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    RESPONSE_INVALID,
    RESPONSE_LATE,
    correlation_of,
    refuse,
    refuse_key,
)
from localhost.host.settings import HostSettings
from localhost.host.worker import Invocation, Outcome, Worker

_log = logging.getLogger(__name__)

KEY_HEADER = "x-functions-key"
KEY_QUERY = "code"
NO_BODY = (204, 304)


class BodyTooLargeError(Exception):
    """The request body passes the limit."""


@dataclass(frozen=True, slots=True)
class _Route:
    function: Function
    trigger: HttpTrigger

    def allows(self, method: str) -> bool:
        """Whether the method reaches the function; HEAD goes where GET goes."""
        methods = self.trigger.methods
        return not methods or method in methods or (method == "HEAD" and "GET" in methods)


class HttpFront:
    """Serves the HTTP functions of the app below the route prefix."""

    def __init__(self, functions: Iterable[Function], settings: HostSettings, keys: Keys, worker: Worker) -> None:
        self._routes = sorted(
            (_Route(f, f.trigger) for f in functions if isinstance(f.trigger, HttpTrigger)),
            key=lambda route: route.trigger.route.rank,
        )
        self._settings = settings
        self._keys = keys
        self._worker = worker
        self._open: set[asyncio.Task[Outcome]] = set()
        _refuse_ambiguous(self._routes)

    async def handle(self, request: Request) -> Response:
        """Answer one request: 404, 405, 401, 413 and 504 are the host's, everything else is the function's."""
        matching = self._matching(_raw_path(request))
        if not matching:
            return refuse(request, NOT_FOUND, "no function has this route")
        chosen = next(((r, p) for r, p in matching if r.allows(request.method)), None)
        if chosen is None:
            return _without_function(request, _allowed(route for route, _ in matching))
        route, parameters = chosen
        if not self._keys.opens(route.trigger.auth_level, presented_key(request), route.function.name):
            return refuse_key(request)
        try:
            body = await read_body(request, self._settings.max_body_bytes)
        except BodyTooLargeError:
            return refuse_body(request, self._settings.max_body_bytes)
        except ClientDisconnect:
            return Response(status_code=400)
        return await self._invoke(route, parameters, request, body)

    async def _invoke(self, route: _Route, parameters: Mapping[str, str], request: Request, body: bytes) -> Response:
        invocation = Invocation(
            route.function,
            "http request",
            datum=_request_datum(request, route, parameters, body),
            trace_parent=request.headers.get("traceparent", ""),
            correlation_id=correlation_of(request),
            log_fields={"method": request.method, "path": request.scope["path"]},
        )
        call = asyncio.create_task(self._worker.invoke(invocation))
        self._open.add(call)
        call.add_done_callback(self._open.discard)
        # The platform's load balancer stops waiting, and the function goes on: nobody hears its answer.
        done, _ = await asyncio.wait({call}, timeout=self._settings.response_seconds)
        if not done:
            return refuse(request, RESPONSE_LATE, "the answer took too long", request_id=invocation.invocation_id)
        return _response_of(call.result(), request, invocation.invocation_id)

    def _matching(self, path: str) -> list[tuple[_Route, Mapping[str, str]]]:
        below = _below_prefix(path, self._settings.route_prefix)
        if below is None:
            return []
        found = []
        for route in self._routes:
            parameters = route.trigger.route.match(below)
            if parameters is not None:
                found.append((route, parameters))
        return found


def presented_key(request: Request) -> str:
    """The access key of a request, from the header or the query."""
    return request.headers.get(KEY_HEADER) or request.query_params.get(KEY_QUERY, "")


def refuse_body(request: Request, limit: int) -> Response:
    """413; the connection is closed, since the rest of the body is not read."""
    return refuse(request, BODY_TOO_LARGE, f"the body is larger than {limit} bytes", {"Connection": "close"})


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body of at most `limit` bytes; reading stops as soon as it is larger.

    Raises BodyTooLargeError, by the announced length or by what arrives.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise BodyTooLargeError
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise BodyTooLargeError
        chunks.append(chunk)
    return b"".join(chunks)


def _request_datum(request: Request, route: _Route, parameters: Mapping[str, str], body: bytes) -> Datum:
    head_as_get = request.method == "HEAD" and "HEAD" not in route.trigger.methods and route.trigger.methods
    return Datum(
        {
            "method": Datum("GET" if head_as_get else request.method, "string"),
            "url": Datum(str(request.url), "string"),
            "headers": _joined(request.headers.items(), ", "),
            "query": _joined(request.query_params.multi_items(), ","),
            "params": {name: Datum(value, "string") for name, value in parameters.items()},
            "body": Datum(body, "bytes"),
        },
        "http",
    )


def _joined(pairs: Iterable[tuple[str, str]], separator: str) -> dict[str, Datum]:
    """Repeated names become one value, as the platform passes them."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: Datum(separator.join(parts), "string") for name, parts in values.items()}


def _response_of(outcome: Outcome, request: Request, invocation_id: str) -> Response:
    if not outcome.ok or outcome.value is None:
        text = f"the function failed; the host's log has invocation {invocation_id}"
        return refuse(request, FUNCTION_FAILED, text, request_id=invocation_id)
    try:
        return _translated(outcome.value)
    except ValueError as error:
        # A status that is no number, a header that is no Latin text: the function's mistake.
        _log.error("the response of invocation %s cannot be sent: %s", invocation_id, error)
        return refuse(request, RESPONSE_INVALID, "the function's response is invalid", request_id=invocation_id)


def _translated(datum: Datum) -> Response:
    if datum.type != "http":
        return _plain_response(datum)
    value: Mapping[str, Any] = datum.value
    status = int(value["status_code"].value)
    response = Response(content=b"" if status in NO_BODY else value["body"].value, status_code=status)
    for name, header in value["headers"].items():
        # Lengths are the server's: a function's own would contradict an answer to HEAD or without body.
        if name.lower() not in ("content-length", "transfer-encoding"):
            response.headers[name] = header.value
    for cookie in value.get("cookies") or ():
        _add_cookie(response, cookie)
    return response


def _plain_response(datum: Datum) -> Response:
    """A function may return text, bytes or JSON instead of a response object."""
    value = datum.value
    if datum.type in ("json", "dict", "list"):
        return Response(value if isinstance(value, str) else json.dumps(value), media_type="application/json")
    if isinstance(value, bytes):
        return Response(value, media_type="application/octet-stream")
    return Response("" if value is None else str(value), media_type="text/plain")


def _add_cookie(response: Response, cookie: SimpleCookie) -> None:
    for morsel in cookie.values():
        response.headers.append("set-cookie", morsel.OutputString())


def _without_function(request: Request, allowed: str) -> Response:
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": allowed})
    return refuse(request, METHOD_NOT_ALLOWED, f"allowed here: {allowed}", {"Allow": allowed})


def _allowed(routes: Iterable[_Route]) -> str:
    methods = {method for route in routes for method in route.trigger.methods}
    if "GET" in methods:
        methods.add("HEAD")
    return ", ".join(sorted({*methods, "OPTIONS"}))


def _raw_path(request: Request) -> str:
    """The path as sent: a `%2F` inside a parameter must not become a separator."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return raw.decode("latin-1").partition("?")[0]


def _below_prefix(path: str, prefix: str) -> str | None:
    """The rest of a path below the route prefix, None when it lies elsewhere."""
    parts = path.lstrip("/").split("/")
    wanted = prefix.split("/") if prefix else []
    if [part.lower() for part in parts[: len(wanted)]] != [part.lower() for part in wanted]:
        return None
    return "/".join(parts[len(wanted) :])


def _refuse_ambiguous(routes: list[_Route]) -> None:
    """Two functions with the same paths and methods: the platform would serve an arbitrary one."""
    for position, route in enumerate(routes):
        for other in routes[:position]:
            shared = (
                route.trigger.methods & other.trigger.methods
                if route.trigger.methods and other.trigger.methods
                else True
            )
            if shared and route.trigger.route.shape == other.trigger.route.shape:
                raise IndexingError(
                    f"{other.function.name} and {route.function.name} both serve {route.trigger.route.text!r}"
                )
