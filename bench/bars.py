"""The bars of online serving, each held against what this run measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.peers import PEERS
from bench.results import Load, Results

ONE = Load(1, 32)
ALONE = Load(1, 1)
HUNDRED = Load(100, 8)
OURS = "taxiway"


@dataclass(frozen=True, slots=True)
class Bar:
    """One promise, and what came of it."""

    what: str
    wanted: str
    measured: str
    met: bool | None
    """None if a side of it was not measured."""


def judge(results: Results) -> list[Bar]:
    """One verdict for each bar, in the order of the promise."""
    return [bar for make in (_rates, _tails, _workers, _starts) for bar in make(results)]


def best_peer(
    results: Results, model: str, workers: int, load: Load, key: str = "requests_per_second"
) -> tuple[str, float] | None:
    """The neighbour that is best at something: most requests, or the lowest p99."""
    found = [
        (peer.name, figures[key])
        for peer in PEERS
        if (figures := results.at(model, workers, peer.name, load))
    ]
    choose: Callable[..., tuple[str, float]] = max if key == "requests_per_second" else min
    return choose(found, key=lambda one: one[1]) if found else None


RATES = (
    # (model, load, neighbour or None for the best one, at least so many times)
    ("mixed", ONE, "mlflow", 50.0),
    ("mixed", ONE, None, 30.0),
    ("mixed", ONE, "no-op", 0.35),
    ("mixed", ALONE, None, 5.0),
    ("xgb", ONE, "mlflow", 100.0),
    ("xgb", ONE, None, 15.0),
    ("mixed", HUNDRED, None, 10.0),
    ("xgb", HUNDRED, None, 3.0),
)


def _rates(results: Results) -> Iterator[Bar]:
    for model, load, other, wanted in RATES:
        ours = results.at(model, 1, OURS, load)
        rate = _rate(results, model, load, other)
        name = "the best peer" if other is None else other
        what = f"{model}, {named(load)}: requests/s against {name}"
        if ours is None or rate is None:
            yield Bar(what, f"{wanted:g} x", "not measured", None)
            continue
        ratio = ours["requests_per_second"] / rate[1]
        found = f"{ratio:.3g} x" + (f" {rate[0]}" if other is None else "")
        yield Bar(what, f"{wanted:g} x", found, ratio >= wanted)


def _rate(results: Results, model: str, load: Load, other: str | None) -> tuple[str, float] | None:
    if other is None:
        return best_peer(results, model, 1, load)
    found = results.at(model, 1, other, load)
    return (other, found["requests_per_second"]) if found else None


def _tails(results: Results) -> Iterator[Bar]:
    for load in (ALONE, ONE):
        ours = results.at("mixed", 1, OURS, load)
        best = best_peer(results, "mixed", 1, load, "p99_ms")
        what = f"mixed, {named(load)}: p99 against the best peer's"
        if ours is None or best is None:
            yield Bar(what, "below 0.1 x", "not measured", None)
            continue
        ratio = ours["p99_ms"] / best[1]
        yield Bar(what, "below 0.1 x", f"{ratio:.3g} x {best[0]}", ratio < 0.1)


def _workers(results: Results) -> Iterator[Bar]:
    for model in ("mixed", "xgb"):
        for load in (ONE, HUNDRED):
            what = f"{model}, {named(load)}: two workers against one"
            one, two = (results.at(model, workers, OURS, load) for workers in (1, 2))
            if one is None or two is None:
                yield Bar(what, "1.6 x", "not measured", None)
                continue
            ratio = two["requests_per_second"] / one["requests_per_second"]
            yield Bar(what, "1.6 x", f"{ratio:.2f} x", ratio >= 1.6)


def _starts(results: Results) -> Iterator[Bar]:
    for model in ("mixed", "xgb"):
        start = results.start(model, 1, OURS)
        for what, wanted, unit in (
            ("cold start to the first answer", 1.5, "s"),
            ("memory of all its processes", 200.0, "MB"),
        ):
            if start is None:
                yield Bar(f"{model}: {what}", f"under {wanted:g} {unit}", "not measured", None)
                continue
            found = start.cold_seconds if unit == "s" else start.megabytes
            measured = f"{found:.3g} {unit}"
            yield Bar(f"{model}: {what}", f"under {wanted:g} {unit}", measured, found < wanted)


def named(load: Load) -> str:
    """A load in words."""
    rows = "1 row" if load.rows == 1 else f"{load.rows} rows"
    return f"{rows}, {load.concurrency} connection{'s' if load.concurrency > 1 else ''}"
