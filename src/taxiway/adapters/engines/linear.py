"""Logistic regression as its coefficients, with its preprocessing as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from taxiway.adapters.engines.columns import plan_of, runner
from taxiway.adapters.engines.sklearn_columns import split_pipeline
from taxiway.core.digest import canonical_json
from taxiway.core.ports import NotCompilableError

MODEL = "linear.json"
PROTOCOL = 1


def compile_estimator(estimator: Any, names: tuple[str, ...]) -> dict[str, bytes]:
    """Name -> content of the files. Raises `NotCompilableError` for what it can't take."""
    blocks, model = split_pipeline(estimator, names)
    kind = type(model)
    if kind.__name__ != "LogisticRegression" or not kind.__module__.startswith("sklearn."):
        raise NotCompilableError(f"{kind.__name__} is no logistic regression")
    if model.coef_.shape[0] != 1:
        raise NotCompilableError("a logistic regression of more than two classes")
    plan = {
        "protocol": PROTOCOL,
        "blocks": blocks,
        "coefficients": [float(c) for c in model.coef_[0]],
        "intercept": float(model.intercept_[0]),
    }
    return {MODEL: canonical_json(plan)}


def load(files: Mapping[str, bytes]) -> Callable[[Any], Any]:
    """The function from a frame of the model's columns to probabilities, float64."""
    plan = plan_of(files[MODEL], PROTOCOL)
    matrix_of = runner(plan["blocks"])
    coefficients, intercept = np.array(plan["coefficients"]), plan["intercept"]

    def probability(frame: Any) -> Any:
        # Summed column by column in one order, so that a row gives the same bits in any batch.
        matrix = matrix_of(frame)
        score = np.full(len(matrix), intercept)
        for at, coefficient in enumerate(coefficients):
            score += matrix[:, at] * coefficient
        with np.errstate(over="ignore"):
            answered: Any = 1.0 / (1.0 + np.exp(-score))
        return answered

    return probability
