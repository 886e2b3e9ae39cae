"""Spans: asked for by OpenTelemetry's own variables, and taken by a real OTLP receiver."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from taxiway.core.errors import InputError
from taxiway.serving.tracing import SHOWN_DECISIONS, Traced, is_asked_for, open_tracing

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACED = Traced(
    method="POST",
    path="/predict",
    status=200,
    seconds=0.25,
    steps={"parse": 0.001, "log": 0.002},
    model="churn",
    release="churn:3",
    decisions=("01k", "01m"),
    parent=None,
)


@dataclass
class Receiver:
    """What arrived."""

    port: int
    spans: list[Any] = field(default_factory=list)
    services: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """An OTLP receiver on loopback, as the protocol says: POST /v1/traces, protobuf."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path == "/v1/traces":
                for one in ExportTraceServiceRequest.FromString(body).resource_spans:
                    found.services.append(attributes(one.resource))
                    found.spans += [span for scope in one.scope_spans for span in scope.spans]
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Receiver(server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def attributes(of: Any) -> dict[str, Any]:
    return {one.key: _plain(one.value) for one in of.attributes}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(one) for one in value.array_value.values]
    return getattr(value, kind)


@pytest.mark.parametrize(
    ("variables", "asked"),
    [
        ({}, False),
        ({ENDPOINT: ""}, False),
        ({ENDPOINT: "http://127.0.0.1:1"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", ENDPOINT: "http://127.0.0.1:1"}, False),
        ({"OTEL_SDK_DISABLED": "TRUE", ENDPOINT: "http://127.0.0.1:1"}, False),
        ({"OTEL_SERVICE_NAME": "flights"}, False),
    ],
)
def test_the_variables_decide(variables: dict[str, str], *, asked: bool) -> None:
    assert is_asked_for(variables) is asked


def test_what_is_not_spoken_is_said_all_at_once() -> None:
    asked = {"OTEL_TRACES_EXPORTER": "zipkin", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    with pytest.raises(InputError, match="can't be sent") as error:
        is_asked_for(asked)
    assert [one.found for one in error.value.problems] == ["zipkin", "grpc"]


def test_a_span_says_what_came_of_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as found:
        monkeypatch.setenv(ENDPOINT, found.url)
        tracing = open_tracing({}, version="1.2")
        tracing.note(TRACED)
        tracing.close()
    (span,) = found.spans
    assert span.name == "POST /predict"
    assert attributes(span) == {
        "http.request.method": "POST",
        "http.route": "/predict",
        "http.response.status_code": 200,
        "taxiway.model": "churn",
        "taxiway.release": "churn:3",
        "taxiway.decisions": ["01k", "01m"],
        "taxiway.rows": 2,
        "taxiway.seconds.parse": 0.001,
        "taxiway.seconds.log": 0.002,
    }
    assert span.end_time_unix_nano - span.start_time_unix_nano == 250_000_000
    assert found.services[0]["service.name"] == "taxiway"
    assert found.services[0]["service.version"] == "1.2"


def test_it_goes_on_with_the_callers_trace_and_marks_what_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    many = tuple(str(number) for number in range(SHOWN_DECISIONS + 50))
    asked = [(f"00-{trace}-{parent}-01", 503), ("no trace at all", 422), ("00-" + "0" * 500, 200)]
    with receiving() as found:
        monkeypatch.setenv(ENDPOINT, found.url)
        monkeypatch.setenv("OTEL_SERVICE_NAME", "flights")
        tracing = open_tracing({"OTEL_SERVICE_NAME": "flights"}, version="1.2")
        for header, status in asked:
            tracing.note(Traced("POST", "/predict", status, 0.1, {}, None, "churn:3", many, header))
        tracing.close()
    first, second, third = found.spans
    assert (first.trace_id.hex(), first.parent_span_id.hex()) == (trace, parent)
    assert not second.parent_span_id
    assert not third.parent_span_id
    assert [span.status.code for span in found.spans] == [2, 0, 0]
    assert len(attributes(first)["taxiway.decisions"]) == SHOWN_DECISIONS
    assert attributes(first)["taxiway.rows"] == len(many)
    assert found.services[0]["service.name"] == "flights"


def test_a_collector_that_is_away_holds_nobody_up() -> None:
    """In a process of its own: it ends within seconds, and says so on its error stream only."""
    code = """
from taxiway.serving.tracing import Traced, open_tracing
tracing = open_tracing({}, version="1")
for _ in range(10):
    tracing.note(Traced("POST", "/predict", 200, 0.1, {}, "churn", "churn:3", ("1",), None))
tracing.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={ENDPOINT: "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout == ""


def test_nothing_of_it_is_imported_unless_it_is_asked_for() -> None:
    code = (
        "import sys, taxiway.serving.tracing as t; t.is_asked_for({});"
        " print([m for m in sys.modules if m.startswith(('opentelemetry', 'google'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
