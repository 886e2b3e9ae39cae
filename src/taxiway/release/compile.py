"""Compiling a release for serving, with proof: the quickest engine that answers as the original.

Each engine is tried in turn. What it answers is held against the fitted estimator on the whole
holdout and on adversarial rows: nulls, values that training never saw, extremes, and values at and
next to every split. An engine that differs by more than the charter allows, or flips a decision, is
refused; the last resort is the estimator itself.

A probability may differ by so much as it is, a number by so large a part of itself, or of the
spread of all answers where that is larger: nobody knows in which unit it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import numpy as np
import polars as pl

from taxiway.core.engine import Contributions, Engine, NotCompilableError
from taxiway.core.evidence import PARITY, Observation

ORIGINAL = "original"
SAMPLE_ROWS = 64
"""Rows of the holdout that adversarial values are put into."""
MOST_EDGES = 300
"""Split values of a column that are tried, spread over all of them."""
TINY = 5e-324
EXTREMES = (0.0, -0.0, TINY, -TINY, 1e-30, 1e30, -1e30, 2.0**53, -(2.0**53))
HUGE = (1e300, float("inf"))
"""Not every estimator takes these, so each has rows of its own. No contract lets an infinity in,
but features may make one."""
UNSEEN = ("", " ", "\u0000", "a value that training never saw", "é" * 200)
TIMED_CALLS = 20

Score = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    """The engine that was chosen, its files, and the proof."""

    engine: str
    files: Mapping[str, bytes]
    """Empty for the original: the estimator's own file serves it."""
    score: Score
    contributions: Contributions | None
    """What its columns add to the score, if the engine can tell."""
    observation: Observation
    """For the evidence PARITY."""


def compile_release(
    estimator: Any,
    original: Score,
    engines: Sequence[Engine],
    holdout: pl.DataFrame,
    *,
    training: pl.DataFrame,
    threshold: float | None,
    tolerance: float,
) -> Compiled:
    """The first engine that holds against the original, or the original itself.

    `holdout` and `training` have the model's columns; `threshold` is None where answers are
    numbers. The evidence says of every engine that was tried why it was refused, and what one row
    costs.
    """
    names = tuple(holdout.columns)
    tried: list[dict[str, Any]] = []
    chosen: tuple[str, Mapping[str, bytes], Score] = (ORIGINAL, {}, original)
    made: Contributions | None = None
    figures = _figures(holdout.height, 0, 0.0, 0)
    for engine in engines:
        try:
            files = engine.background(engine.compile(estimator, names), training)
            compiled = engine.load(files)
            figures_of = _held(original, compiled, engine.edges(files), holdout, threshold)
        except ModuleNotFoundError:
            raise  # a package that should be installed is no reason to serve more slowly
        except NotCompilableError as why:
            tried.append({"engine": engine.name, "verdict": "refused", "why": str(why)})
            continue
        except Exception as error:  # noqa: BLE001 - whatever a converter raises: it can't take it
            why_not = f"{type(error).__name__}: {error}"[:300]
            tried.append({"engine": engine.name, "verdict": "refused", "why": why_not})
            continue
        why_refused = _refusal(figures_of, tolerance)
        verdict = "refused" if why_refused else "chosen"
        tried.append({"engine": engine.name, "verdict": verdict, "why": why_refused, **figures_of})
        if not why_refused:
            figures = figures_of
            chosen = (engine.name, files, compiled)
            made = engine.contributions(files)
            break
    name, _, score = chosen
    found = {
        "engine": name,
        "tried": tried,
        **figures,
        "row_us": {
            which: row_us(call, holdout)
            for which, call in (("original", original), ("engine", score))
        },
    }
    observation = (PARITY, holdout.height, found, {"maximum_difference": tolerance})
    return Compiled(*chosen, made, observation)


def _figures(rows: int, adversarial: int, largest: float, flips: int) -> dict[str, Any]:
    return {
        "rows": rows,
        "adversarial_rows": adversarial,
        "largest_difference": largest,
        "flips": flips,
    }


