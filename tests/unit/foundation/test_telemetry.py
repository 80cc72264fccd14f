"""Telemetry: one trace from the request to the consumer, durations by their labels, and no cost when off."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.metrics.export import HistogramDataPoint, NumberDataPoint
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags

from shared_code.foundation import bus, context, sending, telemetry
from shared_code.foundation.context import Context
from shared_code.foundation.database import Message, outbox, reading, transaction
from shared_code.foundation.errors import CONCURRENT_CHANGE, BillingError
from tests.unit.foundation.exported import Exported, attributes, exporting, id_of, parent_of, trace_of

ROOT = Path(__file__).parents[3]
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exported]:
    """Telemetry with the real SDK; what must not be carried is an error."""
    monkeypatch.setenv("TELEMETRY_STRICT", "true")
    with exporting() as found:
        yield found


@pytest.fixture
def app(exported: Exported, stored: sa.Engine) -> Exported:
    """The same with a database whose engine is listened to."""
    return exported


# -- One trace ----------------------------------------------------------------------------------------------------


def test_one_trace_from_the_request_through_outbox_and_letter_to_the_consumer(app: Exported) -> None:
    with (
        telemetry.span("POST statement-runs", "server", CALLER, **{"http.route": "statement-runs"}),
        bus.unit_of_work() as work,
    ):
        work.send([Message("m-1", "run-progress", "{}", "c-1")])

    with reading() as connection:
        kept = connection.scalar(sa.select(outbox.c.trace_parent))
    [message] = work.messages
    letter = sending.letter(message)
    assert letter.application_properties == {"traceparent": kept, "Diagnostic-Id": kept}
    carried = letter.application_properties["traceparent"]
    with telemetry.span("run-progress", "consumer", carried, **{"messaging.destination.name": "run-progress"}):
        pass

    request, consumer = app.span("POST statement-runs"), app.span("run-progress")
    assert trace_of(request) == trace_of(consumer) == TRACE
    assert (parent_of(request), parent_of(consumer)) == ("b7ad6b7169203331", id_of(request))
    assert (request.kind, consumer.kind) == (SpanKind.SERVER, SpanKind.CONSUMER)
    insert = app.span("INSERT outbox")
    assert (trace_of(insert), parent_of(insert)) == (TRACE, id_of(request))


def test_a_message_that_brings_its_trace_keeps_it(app: Exported) -> None:
    """A message sent again belongs to the trace that it came from."""
    with telemetry.span("replay"), transaction() as work:
        work.send([Message("m-1", "run-progress", "{}", "c-1", CALLER), Message("m-2", "run-progress", "{}")])

    again, fresh = work.messages
    assert again.trace_parent == CALLER
    assert TRACE not in fresh.trace_parent
    assert id_of(app.span("replay")) in fresh.trace_parent


def test_a_message_without_a_trace_is_sent_without_one(stored: sa.Engine) -> None:
    with transaction() as work:
        work.send([Message("m-1", "run-progress", "{}")])

    with reading() as connection:
        assert connection.scalar(sa.select(outbox.c.trace_parent)) is None
    assert sending.letter(work.messages[0]).application_properties is None


TRACE_PARENTS = [
    # what a caller sent, what is kept of it
    (CALLER, CALLER),
    (CALLER.replace("-01", "-00"), CALLER.replace("-01", "-00")),
    ("", ""),
    ("x" * 5000, ""),
    (CALLER.upper(), ""),
    (f"00-{'0' * 32}-b7ad6b7169203331-01", ""),
    (f"00-{TRACE}-{'0' * 16}-01", ""),
    (CALLER + "\n", ""),
    (f"01-{TRACE}-b7ad6b7169203331-01", ""),
]


@pytest.mark.parametrize(("given_text", "kept"), TRACE_PARENTS)
def test_without_an_exporter_the_callers_trace_is_carried_on(
    given_text: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "_backend", telemetry.Off())
    with context.acting(Context(trace_parent=given_text)), telemetry.span("GET sites", "server", given_text):
        assert telemetry.trace_parent() == kept


@pytest.mark.parametrize("unusable", [text for text, kept in TRACE_PARENTS if not kept])
def test_an_unusable_trace_parent_begins_a_new_trace(exported: Exported, unusable: str) -> None:
    with telemetry.span("GET sites", "server", unusable):
        pass

    assert exported.span("GET sites").parent is None


def host_span(trace_id: str) -> object:
    """Make the host's span the current one, as the platform's worker does before each invocation."""
    here = SpanContext(int(trace_id, 16), 0xABC, is_remote=True, trace_flags=TraceFlags(1))
    return otel_context.attach(trace.set_span_in_context(NonRecordingSpan(here)))


def test_below_the_hosts_span_a_request_is_reported_once(exported: Exported) -> None:
    """The host reports the invocation as a request itself; a second of kind server would count it twice."""
    token = host_span(TRACE)
    with telemetry.span("GET sites", "server", CALLER):
        pass
    otel_context.detach(token)  # type: ignore[arg-type]  # the token of `attach`

    span = exported.span("GET sites")
    assert (trace_of(span), parent_of(span), span.kind) == (TRACE, "0000000000000abc", SpanKind.INTERNAL)
    assert exported.points("http.server.request.duration")


def test_a_message_goes_on_in_its_senders_trace_and_links_the_hosts(exported: Exported) -> None:
    token = host_span("1" * 32)
    with telemetry.span("run-progress", "consumer", CALLER):
        pass
    otel_context.detach(token)  # type: ignore[arg-type]  # the token of `attach`

    span = exported.span("run-progress")
    assert (trace_of(span), parent_of(span)) == (TRACE, "b7ad6b7169203331")
    assert [f"{link.context.trace_id:032x}" for link in span.links] == ["1" * 32]


# -- Spans and their durations ------------------------------------------------------------------------------------

ENDS = [
    # kind, status code or None, exception or None, error.type, span status
    ("server", 200, None, None, StatusCode.UNSET),
    ("server", 404, BillingError(CONCURRENT_CHANGE, "Ann was first"), "CONCURRENT_CHANGE", StatusCode.UNSET),
    ("server", 500, KeyError("Ann"), "KeyError", StatusCode.ERROR),
    ("server", None, KeyError("Ann"), "KeyError", StatusCode.ERROR),
    ("consumer", None, BillingError(CONCURRENT_CHANGE, "Ann was first"), "CONCURRENT_CHANGE", StatusCode.ERROR),
    ("client", None, None, None, StatusCode.UNSET),
]


@pytest.mark.parametrize(("kind", "code", "fault", "error_type", "status"), ENDS)
def test_how_a_span_ends(
    exported: Exported,
    kind: telemetry.Kind,
    code: int | None,
    fault: Exception | None,
    error_type: str | None,
    status: StatusCode,
) -> None:
    """A refusal is no failure of the server, and the text of an exception stays here: it may name somebody."""

    def work() -> None:
        with telemetry.span("work", kind) as span:
            if code is not None:
                span.set("http.response.status_code", code)
            if fault is not None:
                raise fault

    if fault is None:
        work()
    else:
        with pytest.raises(type(fault)):
            work()

    ended = exported.span("work")
    assert attributes(ended).get("error.type") == error_type
    assert (ended.status.status_code, ended.status.description, ended.events) == (status, None, ())
    assert not trace.get_current_span().get_span_context().is_valid


MEASURED = [
    ("server", "http.server.request.duration"),
    ("consumer", "messaging.process.duration"),
    ("producer", "messaging.client.operation.duration"),
    ("client", "powerbill.dependency.duration"),
]


@pytest.mark.parametrize(("kind", "metric"), MEASURED)
def test_a_span_of_a_door_or_a_dependency_is_measured_by_its_labels(
    exported: Exported, kind: telemetry.Kind, metric: str
) -> None:
    for run in ("r-1", "r-2"):
        with telemetry.span("work", kind, http_route="sites", powerbill_run_id=run, powerbill_rows_read=7) as span:
            span.set("powerbill.outcome", "done")

    [point] = exported.points(metric)
    assert isinstance(point, HistogramDataPoint)
    assert (dict(point.attributes or {}), point.count) == ({"http.route": "sites", "powerbill.outcome": "done"}, 2)


def test_counters_distributions_and_levels(exported: Exported) -> None:
    telemetry.count("powerbill.statements", 3, powerbill_outcome="generated")
    telemetry.count("powerbill.statements", 2, powerbill_outcome="generated")
    telemetry.record("powerbill.import.rows", 40, "{row}", powerbill_outcome="accepted")
    telemetry.gauge("powerbill.outbox.waiting", 9, "{message}")
    telemetry.gauge("powerbill.outbox.waiting", 4, "{message}")

    [counted] = exported.points("powerbill.statements")
    [spread] = exported.points("powerbill.import.rows")
    [level] = exported.points("powerbill.outbox.waiting")
    assert isinstance(counted, NumberDataPoint)
    assert isinstance(spread, HistogramDataPoint)
    assert isinstance(level, NumberDataPoint)
    assert (counted.value, spread.sum, level.value) == (5, 40, 4)


def test_the_sweep_says_what_waits(app: Exported) -> None:
    bus.sweep()

    [waiting] = app.points("powerbill.outbox.waiting")
    [age] = app.points("powerbill.outbox.age")
    assert isinstance(waiting, NumberDataPoint)
    assert isinstance(age, NumberDataPoint)
    assert (waiting.value, age.value) == (0, 0.0)


# -- On and off ---------------------------------------------------------------------------------------------------

WORK = """
import json, sys
import sqlalchemy as sa
from shared_code.foundation import bus, database, telemetry
with database.engine().begin() as connection:
    database.metadata.create_all(connection, [database.outbox, database.inbox])
