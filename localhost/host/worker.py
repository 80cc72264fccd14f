"""Drives Microsoft's worker library: indexing and invocation.

The library wants a protobuf module and protobuf requests; plain objects with the same field names do.
Binding conversion, the thread pool of sync functions and the invocation context are the library's.

The function timeout, in a worker that is no process of its own: an invocation that is over time is reported failed
at once and its event is treated so (500, abandoned message, failed blob). An async function is cancelled, which is
milder than the platform, where the process ends under it. A sync function cannot be stopped in its thread. Whatever
has not ended after a further `recycle_seconds` makes the host recycle, as the platform recycles a worker: the process
replaces itself (`host.Host`), other invocations are cut off with it, and their events come again.
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
from localhost.host.logs import correlated, correlation_id_of

_log = logging.getLogger("localhost.host.invocation")

STOPPING = "cancelled: the host is stopping"


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
    correlation_id: str = ""
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

    def __init__(self, timeout: float | None, recycle_seconds: float) -> None:
        self._timeout = timeout
        self._recycle_seconds = recycle_seconds
        self._running: set[asyncio.Task[Outcome]] = set()
        self._given_up: set[asyncio.Task[Outcome]] = set()
        self._watches: set[asyncio.Task[None]] = set()
        self.succeeded: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._cut: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.stuck = asyncio.Event()
        """Set when an invocation that was given up has not ended within the recycle time."""

    @property
    def running(self) -> int:
        """Invocations under way."""
        return len(self._running)

    @property
    def leaves_work(self) -> bool:
        """Whether a function runs on, perhaps although its invocation was given up."""
        return bool(self._running or self._given_up)

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
        """Run one invocation within the function timeout; never raises for what the function does."""
        with correlated(invocation.invocation_id, invocation.correlation_id):
            return await self._invoke(invocation)

    async def _invoke(self, invocation: Invocation) -> Outcome:
        started = time.monotonic()
        task = asyncio.create_task(self._run(invocation))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        ends: list[asyncio.Future[Any]] = [task, self._cut]
        try:
            await asyncio.wait(ends, timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._give_up(task, invocation)
            self.report(invocation, Outcome(False, error=STOPPING), started)
            raise
        if task.done():
            outcome = self._result_of(task)
        elif self._cut.done():
            self._give_up(task, invocation)
            outcome = Outcome(False, error=STOPPING)
        else:
            self._give_up(task, invocation)
            self._watch(task, invocation)
            outcome = Outcome(False, error=f"timeout: not finished after {self._timeout:g} s")
        self.report(invocation, outcome, started)
        return outcome

    async def drain(self, seconds: float) -> bool:
        """Wait until nothing runs, at most so long; True when nothing is left."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=seconds)
        return not self._running

    def cut_off(self) -> None:
        """Give up what still runs: each invocation fails at once, so that whoever waits for it is answered."""
        self._cut.set_result(None)

    def _give_up(self, task: asyncio.Task[Outcome], invocation: Invocation) -> None:
        self._running.discard(task)
        if task.done():
            return
        self._given_up.add(task)
        task.add_done_callback(self._given_up.discard)
        if invocation.function.is_async:
            task.cancel()  # the task of a sync function is left alone: it ends when the thread does, and tells so

    def _watch(self, task: asyncio.Task[Outcome], invocation: Invocation) -> None:
        async def watch() -> None:
            await asyncio.wait({task}, timeout=self._recycle_seconds)
            if not task.done():
                _log.error("%s does not end after its timeout: the worker is recycled", invocation.function.name)
                self.stuck.set()

        watching = asyncio.create_task(watch())
        self._watches.add(watching)
        watching.add_done_callback(self._watches.discard)

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

    def report(self, invocation: Invocation, outcome: Outcome, started: float) -> None:
        """Count an ended invocation and log its line; `started` is the monotonic time of its start."""
        name = invocation.function.name
        (self.succeeded if outcome.ok else self.failed)[name] += 1
        fields: dict[str, Any] = {
            "function": name,
            "invocationId": invocation.invocation_id,
            "correlationId": correlation_id_of(invocation.invocation_id),
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
