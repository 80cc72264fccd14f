"""Drives Microsoft's worker library: indexing and invocation.

The library wants a protobuf module and protobuf requests; plain objects with the same field names do.
Binding conversion, the thread pool of sync functions and the invocation context are the library's.
"""

import asyncio
import importlib
import json
import logging
import os
import sys
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from azure_functions_runtime import handle_event, native_invocation
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.utils.executor import invocation_id_cv
from azure_functions_runtime.utils.threadpool import start_threadpool_executor

from localhost.host.catalog import Function, IndexingError, build_catalog

_log = logging.getLogger("localhost.host.invocation")


class _Message(SimpleNamespace):
    """Stands for any protobuf message: the fields it was built with."""

    def WhichOneof(self, group: str) -> str:  # noqa: N802 - the name protobuf gives it
        """The single field a one-of group holds; `group` is always one we built with one field."""
        return str(self.oneof[group])


class _StatusResult(_Message):
    Failure, Success = 0, 1


class _BindingInfo(_Message):
    undefined, out, inout = 0, 1, 2


_PROTOS = SimpleNamespace(
    **dict.fromkeys(
        (
            "FunctionMetadataResponse",
            "InvocationResponse",
            "ParameterBinding",
            "RpcException",
            "RpcFunctionMetadata",
            "RpcRetryOptions",
            "TypedData",
            "WorkerInitResponse",
            "WorkerMetadata",
        ),
        _Message,
    ),
    StatusResult=_StatusResult,
    BindingInfo=_BindingInfo,
)


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event for one function.

    `datum` is the trigger's value, or `blob` names what an SDK-type parameter opens
    (Connection, ContainerName, BlobName).
    """

    function: Function
    reason: str
    datum: Datum | None = None
    blob: Mapping[str, str] | None = None
    metadata: Mapping[str, Datum] = field(default_factory=dict)
    trace_parent: str = ""
    retry_count: int = 0
    log_fields: Mapping[str, Any] = field(default_factory=dict)
    invocation_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an invocation: the returned datum, or the error's text (`timeout` when it was cut off)."""

    ok: bool
    value: Datum | None = None
    error: str = ""
    trace: str = ""


