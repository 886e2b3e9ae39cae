"""The table and the verdicts, as they are printed."""

from __future__ import annotations

from collections.abc import Sequence

from bench.bars import Bar, best_peer, named
from bench.results import Load, Results

WORDS = {True: "met", False: "NOT MET", None: "-"}


def table(results: Results) -> None:
    """Every load with every server, and what each took to start."""
    for model, workers, load in results.groups():
        count = "1 worker" if workers == 1 else f"{workers} workers"
        print(f"\n{model}, {named(load)}, {count}")
        print(
            f"  {'server':16} {'requests/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'CPU ms':>7}"
            f" {'bad':>5} {'x mlflow':>9} {'x best peer':>12} {'of no-op':>9}"
        )
        best = best_peer(results, model, workers, load)
        mlflow, noop = (_rate(results, model, workers, load, n) for n in ("mlflow", "no-op"))
        for server in results.servers(model, workers):
            found = results.at(model, workers, server, load)
            if found is None:
                continue
            rate = found["requests_per_second"]
            print(
                f"  {server:16} {rate:10,.0f} {found['p50_ms']:8.2f} {found['p99_ms']:8.2f}"
                f" {_milliseconds(found.get('cpu_ms')):>7} {found['bad']:5.0f}"
                f" {_times(rate, mlflow):>9} {_times(rate, best and best[1]):>12}"
                f" {_share(rate, noop):>9}"
            )
    print(f"\n{'model':7} {'workers':>7} {'server':16} {'cold start s':>12} {'memory MB':>10}")
    for model, workers, server in results.started:
        start = results.start(model, workers, server)
        if start is not None:
            took = f"{start.cold_seconds:12.2f} {start.megabytes:10.0f}"
            print(f"{model:7} {workers:7} {server:16} {took}")
    for (model, workers, server), why in results.failed.items():
        print(f"left out: {server}, {model}, {workers} workers: {why}")


def verdicts(bars: Sequence[Bar]) -> None:
    """One line for each bar."""
    print(f"\n{'bar':62} {'wanted':>14} {'measured':>22}")
    for bar in bars:
        print(f"{bar.what:62} {bar.wanted:>14} {bar.measured:>22}  {WORDS[bar.met]}")


def _rate(results: Results, model: str, workers: int, load: Load, server: str) -> float | None:
    found = results.at(model, workers, server, load)
    return found["requests_per_second"] if found else None


def _milliseconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _times(rate: float, other: float | None) -> str:
    return f"{rate / other:.1f}" if other else ""


def _share(rate: float, other: float | None) -> str:
    return f"{rate / other:.0%}" if other else ""
