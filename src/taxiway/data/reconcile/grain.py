"""Grain: a column of one table that is the sum or the mean of another's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from taxiway.data.reconcile.columns import Column
from taxiway.data.reconcile.forms import NUMBER, Floats, Hashes, numbers
from taxiway.data.reconcile.joins import Trial
from taxiway.data.reconcile.laws import EXPLAINED, Law, law_of, said
from taxiway.data.reconcile.names import plain
from taxiway.data.reconcile.ranks import rank_correlation

MOST_PAIRS = 200
MOST_KEYS = 2_000
HOW = {
    "sum": pl.col("v").sum(),
    "mean": pl.col("v").mean(),
    "largest": pl.col("v").max(),
    "smallest": pl.col("v").min(),
    "median": pl.col("v").median(),
}


@dataclass(frozen=True, slots=True)
class Grain:
    """A column of the coarse side, and the column of the fine side that it is made of."""

    coarse: Column
    fine: Column
    how: str
    law: Law
    each: float
    """Rows of the fine side for one of the coarse side, on average."""


def grains(
    trial: Trial, coarse: Sequence[Column], fine: Sequence[Column], *, many_left: bool
) -> list[Grain]:
    """Columns of the coarse side that are made of several rows of the fine side, whose groups have
    to be whole."""
    if not trial.whole or trial.how not in {"1:n", "n:1"}:
        return []
    ids, frame = (trial.left_ids, trial.left) if many_left else (trial.right_ids, trial.right)
    few_ids, few = (trial.right_ids, trial.right) if many_left else (trial.left_ids, trial.left)
    pairs = [
        (a, b)
        for a in coarse
        for b in fine
        if a.form.kind == b.form.kind == NUMBER and min(a.distinct, b.distinct) > 3
    ]
    pairs.sort(key=lambda pair: plain(pair[0].name) != plain(pair[1].name))
    found: list[Grain] = []
    for a, b in pairs[:MOST_PAIRS]:
        if any(one.coarse is a for one in found):
            continue
        one = _grain(
            a, b, (few_ids, numbers(few[a.name], a.form)), (ids, numbers(frame[b.name], b.form))
        )
        if one:
            found.append(one)
    return found


def _grain(
    coarse: Column, fine: Column, few: tuple[Hashes, Floats], many: tuple[Hashes, Floats]
) -> Grain | None:
    rows = (
        pl.DataFrame({"k": many[0], "v": many[1]})
        .filter(pl.col("k") != 0)
        .with_columns(pl.col("v").fill_nan(None))
    )
    groups = rows.group_by("k").agg(pl.len().alias("n"), *(how.alias(n) for n, how in HOW.items()))
    one = pl.DataFrame({"k": few[0], "x": few[1]}).filter(pl.col("k") != 0).unique("k")
    both = one.join(groups, on="k").sort("k")
    several = both.filter(pl.col("n") > 1)
    if several.height < 3:
        return None
    several = several.head(MOST_KEYS)
    x = several["x"].to_numpy()
    best: Grain | None = None
    for how in HOW:
        made = several[how].cast(pl.Float64).fill_null(np.nan).to_numpy()
        both_there = np.isfinite(x) & np.isfinite(made)
        if rank_correlation(x[both_there], made[both_there]) < 0.9:
            continue
        law = law_of(x, made) or _exactly(x, made)
        if law is None or law.explained < EXPLAINED or law.function:
            continue
        # A scale of temperature has another zero; a sum of several zeros has none.
        if law.offset and (how == "sum" or not said(law)):
            continue
        # A mean is a sum, too, where all groups are equally large: of both, the plain one.
        if best is None or law.factor == 1 != best.law.factor:
            best = Grain(coarse, fine, how, law, float(both["n"].to_numpy().mean()))
    return best


def _exactly(x: Floats, made: Floats) -> Law | None:
    """Few values that are equal to the last digit are no accident."""
    if len(np.unique(x)) < 3 or not np.allclose(x, made, rtol=1e-9, atol=0.0):
        return None
    return Law(1.0, 0.0, "", 1.0, 0.0, len(x))
