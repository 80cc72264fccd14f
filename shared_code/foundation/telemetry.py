"""Spans and metrics, from the request through outbox, queue, blob and SQL. Without an exporter it is nothing at all.

An exporter is chosen by the platform's own names: APPLICATIONINSIGHTS_CONNECTION_STRING (Azure Monitor) and
OTEL_EXPORTER_OTLP_ENDPOINT (any collector). Where neither is set, no OpenTelemetry module is imported.

Telemetry leaves the house, so what it may carry is a list of names (LABELS, IDS, NUMBERS), and values are codes and
counts: no name of a person or site, no amount, no name of a blob, no SQL text. Anything else is dropped with a
warning; TELEMETRY_STRICT=true, the setting of the tests, raises instead.
"""

from __future__ import annotations

import logging
import math
import os
import re
import threading
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from shared_code.foundation import context

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

log = logging.getLogger(__name__)

type Kind = Literal["server", "consumer", "producer", "client", "internal"]
type Value = str | int | float

LABELS = frozenset(
    {
        "db.collection.name",  # the first table of a statement
        "db.operation.name",
        "db.system.name",
        "error.type",  # the code of a refusal, or the class of an exception
        "http.request.method",
        "http.response.status_code",
        "http.route",  # the template, never the path
        "messaging.destination.name",
        "messaging.operation.name",
        "messaging.system",
        "powerbill.access",  # read or write
        "powerbill.container",
        "powerbill.dataset",
        "powerbill.dependency",
        "powerbill.function",
        "powerbill.operation",
        "powerbill.outcome",
    }
)
"""Few values each: on spans and on metrics."""

IDS = frozenset(
    {
        "messaging.message.conversation_id",  # the correlation id
        "messaging.message.id",
        "powerbill.batch.id",
        "powerbill.request.id",
        "powerbill.run.id",
    }
)
"""Generated identifiers: on spans only, since each value would be a time series of its own."""

NUMBERS = frozenset(
    {
        "db.operation.batch.size",
        "http.request.body.size",
        "http.response.body.size",
        "messaging.batch.message_count",
        "powerbill.attempt",
        "powerbill.blob.bytes",
        "powerbill.contracts",
        "powerbill.documents",
        "powerbill.failed",
        "powerbill.generated",
        "powerbill.held",
        "powerbill.rows.accepted",
        "powerbill.rows.duplicate",
        "powerbill.rows.read",
        "powerbill.rows.rejected",
        "powerbill.skipped",
    }
)
"""Counts and sizes, never money: on spans only."""

_ON_SPANS = {spelling: name for name in LABELS | IDS | NUMBERS for spelling in (name, name.replace(".", "_"))}
_ON_METRICS = {spelling: name for spelling, name in _ON_SPANS.items() if name in LABELS}
# Codes, ids, templates and names of our own. No blank and no @: neither a person nor an address fits.
_CODE = re.compile(r"[A-Za-z0-9_./:{}*\-]{1,128}")
_SPAN_NAME = re.compile(r"[A-Za-z0-9_./:{}*\- ]{1,128}")
_METRIC_NAME = re.compile(r"[a-z][a-z0-9_.]{1,62}")
_TRACE_PARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
EXPORTERS = ("APPLICATIONINSIGHTS_CONNECTION_STRING", "OTEL_EXPORTER_OTLP_ENDPOINT")


class ForbiddenTelemetryError(ValueError):
    """A name or a value that telemetry must not carry: a fault of the program, raised in tests only."""


class Span(Protocol):
    """An open span."""

    def set(self, name: str, value: Value) -> None:
        """Add an attribute: its listed name, in dots or in underscores."""

    def fail(self, code: str) -> None:
        """Mark the span as failed; `code` is the code of a refusal or the class of an exception."""


