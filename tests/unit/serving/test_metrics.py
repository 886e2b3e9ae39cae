"""Metrics in the text format of Prometheus."""

from __future__ import annotations

import re

from taxiway.serving.metrics import Histogram, Metrics, ModelMetrics
from taxiway.serving.request import Worked

LINE = re.compile(r'[a-z_]+(\{([a-z]+="[^"\\\n]*",?)+\})? [0-9.e+-]+')


def test_a_histogram_counts_what_is_at_most_its_limits() -> None:
    histogram = Histogram([1, 2, 4])
    for value in (0.5, 1, 1.5, 4, 5):
        histogram.add(value)
    assert list(histogram.lines("rows")) == [
        'rows_bucket{le="1"} 2',
        'rows_bucket{le="2"} 3',
        'rows_bucket{le="4"} 4',
        'rows_bucket{le="+Inf"} 5',
        "rows_sum 12",
        "rows_count 5",
    ]


def test_all_that_was_done_is_told_in_lines_that_prometheus_reads() -> None:
    metrics = Metrics()
    metrics.requests["/predict", 200] += 3
    metrics.decisions["loans:3", True] += 2
    metrics.seconds["total"].add(0.02)
    loans = ModelMetrics(waiting=7)
    loans.worked(
        Worked(
            rows=32,
            requests=20,
            decided_seconds=0.004,
            features_seconds=0.001,
            model_seconds=0.002,
            looked_up_seconds=0.0003,
            logged_seconds=0.0005,
        )
    )
    loans.failures["loans:4"] += 2
    loans.shadow["loans:5", "dropped"] += 9
    text = metrics.text({"loans": loans})
    lines = text.splitlines()
    assert text.endswith("\n")
    assert all(line.startswith("# ") or LINE.fullmatch(line) for line in lines)
    for line in (
        'taxiway_requests_total{path="/predict",status="200"} 3',
        'taxiway_decisions_total{release="loans:3",prediction="true"} 2',
        'taxiway_seconds_bucket{step="total",le="0.025"} 1',
        'taxiway_seconds_bucket{step="log",model="loans",le="0.0005"} 1',
        'taxiway_seconds_sum{step="decide",model="loans"} 0.004',
        'taxiway_seconds_sum{step="features",model="loans"} 0.001',
        'taxiway_seconds_sum{step="model",model="loans"} 0.002',
        'taxiway_group_rows_bucket{model="loans",le="16"} 0',
        'taxiway_group_rows_bucket{model="loans",le="32"} 1',
        'taxiway_waiting_requests{model="loans"} 7',
        'taxiway_canary_failures_total{release="loans:4"} 2',
        'taxiway_shadow_records_total{release="loans:5",outcome="dropped"} 9',
    ):
        assert line in lines
    typed = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(typed) == len(set(typed)) == 8
