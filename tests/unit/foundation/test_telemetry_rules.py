"""What telemetry may carry: listed names, codes and counts; no person, no site, no amount."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import context as otel_context
from opentelemetry import trace

from shared_code.foundation import telemetry
from shared_code.foundation.telemetry import IDS, LABELS, NUMBERS, ForbiddenTelemetryError
from tests.unit.foundation.exported import Exported, exporting


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exported]:
    """Telemetry with the real SDK; what must not be carried is an error."""
    monkeypatch.setenv("TELEMETRY_STRICT", "true")
    with exporting() as found:
        yield found


LISTED = LABELS | IDS | NUMBERS
OURS = LISTED | {name.replace(".", "_") for name in LISTED}
FORBIDDEN_VALUES = st.one_of(
    st.text().filter(lambda text: not text.isascii() or "@" in text or " " in text),
    st.text(alphabet="abc", min_size=129),
    st.just(""),
    st.decimals(),
    st.none(),
    st.floats(),
    st.binary(),
    st.lists(st.text()),
    st.booleans(),
)


@given(name=st.text().filter(lambda name: name not in OURS), value=st.one_of(st.integers(), st.text()))
def test_an_attribute_that_is_not_on_the_list_is_refused(name: str, value: int | str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TELEMETRY_STRICT", "true")
        with pytest.raises(ForbiddenTelemetryError):
            telemetry.on_span({name: value})
        with pytest.raises(ForbiddenTelemetryError):
            telemetry.on_metric({name: value})


@given(name=st.sampled_from(sorted(LABELS | IDS)), value=FORBIDDEN_VALUES)
def test_a_value_that_is_no_code_is_refused(name: str, value: object) -> None:
    """Neither a person nor an address nor an amount fits: no blanks, no @, no Decimal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TELEMETRY_STRICT", "true")
        with pytest.raises(ForbiddenTelemetryError):
            telemetry.on_span({name: value})


@given(name=st.sampled_from(sorted(IDS | NUMBERS)))
def test_ids_and_counts_are_no_labels_of_metrics(name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TELEMETRY_STRICT", "true")
        with pytest.raises(ForbiddenTelemetryError):
            telemetry.on_metric({name: 1})


@given(
    labels=st.dictionaries(
        st.sampled_from(sorted(LABELS)), st.from_regex(r"[A-Za-z0-9_./:{}*\-]{1,128}", fullmatch=True)
    ),
    counts=st.dictionaries(st.sampled_from(sorted(NUMBERS)), st.integers(min_value=0)),
)
def test_what_is_on_the_list_is_carried_in_both_spellings(labels: dict[str, str], counts: dict[str, int]) -> None:
    carried = labels | counts
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TELEMETRY_STRICT", "true")
        assert telemetry.on_span(carried) == carried
        assert telemetry.on_span({name.replace(".", "_"): value for name, value in carried.items()}) == carried
        assert telemetry.on_metric(labels) == labels


REFUSED_CALLS = [
    lambda: telemetry.span("GET sites", site_name="x"),
    lambda: telemetry.span("mail to ann@example.com"),
    lambda: telemetry.span("GET sites", powerbill_outcome="Harbor Lot"),
    lambda: telemetry.count("powerbill.statements", 1, **{"powerbill.run.id": "r-1"}),
    lambda: telemetry.count("Statements of Ann", 1),
    lambda: telemetry.record("powerbill.amount", 1.0, "{usd}", amount=1),
    lambda: telemetry.gauge("powerbill.outbox.waiting", 1, "{message}", user="ann"),
    lambda: telemetry.span("GET sites").__enter__().set("powerbill.rows.read", Decimal(5)),  # type: ignore[arg-type]
    lambda: telemetry.span("GET sites").__enter__().fail("could not find Ann"),
]


@pytest.mark.parametrize("call", REFUSED_CALLS)
@pytest.mark.parametrize("on", [True, False])
def test_tests_find_what_must_not_be_carried_with_an_exporter_and_without(
    call: Any, on: bool, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not on:
        monkeypatch.setattr(telemetry, "_backend", telemetry.OffChecked())
    before = trace.get_current_span()
    with pytest.raises(ForbiddenTelemetryError):
        call()
    if trace.get_current_span() is not before:  # a span that the call left open
        otel_context.attach(trace.set_span_in_context(before))


def test_in_production_it_is_dropped_with_one_warning_that_keeps_the_value(
    exported: Exported, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("TELEMETRY_STRICT")
    monkeypatch.setattr(telemetry, "_warned", set())
    for _ in range(3):
        with telemetry.span("mail to ann@example.com", "server", http_route="sites", site="Harbor Lot") as span:
            span.set("powerbill.outcome", "owes 12.50 USD")

    assert [dict(found.attributes or {}) for found in exported.spans()] == [{"http.route": "sites"}] * 3
    assert {found.name for found in exported.spans()} == {"unnamed"}
    texts = [entry.getMessage() for entry in caplog.records]
    assert len(texts) == 3
    assert not any(secret in text for text in texts for secret in ("ann@", "Harbor", "12.50"))
