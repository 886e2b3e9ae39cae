"""Spelling: what has to be done to one column's texts so that they are the other's, letter by
letter."""

from __future__ import annotations

from itertools import product
from typing import Any

import polars as pl

from taxiway.data.mapping import STEPS
from taxiway.data.reconcile.forms import share_of

HOLDS = 0.98


def respelled(x: pl.Series, y: pl.Series) -> dict[str, Any] | None:
    """How texts of y have to be spelled to be those of x; None if no rule of ours does it."""
    pairs = pl.DataFrame({"x": x, "y": y}).drop_nulls().head(2_000)
    if not pairs.height:
        return None
    width = _width(pairs["x"])
    prefix, other = _prefix(pairs["x"]), _prefix(pairs["y"])
    for case, bare, zeros, pad, front in product(
        ("", "upper", "lower", "title"),
        (False, True),
        (False, True),
        dict.fromkeys((0, width)),
        dict.fromkeys(("", prefix)),
    ):
        how: dict[str, Any] = {}
        if bare:
            how["bare"] = True
        if front or zeros:
            how |= {"without prefix": other} if other else {}
        if zeros:
            how["without zeros"] = True
        if case:
            how["case"] = case
        if pad:
            how["width"] = pad
        if front:
            how["prefix"] = front
        made = pairs.select(STEPS["spell"](pl.col("y"), {"as": how}, pl.String())).to_series()
        if share_of(made == pairs["x"]) >= HOLDS:
            return how
    return None


def _prefix(texts: pl.Series) -> str:
    """What nearly all texts begin with, up to their first digit."""
    heads = texts.str.extract(r"^([^\d]+)\d").value_counts(sort=True)
    if not heads.height or heads.row(0)[0] is None or heads.row(0)[1] < HOLDS * len(texts):
        return ""
    return str(heads.row(0)[0])


def _width(texts: pl.Series) -> int:
    """How long the digits at the end of all texts are; 0 if they are not equally long."""
    digits = texts.str.extract(r"(\d+)$").str.len_chars().drop_nulls()
    if len(digits) < HOLDS * len(texts) or digits.n_unique() > 1:
        return 0
    return int(digits[0])
