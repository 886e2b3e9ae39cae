"""Traps in rows: twins on both sides of a split, and rows from after their outcome."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

from taxiway.data.leaks.table import BLOCKS, LOOK, Leak, Table

Rows: TypeAlias = NDArray[np.bool_]

DIGITS = 3
"""Significant digits to which numbers of near twins agree."""
VIEWS = 24
"""How many ways near twins are looked for: a column, or a part of many, left out."""
FEWEST_TWINS = 10
SAME_LABEL = 0.98
SHARE = 0.01
"""Rows of the later side with a twin on the earlier from which on they flatter a model."""


def twins(table: Table) -> Iterator[Leak]:
    """Rows of the later side that stand on the earlier side too: exactly, or nearly."""
    names = [n for n in table.inputs if n not in table.groups]
    if len(names) < 2:
        return
    frame = table.frame.select(names)
    named = [n for n in names if _names_rows(frame.get_column(n))]
    names = [n for n in names if n not in named]
    if len(names) < 2:
        return
    later = table.later
    if not later.any() or later.all():
        return
    timed = table.time is not None or table.held is not None
    side, earlier = ("later", "earlier") if timed else ("held-out", "other")
    distinct = {n: frame.get_column(n).n_unique() for n in names}
    rounded = {n: _rounded(n, frame.schema[n]) for n in names}

    def agreeing(view: list[str], expressions: dict[str, pl.Expr]) -> _Agreeing:
        richest = max(range(len(view)), key=lambda at: distinct[view[at]])
        return _Agreeing([expressions[n] for n in view], richest)

    exact = agreeing(names, {n: pl.col(n) for n in names})
    nearly = [agreeing([names[at] for at in view], rounded) for view in _views(len(names))]
    partners = _partners(exact, frame, later)
    copied = partners >= 0
    alike = (
        float((table.label[copied] == table.label[partners[copied]]).mean())
        if copied.any()
        else 0.0
    )
    # Copies have one label. Rows of things that recur, such as a flight each day, have many.
    same = alike >= SAME_LABEL and alike > 1 - (1 - _by_chance(table)) / 2
    for kind, found, chance, words in (
        (
            "duplicates",
            copied,
            _twinned([exact], frame, later, shuffled=True),
            f"stand among the {earlier} rows too, {alike:.0%} of them with the same label",
        ),
        (
            "near duplicates",
            _twinned(nearly, frame, later) & ~copied,
            _twinned(nearly, frame, later, shuffled=True),
            f"nearly stand among the {earlier} rows too, but for a column or to {DIGITS} digits",
        ),
    ):
        rows, judged, lucky = int(found.sum()), int(later.sum()), int(chance.sum())
        if rows - lucky < max(FEWEST_TWINS, SHARE * judged) or rows < 3 * lucky:
            continue
        yield Leak(
            kind,
            (),
            BLOCKS if kind == "duplicates" and same else LOOK,
            f"{rows:,} of the {judged:,} {side} rows ({rows / judged:.1%}) {words}; chance makes"
            f" {lucky:,}",
            {"rows": rows, "judged": judged, "by_chance": lucky},
            "Remove them before the split, or keep all rows of one thing on one side.",
        )


def _by_chance(table: Table) -> float:
    """How often two rows have the same label."""
    _, rows = np.unique(table.label, return_counts=True)
    return float(((rows / rows.sum()) ** 2).sum())


@dataclass(frozen=True, slots=True)
class _Agreeing:
    """Columns in which twins agree; `richest` is the place of the one with most values."""

    columns: list[pl.Expr]
    richest: int


def _names_rows(column: pl.Series) -> bool:
    integer_or_text = column.dtype.is_integer() or column.dtype == pl.String
    return integer_or_text and column.n_unique() >= 0.95 * column.len()


def _rounded(name: str, dtype: pl.DataType) -> pl.Expr:
    return pl.col(name).round_sig_figs(DIGITS) if dtype.is_float() else pl.col(name)


def _views(columns: int) -> list[list[int]]:
    """Sets of columns that near twins agree in."""
    every = list(range(columns))
    if columns < 4:  # all but one of two or three says nothing
        return [every]
    if columns <= VIEWS:
        return [[at for at in every if at != out] for out in every]
    rng = np.random.default_rng(0)
    return [sorted(rng.permutation(columns)[: columns - columns // VIEWS]) for _ in range(VIEWS)]


def _twinned(
    views: list[_Agreeing], frame: pl.DataFrame, later: Rows, *, shuffled: bool = False
) -> Rows:
    """Which later rows agree with an earlier one in all columns of some view.

    Shuffled, the values of the richest column stand in other rows: what agrees then, does so by
    chance, however much the other columns depend on each other.
    """
    found = np.zeros(len(later), dtype=bool)
    for view in views:
        hashes = _hashes(view, frame, shuffled=shuffled)
        found[later] |= np.isin(hashes[later], hashes[~later])
    return found


def _partners(view: _Agreeing, frame: pl.DataFrame, later: Rows) -> NDArray[np.intp]:
    """For each row, an earlier one that it agrees with; -1 where there is none."""
    hashes = _hashes(view, frame, shuffled=False)
    earlier = np.flatnonzero(~later)
    order = earlier[np.argsort(hashes[earlier], kind="stable")]
    places = np.searchsorted(hashes[order], hashes[later])
    candidates = order[np.minimum(places, len(order) - 1)]
    found = np.full(len(later), -1)
    found[later] = np.where(hashes[candidates] == hashes[later], candidates, -1)
    return found


def _hashes(view: _Agreeing, frame: pl.DataFrame, *, shuffled: bool) -> NDArray[np.uint64]:
    columns = list(view.columns)
    if shuffled:
        columns[view.richest] = columns[view.richest].shuffle(seed=0)
    hashes: NDArray[np.uint64] = frame.select(pl.struct(columns).hash(0)).to_series().to_numpy()
    return hashes


def after_outcome(table: Table) -> Iterator[Leak]:
    """Rows that were written after their outcome was known."""
    if table.time is not None and table.outcome_time is not None:
        late = table.frame.select(
            (_instant(table.time, table) >= _instant(table.outcome_time, table))
            .fill_null(value=False)
            .alias("late")
        ).to_series()
        if rows := int(late.sum()):
            yield Leak(
                "after the outcome",
                (table.time, table.outcome_time),
                BLOCKS,
                f"{rows:,} rows happened when their outcome was known already",
                {"rows": rows},
                "Leave them out: no decision is taken on them.",
            )
    if table.time is None or not table.binary:
        return
    for group in table.groups:
        yield from _absorbed(table, group)


def _instant(name: str, table: Table) -> pl.Expr:
    """A time as UTC without saying so, so that days and times can be compared."""
    dtype, at = table.frame.schema[name], pl.col(name)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        at = at.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return at.cast(pl.Datetime("us"))


def _absorbed(table: Table, group: str) -> Iterator[Leak]:
    """Rows of a thing after its first positive one, if all of those are positive."""
    assert table.time is not None  # noqa: S101 - asked only where there is one
    rows = table.frame.select(group, pl.col(table.time).alias("\0time")).with_columns(
        pl.Series("\0label", table.label)
    )
    first = pl.col("\0time").filter(pl.col("\0label") == 1).min().over(group)
    after = rows.filter(pl.col("\0time") > first)
    if after.height < 30:
        return
    rate, base = float(after["\0label"].mean()), float(table.label.mean())  # type: ignore[arg-type]
    odds = stats.binomtest(int(after["\0label"].sum()), after.height, base, "greater").pvalue
    if rate >= 0.98 and base < 0.9 and odds < 1e-6:
        yield Leak(
            "after the outcome",
            (group, table.time),
            BLOCKS,
            f"{after.height:,} rows come after the first positive one of their {group}, and"
            f" {rate:.1%} of them are positive: the outcome lasts",
            {"rows": after.height, "positive_share": rate, "base_rate": base},
            f"Keep the rows of each {group} up to its first positive one.",
        )
