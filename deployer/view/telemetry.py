"""Traces by OpenTelemetry: a span for the release and one for each node, sent when the release ends.

Where they go says the process environment (`OTEL_EXPORTER_OTLP_ENDPOINT`); a release within a trace
(`TRACEPARENT`) joins it. Names: https://opentelemetry.io/docs/specs/semconv/cicd/cicd-spans/
"""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from deployer.events import Begun, Emit, Ended, Entered, Event, Failed, Left, Retried

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_RESULTS: Final = {
    "END_SUCCESS": "success",
    "END_FAILED": "failure",
    "PAUSED": "failure",
    "INTERRUPTED": "cancellation",
    "DETACHED": "skip",
}
_SECONDS: Final = 5


def with_traces(
    emit: Emit,
    environ: Mapping[str, str],
    project: str,
    notify: Callable[[str], None],
    exporter: "SpanExporter | None" = None,
) -> Emit:
    """The same listener, and a trace after its last event; just `emit` where no endpoint is named. A trace
    that cannot be sent is said and makes no release worse."""
    if exporter is None:
        if not any(environ.get(name) for name in _ENDPOINTS):
            return emit
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError:
            notify("no trace is sent: pip install 'deployer[otel]'")
            return emit
        exporter = OTLPSpanExporter(timeout=_SECONDS)
    trace = _Trace(environ, project, exporter, notify)

    def listen(event: Event) -> None:
        emit(event)
        trace.apply(event)

    return listen


class _Trace:
    """The spans of one process's part of a release."""

    def __init__(
        self,
        environ: Mapping[str, str],
        project: str,
        exporter: "SpanExporter",
        notify: Callable[[str], None],
    ) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._project, self._exporter, self._notify = project, exporter, notify
        self._ended = InMemorySpanExporter()
        provider = TracerProvider(
            resource=Resource.create({"service.name": "deployer"}), shutdown_on_exit=False
        )
        provider.add_span_processor(SimpleSpanProcessor(self._ended))
        self._tracer = provider.get_tracer("deployer")
        carrier = {
            name: environ[name.upper()] for name in ("traceparent", "tracestate") if name.upper() in environ
        }
        self._within = TraceContextTextMapPropagator().extract(carrier)
        self._release: Any = None
        self._node: Any = None
        self._failure = ""

    def apply(self, event: Event) -> None:
        from opentelemetry.trace import SpanKind, set_span_in_context

        if isinstance(event, Begun):
            names = {
                "cicd.pipeline.name": self._project,
                "cicd.pipeline.action.name": "RUN",
                "cicd.pipeline.run.id": event.release,
                "deployment.environment.name": event.env,
            }
            self._release = self._tracer.start_span(
                f"RUN {self._project}", self._within, SpanKind.SERVER, names
            )
        elif self._release is None:
            return
        elif isinstance(event, Entered):
            names = {
                "cicd.pipeline.task.name": event.node,
                "cicd.pipeline.task.run.id": f"{event.node}-{event.visit}",
            }
            context = set_span_in_context(self._release)
            self._node = self._tracer.start_span(event.node, context, attributes=names)
        elif isinstance(event, Retried) and self._node:
            self._node.add_event("retry", {"error.message": event.error, "attempt": event.attempt})
        elif isinstance(event, Failed):
            self._failure = "/".join(filter(None, (event.failure_class, event.subcause)))
        elif isinstance(event, Left) and self._node:
            self._close(self._node, "cicd.pipeline.task.run.result", "skip" if event.skipped else "success")
            self._node = None
        elif isinstance(event, Ended):
            result = _RESULTS.get(event.end, "error")
            if self._node:
                self._close(self._node, "cicd.pipeline.task.run.result", result)
            self._release.set_attribute("deployer.exit_code", event.exit_code)
            self._close(self._release, "cicd.pipeline.result", result)
            self._send()

    def _close(self, span: Any, name: str, result: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        span.set_attribute(name, result)
        if result in ("failure", "error"):
            span.set_attribute("error.type", self._failure or "unknown")
            span.set_status(Status(StatusCode.ERROR, self._failure))
        span.end(time.time_ns())

    def _send(self) -> None:
        from opentelemetry.sdk.trace.export import SpanExportResult

        if self._exporter.export(self._ended.get_finished_spans()) is not SpanExportResult.SUCCESS:
            self._notify("the release's trace could not be sent to the OpenTelemetry endpoint")
