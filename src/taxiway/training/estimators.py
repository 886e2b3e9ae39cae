"""Fitting, predicting, and the two baselines that a model has to beat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from taxiway.core.errors import InputError

Predict = Callable[[pl.DataFrame], Any]


def positive_probability(estimator: Any, features: pl.DataFrame) -> Any:
    """The probability of the positive class, float64 of shape (rows,).

    Raises `InputError` if the estimator gives something else or a value outside 0 to 1.
    """
    if not hasattr(estimator, "predict_proba"):
        raise InputError(
            f"The estimator is a {type(estimator).__name__} without predict_proba: it gives no"
            " probabilities.",
            todo="Let `estimator` make a classifier; CalibratedClassifierCV gives one that has none"
            " its probabilities.",
        )
    both = np.asarray(estimator.predict_proba(features), dtype=np.float64)
    if both.shape != (features.height, 2):
        raise InputError(
            f"predict_proba answered an array of shape {both.shape} for {features.height} rows;"
            " expected one column for each of the two classes."
        )
    probabilities = both[:, 1]
    if not (
        np.isfinite(probabilities).all() and ((probabilities >= 0) & (probabilities <= 1)).all()
    ):
        raise InputError("predict_proba answered a value that is no probability (0 to 1).")
    return probabilities


def fitted(make: Callable[[int], Any], seed: int, features: pl.DataFrame, labels: Any) -> Any:
    """A new estimator, fitted. The class order has to be (False, True)."""
    estimator = make(seed)
    estimator.fit(features, labels)
    return estimator


def simple_probability(
    features: pl.DataFrame, labels: Any, holdout: pl.DataFrame, seed: int
) -> Any:
    """The simple baseline's probabilities on the holdout.

    It is a logistic regression on the same features: categories one-hot, numbers scaled. A linear
    model on the same features is the usual first rival of a complex one (Breck et al. 2017, The ML
    Test Score, Model 5).
    """
    categories = [n for n, t in features.schema.items() if not (t.is_numeric() or t == pl.Boolean)]
    numbers = [n for n in features.columns if n not in categories]
    return positive_probability(
        _simple(categories, numbers, seed).fit(_castable(features, categories), labels),
        _castable(holdout, categories),
    )


def _castable(features: pl.DataFrame, categories: list[str]) -> pl.DataFrame:
    return features.with_columns(
        pl.col(name).cast(pl.String).fill_null("(missing)")
        if name in categories
        else pl.col(name).cast(pl.Float64)
        for name in features.columns
    )


def _simple(categories: list[str], numbers: list[str], seed: int) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", min_frequency=20), categories),
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
    )
    return make_pipeline(columns, LogisticRegression(max_iter=500, random_state=seed))