def _refusal(figures: Mapping[str, Any], tolerance: float) -> str:
    if figures["largest_difference"] > tolerance:
        return f"it differs by {figures['largest_difference']:.2g}, {tolerance:.2g} is allowed"
    if figures["flips"]:
        return f"{figures['flips']} decisions of the holdout would be others"
    return ""


def _held(
    original: Score,
    compiled: Score,
    edges: Mapping[str, Sequence[float]],
    holdout: pl.DataFrame,
    threshold: float | None,
) -> dict[str, Any]:
    """How far a compiled model is from the original, at the most."""
    expected, found = original(holdout), compiled(holdout)
    flips = 0
    if threshold is not None:
        flips = int(((expected >= threshold) != (found >= threshold)).sum())
    spread = None if threshold is not None else float(np.std(expected)) or 1.0
    largest = _difference(expected, found, spread)
    examined = 0
    for rows in adversarial(holdout, edges):
        try:
            # That such values overflow is their purpose, and no news to whoever trains.
            with np.errstate(all="ignore"):
                expected = original(rows)
        except Exception:  # noqa: BLE001, S112 - the original refuses such values: nothing to hold against
            continue
        examined += rows.height
        largest = max(largest, _difference(expected, compiled(rows), spread))
    return _figures(holdout.height, examined, largest, flips)


def _difference(expected: Any, found: Any, spread: float | None) -> float:
    """The largest difference; infinite where the engine gives no number. With a spread, in parts of
    what is larger: it, or what was expected."""
    expected, found = np.asarray(expected), np.asarray(found)
    with np.errstate(invalid="ignore"):
        apart = np.where(expected == found, 0.0, np.abs(expected - found))
        if spread is not None:
            apart = apart / np.maximum(np.abs(expected), spread)
    return float(np.where(np.isnan(apart), np.inf, apart).max(initial=0.0))


def adversarial(
    holdout: pl.DataFrame, edges: Mapping[str, Sequence[float]]
) -> Iterator[pl.DataFrame]:
    """Frames of holdout rows with one column's values replaced by awkward ones."""
    sample = holdout.gather_every(max(1, holdout.height // SAMPLE_ROWS))
    for name, dtype in sample.schema.items():
        yield sample.with_columns(pl.lit(None, dtype).alias(name))
        if dtype.is_float():
            yield _with(sample, name, [*EXTREMES, *_around(edges.get(name, ()))], dtype)
            yield sample.with_columns(pl.lit(float("nan"), dtype).alias(name))
            for huge in HUGE:
                yield _with(sample, name, [huge, -huge], dtype)
        elif dtype.is_integer():
            low, high = dtype.min(), dtype.max()  # type: ignore[attr-defined]
            bounds = pl.select(low.alias("low"), high.alias("high")).row(0)
            yield _with(sample, name, [0, 1, *bounds], dtype)
        elif dtype == pl.String:
            yield _with(sample, name, UNSEEN, dtype)


def _around(edges: Sequence[float]) -> list[float]:
    """Split values, and the next number below and above each: where a comparison turns."""
    spread = sorted(set(edges))
    chosen = np.array(spread[:: max(1, len(spread) // MOST_EDGES)], dtype=np.float64)
    near = np.concatenate([chosen, np.nextafter(chosen, -np.inf), np.nextafter(chosen, np.inf)])
    # A 32-bit engine sees the nearest 32-bit number instead.
    return [*near.tolist(), *near.astype(np.float32).astype(np.float64).tolist()]


def _with(
    sample: pl.DataFrame, name: str, values: Sequence[Any], dtype: pl.DataType
) -> pl.DataFrame:
    """One row a value, over the sample's rows in turn."""
    rows = list(islice(cycle(range(sample.height)), max(len(values), sample.height)))
    column = pl.Series(name, list(islice(cycle(values), len(rows))), dtype=dtype)
    return sample[rows].with_columns(column)


def row_us(call: Score, holdout: pl.DataFrame) -> float:
    """Microseconds for one row, the fastest of some calls."""
    row = holdout[:1]
    best = float("inf")
    for _ in range(TIMED_CALLS):
        began = time.perf_counter()
        call(row)
        best = min(best, time.perf_counter() - began)
    return round(best * 1e6, 1)
