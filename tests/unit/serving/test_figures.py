"""Workers' figures add up, and what a worker has counted does not go with it."""

from __future__ import annotations

import os
from pathlib import Path

from taxiway.serving.figures import FRESH_SECONDS, Figures
from taxiway.serving.metrics import Metrics, ModelMetrics
from taxiway.serving.request import Worked


def text(requests: int, waiting: int, path: str = "/predict") -> str:
    metrics, loans = Metrics(), ModelMetrics(waiting=waiting)
    metrics.requests[path, 200] += requests
    loans.worked(Worked(32, 20, 0.004, 0.001, 0.002, 0.0003, 0.0005))
    return metrics.text({"loans": loans})


def other(folder: Path, name: str, written: str, *, ago: float = 0) -> None:
    path = folder / f"{name}.prom"
    path.write_text(written)
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - ago))


def test_what_counts_and_what_waits_adds_up(tmp_path: Path) -> None:
    figures = Figures(tmp_path)
    figures.write(text(9, 9))
    other(tmp_path, "1", text(2, 3))
    other(tmp_path, "2", text(5, 4, "/ready"))
    lines = figures.added(text(10, 1)).splitlines()
    assert 'taxiway_requests_total{path="/predict",status="200"} 12' in lines
    assert 'taxiway_requests_total{path="/ready",status="200"} 5' in lines
    assert 'taxiway_waiting_requests{model="loans"} 8' in lines
    assert 'taxiway_group_rows_bucket{model="loans",le="32"} 3' in lines
    assert 'taxiway_group_rows_sum{model="loans"} 96' in lines
    # One head for each metric, and its series below it.
    heads = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(heads) == len(set(heads))
    at = lines.index('taxiway_requests_total{path="/ready",status="200"} 5')
    assert lines[at - 3].startswith("# HELP taxiway_requests_total")


def test_a_worker_that_has_ended_leaves_its_counts_and_nothing_that_waits(tmp_path: Path) -> None:
    other(tmp_path, "1", text(2, 3), ago=FRESH_SECONDS + 1)
    lines = Figures(tmp_path).added(text(10, 1)).splitlines()
    assert 'taxiway_requests_total{path="/predict",status="200"} 12' in lines
    assert 'taxiway_waiting_requests{model="loans"} 1' in lines


def test_alone_it_says_what_it_would_say_anyhow(tmp_path: Path) -> None:
    own = text(1, 0)
    assert Figures(tmp_path).added(own).split() == own.split()
