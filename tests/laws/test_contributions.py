"""Exact contributions are Shapley values, as shap and the boosters' own libraries work them out."""

from __future__ import annotations

import itertools
import json
import math
import time
from typing import Any

import numpy as np
import polars as pl
import pytest
import shap
import xgboost
from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from xgboost import XGBClassifier

from taxiway.adapters.engines import onnx_trees
from taxiway.adapters.engines.columns import runner
from taxiway.adapters.engines.contributions import (
    MEMBER,
    NODE,
    Leaves,
    _integrated,
    _tabled,
    contributions,
)
from taxiway.core.ports import Contributions

NAMES = ("a", "b", "c", "d", "e")


def rows(count: int = 1500, *, gaps: bool = True) -> tuple[pl.DataFrame, Any]:
    """Numbers, two of them categories, with and without gaps."""
    rng = np.random.default_rng(3)
    matrix = rng.normal(size=(count, 5))
    matrix[:, 1], matrix[:, 3] = rng.integers(0, 12, count), rng.choice([2.0, 5, 9], count)
    score = matrix[:, 0] + np.sin(matrix[:, 1] * 5) + (matrix[:, 3] == 5) + matrix[:, 2] ** 2
    labels = score + rng.normal(size=count) > 1.2
    if gaps:
        matrix[rng.random(matrix.shape) < 0.05] = np.nan
    return pl.DataFrame(matrix, schema=list(NAMES)), labels


def made(model: Any) -> Contributions:
    found = onnx_trees.contributions_of(onnx_trees.compile_estimator(model, NAMES))
    assert found is not None
    assert set(found.columns) == set(NAMES)
    return found


SHAP: dict[str, tuple[Any, bool]] = {
    "hist gradient boosting": (HistGradientBoostingClassifier(max_iter=40), True),
    "gradient boosting": (GradientBoostingClassifier(n_estimators=40), False),
    "random forest": (RandomForestClassifier(15, max_depth=7, random_state=0), False),
    "extra trees": (ExtraTreesClassifier(15, max_depth=7, random_state=0), False),
}


@pytest.mark.parametrize("name", SHAP)
def test_they_are_those_of_shap(name: str) -> None:
    model, gaps = SHAP[name]
    frame, labels = rows(gaps=gaps)
    model.fit(frame.to_numpy(), labels)
    shown = frame[:60]
    explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    expected = explainer.shap_values(shown.to_numpy())
    if expected.ndim == 3:
        expected = expected[..., 1]
    found = made(model)
    assert found.of(shown) == pytest.approx(expected, abs=1e-9)
    assert found.expected == pytest.approx(np.ravel(explainer.expected_value)[-1], abs=1e-9)


def test_they_are_lightgbm_s_own_with_categories_and_gaps() -> None:
    frame, labels = rows()
    model = LGBMClassifier(n_estimators=40, num_leaves=40, n_jobs=1, verbose=-1)
    model.fit(frame.to_numpy(), labels, categorical_feature=[1, 3])
    shown = frame[:60].with_columns(b=pl.Series([99.0, None, *frame["b"][2:60]]))
    expected: Any = model.booster_.predict(shown.to_numpy(), pred_contrib=True)
    found = made(model)
    assert found.unit == "log-odds"
    assert found.of(shown) == pytest.approx(expected[:, :-1], abs=1e-9)
    assert found.expected == pytest.approx(expected[0, -1], abs=1e-9)


def test_they_are_xgboost_s_own_as_far_as_its_32_bits_go() -> None:
    frame, labels = rows()
    kinds = ["q", "c", "q", "c", "q"]
    model = XGBClassifier(n_estimators=40, feature_types=kinds, enable_categorical=True, n_jobs=1)
    model.fit(frame.to_numpy(), labels)
    shown = frame[:60]
    matrix = xgboost.DMatrix(shown.to_numpy(), feature_types=kinds, enable_categorical=True)
    expected: Any = model.get_booster().predict(matrix, pred_contribs=True)
    found = made(model)
    assert found.of(shown) == pytest.approx(expected[:, :-1], abs=1e-5)
    assert found.expected == pytest.approx(expected[0, -1], abs=1e-5)


