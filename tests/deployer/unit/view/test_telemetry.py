"""The trace of a release: a span for it and one for each node, within the trace that it was started in."""

from collections.abc import Iterable

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from deployer.events import Entered, Event, Retried
from deployer.view.telemetry import with_traces
from tests.deployer.unit.view.story import RELEASE, begun, ended, passed, paused, success

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
WITHIN = {"TRACEPARENT": f"00-{TRACE}-{PARENT}-01"}


def traced(events: Iterable[Event], environ: dict[str, str] = WITHIN) -> dict[str, ReadableSpan]:
    """By name: the spans that were sent."""
    sent, seen = InMemorySpanExporter(), list[Event]()
    emit = with_traces(seen.append, environ, "parcels", pytest.fail, sent)
    for event in events:
        emit(event)
    assert seen
    return {span.name: span for span in sent.get_finished_spans()}


def test_a_span_for_the_release_and_one_for_each_node() -> None:
    """The release's span is part of the trace that TRACEPARENT names, the nodes' are its children."""
    spans = traced(success())
    release = spans.pop("RUN parcels")
    assert release.kind is SpanKind.SERVER
    assert release.context and release.parent
    assert (f"{release.context.trace_id:032x}", f"{release.parent.span_id:016x}") == (TRACE, PARENT)
    assert dict(release.attributes or {}) == {
        "cicd.pipeline.name": "parcels",
        "cicd.pipeline.action.name": "RUN",
        "cicd.pipeline.run.id": RELEASE,
        "cicd.pipeline.result": "success",
        "deployment.environment.name": "sandbox",
        "deployer.exit_code": 0,
    }
    assert {"RUN_TESTS", "DOCKER_BUILD", "PROMOTE"} <= spans.keys()
    assert {span.parent and span.parent.span_id for span in spans.values()} == {release.context.span_id}
    results = {name: (span.attributes or {})["cicd.pipeline.task.run.result"] for name, span in spans.items()}
    assert (results["DOCKER_BUILD"], results["PROMOTE"]) == ("skip", "success")
    assert release.resource.attributes["service.name"] == "deployer"


def test_a_pause_has_its_class() -> None:
    """The node at which it waits and the release are failures; retries are events of their node."""
    story = [
        begun(),
        *passed("START"),
        Entered("CHECK_CONFIG", 2),
        Retried("CHECK_CONFIG", "throttled", 1.0, 3),
    ]
    spans = traced([*story, paused(), ended("PAUSED", 13, "CHECK_CONFIG")], {})
    for name in ("RUN parcels", "CHECK_CONFIG"):
        assert spans[name].status.status_code is StatusCode.ERROR
        assert (spans[name].attributes or {})["error.type"] == "aws-config/missing-secret"
    (retry,) = spans["CHECK_CONFIG"].events
    assert dict(retry.attributes or {}) == {"error.message": "throttled", "attempt": 3}
    assert spans["START"].status.status_code is StatusCode.UNSET


def test_a_trace_that_cannot_be_sent_is_said() -> None:
    """Once, after the release; the listener has got every event."""

    class Away(InMemorySpanExporter):
        def export(self, spans: object) -> SpanExportResult:
            return SpanExportResult.FAILURE

    told, seen = list[str](), list[Event]()
    emit = with_traces(seen.append, {}, "parcels", told.append, Away())
    for event in success():
        emit(event)
    assert told == ["the release's trace could not be sent to the OpenTelemetry endpoint"]
    assert seen[-1] == ended()


def test_without_an_endpoint_there_is_no_trace() -> None:
    """The listener is left as it is."""
    seen = list[Event]()
    assert with_traces(seen.append, WITHIN, "parcels", pytest.fail) == seen.append


def test_an_endpoint_that_nobody_serves_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real exporter, over HTTP on loopback."""
    endpoint, told = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, list[str]()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("deployer.view.telemetry._SECONDS", 1)
    emit = with_traces(lambda event: None, endpoint, "parcels", told.append)
    for event in (begun(), ended()):
        emit(event)
    assert len(told) == 1
