"""Logistic regression as its coefficients, with its preprocessing as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from taxiway.adapters.engines.columns import plan_of
from taxiway.adapters.engines.members import Member, answering, members_of, planned
from taxiway.adapters.engines.sklearn_columns import is_sklearn
from taxiway.adapters.engines.trees import LOGISTIC
from taxiway.core.digest import canonical_json
from taxiway.core.ports import NotCompilableError

MODEL = "linear.json"
PROTOCOL = 2


def compile_estimator(estimator: Any, names: tuple[str, ...]) -> dict[str, bytes]:
    """Name -> content of the files. Raises `NotCompilableError` for what it can't take."""
    members = members_of(estimator, names)
    matrices, described = planned(members, [_coefficients(member) for member in members])
    plan = {"protocol": PROTOCOL, "matrices": matrices, "members": described}
    return {MODEL: canonical_json(plan)}


def _coefficients(member: Member) -> dict[str, Any]:
    model = member.split.model
    if not is_sklearn(model, "LogisticRegression", "LogisticRegressionCV", "SGDClassifier"):
        raise NotCompilableError(f"{type(model).__name__} is no logistic regression")
    if model.coef_.shape[0] != 1:
        raise NotCompilableError("a logistic regression of more than two classes")
    if getattr(model, "loss", "log_loss") != "log_loss":
        raise NotCompilableError(f"an SGDClassifier of the loss {model.loss}")
    return {
        "coefficients": [float(c) for c in model.coef_[0]],
        "base": float(model.intercept_[0]),
        "link": LOGISTIC,
        "scale": 1.0,
    }


def load(files: Mapping[str, bytes]) -> Callable[[Any], Any]:
    """The function from a frame of the model's columns to probabilities, float64."""
    plan = plan_of(files[MODEL], PROTOCOL)
    described = plan["members"]
    return answering(plan["matrices"], described, [_score(one) for one in described])


def _score(member: Mapping[str, Any]) -> Callable[[Any], Any]:
    coefficients, base = np.array(member["coefficients"]), member["base"]
    # Each row is added up by itself (`@` may not), so that it gives the same bits in any batch.
    return lambda matrix: (matrix * coefficients).sum(axis=1) + base
