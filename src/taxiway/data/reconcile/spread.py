"""Distributions of columns of one name where no key matches rows: they say less, and say so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from taxiway.data.reconcile.codings import WORDS
from taxiway.data.reconcile.columns import Column, Profile
from taxiway.data.reconcile.digits import rounding
from taxiway.data.reconcile.forms import NUMBER, TIME, Floats, exact, numbers
from taxiway.data.reconcile.laws import Law, said
from taxiway.data.reconcile.units import KNOWN, SCALES, TENS

FEWEST = 100
"""Values that each side needs."""
FAR = 0.3
"""Distance of two distributions (Kolmogorov-Smirnov) from which they are not the same."""
CLOSE = 0.05
"""Distance that a unit may leave which is no power of ten and no scale of temperature."""
UNEVEN = 0.3
"""How far frequencies have to be from even ones to be recognised."""
NAMES_ROWS = 0.98
"""Distinct values a row from which on whole numbers without gaps number rows."""
SENTINELS = frozenset(
    float(sign * n)
    for n in (9, 99, 999, 9999, 99999, 999999, 9999999, 999999999)
    for sign in (1, -1)
) | {-1.0}
TENTHS = np.linspace(0.05, 0.95, 19)


@dataclass(frozen=True, slots=True)
class Hint:
    """What two distributions suggest."""

    kind: str
    law: Law | None = None
    table: tuple[tuple[str, str], ...] = ()
    value: str = ""
    side: str = ""
    share: float = 0.0
    distance: float = 0.0
    after: float = 0.0
    rows: int = 0


def hint_of(left: Profile, right: Profile, x: Column, y: Column) -> Hint | None:
    """What the distributions of two columns of the same name suggest; None if they are alike, or
    differ in no way that a unit or a coding explains."""
    a, b = left.sample[x.name], right.sample[y.name]
    if TIME in (x.form.kind, y.form.kind):
        return None
    if x.form.kind == y.form.kind == NUMBER:
        ours, others = _finite(numbers(a, x.form)), _finite(numbers(b, y.form))
        if min(len(ours), len(others)) < FEWEST:
            return None
        spike = _spike(ours, others, a, b)
        if spike:
            return spike
        counts = all(c.dense and c.uniqueness >= NAMES_ROWS for c in (x, y))
        found = None if counts else _unit(ours, others)
        if found or min(len(np.unique(ours)), len(np.unique(others))) > 60:
            return found
    return _words(exact(a, x.form), exact(b, y.form))


def _finite(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _spike(ours: Floats, others: Floats, a: pl.Series, b: pl.Series) -> Hint | None:
    """A value that people write for nothing, on one side only, where the other has nothing."""
    for side, with_it, without, missing in (
        ("left", ours, others, b.null_count() / len(b)),
        ("right", others, ours, a.null_count() / len(a)),
    ):
        values, counts = np.unique(with_it, return_counts=True)
        for value, count in zip(values, counts, strict=True):
            share = float(count / len(with_it))
            if value not in SENTINELS or share < 0.005 or (without == value).any():
                continue
            rest = with_it[with_it != value]
            outside = len(rest) and (value < rest.min() or value > rest.max())
            if outside and missing >= share / 3:
                return Hint(
                    "sentinel", value=f"{value:g}", side=side, share=share, rows=len(with_it)
                )
    return None


def _unit(ours: Floats, others: Floats) -> Hint | None:
    distance = apart(ours, others)
    if distance < FAR or len(np.unique(ours)) < 20 or len(np.unique(others)) < 20:
        return None
    rows = min(len(ours), len(others))
    error = 1.6 * np.sqrt(1 / len(ours) + 1 / len(others))
    best: Hint | None = None
    plain = {(sign * ten, 0.0) for ten in (*TENS, 1.0) for sign in (1.0, -1.0)} | set(SCALES)
    for factor, offset in _candidates(ours, others):
        moved = others * factor + offset
        grain = max(rounding(ours), abs(factor) * rounding(others))
        jitter = np.random.default_rng(1)
        after = apart(
            ours + grain * (jitter.random(len(ours)) - 0.5),
            moved + grain * (jitter.random(len(moved)) - 0.5),
        )
        # Among so many factors one moves a few hundred values about as far as it takes by chance.
        least = error if (factor, offset) in plain else min(error, CLOSE)
        if after <= min(least, distance / 3) and (best is None or after < best.after - 0.005):
            law = Law(factor, offset, "", 1 - after, after, rows)
            best = Hint("unit", law=law, distance=distance, after=after, rows=rows)
    return best


def apart(ours: Floats, others: Floats) -> float:
    """The distance of two distributions (Kolmogorov-Smirnov), from 0 to 1.

    >>> apart(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.5
    """
    every = np.concatenate([ours, others])
    shares = [np.searchsorted(np.sort(v), every, side="right") / len(v) for v in (ours, others)]
    return float(np.abs(shares[0] - shares[1]).max())


def _candidates(ours: Floats, others: Floats) -> list[tuple[float, float]]:
    """Factors that people know, and the one that all quantiles agree on."""
    found = [(sign * ten, 0.0) for ten in TENS for sign in (1.0, -1.0)] + [(-1.0, 0.0)]
    found += list(SCALES)
    known = [k for k in KNOWN if said(Law(k, 0.0, "", 1.0, 0.0, 1))]
    found += [(k, 0.0) for k in known] + [(1 / k, 0.0) for k in known]
    a, b = np.quantile(ours, TENTHS), np.quantile(others, TENTHS)
    some = (a > 0) & (b > 0)
    if some.sum() >= 15:
        ratios = np.log(a[some] / b[some])
        middle = float(np.median(ratios))
        # The outer quantiles of a thousand values are some percent off by chance.
        off = np.abs(ratios - middle)
        if np.median(off) < 0.04 and off.max() < 0.2 and abs(middle) > np.log(1.9):
            exact_ratio = float(np.exp(middle))
            found.append((float(f"{exact_ratio:.3g}"), 0.0))
    return found


def _words(ours: pl.Series, others: pl.Series) -> Hint | None:
    """Values that have nothing in common: other words for the same, if both are few."""
    a, b = (
        s.drop_nulls().value_counts(sort=True, name="n").rename({s.name: "said"})
        for s in (ours.alias("s"), others.alias("s"))
    )
    sizes = (int(a["n"].sum()), int(b["n"].sum()))
    if min(sizes) < FEWEST or max(a.height, b.height) > 60 or min(a.height, b.height) < 2:
        return None
    if set(a["said"]) & set(b["said"]):
        return None
    within = _contained(a["said"].to_list(), b["said"].to_list())
    if within:
        return Hint("coding", table=within, rows=min(sizes), after=0.8)
    folded = [
        {_meant(word, frame["said"].to_list()): word for word in frame["said"]} for frame in (a, b)
    ]
    both = sorted(set(folded[0]) & set(folded[1]))
    table = tuple((folded[1][meant], folded[0][meant]) for meant in both)
    if len(both) >= 0.8 * min(a.height, b.height):
        return Hint("coding", table=table, rows=min(sizes), after=1.0)
    if abs(a.height - b.height) > 0.25 * max(a.height, b.height):
        return None
    p, q = (frame["n"].to_numpy() / frame["n"].sum() for frame in (a, b))
    most = min(len(p), len(q))
    # Values that are all about as frequent, as the days of a month are, tell nothing by it.
    if np.abs(p - 1 / len(p)).sum() < UNEVEN:
        return None
    if np.abs(p[:most] - q[:most]).sum() < 0.15:
        return Hint("coding", rows=min(sizes), after=0.5)
    return None


def _contained(ours: list[str], others: list[str]) -> tuple[tuple[str, str], ...]:
    """(theirs, ours) where each of the fewer words stands in exactly one of the others."""
    short, long, turned = (
        (ours, others, False)
        if len(min(ours, key=len)) < len(min(others, key=len))
        else (others, ours, True)
    )
    found = {s: [w for w in long if len(s) > 1 and s.lower() in w.lower()] for s in short}
    if not all(len(words) == 1 for words in found.values()):
        return ()
    pairs = [(words[0], s) for s, words in found.items()]
    if len({w for w, _ in pairs}) < len(pairs):
        return ()
    return tuple((s, w) for w, s in pairs) if turned else tuple(pairs)


def _meant(word: str, beside: list[str]) -> str:
    """What a word means, if it is one that means the same everywhere, or its plain spelling."""
    low = word.lower().strip()
    if set(beside) <= {"0", "1"}:
        return "yes" if word == "1" else "no"
    numbers_only = all(w.isdigit() for w in beside)
    if numbers_only and len(beside) > 7 and max(map(int, beside)) <= 12:
        return f"month {int(word)}"
    if numbers_only and len(beside) == 7 and max(map(int, beside)) == 7:
        return f"day {int(word)}"
    return WORDS.get(low, "".join(c for c in low if c.isalnum()).lstrip("0") or low)