class Worker:
    """Runs invocations of one app in this process, counts them and logs one line for each."""

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._running: set[asyncio.Task[Outcome]] = set()
        self._abandoned = 0
        self.succeeded: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    @property
    def running(self) -> int:
        """Invocations under way."""
        return len(self._running)

    @property
    def leaves_threads(self) -> bool:
        """Whether a sync function may still be running in a thread although its invocation was given up."""
        return self._abandoned > 0

    async def index(self, app_dir: Path) -> list[Function]:
        """Import the app and return its functions.

        Raises IndexingError with the traceback's text when the import fails, names repeat, a binding is
        not offered here, or there is no function at all: the platform would then run nothing either.
        """
        sys.path.insert(0, str(app_dir))
        importlib.invalidate_caches()
        os.chdir(app_dir)
        request = _Message(
            request=_Message(worker_init_request=_Message(capabilities={}, function_app_directory=str(app_dir))),
            properties={"host": "127.0.0.1", "protos": _PROTOS},
        )
        library_log = logging.getLogger("azure.functions")
        level = library_log.level
        library_log.setLevel(logging.CRITICAL)  # the error is raised below with the same text
        try:
            answer = await handle_event.worker_init_request(request)
        finally:
            library_log.setLevel(level)
        if answer.result.status != _StatusResult.Success:
            exception = answer.result.exception
            raise IndexingError(f"{exception.message}\n{exception.stack_trace}".rstrip())
        listed = await handle_event.functions_metadata_request(request)
        metadata = listed.function_metadata_results or []
        if not metadata:
            raise IndexingError(f"no functions were found in {app_dir}")
        start_threadpool_executor()
        known = {m.function_id: handle_event._functions.get_function(m.function_id).is_async for m in metadata}
        return build_catalog(metadata, known, os.environ)

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation within the function timeout; never raises for what the function does.

        A sync function cannot be stopped in its thread: its invocation is reported failed all the same.
        """
        started = time.monotonic()
        task = asyncio.create_task(self._run(invocation))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            done, _ = await asyncio.wait({task}, timeout=self._timeout)
        except asyncio.CancelledError:
            self._give_up(task, invocation)
            self._report(invocation, Outcome(False, error="cancelled: the host is stopping"), started)
            raise
        if done:
            outcome = self._result_of(task)
        else:
            self._give_up(task, invocation)
            outcome = Outcome(False, error=f"timeout: not finished after {self._timeout:g} s")
        self._report(invocation, outcome, started)
        return outcome

    async def drain(self, seconds: float) -> bool:
        """Wait until nothing runs, at most so long; True when nothing is left."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=seconds)
        return not self._running

    def _give_up(self, task: asyncio.Task[Outcome], invocation: Invocation) -> None:
        task.cancel()
        self._running.discard(task)
        if not invocation.function.is_async:
            self._abandoned += 1

    @staticmethod
    def _result_of(task: asyncio.Task[Outcome]) -> Outcome:
        if task.cancelled():
            return Outcome(False, error="cancelled by the function itself")
        error = task.exception()
        if error is not None:
            return Outcome(False, error=f"{type(error).__name__}: {error}")
        return task.result()

    async def _run(self, invocation: Invocation) -> Outcome:
        if invocation.blob is not None:
            return await self._run_with_sdk_type(invocation, invocation.blob)
        ok, value, _, error, trace = await native_invocation.invocation_request_native(
            invocation.invocation_id,
            invocation.function.function_id,
            [(invocation.function.trigger.parameter, invocation.datum)],
            dict(invocation.metadata),
            trace_parent=invocation.trace_parent,
            retry_count=invocation.retry_count,
            max_retry_count=invocation.function.retry.max_retries if invocation.function.retry else 0,
        )
        return Outcome(ok, value, error or "", trace or "")

    @staticmethod
    async def _run_with_sdk_type(invocation: Invocation, blob: Mapping[str, str]) -> Outcome:
        model = _Message(
            version="1.0", source="AzureStorageBlobs", content_type="application/json", content=json.dumps(blob)
        )
        data = _Message(oneof={"data": "model_binding_data"}, model_binding_data=model)
        parameter = _Message(oneof={"rpc_data": "data"}, name=invocation.function.trigger.parameter, data=data)
        request = _Message(
            invocation_id=invocation.invocation_id,
            function_id=invocation.function.function_id,
            input_data=[parameter],
            trigger_metadata={},
            trace_context=_Message(trace_parent=invocation.trace_parent, trace_state="", attributes={}),
            retry_context=_Message(retry_count=invocation.retry_count, max_retry_count=0, exception=None),
        )
        # This entry of the library, unlike the native one, leaves the log correlation to its caller.
        invocation_id_cv.set(invocation.invocation_id)
        answer = await handle_event.invocation_request(_Message(request=_Message(invocation_request=request)))
        if answer.result.status == _StatusResult.Success:
            return Outcome(True)
        return Outcome(False, error=answer.result.exception.message, trace=answer.result.exception.stack_trace)

    def _report(self, invocation: Invocation, outcome: Outcome, started: float) -> None:
        name = invocation.function.name
        (self.succeeded if outcome.ok else self.failed)[name] += 1
        fields: dict[str, Any] = {
            "function": name,
            "invocationId": invocation.invocation_id,
            "trigger": invocation.function.summary()[1],
            "reason": invocation.reason,
            "outcome": "succeeded" if outcome.ok else "failed",
            "durationMs": round((time.monotonic() - started) * 1000, 1),
            **{key: value for key, value in invocation.log_fields.items() if value is not None},
        }
        if outcome.ok:
            _log.info("%s succeeded", name, extra={"fields": fields})
        else:
            fields["exception"] = outcome.trace or outcome.error
            _log.error("%s failed: %s", name, outcome.error, extra={"fields": fields})