with telemetry.span("POST statement-runs", "server", http_route="statement-runs") as span:
    with database.transaction() as work:
        work.send([database.Message("m-1", "run-progress", "{}")])
    span.set("http.response.status_code", 202)
telemetry.count("powerbill.statements", powerbill_outcome="generated")
telemetry.record("powerbill.import.rows", 1, "{row}")
loaded = sorted(name for name in sys.modules if name.split(".")[0] == "opentelemetry" or "azure.monitor" in name)
print(json.dumps(loaded))
"""


def run(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Code in a fresh interpreter with these settings and no others of telemetry."""
    kept = {name: value for name, value in os.environ.items() if name not in telemetry.EXPORTERS}
    known = {
        **kept,
        "OPERATOR_NAME": "Example Parking",
        "DATABASE_URL": f"sqlite:///{folder}/app.sqlite",
        **environment,
    }
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=known, capture_output=True, text=True, check=True, timeout=60
    )


OFF = [
    {},
    {"TELEMETRY_STRICT": "true"},
    {"APPLICATIONINSIGHTS_CONNECTION_STRING": ""},
    {"OTEL_EXPORTER_OTLP_ENDPOINT": "set", "OTEL_SDK_DISABLED": "true"},
]


@pytest.mark.parametrize("environment", OFF)
def test_without_an_exporter_nothing_of_opentelemetry_is_imported(environment: dict[str, str], tmp_path: Path) -> None:
    assert json.loads(run(WORK, tmp_path, **environment).stdout) == []


