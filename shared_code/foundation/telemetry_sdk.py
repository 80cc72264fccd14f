"""Telemetry with an exporter. Only `telemetry` imports this module, and only where an exporter is configured."""

from __future__ import annotations

import logging
import os
import re
import sys
from contextvars import Token
from importlib.metadata import entry_points
from time import perf_counter
from types import TracebackType
from typing import Any, Self

from opentelemetry import context, metrics, trace
from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TracerProvider,
)

from shared_code.foundation.errors import BillingError
from shared_code.foundation.telemetry import (
    LABELS,
    Kind,
    SqlObserver,
    Value,
    incoming,
    is_trace_parent,
    metric_name,
    on_metric,
    on_span,
    span_name,
)

log = logging.getLogger(__name__)
SCOPE = "powerbill"
SERVICE = "powerbill-functions"
_KINDS = {
    "server": SpanKind.SERVER,
    "consumer": SpanKind.CONSUMER,
    "producer": SpanKind.PRODUCER,
    "client": SpanKind.CLIENT,
    "internal": SpanKind.INTERNAL,
}
_DURATIONS = {
    "server": "http.server.request.duration",
    "consumer": "messaging.process.duration",
    "producer": "messaging.client.operation.duration",
    "client": "powerbill.dependency.duration",
}
# The bounds that the semantic conventions give for durations in seconds, with one more for a month's work.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0)
_CLIENT_ERRORS = range(400, 500)


class Sdk:
    """Spans and metrics into the given providers."""

    def __init__(self, tracers: TracerProvider, meters: MeterProvider) -> None:
        self.tracer = tracers.get_tracer(SCOPE)
        self._meter = meters.get_meter(SCOPE)
        self._instruments: dict[tuple[str, str], Any] = {}

    def span(self, name: str, kind: Kind, trace_parent: str, attributes: dict[str, Any]) -> OpenSpan:
        return OpenSpan(self, span_name(name), kind, trace_parent, on_span(attributes))

    def trace_parent(self) -> str:
        here = trace.get_current_span().get_span_context()
        if not here.is_valid:
            return incoming()
        return f"00-{here.trace_id:032x}-{here.span_id:016x}-{here.trace_flags:02x}"

    def count(self, name: str, value: int, attributes: dict[str, Any]) -> None:
        key = ("counter", metric_name(name))
        instrument = self._instruments.get(key) or self._keep(key, self._meter.create_counter(key[1]))
        instrument.add(value, on_metric(attributes))

    def record(self, name: str, value: float, unit: str, attributes: dict[str, Any]) -> None:
        self.observe(metric_name(name), value, unit, on_metric(attributes))

    def observe(self, name: str, value: float, unit: str, labels: dict[str, Value]) -> None:
        """Like `record`, for labels that were checked already."""
        key = ("histogram", name)
        instrument = self._instruments.get(key)
        if instrument is None:
            bounds = _SECONDS if unit == "s" else None
            made = self._meter.create_histogram(name, unit, explicit_bucket_boundaries_advisory=bounds)
            instrument = self._keep(key, made)
        instrument.record(value, labels)

    def gauge(self, name: str, value: float, unit: str, attributes: dict[str, Any]) -> None:
        key = ("gauge", metric_name(name))
        instrument = self._instruments.get(key) or self._keep(key, self._meter.create_gauge(key[1], unit))
        instrument.set(value, on_metric(attributes))

    def sql_observer(self, dialect: str) -> SqlObserver | None:
        return Statements(self, "microsoft.sql_server" if dialect == "mssql" else dialect)

    def _keep(self, key: tuple[str, str], instrument: Any) -> Any:
        return self._instruments.setdefault(key, instrument)


