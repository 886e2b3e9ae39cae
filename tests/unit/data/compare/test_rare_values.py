"""Texts of which most values stand in few rows: new ones are to be expected, in their number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from taxiway.data.compare.page import page
from taxiway.data.compare.words import column_sentence

Held = Callable[..., Any]


def verdict(held: Held, training: list[str], production: list[str]) -> str:
    frames = [pl.DataFrame({"town": side}) for side in (training, production)]
    found = held(*frames, classifier=False)
    return str(found.columns[0].verdict)


@pytest.mark.parametrize("rows", [(900, 901), (901, 900), (990, 600), (600, 990)])
@pytest.mark.parametrize("names", [600, 1_500, 10**9])
def test_halves_of_rare_values_are_alike(held: Held, rows: tuple[int, int], names: int) -> None:
    rng = np.random.default_rng(rows[0])
    drawn = [f"t{n:010}" for n in rng.integers(0, names, sum(rows))]
    assert verdict(held, drawn[: rows[0]], drawn[rows[0] :]) != "different"


def test_more_new_ones_than_to_be_expected_differ(held: Held) -> None:
    rng = np.random.default_rng(3)
    old, new = ([f"{s}{n:03}" for n in rng.integers(0, 300, 900)] for s in "an")
    assert verdict(held, old, old[:600] + new[:300]) == "different"
    assert verdict(held, old, new) == "different"


def test_values_that_only_one_half_has_by_chance(held: Held) -> None:
    other = {"n": range(600)}
    none = pl.Series([None] * 600, dtype=pl.String)
    training = pl.DataFrame({"week": none, **other})
    rare = pl.DataFrame({"week": [7, *[None] * 599], **other})
    often = pl.DataFrame({"week": [7] * 300 + [None] * 300, **other})
    assert held(training, rare).columns[0].verdict == "same"
    assert held(rare, training).columns[0].verdict == "same"
    assert held(training, training).columns[0].verdict == "same"
    assert held(training, often).columns[0].verdict == "different"
    found = held(often, training, classifier=True)
    assert found.columns[0].verdict == "different"
    assert "missing in 50% -> 100% of the rows" in column_sentence(found, found.columns[0])
    assert "<svg" in page(found)
