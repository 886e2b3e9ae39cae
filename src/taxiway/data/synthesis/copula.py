"""Rows like given ones: each column's distribution, and how columns depend on each other.

A Gaussian copula (Nelsen 2006): each column becomes normal scores, their correlations are kept, new
scores are drawn with them and turned back into values. Values that recur weaken the correlation of
scores, so it is moved until what is drawn has the rank correlations of the data (NORTA, Cario and
Nelson 1997). Whether a value is missing is a column of its own, so that values that are missing
together stay so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special, stats

from taxiway.core.contract import Contract
from taxiway.data.leaks.table import coded
from taxiway.data.synthesis.marginals import FEWEST, Floats, Marginal, marginal, typed

BATCH = 100_000
MOST_ANCHORS = 40
ROUNDS = 12
MATCHED_ROWS = 5_000
LARGEST = 0.999


@dataclass(frozen=True, slots=True)
class Model:
    """What was learnt: no row of the data is in it."""

    contract: Contract
    marginals: tuple[Marginal, ...]
    latent: tuple[tuple[str, bool], ...]
    """(column, whether it says that the column is missing) for each dimension."""
    root: Floats
    """A square root of the correlations, of shape (dimensions, dimensions)."""
    missing: dict[str, float]
    """Column -> share of missing values."""
    rows: int

    @property
    def protected(self) -> dict[str, int]:
        """Column -> rows whose value is too rare to come back."""
        return {one.name: one.protected for one in self.marginals if one.protected}


def learn(frame: pl.DataFrame, contract: Contract, *, seed: int) -> Model:
    """What rows of a contract's types are like. Columns that the contract lacks are left out."""
    rng = np.random.default_rng(seed)
    there = contract.only(frame.columns)
    anchors = _anchors(frame)
    marginals = tuple(
        marginal(
            frame.get_column(c.name),
            c,
            rng,
            anchors,
            alone=bool(c.unique) or there.key == (c.name,),
        )
        for c in there.columns
    )
    latent: list[tuple[str, bool]] = []
    scores: list[Floats] = []
    missing: dict[str, float] = {}
    for one in marginals:
        if one.scores is not None:
            latent.append((one.name, False))
            scores.append(one.scores)
        if one.missing is not None:
            share = float(one.missing.mean())
            missing[one.name] = share
            if min(share, 1 - share) * frame.height >= FEWEST:
                latent.append((one.name, True))
                scores.append(_of_flags(one.missing, rng))
    model = Model(
        there, marginals, tuple(latent), _root(_correlation(scores)), missing, frame.height
    )
    return _matched(model, frame, _correlation(scores), seed) if latent else model


def _of_flags(flags: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """Normal scores of a flag: the upper stretch where it is set."""
    share = float(flags.mean())
    inside = rng.random(len(flags))
    uniform = np.where(flags, 1 - share + inside * share, inside * (1 - share))
    scores: Floats = special.ndtri(np.clip(uniform, 1e-6, 1 - 1e-6))
    return scores


def _anchors(frame: pl.DataFrame) -> Floats:
    """Numeric and Boolean columns, by which categories are put in order."""
    chosen = [
        coded(column)
        for column in frame.iter_columns()
        if column.dtype.is_numeric() or column.dtype == pl.Boolean
    ]
    return np.column_stack(chosen[:MOST_ANCHORS]) if chosen else np.empty((frame.height, 0))


def _correlation(scores: list[Floats]) -> Floats:
    """The correlations of scores, each over the rows that have both."""
    if not scores:
        return np.zeros((0, 0))
    table = np.column_stack(scores)
    known = (~np.isnan(table)).astype(np.float64)
    both = known.T @ known
    means = np.nansum(table, axis=0) / np.maximum(known.sum(axis=0), 1)
    filled = np.where(known > 0, table - means, 0.0)
    squares = (filled**2).T @ known
    scale = np.sqrt(squares * squares.T)
    found = np.zeros_like(scale)
    np.divide(filled.T @ filled, scale, out=found, where=(scale > 0) & (both >= FEWEST))
    np.fill_diagonal(found, 1.0)
    return (found + found.T) / 2


def _root(correlation: Floats) -> Floats:
    """A square root of the nearest matrix that is one of correlations."""
    if not len(correlation):
        return correlation
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    # Clipped eigenvalues change the variances a little; scores have to stay standard normal.
    whole: Floats = root / np.sqrt((root**2).sum(axis=1, keepdims=True))
    return whole


def _matched(model: Model, frame: pl.DataFrame, correlation: Floats, seed: int) -> Model:
    """The model whose draws have the rank correlations of the data."""
    wanted = _ranked(model, frame)
    latent = correlation.copy()
    best, nearest = model, np.inf
    for at in range(ROUNDS):
        drawn = _drawn(model, MATCHED_ROWS, np.random.default_rng([seed, 2, at]))
        away = wanted - _ranked(model, drawn)
        far = float(np.abs(away).mean())
        if far < nearest:
            best, nearest = model, far
        latent = np.clip(latent + away, -LARGEST, LARGEST)
        np.fill_diagonal(latent, 1.0)
        model = replace(model, root=_root(latent))
    return best


def _ranked(model: Model, frame: pl.DataFrame) -> Floats:
    """Rank correlations of what the dimensions say, in the order of the marginals' own scores."""
    marginals = {one.name: one for one in model.marginals}
    columns: list[Floats] = []
    for name, of_missing in model.latent:
        column = frame.get_column(name)
        if of_missing:
            columns.append(column.is_null().cast(pl.Float64).to_numpy())
            continue
        place = marginals[name].place
        values = coded(column) if place is None else _placed(column, place)
        known = ~np.isnan(values)
        ranks = np.full(len(values), np.nan)
        ranks[known] = stats.rankdata(values[known])
        columns.append(ranks)
    return _correlation(columns)


def _placed(column: pl.Series, place: dict[Any, int]) -> Floats:
    codes = column.replace_strict(place, default=None, return_dtype=pl.Float64)
    return codes.to_numpy().astype(np.float64)


def draw(model: Model, rows: int, *, seed: int) -> pl.DataFrame:
    """New rows."""
    rng = np.random.default_rng([seed, 1])
    parts = [_drawn(model, min(BATCH, rows - at), rng) for at in range(0, rows, BATCH)]
    return pl.concat(parts) if parts else pl.DataFrame()


def _drawn(model: Model, rows: int, rng: np.random.Generator) -> pl.DataFrame:
    normal = rng.standard_normal((rows, model.root.shape[0])) @ model.root.T
    uniform = special.ndtr(normal)
    place = {one: at for at, one in enumerate(model.latent)}
    columns = []
    for one, column in zip(model.marginals, model.contract.columns, strict=True):
        at = place.get((one.name, False))
        own = uniform[:, at] if at is not None else rng.random(rows)
        values = typed(one.back(own, rng), column)
        if share := model.missing.get(one.name, 0.0):
            flag = place.get((one.name, True))
            gone = (uniform[:, flag] if flag is not None else rng.random(rows)) >= 1 - share
            values = _without(values, gone)
        columns.append(values.alias(one.name))
    return pl.DataFrame(columns)


def _without(values: pl.Series, gone: NDArray[np.bool_]) -> pl.Series:
    """Values, null where they are gone."""
    return pl.select(pl.when(pl.Series(~gone)).then(values)).to_series().alias(values.name)