class OpenSpan:
    """One span as a block, and its duration as a metric."""

    __slots__ = ("_attributes", "_failure", "_kind", "_name", "_parent", "_sdk", "_span", "_started", "_token")

    def __init__(self, sdk: Sdk, name: str, kind: Kind, parent: str, attributes: dict[str, Value]) -> None:
        self._sdk = sdk
        self._name = name
        self._kind = kind
        self._parent = parent
        self._attributes = attributes
        self._failure = ""
        self._span: Span = trace.INVALID_SPAN
        self._started = 0.0
        self._token: Token[Context] | None = None

    def __enter__(self) -> Self:
        here = trace.get_current_span().get_span_context()
        parent, links = _parent(self._parent, here)
        kind = _KINDS[self._kind]
        if here.is_remote and self._kind in ("server", "consumer"):
            kind = SpanKind.INTERNAL  # the platform's host reports this request itself: it is counted once
        self._span = self._sdk.tracer.start_span(self._name, parent, kind, self._attributes, links)
        self._token = context.attach(trace.set_span_in_context(self._span, parent))
        self._started = perf_counter()
        return self

    def set(self, name: str, value: Value) -> None:
        for listed, kept in on_span({name: value}).items():
            self._attributes[listed] = kept
            self._span.set_attribute(listed, kept)

    def fail(self, code: str) -> None:
        self.set("error.type", code)
        self._failure = code

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        seconds = perf_counter() - self._started
        if error is not None and not self._failure:
            # The class or the code only: a message may name what must not leave.
            self.fail(error.code if isinstance(error, BillingError) else type(error).__name__)
        if self._failure and not self._is_refusal():
            self._span.set_status(Status(StatusCode.ERROR))
        if self._token is not None:
            context.detach(self._token)
        self._span.end()
        duration = _DURATIONS.get(self._kind)
        if duration:
            labels = {name: value for name, value in self._attributes.items() if name in LABELS}
            self._sdk.observe(duration, seconds, "s", labels)

    def _is_refusal(self) -> bool:
        """An answer of the 400s is the caller's fault, and no error of the server (semantic conventions)."""
        return self._kind == "server" and self._attributes.get("http.response.status_code") in _CLIENT_ERRORS


def _parent(trace_parent: str, here: SpanContext) -> tuple[Context | None, list[Link]]:
    """The context to open a span in. None is the current one, which the platform's host may have set.

    The host's span is the better parent where it belongs to the same trace; where it does not (a queue message that
    the host did not relate to its sender), the message's trace goes on and the host's span is linked.
    """
    given = _parsed(trace_parent)
    if given is None or given.trace_id == here.trace_id:
        return None, []
    return trace.set_span_in_context(NonRecordingSpan(given)), [Link(here)] if here.is_valid else []


def _parsed(trace_parent: str) -> SpanContext | None:
    if not is_trace_parent(trace_parent):
        return None
    _, trace_id, span_id, flags = trace_parent.split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))


_OPERATION = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH)\b", re.IGNORECASE)
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE|JOIN)\s+[\"\[]?(\w{1,128})", re.IGNORECASE)
_COUNTED = "powerbill.statements"
_OPENED = "_powerbill_opened"


def statement_labels(text: str) -> dict[str, Value]:
    """What a span says of a statement: its operation and first table. Nothing for BEGIN, PRAGMA and DDL."""
    operation = _OPERATION.match(text)
    if operation is None:
        return {}
    table = _TABLE.search(text)
    named: dict[str, Value] = {"db.collection.name": table[1]} if table is not None else {}
    return {"db.operation.name": operation[1].upper(), **named}