class Backend(Protocol):
    """Where spans and metrics go: nowhere, or to the OpenTelemetry SDK."""

    def span(
        self, name: str, kind: Kind, trace_parent: str, attributes: dict[str, Any]
    ) -> AbstractContextManager[Span]: ...

    def trace_parent(self) -> str: ...

    def count(self, name: str, value: int, attributes: dict[str, Any]) -> None: ...

    def record(self, name: str, value: float, unit: str, attributes: dict[str, Any]) -> None: ...

    def gauge(self, name: str, value: float, unit: str, attributes: dict[str, Any]) -> None: ...

    def sql_observer(self, dialect: str) -> SqlObserver | None: ...


class SqlObserver(Protocol):
    """Listens to an engine; the methods take what SQLAlchemy's events of the same names pass."""

    def before_cursor_execute(
        self, connection: Any, cursor: Any, text: str, data: Any, run: Any, many: bool
    ) -> None: ...

    def after_cursor_execute(
        self, connection: Any, cursor: Any, text: str, data: Any, run: Any, many: bool
    ) -> None: ...

    def handle_error(self, fault: Any) -> None: ...

    def commit(self, connection: Any) -> None: ...

    def rollback(self, connection: Any) -> None: ...


def span(
    name: str, kind: Kind = "internal", trace_parent: str = "", **attributes: Value
) -> AbstractContextManager[Span]:
    """A span around a block, below `trace_parent` (W3C) or else below the current span.

    An exception that leaves the block fails it. Spans of doors and of dependencies are measured too: their durations
    become a histogram by their labels.
    """
    return (_backend or _start()).span(name, kind, trace_parent, attributes)


def trace_parent() -> str:
    """The W3C trace parent of the current span, to be sent with a message; "" where there is none.

    Without an exporter it is the caller's own, so that a trace is not cut in a part that does not report.
    """
    return (_backend or _start()).trace_parent()


def count(name: str, value: int = 1, **attributes: Value) -> None:
    """Add to a counter."""
    (_backend or _start()).count(name, value, attributes)


def record(name: str, value: float, unit: str, **attributes: Value) -> None:
    """Add an observation to a distribution. `unit` is UCUM: "s", "By", "{row}"."""
    (_backend or _start()).record(name, value, unit, attributes)


def gauge(name: str, value: float, unit: str, **attributes: Value) -> None:
    """State what something amounts to now."""
    (_backend or _start()).gauge(name, value, unit, attributes)


def sql_observer(dialect: str) -> SqlObserver | None:
    """What listens to the engine of `dialect`; None where nobody would read it."""
    return (_backend or _start()).sql_observer(dialect)


def on_span(attributes: dict[str, Any]) -> dict[str, Value]:
    """The attributes that a span may carry, by their listed names."""
    return _allowed(attributes, _ON_SPANS)


def on_metric(attributes: dict[str, Any]) -> dict[str, Value]:
    """The attributes that a metric may carry, by their listed names."""
    return _allowed(attributes, _ON_METRICS)


def span_name(name: str) -> str:
    """`name` if a span may be called that."""
    if _SPAN_NAME.fullmatch(name):
        return name
    _refuse("the name of a span is not one of words and templates")
    return "unnamed"


def metric_name(name: str) -> str:
    """`name` if a metric may be called that."""
    if _METRIC_NAME.fullmatch(name):
        return name
    _refuse("the name of a metric is not in small letters and dots")
    return "unnamed"


def incoming() -> str:
    """The trace parent that the caller of this invocation sent; "" if it sent none, or something else."""
    given = context.current().trace_parent
    return given if is_trace_parent(given) else ""


def is_trace_parent(text: str) -> bool:
    """Whether `text` is a W3C trace parent. It comes from callers and goes into a column, so it is checked."""
    return _TRACE_PARENT.fullmatch(text) is not None


def _allowed(attributes: dict[str, Any], names: dict[str, str]) -> dict[str, Value]:
    kept: dict[str, Value] = {}
    for spelling, value in attributes.items():
        name = names.get(spelling)
        if name is None:
            _refuse(f"the attribute {spelling} is not on the list")
        elif not _fits(name, value):
            _refuse(f"the attribute {name} had a value that is not a code or a count")
        else:
            kept[name] = value
    return kept


