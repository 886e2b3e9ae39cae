"""Engines answer as regressors do, with contributions that add up and are shap's."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import polars as pl
import pytest
import shap
from lightgbm import LGBMRegressor
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    Lasso,
    LinearRegression,
    PoissonRegressor,
    Ridge,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler, TargetEncoder
from sklearn.tree import DecisionTreeRegressor
from xgboost import XGBRegressor

from taxiway.adapters.engines import ENGINES
from taxiway.core.engine import ANSWER, LOG
from taxiway.release.compile import ORIGINAL, Compiled, compile_release
from taxiway.release.model_file import dump, load
from taxiway.training.estimators import predicted_number

from .test_engines import beside, numbers, onehot, ordinal, ordinal_nan, rows, scaled, sparse

hist = functools.partial(HistGradientBoostingRegressor, max_iter=30, random_state=0)
xgb = functools.partial(XGBRegressor, n_estimators=30, max_depth=4, n_jobs=1, random_state=0)
lgbm = functools.partial(LGBMRegressor, n_estimators=30, n_jobs=1, random_state=0, verbose=-1)


def gaps(model: Any) -> Any:
    return make_pipeline(beside(ordinal, "passthrough"), model)


def native(model: Any) -> Any:
    return make_pipeline(beside(ordinal_nan, "passthrough"), model)


def linear(model: Any) -> Any:
    return make_pipeline(beside(onehot, numbers), model)


REGRESSORS: dict[str, Any] = {
    "hist gradient boosting, gaps": gaps(hist()),
    "hist gradient boosting, native categories": native(hist(categorical_features=[0, 1])),
    "hist gradient boosting by itself": hist(categorical_features=["kind", "many"]),
    "hist gradient boosting, a quantile": gaps(hist(loss="quantile", quantile=0.9)),
    "hist gradient boosting, Poisson": gaps(hist(loss="poisson")),
    "hist gradient boosting, gamma": gaps(hist(loss="gamma")),
    "gradient boosting": make_pipeline(
        beside(ordinal, SimpleImputer()), GradientBoostingRegressor(n_estimators=30)
    ),
    "gradient boosting, Huber's loss, from zero": make_pipeline(
        beside(ordinal, SimpleImputer()),
        GradientBoostingRegressor(n_estimators=30, loss="huber", init="zero"),
    ),
    "random forest, gaps": native(RandomForestRegressor(15, max_depth=8, random_state=0)),
    "extra trees, scaled": make_pipeline(
        beside(onehot, scaled(RobustScaler())),
        ExtraTreesRegressor(15, max_depth=8, random_state=0),
    ),
    "one tree, target encoder": make_pipeline(
        beside(TargetEncoder(target_type="continuous"), SimpleImputer()),
        DecisionTreeRegressor(max_depth=5, random_state=0),
    ),
    "XGBoost, gaps": gaps(xgb()),
    "XGBoost, absolute error": gaps(xgb(objective="reg:absoluteerror")),
    "XGBoost, Poisson": gaps(xgb(objective="count:poisson")),
    "LightGBM, gaps": gaps(lgbm()),
    "LightGBM, absolute error": gaps(lgbm(objective="l1")),
    "LightGBM, Tweedie": gaps(lgbm(objective="tweedie")),
    "linear regression": linear(LinearRegression()),
    "ridge, sparse matrix": make_pipeline(beside(sparse, numbers, sparse_threshold=1.0), Ridge()),
    "lasso": linear(Lasso()),
    "elastic net": linear(ElasticNet()),
    "Poisson regression": linear(PoissonRegressor()),
    "gamma regression": linear(GammaRegressor()),
}
REFUSED: dict[str, tuple[Any, str]] = {
    "a target that is transformed": (
        TransformedTargetRegressor(linear(Ridge()), func=np.log1p, inverse_func=np.expm1),
        "TransformedTargetRegressor",
    ),
    "LightGBM, square root": (gaps(lgbm(reg_sqrt=True)), "regression sqrt"),
}
ROUNDED = {"XGBoost, Poisson": 1e-5}
"""XGBoost counts in 32 bits: behind an exponential that is further off than the default allows."""


def labels(frame: pl.DataFrame) -> Any:
    """Numbers of some tens, above zero."""
    a, b = frame["a"].fill_null(0.0).to_numpy(), frame["b"].to_numpy()
    kind = (frame["kind"] == "x").fill_null(value=False).to_numpy()
    noise = np.random.default_rng(5).normal(0, 3, frame.height)
    return np.maximum(40 + 12 * a + 2 * b + 20 * kind + noise, 1.0)


@functools.cache
def fitted(name: str) -> Any:
    estimator = REGRESSORS[name] if name in REGRESSORS else REFUSED[name][0]
    frame = rows()[0]
    return clone(estimator).fit(frame, labels(frame))


@functools.cache
def compiled(name: str) -> Compiled:
    return compile_release(
        fitted(name),
        lambda frame: predicted_number(fitted(name), frame),
        ENGINES,
        rows(300, seed=1)[0],
        training=rows()[0],
        threshold=None,
        tolerance=ROUNDED.get(name, 1e-6),
    )


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor_is_compiled_with_contributions_that_add_up(name: str) -> None:
    made = compiled(name)
    found = made.observation[2]
    assert made.engine != ORIGINAL, found["tried"]
    assert (found["flips"], found["adversarial_rows"] > 400) == (0, True)
    if "XGBoost" not in name:
        assert found["largest_difference"] < 1e-12
    frame = rows(80, seed=2)[0]
    answers = made.score(frame)
    assert [made.score(frame[at : at + 1])[0] for at in range(frame.height)] == answers.tolist()
    (engine,) = [engine for engine in ENGINES if engine.name == made.engine]
    assert engine.load(made.files)(frame).tolist() == answers.tolist()
    assert made.contributions is not None
    added = made.contributions.expected + made.contributions.of(frame).sum(axis=1)
    assert made.contributions.unit in {ANSWER, LOG}
    said = np.exp(added) if made.contributions.unit == LOG else added
    assert said == pytest.approx(answers, rel=1e-9)


@pytest.mark.parametrize("name", ["hist gradient boosting, gaps", "random forest, gaps",
                                  "LightGBM, gaps", "XGBoost, gaps"])  # fmt: skip
def test_contributions_are_those_of_shap_in_the_unit_of_the_target(name: str) -> None:
    made, pipeline, frame = compiled(name), fitted(name), rows(40, seed=3)[0]
    assert made.contributions is not None
    expected = shap.TreeExplainer(pipeline[-1]).shap_values(pipeline[0].transform(frame))
    assert made.contributions.columns == ("kind", "many", "a", "b", "n")
    assert np.abs(made.contributions.of(frame) - expected).max() < 1e-4


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_covered_is_served_by_the_original(name: str) -> None:
    made = compiled(name)
    assert made.engine == ORIGINAL
    assert any(REFUSED[name][1] in tried["why"] for tried in made.observation[2]["tried"])


def test_a_difference_counts_in_parts_of_the_number() -> None:
    tried = compile_release(
        fitted("XGBoost, Poisson"),
        lambda frame: predicted_number(fitted("XGBoost, Poisson"), frame),
        ENGINES,
        rows(300, seed=1)[0],
        training=rows()[0],
        threshold=None,
        tolerance=1e-8,
    ).observation[2]["tried"]
    assert "1e-08 is allowed" in tried[0]["why"]


@pytest.mark.parametrize("name", ["XGBoost, gaps", "LightGBM, gaps", "lasso",
                                  "hist gradient boosting, Poisson"])  # fmt: skip
def test_regressors_are_stored_and_loaded_again(name: str) -> None:
    frame = rows(50, seed=4)[0]
    again = load(dump(fitted(name)))
    assert np.array_equal(again.predict(frame), fitted(name).predict(frame))
