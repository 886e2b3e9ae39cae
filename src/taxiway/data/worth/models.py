"""The models that judge what a repair is worth. What hurts one kind may leave another alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from taxiway.data.leaks.judged import Indices, predicted
from taxiway.data.leaks.table import Floats, Table, coded

Fit: TypeAlias = Callable[[Indices, Indices], Floats]
"""(rows to train on, rows to judge) -> what a model that was trained says of the latter."""
Model: TypeAlias = Callable[[Table, Mapping[str, pl.Series]], Fit]
"""(table, columns that are other ones than in it) -> how a model is trained on its rows."""

CATEGORIES = 20


def linear(table: Table, matrix: Floats, train: Indices, test: Indices) -> Floats:
    """Logistic or ridge regression; missing values are the median, with a mark that they were."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    y = table.label[train]
    seen = ~np.isnan(matrix[train]).all(axis=0)
    if len(np.unique(y)) < 2 or not seen.any():
        return np.full(len(test), float(y.mean()))
    text = np.array([not table.is_number(name) for name in table.inputs])
    encoder = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=CATEGORIES, sparse_output=False
    )
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    columns = ColumnTransformer(
        [
            ("texts", encoder, np.flatnonzero(text & seen)),
            ("numbers", numbers, np.flatnonzero(~text & seen)),
        ]
    )
    last: Any = LogisticRegression(max_iter=500) if table.binary else Ridge()
    fitted = make_pipeline(columns, last).fit(matrix[train], y)
    if table.binary:
        told: Floats = fitted.predict_proba(matrix[test])[:, 1]
    else:
        told = fitted.predict(matrix[test])
    return told


def _coded(fit: Callable[[Table, Floats, Indices, Indices], Floats]) -> Model:
    """A model of numbers: other values are their place among their column's."""

    def model(table: Table, changed: Mapping[str, pl.Series]) -> Fit:
        columns = [
            coded(changed[name]) if name in changed else table.codes[name] for name in table.inputs
        ]
        return partial(fit, table, np.column_stack(columns))

    return model


MODELS: dict[str, Model] = {"trees": _coded(predicted), "linear": _coded(linear)}
