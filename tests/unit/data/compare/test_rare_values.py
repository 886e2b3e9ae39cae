"""Texts of which most values stand in few rows: new ones are to be expected, in their number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

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
