"""Proxies: how well the permitted columns tell a protected one, together and each alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from taxiway.core.interval import Interval
from taxiway.data.bias.groups import MISSING, banded
from taxiway.data.leaks.strength import alone, auc_interval
from taxiway.data.leaks.table import Floats, coded

MOST_ROWS = 20_000
FOLDS = 3
GROUPS = 6
"""Values of the protected column that are told from the rest, the most frequent ones."""
FEWEST = 40
STANDS_IN = 0.7
"""ROC AUC from which on a column alone stands in for the protected one."""
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Proxy:
    """A column that tells the protected one."""

    column: str
    tells: str
    """The value of the protected column that it tells best from the others."""
    auc: Interval


@dataclass(frozen=True, slots=True)
class Proxies:
    """What the permitted columns say about a protected one."""

    protected: str
    together: Interval | None
    """ROC AUC of a model that reads all of them, of the value that it tells best; cross-validated.
    None where no model could be trained."""
    tells: str
    columns: tuple[Proxy, ...]
    """Each alone, the best first."""

    @property
    def standing_in(self) -> tuple[Proxy, ...]:
        return tuple(one for one in self.columns if one.auc.low >= STANDS_IN)


def proxies(
    frame: pl.DataFrame, protected: str, permitted: Sequence[str], *, models: bool = True
) -> Proxies:
    """How well permitted columns tell a protected one.

    >>> frame = pl.DataFrame({"sex": ["f", "m"] * 200, "height": [160.0, 180.0] * 200})
    >>> found = proxies(frame, "sex", ["height"], models=False)
    >>> [(one.column, round(one.auc.value, 2)) for one in found.standing_in]
    [('height', 1.0)]
    """
    if frame.height > MOST_ROWS:
        frame = frame.sample(MOST_ROWS, seed=0)
    values = banded(frame.get_column(protected))
    frequent = values.value_counts(name="rows").sort(["rows", protected], descending=[True, False])
    wanted = [
        (value, (values == value).cast(pl.Float64).to_numpy())
        for value, rows in frequent.head(GROUPS).iter_rows()
        if value != MISSING and FEWEST <= rows <= frame.height - FEWEST
    ]
    if not wanted:
        return Proxies(protected, None, "", ())
    codes = {name: coded(frame.get_column(name)) for name in permitted}
    found = [
        max(
            (
                Proxy(name, value, _alone(frame, name, codes[name], is_it))
                for value, is_it in wanted
            ),
            key=lambda one: one.auc.value,
        )
        for name in permitted
    ]
    found.sort(key=lambda one: -one.auc.value)
    together, tells = _together(codes, wanted) if models and codes else (None, "")
    return Proxies(protected, together, tells, tuple(found[:SHOWN]))


def _alone(frame: pl.DataFrame, name: str, codes: Floats, is_it: Floats) -> Interval:
    dtype = frame.schema[name]
    ordered = dtype.is_numeric() or dtype.is_temporal() or dtype == pl.Boolean
    return alone(codes, is_it, ordered=bool(ordered), binary=True)


def _together(
    codes: dict[str, Floats], wanted: Sequence[tuple[str, Floats]]
) -> tuple[Interval | None, str]:
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.model_selection import StratifiedKFold, cross_val_predict
    except ModuleNotFoundError:
        return None, ""
    matrix = np.column_stack(list(codes.values()))
    best: tuple[Interval | None, str] = (None, "")
    folds: Any = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for value, is_it in wanted:
        model = HistGradientBoostingClassifier(max_iter=60, random_state=0, early_stopping=False)
        told = cross_val_predict(model, matrix, is_it, cv=folds, method="predict_proba")[:, 1]
        area = auc_interval(is_it, told)
        if best[0] is None or area.value > best[0].value:
            best = area, value
    return best
