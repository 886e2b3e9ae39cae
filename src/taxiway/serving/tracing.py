"""Tracing: a span for each request, sent by OTLP over HTTP to whoever the environment names.

OpenTelemetry's own variables decide, and without them nothing of it is imported and nothing is
done: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/. Spans leave
in the background, in batches; a collector that is away costs spans, never answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxiway.core.errors import InputError, Problem

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
EXPORTER, DISABLED = "OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED"
SPOKEN = "http/protobuf"
SHOWN_DECISIONS = 100
"""Ids of decisions in one span; a collector drops spans that are too large."""
FLUSH_MS = 3_000


@dataclass(frozen=True, slots=True)
class Traced:
    """A request that was answered, and where its time went; nothing of what was sent."""

    method: str
    path: str
    """As it is in the table of routes."""
    status: int
    seconds: float
    steps: Mapping[str, float]
    """Step -> seconds; those of its group for what a group does together."""
    model: str | None
    release: str | None
    decisions: Sequence[str]
    parent: str | None
    """The header `traceparent` of whoever asked, as it came."""


@dataclass(frozen=True, slots=True)
class Tracing:
    """Takes note of requests until it is closed."""

    note: Callable[[Traced], None]
    close: Callable[[], None]


def is_asked_for(variables: Mapping[str, str]) -> bool:
    """Whether the environment asks for spans. Raises `InputError` if it asks for other than OTLP.

    >>> is_asked_for({})
    False
    >>> is_asked_for({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"})
    True
    """
    exporter = variables.get(EXPORTER, "").strip()
    named = any(variables.get(name) for name in ENDPOINTS)
    if variables.get(DISABLED, "").strip().lower() == "true" or exporter == "none":
        return False
    if not (named or exporter):
        return False
    protocol = next((variables[name] for name in PROTOCOLS if variables.get(name)), SPOKEN)
    problems = [
        Problem("it is not spoken here", where=where, found=found, expected=expected)
        for where, found, expected in (
            (EXPORTER, exporter or "otlp", "otlp"),
            (" or ".join(PROTOCOLS), protocol, SPOKEN),
        )
        if found != expected
    ]
    if problems:
        raise InputError(
            "Spans can't be sent as the environment says.",
            problems,
            todo=f"Send them to a collector, or set {DISABLED}=true.",
        )
    return True


def open_tracing(variables: Mapping[str, str], *, version: str) -> Tracing:
    """Starts OpenTelemetry. Raises `ModuleNotFoundError` if it is not installed."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.propagate import extract
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import SpanKind, Status, StatusCode

    # Whoever runs it may name it; what is given here would win.
    named = {} if variables.get("OTEL_SERVICE_NAME") else {"service.name": "taxiway"}
    provider = TracerProvider(resource=Resource.create({"service.version": version, **named}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("taxiway", version)

    def note(traced: Traced) -> None:
        end = time.time_ns()
        span = tracer.start_span(
            f"{traced.method} {traced.path}",
            context=extract({"traceparent": traced.parent}) if traced.parent else None,
            kind=SpanKind.SERVER,
            attributes=_attributes(traced),
            start_time=end - int(traced.seconds * 1e9),
        )
        if traced.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end_time=end)

    def close() -> None:
        provider.force_flush(FLUSH_MS)
        provider.shutdown()

    return Tracing(note, close)


def _attributes(traced: Traced) -> dict[str, Any]:
    """https://opentelemetry.io/docs/specs/semconv/http/http-spans/, and our own beside them."""
    found: dict[str, Any] = {
        "http.request.method": traced.method,
        "http.route": traced.path,
        "http.response.status_code": traced.status,
        **{f"taxiway.seconds.{step}": seconds for step, seconds in traced.steps.items()},
    }
    if traced.model:
        found["taxiway.model"] = traced.model
    if traced.decisions:
        found["taxiway.release"] = traced.release
        found["taxiway.decisions"] = list(traced.decisions[:SHOWN_DECISIONS])
        found["taxiway.rows"] = len(traced.decisions)
    return found