def _fits(name: str, value: object) -> bool:
    """Money is Decimal everywhere in this product, so that no amount is taken for a count."""
    if isinstance(value, str):
        return name not in NUMBERS and _CODE.fullmatch(value) is not None
    return isinstance(value, int | float) and math.isfinite(value) and (name in NUMBERS or type(value) is int)


_warned: set[str] = set()


def _refuse(problem: str) -> None:
    if _strict():
        raise ForbiddenTelemetryError(problem)
    if problem not in _warned:  # once: the fault is in the program, and comes again with every call
        _warned.add(problem)
        log.warning("telemetry dropped something: %s", problem)


def _strict() -> bool:
    return os.environ.get("TELEMETRY_STRICT", "").lower() in ("1", "true")


class _NoSpan:
    """A span that nobody reads."""

    __slots__ = ()

    def set(self, name: str, value: Value) -> None:
        return

    def fail(self, code: str) -> None:
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return


class _CheckedSpan(_NoSpan):
    """The same, with the rules for attributes kept."""

    __slots__ = ()

    def set(self, name: str, value: Value) -> None:
        on_span({name: value})

    def fail(self, code: str) -> None:
        on_span({"error.type": code})


_NO_SPAN = _NoSpan()
_CHECKED_SPAN = _CheckedSpan()


class Off:
    """No exporter: nothing is kept, and nothing is imported."""

    def span(self, name: str, kind: Kind, trace_parent: str, attributes: dict[str, Any]) -> _NoSpan:
        return _NO_SPAN

    def trace_parent(self) -> str:
        return incoming()

    def count(self, name: str, value: int, attributes: dict[str, Any]) -> None:
        return

    def record(self, name: str, value: float, unit: str, attributes: dict[str, Any]) -> None:
        return

    def gauge(self, name: str, value: float, unit: str, attributes: dict[str, Any]) -> None:
        return

    def sql_observer(self, dialect: str) -> SqlObserver | None:
        return None


class OffChecked(Off):
    """No exporter, and strict: a test that exports nothing still finds what must not be exported."""

    def span(self, name: str, kind: Kind, trace_parent: str, attributes: dict[str, Any]) -> _NoSpan:
        span_name(name)
        on_span(attributes)
        return _CHECKED_SPAN

    def count(self, name: str, value: int, attributes: dict[str, Any]) -> None:
        metric_name(name)
        on_metric(attributes)

    def record(self, name: str, value: float, unit: str, attributes: dict[str, Any]) -> None:
        self.count(name, 1, attributes)

    def gauge(self, name: str, value: float, unit: str, attributes: dict[str, Any]) -> None:
        self.count(name, 1, attributes)


_backend: Backend | None = None
_starting = threading.Lock()


def _start() -> Backend:
    global _backend
    with _starting:
        if _backend is None:
            _backend = _chosen()
        return _backend


def _chosen() -> Backend:
    if any(os.environ.get(name) for name in EXPORTERS) and os.environ.get("OTEL_SDK_DISABLED", "").lower() != "true":
        try:
            from shared_code.foundation import telemetry_sdk

            return telemetry_sdk.start()
        except Exception:
            # Statements are billed without telemetry too.
            log.warning("telemetry does not start; nothing is exported", exc_info=True)
    return OffChecked() if _strict() else Off()


def use_providers(tracers: TracerProvider, meters: MeterProvider) -> None:
    """Send spans and metrics to these providers from now on. Engines that exist already are not listened to."""
    from shared_code.foundation import telemetry_sdk

    global _backend
    _backend = telemetry_sdk.Sdk(tracers, meters)


def restart() -> None:
    """Forget the choice of exporter; the next span chooses anew."""
    global _backend
    _backend = None
