"""The admin surface: what runs here, and firing a trigger by hand. Everything needs the master key."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from azure_functions_runtime.bindings.datumdef import Datum
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from localhost.host.catalog import BlobTrigger, Function, HttpTrigger, QueueTrigger
from localhost.host.http import BodyTooLargeError, presented_key, read_body, refuse_body
from localhost.host.keys import Keys
from localhost.host.messages import manual_metadata
from localhost.host.problems import FUNCTION_UNKNOWN, INPUT_INVALID, correlation_of, refuse, refuse_key
from localhost.host.settings import HostSettings
from localhost.host.worker import Invocation, Worker

VERSION = "1.0.0"

FireTimer = Callable[[Function], Awaitable[None]]
FireBlob = Callable[[Function, str], Awaitable[None]]


class Admin:
    """Answers `/admin/...`."""

    def __init__(
        self,
        functions: list[Function],
        settings: HostSettings,
        keys: Keys,
        worker: Worker,
        *,
        status: Callable[[], Mapping[str, Any]],
        fire_timer: FireTimer,
        fire_blob: FireBlob,
    ) -> None:
        self._functions = {function.name.lower(): function for function in functions}
        self._settings = settings
        self._keys = keys
        self._worker = worker
        self._status = status
        self._fire_timer = fire_timer
        self._fire_blob = fire_blob
        self._background: set[asyncio.Future[Any]] = set()

    async def host_status(self, request: Request) -> Response:
        """GET /admin/host/status: state, version, functions with their counts, connections, poison blobs."""
        if not self._is_master(request):
            return refuse_key(request)
        body = {"version": VERSION, "functions": [self._entry(f) for f in self._functions.values()]}
        return JSONResponse({**self._status(), **body})

    async def list_functions(self, request: Request) -> Response:
        """GET /admin/functions."""
        if not self._is_master(request):
            return refuse_key(request)
        return JSONResponse([self._entry(function) for function in self._functions.values()])

    async def fire(self, request: Request) -> Response:
        """POST /admin/functions/{name} with `{"input": …}`: 202, and the function runs in the background."""
        if not self._is_master(request):
            return refuse_key(request)
        function = self._functions.get(request.path_params["name"].lower())
        if function is None:
            return refuse(request, FUNCTION_UNKNOWN, "no function has this name")
        try:
            text = self._input_of(await read_body(request, self._settings.max_body_bytes))
            run = self._run_of(function, text, correlation_of(request))
        except BodyTooLargeError:
            return refuse_body(request, self._settings.max_body_bytes)
        except ValueError as error:
            return refuse(request, INPUT_INVALID, str(error))
        except ClientDisconnect:
            return Response(status_code=400)
        task = asyncio.ensure_future(run)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return Response(status_code=202)

    def _is_master(self, request: Request) -> bool:
        return self._keys.opens("admin", presented_key(request))

    def _entry(self, function: Function) -> dict[str, Any]:
        name, trigger, source, level = function.summary()
        return {
            "name": name,
            "trigger": trigger,
            "source": source,
            "authLevel": level or None,
            "isAsync": function.is_async,
            "succeeded": self._worker.succeeded[name],
            "failed": self._worker.failed[name],
        }

    @staticmethod
    def _input_of(body: bytes) -> str:
        """The `input` of the posted object as text; other JSON values are passed on as JSON."""
        if not body.strip():
            return ""
        document = json.loads(body)
        if not isinstance(document, dict):
            raise ValueError('the body must be an object {"input": …}')  # noqa: TRY004 - a 400 like bad JSON
        value = document.get("input", "")
        return value if isinstance(value, str) else json.dumps(value)

    def _run_of(self, function: Function, text: str, correlation: str) -> Awaitable[Any]:
        match function.trigger:
            case HttpTrigger():
                raise ValueError("an HTTP function is called by its route")
            case QueueTrigger(source=queue):
                message_id = str(uuid.uuid4())
                return self._worker.invoke(
                    Invocation(
                        function,
                        "by hand",
                        datum=Datum(text.encode(), "bytes"),
                        metadata=manual_metadata(message_id, datetime.now(UTC)),
                        correlation_id=correlation,
                        log_fields={"queue": queue, "messageId": message_id, "deliveryCount": 1},
                    )
                )
            case BlobTrigger(path=path):
                container, _, name = text.strip("/").partition("/")
                if not name or container != path.partition("/")[0]:
                    raise ValueError("the input must be container/blob in the container of the trigger")
                return self._fire_blob(function, name)
            case _:
                return self._fire_timer(function)
