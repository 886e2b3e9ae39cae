"""Metrics of an endpoint in the text format that Prometheus reads.

https://prometheus.io/docs/instrumenting/exposition_formats/. Each figure is written by one thread
only, so none needs a lock: those of requests by the loop, those of a model by the thread that
decides for it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taxiway.core.decided import Decided
from taxiway.core.decision import Decision
from taxiway.serving.request import Worked

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 10_000)
STEPS = ("parse", "validate", "write", "total")
"""Where the time of a request goes, beside that of its group."""
GROUP_STEPS = ("decide", "look_up", "features", "model", "log")
"""Where the time of a group goes; what stands between `decide` and `log` is a part of `decide`."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Histogram:
    """How often something was at most so much."""

    def __init__(self, limits: Sequence[float]) -> None:
        self._limits = tuple(limits)
        self._counts = [0] * (len(limits) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect_left(self._limits, value)] += 1
        self._sum += value

    def lines(self, name: str, labels: str = "") -> Iterator[str]:
        """Its lines; `labels` such as `step="log"`."""
        below = 0
        for limit, count in zip((*self._limits, "+Inf"), self._counts, strict=True):
            below += count
            inner = ",".join(filter(None, [labels, f'le="{limit}"']))
            yield f"{name}_bucket{{{inner}}} {below}"
        outer = f"{{{labels}}}" if labels else ""
        yield f"{name}_sum{outer} {self._sum:.9g}"
        yield f"{name}_count{outer} {below}"


def _timed(steps: Sequence[str]) -> dict[str, Histogram]:
    return {step: Histogram(SECONDS) for step in steps}


@dataclass(slots=True)
class ModelMetrics:
    """What was done for one model."""

    seconds: dict[str, Histogram] = field(default_factory=lambda: _timed(GROUP_STEPS))
    group_rows: Histogram = field(default_factory=lambda: Histogram(ROWS))
    failures: Counter[str] = field(default_factory=Counter)
    """Canary -> records on which it failed, and which the champion answered."""
    shadow: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(challenger, `decided`, `dropped` or `failed`) -> records."""
    looked_up: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(view, `found` or `nothing`) -> records whose features were looked up there."""
    waiting: int = 0
    """Requests that wait now; looked up when it is asked for."""

    def worked(self, group: Worked) -> None:
        """Takes note of a group, in the thread that decided it."""
        self.group_rows.add(group.rows)
        self.seconds["decide"].add(group.decided_seconds)
        self.seconds["look_up"].add(group.looked_up_seconds)
        self.seconds["features"].add(group.features_seconds)
        self.seconds["model"].add(group.model_seconds)
        self.seconds["log"].add(group.logged_seconds)


@dataclass(slots=True)
class Metrics:
    """What one process has done since it started."""

    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    """(path, status) -> how many."""
    decisions: Counter[tuple[str, bool | None]] = field(default_factory=Counter)
    """(release, prediction; None for a number) -> how many."""
    seconds: dict[str, Histogram] = field(default_factory=lambda: _timed(STEPS))

    def decided(self, decisions: Sequence[Decision]) -> None:
        """Takes note of decisions whose answer has left."""
        if isinstance(decisions, Decided):
            release = decisions.release
            for output in decisions.outputs:
                self.decisions[release, _yes_or_no(output)] += 1
            return
        for one in decisions:
            self.decisions[one.release, _yes_or_no(one.output)] += 1

    def text(self, models: Mapping[str, ModelMetrics]) -> str:
        """All of them, and those of some models by their names."""
        return "\n".join([*self._lines(models), ""])

    def _lines(self, models: Mapping[str, ModelMetrics]) -> Iterator[str]:
        yield from _head("taxiway_requests_total", "counter", "Requests, by path and status.")
        for (path, status), count in sorted(self.requests.items()):
            labels = f'path="{path}",status="{status}"'
            yield f"taxiway_requests_total{{{labels}}} {count}"
        yield from _head("taxiway_decisions_total", "counter", "Decisions that were logged.")
        for (release, prediction), count in sorted(self.decisions.items(), key=str):
            said = "number" if prediction is None else str(prediction).lower()
            labels = f'release="{release}",prediction="{said}"'
            yield f"taxiway_decisions_total{{{labels}}} {count}"
        yield from _head("taxiway_seconds", "histogram", "Seconds of requests and their groups.")
        for step, histogram in self.seconds.items():
            yield from histogram.lines("taxiway_seconds", f'step="{step}"')
        for name, model in models.items():
            for step, histogram in model.seconds.items():
                yield from histogram.lines("taxiway_seconds", f'step="{step}",model="{name}"')
        yield from _head("taxiway_group_rows", "histogram", "Rows that were decided together.")
        for name, model in models.items():
            yield from model.group_rows.lines("taxiway_group_rows", f'model="{name}"')
        yield from _head("taxiway_waiting_requests", "gauge", "Requests that wait for their turn.")
        for name, model in models.items():
            yield f'taxiway_waiting_requests{{model="{name}"}} {model.waiting}'
        for counted in COUNTED:
            yield from counted(models)


def _yes_or_no(output: Mapping[str, Any]) -> bool | None:
    """What a decision is counted as: a label for each number would never end."""
    said = output["prediction"]
    return said if isinstance(said, bool) else None


def _head(name: str, kind: str, help: str) -> Iterator[str]:
    yield f"# HELP {name} {help}"
    yield f"# TYPE {name} {kind}"


def _canary_failures(models: Mapping[str, ModelMetrics]) -> Iterator[str]:
    text = "Records on which a canary failed; the champion answered."
    yield from _head("taxiway_canary_failures_total", "counter", text)
    for model in models.values():
        for release, count in sorted(model.failures.items()):
            yield f'taxiway_canary_failures_total{{release="{release}"}} {count}'


def _shadow_records(models: Mapping[str, ModelMetrics]) -> Iterator[str]:
    text = "Records for a challenger in shadow, by what became of them."
    yield from _head("taxiway_shadow_records_total", "counter", text)
    for model in models.values():
        for (release, outcome), count in sorted(model.shadow.items()):
            labels = f'release="{release}",outcome="{outcome}"'
            yield f"taxiway_shadow_records_total{{{labels}}} {count}"


def _looked_up(models: Mapping[str, ModelMetrics]) -> Iterator[str]:
    text = "Records that brought no features, by view and by whether it had any for them."
    yield from _head("taxiway_features_looked_up_total", "counter", text)
    for name, model in models.items():
        for (view, outcome), count in sorted(model.looked_up.items()):
            labels = f'model="{name}",view="{view}",outcome="{outcome}"'
            yield f"taxiway_features_looked_up_total{{{labels}}} {count}"


COUNTED = (_canary_failures, _shadow_records, _looked_up)
"""What is counted of some models only."""
