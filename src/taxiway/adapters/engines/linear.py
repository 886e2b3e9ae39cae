"""Linear models as their coefficients, with their preprocessing as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from taxiway.adapters.engines.columns import plan_of, runner
from taxiway.adapters.engines.margins import contributing
from taxiway.adapters.engines.members import Member, answering, members_of, planned
from taxiway.adapters.engines.sklearn_columns import is_sklearn
from taxiway.adapters.engines.trees import EXPONENTIAL, IDENTITY, LOGISTIC
from taxiway.core.digest import canonical_json
from taxiway.core.engine import Contributions, NotCompilableError

MODEL = "linear.json"
PROTOCOL = 2
BACKGROUND = "background"
"""Key of a matrix's mean over the training rows, for each of the members."""
CHUNK_ROWS = 65_536
CLASSIFIERS = ("LogisticRegression", "LogisticRegressionCV", "SGDClassifier")
LINKS: Mapping[str, str] = {
    **dict.fromkeys(CLASSIFIERS, LOGISTIC),
    **dict.fromkeys(("PoissonRegressor", "GammaRegressor"), EXPONENTIAL),
    **dict.fromkeys(
        (
            "LinearRegression",
            *("Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV"),
            *("Lars", "LarsCV", "LassoLars", "LassoLarsCV", "LassoLarsIC"),
            *("ARDRegression", "BayesianRidge", "HuberRegressor", "QuantileRegressor"),
            *("SGDRegressor", "TheilSenRegressor"),
        ),
        IDENTITY,
    ),
}
"""Model of scikit-learn -> what makes the answer of its score."""


def compile_estimator(estimator: Any, names: tuple[str, ...]) -> dict[str, bytes]:
    """Name -> content of the files. Raises `NotCompilableError` for what it can't take."""
    members = members_of(estimator, names)
    matrices, described = planned(members, [_coefficients(member) for member in members])
    plan = {"protocol": PROTOCOL, "matrices": matrices, "members": described}
    return {MODEL: canonical_json(plan)}


def _coefficients(member: Member) -> dict[str, Any]:
    model = member.split.model
    name = type(model).__name__
    if not is_sklearn(model, *LINKS):
        raise NotCompilableError(f"{name} is no linear model that is read here")
    coefficients, bases = np.atleast_2d(model.coef_), np.ravel(model.intercept_)
    if len(coefficients) != 1 or len(bases) != 1:
        more = "two classes" if name in CLASSIFIERS else "one output"
        raise NotCompilableError(f"a {name} of more than {more}")
    if name == "SGDClassifier" and model.loss != "log_loss":
        raise NotCompilableError(f"an SGDClassifier of the loss {model.loss}")
    return {
        "coefficients": [float(c) for c in coefficients[0]],
        "base": float(bases[0]),
        "link": LINKS[name],
        "scale": 1.0,
    }


def load(files: Mapping[str, bytes]) -> Callable[[Any], Any]:
    """The function from a frame of the model's columns to answers, float64."""
    plan = plan_of(files[MODEL], PROTOCOL)
    described = plan["members"]
    return answering(plan["matrices"], described, [_score(one) for one in described])


def _score(member: Mapping[str, Any]) -> Callable[[Any], Any]:
    coefficients, base = np.array(member["coefficients"]), member["base"]
    # Each row is added up by itself (`@` may not), so that it gives the same bits in any batch.
    return lambda matrix: (matrix * coefficients).sum(axis=1) + base


def background(files: Mapping[str, bytes], training: Any) -> dict[str, bytes]:
    """The files with what each column of the matrix was in training on average: what a row's own
    value is compared with."""
    plan = plan_of(files[MODEL], PROTOCOL)
    means = [_means(runner(blocks), training) for blocks in plan["matrices"]]
    members = [{**one, BACKGROUND: means[one["matrix"]]} for one in plan["members"]]
    return {**files, MODEL: canonical_json({**plan, "members": members})}


def _means(matrix_of: Callable[[Any], Any], frame: Any) -> list[float]:
    starts = range(0, frame.height, CHUNK_ROWS)
    total = sum(matrix_of(frame[at : at + CHUNK_ROWS]).sum(axis=0) for at in starts)
    return [float(mean) for mean in total / frame.height]


def contributions_of(files: Mapping[str, bytes]) -> Contributions | None:
    """Coefficient times the distance from the mean of training: Shapley values where columns are
    taken to be independent, as shap's LinearExplainer works them out."""
    plan = plan_of(files[MODEL], PROTOCOL)
    members = plan["members"]
    if any(BACKGROUND not in one for one in members):
        return None
    return contributing(plan, partial(_added, members), lambda: [_score(one) for one in members])


def _added(
    members: Sequence[Mapping[str, Any]],
    at: int,
    groups: Sequence[int],
    width: int,
    factor: float,
) -> tuple[float, Callable[[Any], Any]]:
    # Columns that one column of the frame became stand together, for sums over stretches of them.
    order = np.argsort(groups, kind="stable")
    present, starts = np.unique(np.asarray(groups)[order], return_index=True)
    coefficients = np.array(members[at]["coefficients"])[order] * factor
    means = np.array(members[at][BACKGROUND])[order]

    def contribute(matrix: Any) -> Any:
        found = np.zeros((len(matrix), width))
        parts = (matrix[:, order] - means) * coefficients
        found[:, present] = np.add.reduceat(parts, starts, axis=1)
        return found

    return float((means * coefficients).sum()) + members[at]["base"] * factor, contribute
