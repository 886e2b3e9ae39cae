"""Tables in which nearly everything was changed at once, and tables that agree by chance only."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from .conftest import found_between, kinds

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def test_many_changes_at_once_are_told_apart(orders: pl.DataFrame) -> None:
    changed = orders.sample(fraction=1, shuffle=True, seed=2).with_columns(
        pl.col("amount") * 100,
        (pl.col("kilograms") * 2.2046226).round(2),
        (pl.col("degrees") * 1.8 + 32).round(1),
        pl.col("country").replace_strict(["DE", "FR", "IT", "ES"], list("wxyz")),
        pl.col("month").replace_strict(list(range(1, 13)), MONTHS),
        pl.col("at") + pl.duration(hours=2),
        (pl.col("hour") + 2) % 24,
    )
    found = {column: kind for kind, column, _ in kinds(found_between(orders, changed))}
    assert found == {
        "amount": "unit",
        "kilograms": "unit",
        "degrees": "unit",
        "country": "coding",
        "month": "coding",
        "at": "clock",
        "hour": "clock",
    }


def test_few_values_agree_by_chance_and_are_no_synonyms() -> None:
    random, rows = np.random.default_rng(1), 2_000

    def noise(prefix: str) -> dict[str, Any]:
        few = {f"{prefix}{i}": random.integers(0, 2 + i % 7, rows) for i in range(40)}
        rare = {
            f"{prefix}r{i}": (random.random(rows) < 0.003 * (i + 1)).astype(int) for i in range(15)
        }
        return few | rare

    left = pl.DataFrame({"key": [f"k{n}" for n in range(rows)], **noise("a")})
    right = pl.DataFrame({"key": [f"k{n}" for n in random.permutation(rows)], **noise("b")})
    found = found_between(left, right)
    assert found.pairs[0].matched == rows
    assert kinds(found) == set()


def test_two_words_for_nothing_are_one_finding(orders: pl.DataFrame) -> None:
    some = pl.Series(np.random.default_rng(3).random(orders.height) < 0.05)
    left, right = (
        orders.with_columns(
            pl.when(some).then(word).otherwise(pl.col("kilograms")).alias("kilograms")
        )
        for word in (-9999, 999)
    )
    assert kinds(found_between(left, right)) == {("sentinel", "kilograms", "kilograms")}


def test_stale_values_differ_and_rows_of_other_things_are_left_out(orders: pl.DataFrame) -> None:
    some = pl.Series(np.random.default_rng(4).random(orders.height) < 0.1)
    stale = orders.with_columns(
        pl.when(some).then(pl.col("degrees").shuffle(seed=1)).otherwise(pl.col("degrees"))
    )
    assert kinds(found_between(orders, stale)) == {("differs", "degrees", "degrees")}
    mixed = orders.select(orders.columns[1:]).sample(fraction=1, shuffle=True, seed=1)
    other = orders.with_columns(
        orders[name].zip_with(~some, mixed[name]) for name in orders.columns[1:]
    )
    found = found_between(orders, other)
    assert kinds(found) == set()
    assert "disagree in most columns" in found.pairs[0].notes[0]
