"""A real server's answers, as spans at a real OTLP receiver, and as a breakdown in its metrics."""

from __future__ import annotations

import json
import re
import sys

import pytest

from ..unit.serving.test_tracing import ENDPOINT, attributes, receiving
from .conftest import MODEL, RECORD, Firm
from .test_endpoint import free_port, serving

STEPS = ("parse", "validate", "decide", "look_up", "features", "model", "log", "write")
INNER = {"look_up", "features", "model"}
"""Parts of `decide`."""
MAYBE_NONE = {"validate", "look_up"}
"""Validation is a part of parsing where a record is good; this release looks nothing up."""


def test_every_answer_becomes_a_span_with_its_decisions_and_where_its_time_went(
    running: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    with receiving() as found:
        monkeypatch.setenv(ENDPOINT, found.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        with serving(running) as (client, server):
            _, one = client.predict(RECORD)
            traced = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
            body = json.dumps([RECORD, RECORD]).encode()
            _, two = client.send("POST", f"/v1/models/{MODEL}/predict", body, **traced)
            client.send("POST", "/predict", b"{")
            assert server.poll() is None
    spans = [span for span in found.spans if "POST" in span.name]
    said = [attributes(span) for span in spans]
    assert [one["http.response.status_code"] for one in said] == [200, 200, 400]
    assert said[0]["taxiway.decisions"] == [one["decision"]]
    assert said[1]["taxiway.decisions"] == [answer["decision"] for answer in two]
    assert spans[1].trace_id.hex() == trace
    for about, span in zip(said[:2], spans, strict=False):
        assert about["taxiway.release"] == f"{MODEL}:1"
        assert about["taxiway.model"] == MODEL
        steps = {step: about[f"taxiway.seconds.{step}"] for step in STEPS}
        assert all(seconds > 0 for step, seconds in steps.items() if step not in MAYBE_NONE)
        assert sum(steps[step] for step in INNER) <= steps["decide"]
        outer = sum(seconds for step, seconds in steps.items() if step not in INNER)
        assert outer <= (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
    assert str(RECORD["dest"]) not in str(found.spans)


def test_the_metrics_say_where_the_time_of_answers_goes(running: Firm) -> None:
    with serving(running) as (client, _):
        for _ in range(5):
            assert client.predict(RECORD)[0] == 200
        client._connection.request("GET", "/metrics")
        text = client._connection.getresponse().read().decode()
    found = dict(re.findall(r'taxiway_seconds_sum\{step="(\w+)".*?\} (\S+)', text))
    seconds = {step: float(value) for step, value in found.items()}
    assert seconds.keys() == {*STEPS, "total"}
    assert all(value > 0 for step, value in seconds.items() if step not in MAYBE_NONE)
    assert sum(seconds[step] for step in INNER) <= seconds["decide"]
    outer = ("parse", "validate", "decide", "log", "write")
    assert sum(seconds[step] for step in outer) <= seconds["total"]


def test_what_can_not_be_traced_as_asked_is_said_before_anything_starts(
    running: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "zipkin")
    said = running.run("serve", MODEL, code=2)
    assert "OTEL_TRACES_EXPORTER" in said


def test_without_the_extra_it_says_how_to_install_it(
    running: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Without:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            if name == "opentelemetry.sdk":
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.delitem(sys.modules, "opentelemetry.sdk", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Without(), *sys.meta_path])
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")
    for words in (["serve", MODEL], ["serve", "--stub", running.project]):
        said = running.run(*words, "--port", free_port(), code=8)
        assert "taxiway[otel]" in said
