"""Fitting, predicting, and the simple baseline that a model has to beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

from taxiway.core.errors import InputError
from taxiway.core.kind import CLASSIFICATION, REGRESSION

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


def predicted_number(estimator: Any, features: pl.DataFrame) -> Any:
    """The predicted number, float64 of shape (rows,).

    Raises `InputError` if the estimator is a classifier, or gives something else.
    """
    if hasattr(estimator, "predict_proba") or not hasattr(estimator, "predict"):
        raise InputError(
            f"The estimator is a {type(estimator).__name__}, which predicts no numbers.",
            todo="Let `estimator` make a regressor, or say `kind: classification` in the charter.",
        )
    numbers = np.asarray(estimator.predict(features), dtype=np.float64)
    if numbers.shape not in {(features.height,), (features.height, 1)}:
        raise InputError(
            f"predict answered an array of shape {numbers.shape} for {features.height} rows;"
            " expected one number a row."
        )
    if not np.isfinite(numbers).all():
        raise InputError("predict answered a value that is no number, or infinite.")
    return numbers.reshape(-1)


SCORES: Mapping[str, Callable[[Any, pl.DataFrame], Any]] = {
    CLASSIFICATION.name: positive_probability,
    REGRESSION.name: predicted_number,
}
"""Kind of model -> what it makes of each row, a number."""


def fitted(make: Callable[[int], Any], seed: int, features: pl.DataFrame, labels: Any) -> Any:
    """A new estimator, fitted. A classifier's classes are in the order (False, True)."""
    estimator = make(seed)
    estimator.fit(features, labels)
    return estimator


def simple_scores(
    kind: str, features: pl.DataFrame, labels: Any, holdout: pl.DataFrame, seed: int
) -> Any:
    """The simple baseline's probabilities or numbers on the holdout.

    It is a logistic or a ridge regression on the same features: categories one-hot, numbers scaled.
    A linear model on the same features is the usual first rival of a complex one (Breck et al.
    2017, The ML Test Score, Model 5).
    """
    categories = [n for n, t in features.schema.items() if not (t.is_numeric() or t == pl.Boolean)]
    numbers = [n for n in features.columns if n not in categories]
    return SCORES[kind](
        _simple(kind, categories, numbers, seed).fit(_castable(features, categories), labels),
        _castable(holdout, categories),
    )


def _castable(features: pl.DataFrame, categories: list[str]) -> pl.DataFrame:
    return features.with_columns(
        pl.col(name).cast(pl.String).fill_null("(missing)")
        if name in categories
        else pl.col(name).cast(pl.Float64)
        for name in features.columns
    )


def _simple(kind: str, categories: list[str], numbers: list[str], seed: int) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", min_frequency=20), categories),
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
    )
    linear = {
        CLASSIFICATION.name: LogisticRegression(max_iter=500, random_state=seed),
        REGRESSION.name: Ridge(random_state=seed),
    }
    return make_pipeline(columns, linear[kind])