def test_billing_goes_on_when_telemetry_cannot_start(tmp_path: Path) -> None:
    done = run(WORK, tmp_path, APPLICATIONINSIGHTS_CONNECTION_STRING="InstrumentationKey=nonsense")

    assert "telemetry does not start" in done.stderr


ADOPT = """
import requests
from azure.core.settings import settings
from opentelemetry import trace
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
sent = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(sent))
trace.set_tracer_provider(provider)
RequestsInstrumentor().instrument()
settings.tracing_implementation = "opentelemetry"
from shared_code.foundation import telemetry
with telemetry.span("GET sites", "server"):
    pass
print([span.name for span in sent.get_finished_spans()])
print(RequestsInstrumentor().is_instrumented_by_opentelemetry, settings.tracing_enabled())
"""


def test_the_workers_providers_are_used_and_its_instrumentation_of_libraries_is_undone(tmp_path: Path) -> None:
    """Their spans would carry addresses of blobs, and blobs are named after sites."""
    done = run(ADOPT, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="set")

    assert done.stdout.splitlines() == ["['GET sites']", "False False"]


def test_the_host_speaks_opentelemetry_as_the_worker_does() -> None:
    """Where one of them does and the other does not, log lines come twice."""
    document = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))

    assert document["telemetryMode"] == "OpenTelemetry"