class Statements:
    """SQL as spans and durations, by operation and first table; and how many statements a transaction took."""

    def __init__(self, sdk: Sdk, system: str) -> None:
        self._sdk = sdk
        self._system = system

    def before_cursor_execute(self, connection: Any, cursor: Any, text: str, data: Any, run: Any, many: bool) -> None:
        labels = statement_labels(text)
        if not labels or run is None:
            return
        labels["db.system.name"] = self._system
        connection.info[_COUNTED] = connection.info.get(_COUNTED, 0) + 1
        span: Span = trace.INVALID_SPAN
        if trace.get_current_span().is_recording():  # a statement outside of all work would be a trace of its own
            name = f"{labels['db.operation.name']} {labels.get('db.collection.name', '')}".strip()
            span = self._sdk.tracer.start_span(name, kind=SpanKind.CLIENT, attributes=labels)
            if many:
                span.set_attribute("db.operation.batch.size", len(data))
        setattr(run, _OPENED, (span, labels, perf_counter()))

    def after_cursor_execute(self, connection: Any, cursor: Any, text: str, data: Any, run: Any, many: bool) -> None:
        self._close(run, "")

    def handle_error(self, fault: Any) -> None:
        self._close(fault.execution_context, type(fault.original_exception).__name__)

    def commit(self, connection: Any) -> None:
        self._settle(connection, "committed")

    def rollback(self, connection: Any) -> None:
        self._settle(connection, "rolled-back")

    def _close(self, run: Any, failure: str) -> None:
        opened = run.__dict__.pop(_OPENED, None) if run is not None else None
        if opened is None:
            return
        span, labels, started = opened
        if failure:
            labels["error.type"] = failure
            span.set_attribute("error.type", failure)
            span.set_status(Status(StatusCode.ERROR))
        span.end()
        self._sdk.observe("db.client.operation.duration", perf_counter() - started, "s", labels)

    def _settle(self, connection: Any, outcome: str) -> None:
        statements = connection.info.pop(_COUNTED, 0)
        if statements:
            # Writers take SQLite's write lock at their start; the option says so on SQL Server too.
            writes = connection.get_execution_options().get("sqlite_begin") == "IMMEDIATE"
            labels: dict[str, Value] = {"powerbill.access": "write" if writes else "read", "powerbill.outcome": outcome}
            self._sdk.observe("powerbill.transaction.statements", statements, "{statement}", labels)


def start() -> Sdk:
    """The providers that the platform's worker has set, or new ones for the exporters of the environment.

    New providers stay our own and never become global: what other libraries record by themselves (URLs with the names
    of blobs, for example) goes nowhere. Logs are not exported here: the host takes them, or the worker sends them.
    Raises RuntimeError when no exporter can be made.
    """
    tracers = trace.get_tracer_provider()
    if isinstance(tracers, SdkTracerProvider):
        silence_libraries()
        return Sdk(tracers, metrics.get_meter_provider())
    resource = Resource.create(_service())
    own = SdkTracerProvider(resource=resource)
    spans, points = _exporters(own)
    if not spans:
        raise RuntimeError("no exporter is installed for the configured endpoint")
    for exporter in spans:
        own.add_span_processor(BatchSpanProcessor(exporter))
    return Sdk(own, SdkMeterProvider([PeriodicExportingMetricReader(point) for point in points], resource))


def silence_libraries() -> None:
    """Undo what the worker's distribution has instrumented: its spans would carry addresses with names in them."""
    from azure.core.settings import settings

    settings.tracing_implementation = None
    settings.tracing_enabled = False
    for found in entry_points(group="opentelemetry_instrumentor"):
        # What was never imported has instrumented nothing; the one of logging only adds trace ids to records.
        if found.module in sys.modules and found.name != "logging":
            instrumentor: Any = found.load()()
            if instrumentor.is_instrumented_by_opentelemetry:
                instrumentor.uninstrument()


def _service() -> dict[str, str]:
    if os.environ.get("OTEL_SERVICE_NAME"):
        return {}
    return {"service.name": os.environ.get("WEBSITE_SITE_NAME") or SERVICE}


def _exporters(own: TracerProvider) -> tuple[list[SpanExporter], list[MetricExporter]]:
    spans: list[SpanExporter] = []
    points: list[MetricExporter] = []
    connection = os.environ.get("APPLICATIONINSIGHTS_CONNECTION_STRING")
    if connection:
        from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter, AzureMonitorTraceExporter

        spans.append(AzureMonitorTraceExporter(connection_string=connection, tracer_provider=own))
        points.append(AzureMonitorMetricExporter(connection_string=connection))
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        try:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError:
            log.warning("OTEL_EXPORTER_OTLP_ENDPOINT needs the package opentelemetry-exporter-otlp-proto-http")
        else:
            spans.append(OTLPSpanExporter())
            points.append(OTLPMetricExporter())
    return spans, points