def test_native_categories_of_hist_gradient_boosting_follow_the_definition() -> None:
    """shap can't read these; for few columns the definition can be worked out as it stands."""
    frame, labels = rows(600)
    model = HistGradientBoostingClassifier(
        max_iter=4, max_leaf_nodes=12, min_samples_leaf=5, categorical_features=[1, 3]
    ).fit(frame.to_numpy(), labels)
    files = onnx_trees.compile_estimator(model, NAMES)
    nodes = np.frombuffer(files[onnx_trees.NODES], NODE)
    named: dict[int, set[float]] = {}
    for node, category in np.frombuffer(files[onnx_trees.NAMED], MEMBER).tolist():
        named.setdefault(node, set()).add(category)
    assert named

    def expectation(node: int, row: Any, known: frozenset[int]) -> float:
        this = nodes[node]
        if this["yes"] < 0:
            return float(this["value"])
        children = int(this["yes"]), int(this["no"])
        if int(this["feature"]) not in known:
            weighed = [nodes[c]["cover"] * expectation(c, row, known) for c in children]
            return float(sum(weighed) / this["cover"])
        value = row[this["feature"]]
        yes = bool(this["missing_yes"]) if np.isnan(value) else value <= this["threshold"]
        if node in named or np.isnan(this["threshold"]):
            yes = value in named.get(node, ())
        return expectation(children[0] if yes else children[1], row, known)

    def shapley(row: Any, column: int) -> float:
        others = [at for at in range(5) if at != column]
        total = 0.0
        for size in range(5):
            weight = math.factorial(size) * math.factorial(4 - size) / math.factorial(5)
            for known in map(frozenset, itertools.combinations(others, size)):
                for root in np.flatnonzero(nodes["root"]).tolist():
                    gain = expectation(root, row, known | {column}) - expectation(root, row, known)
                    total += weight * gain
        return total

    shown = frame[:5]
    found = made(model)
    assert found.columns == ("b", "d", "a", "c", "e")
    # The model's own matrix: categories first, as codes.
    (blocks,) = json.loads(files[onnx_trees.COLUMNS])["matrices"]
    for row, given in zip(runner(blocks)(shown), found.of(shown), strict=True):
        assert given == pytest.approx([shapley(row, column) for column in range(5)], abs=1e-12)


def test_rows_have_the_same_bits_alone_and_in_any_batch() -> None:
    frame, labels = rows()
    found = made(HistGradientBoostingClassifier(max_iter=20).fit(frame.to_numpy(), labels))
    together = found.of(frame[:40])
    assert together.tobytes() == b"".join(
        found.of(frame[at : at + 1]).tobytes() for at in range(40)
    )
    assert found.of(frame[:0]).shape == (0, 5)


def test_slots_of_one_column_are_taken_together() -> None:
    frame, labels = rows(gaps=False)
    frame = frame.with_columns(pl.col("d").cast(pl.Int64).cast(pl.String))
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["d"]),
            ("passthrough", ["a", "b"]),
        ),
        HistGradientBoostingClassifier(max_iter=20),
    ).fit(frame, labels)
    found = onnx_trees.contributions_of(onnx_trees.compile_estimator(model, NAMES))
    assert found is not None
    assert found.columns == ("d", "a", "b")
    explainer = shap.TreeExplainer(model[-1], feature_perturbation="tree_path_dependent")
    expected = explainer.shap_values(model[0].transform(frame[:30]))
    assert found.of(frame[:30])[:, 0] == pytest.approx(expected[:, :3].sum(axis=1), abs=1e-9)


def test_models_without_contributions_that_add_up_have_none() -> None:
    frame, labels = rows(gaps=False)
    calibrated = CalibratedClassifierCV(GradientBoostingClassifier(n_estimators=5), cv=2)
    calibrated.fit(frame.to_numpy(), labels)
    assert onnx_trees.contributions_of(onnx_trees.compile_estimator(calibrated, NAMES)) is None


def test_forests_that_take_longer_than_asking_again_have_none() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(4000, 5))
    deep = RandomForestClassifier(60, random_state=0).fit(matrix, rng.random(4000) < 0.5)
    assert onnx_trees.contributions_of(onnx_trees.compile_estimator(deep, NAMES)) is None


@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_the_table_holds_what_is_integrated(size: int) -> None:
    rng = np.random.default_rng(size)
    shape = (size, 7)
    leaves = Leaves(
        np.zeros(shape, int), np.zeros(shape, int), rng.random(shape), rng.normal(size=7)
    )
    leaves.shares[0, 0] = 0.0  # a side that no training row took
    met = rng.random(shape) < 0.5
    assert _tabled(leaves)(met).tolist() == _integrated(leaves)(met).T.tolist()


def test_single_leaves_only_add_to_what_is_expected() -> None:
    nodes = np.zeros(1, NODE)
    nodes["root"], nodes["yes"], nodes["no"], nodes["value"] = True, -1, -1, 0.25
    found = contributions(nodes, np.zeros(0, MEMBER), [0, 1], strict=False)
    assert found is not None
    assert found[0] == 0.25
    assert found[1](np.zeros(2)).tolist() == [0.0, 0.0]


def test_a_row_costs_less_than_the_boosters_own_contributions() -> None:
    """The bar is 1.5 ms a row alone; a busy machine gets a margin, the fastest of many counts."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(2000, 30))
    labels = matrix[:, 0] + matrix[:, 1] * matrix[:, 2] + rng.normal(size=2000) > 0
    model = XGBClassifier(n_estimators=100, max_depth=6, n_jobs=1).fit(matrix, labels)
    names = tuple(f"c{at}" for at in range(30))
    found = onnx_trees.contributions_of(onnx_trees.compile_estimator(model, names))
    assert found is not None
    frame = pl.DataFrame(matrix, schema=list(names))
    best = float("inf")
    for at in range(50):
        began = time.perf_counter()
        found.of(frame[at : at + 1])
        best = min(best, time.perf_counter() - began)
    assert best < 0.0015
