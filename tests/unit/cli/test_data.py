"""What `taxiway data` draws: little histograms and a line a column."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from taxiway.cli.data import data
from taxiway.cli.data.show import CELLS, holds, shape
from taxiway.data.profile import column_profile


def of(values: list[Any], kind: str) -> dict[str, Any]:
    return column_profile(pl.Series("x", values), kind)


def test_shape_of_values_is_a_bar_a_value() -> None:
    assert shape(of([1, 1, 2, None], "integer")) == "█▅"
    assert shape(of([True, False], "boolean")) == "██"


def test_shape_of_numbers_follows_the_density() -> None:
    """A normal sample has its highest bar in the middle and its lowest at the ends."""
    drawn = np.random.default_rng(7).normal(size=10_000)
    bars = shape(of(drawn.tolist(), "number"))
    assert len(bars) == CELLS
    assert bars.index("█") in range(CELLS // 2 - 2, CELLS // 2 + 2)
    assert bars[0] == bars[-1] == min(bars)


def test_shape_of_even_numbers_is_flat() -> None:
    bars = shape(of([float(n) for n in range(1_000)], "number"))
    assert set(bars) <= {"█", "▇"}


def test_shape_of_a_long_tail() -> None:
    bars = shape(of([float(n % 50) for n in range(1_000)] + [10_000.0], "number"))
    assert bars.startswith("█")


@pytest.mark.parametrize(
    ("values", "kind"), [([None], "integer"), ([None], "string"), ([], "number")]
)
def test_nothing_has_no_shape(values: list[Any], kind: str) -> None:
    empty = of(values, kind)
    assert shape(empty) == ""
    assert holds(empty) == ""


def test_times() -> None:
    column = of([datetime(2013, 3, 1, tzinfo=UTC)], "timestamp")
    assert shape(column) == ""
    assert holds(column) == "2013-03-01T00:00:00.000000Z to 2013-03-01T00:00:00.000000Z"


def test_numbers_show_their_quantiles() -> None:
    assert holds(of(list(range(101)), "integer")) == "0 … 10 … 50 … 90 … 100 (mean 50)"


def test_text_shows_its_most_frequent_values() -> None:
    values = ["a"] * 6 + ["b"] * 2 + ["c", "d", "e", "f"]
    assert holds(of(values, "string")) == "a 50%, b 17%, c 8%, d 8%, others 17%"
    assert holds(of([True, True, False], "boolean")) == "false 33%, true 67%"


@pytest.mark.parametrize("verb", ["check", "snapshot", "show"])
def test_every_verb_has_an_example(verb: str) -> None:
    done = CliRunner().invoke(data, [verb, "--help"])
    assert done.exit_code == 0
    assert "Example: taxiway data" in done.output
    assert "--json" in done.output
