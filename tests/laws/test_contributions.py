"""Exact contributions are Shapley values, as shap and the boosters' own libraries work them out."""

from __future__ import annotations

import importlib
import itertools
import json
import math
import time
from typing import Any

import numpy as np
import polars as pl
import pytest
import xgboost
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier

from taxiway.adapters.engines import linear, onnx_trees
from taxiway.adapters.engines.columns import runner
from taxiway.adapters.engines.contributions import (
    MEMBER,
    NODE,
    Leaves,
    _integrated,
    _tabled,
    contributions,
)
from taxiway.core.engine import Contributions, NotCompilableError

NAMES = ("a", "b", "c", "d", "e")


@pytest.fixture(scope="module")
def shap() -> Any:
    """Imported when a test asks for it: that takes seconds, and most workers never do."""
    return importlib.import_module("shap")


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
def test_they_are_those_of_shap(name: str, shap: Any) -> None:
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
    nodes = np.frombuffer(files[onnx_trees.nodes_name(0)], NODE)
    named: dict[int, set[float]] = {}
    for node, category in np.frombuffer(files[onnx_trees.named_name(0)], MEMBER).tolist():
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


def test_slots_of_one_column_are_taken_together(shap: Any) -> None:
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


def mixed(count: int = 1500) -> tuple[pl.DataFrame, Any]:
    """Numbers with gaps and texts."""
    frame, labels = rows(count)
    return frame.with_columns(pl.col("b", "d").fill_nan(2).cast(pl.Int64).cast(pl.String)), labels


def prepared(model: Any) -> Any:
    """The model behind preprocessing that makes several columns of one, and not side by side."""
    return make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["a", "e", "c"]),
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["b", "d"]),
        ),
        model,
    )


def of_linear(model: Any, training: pl.DataFrame) -> Contributions:
    files = linear.background(linear.compile_estimator(model, NAMES), training)
    found = linear.contributions_of(files)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "plain", [LogisticRegression(), SGDClassifier(loss="log_loss", random_state=0)], ids=repr
)
def test_those_of_linear_models_are_shap_s_of_independent_columns(plain: Any, shap: Any) -> None:
    frame, labels = mixed()
    model = prepared(plain).fit(frame, labels)
    matrix = model[0].transform(frame)
    masker = shap.maskers.Independent(matrix, max_samples=frame.height)
    explainer = shap.LinearExplainer(model[-1], masker)
    shown = frame[:60].with_columns(b=pl.Series(["new", None, *frame["b"][2:60]]))
    expected = explainer.shap_values(model[0].transform(shown))
    found = of_linear(model, frame)
    assert (found.columns, found.unit, found.score) == (("a", "e", "c", "b", "d"), "log-odds", None)
    assert found.expected == pytest.approx(explainer.expected_value, abs=1e-9)
    made_from = [
        name.split("__")[1].removeprefix("missingindicator_")[0]
        for name in model[0].get_feature_names_out()
    ]
    assert made_from == [*"aecaec", *"b" * 12, *"ddd"]
    for place, column in enumerate(found.columns):
        mine = expected[:, [at for at, name in enumerate(made_from) if name == column]]
        assert found.of(shown)[:, place] == pytest.approx(mine.sum(axis=1), abs=1e-9)


def test_those_of_linear_models_have_the_same_bits_alone_and_in_any_batch() -> None:
    frame, labels = mixed()
    model = CalibratedClassifierCV(prepared(LogisticRegression()), cv=2).fit(frame, labels)
    found = of_linear(model, frame)
    together = found.of(frame)
    alone = [found.of(frame[at : at + 1]).tobytes() for at in range(300)]
    assert together[:300].tobytes() == b"".join(alone)
    assert found.of(frame[:0]).shape == (0, 5)


def test_the_mean_of_training_is_the_same_however_many_rows_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame, labels = mixed()
    model = prepared(LogisticRegression()).fit(frame, labels)
    whole = of_linear(model, frame)
    monkeypatch.setattr(linear, "CHUNK_ROWS", 7)
    pieces = of_linear(model, frame)
    assert pieces.expected == pytest.approx(whole.expected, abs=1e-12)
    assert pieces.of(frame[:5]) == pytest.approx(whole.of(frame[:5]), abs=1e-12)


def test_linear_models_that_were_compiled_without_their_training_have_none() -> None:
    frame, labels = rows(gaps=False)
    model = LogisticRegression().fit(frame.to_numpy(), labels)
    assert linear.contributions_of(linear.compile_estimator(model, NAMES)) is None


ONE_SIGMOID: dict[str, Any] = {
    "logistic regression": LogisticRegression(),
    "gradient boosting": GradientBoostingClassifier(n_estimators=10),
    "gradient boosting, exponential": GradientBoostingClassifier(
        n_estimators=10, loss="exponential"
    ),
    "random forest": RandomForestClassifier(10, max_depth=5, random_state=0),
}


def of_any(model: Any, frame: pl.DataFrame) -> Contributions | None:
    try:
        return of_linear(model, frame)
    except NotCompilableError:
        pass
    return onnx_trees.contributions_of(onnx_trees.compile_estimator(model, NAMES))


@pytest.mark.parametrize("name", ONE_SIGMOID)
@pytest.mark.parametrize("turned", [False, True])
def test_behind_one_sigmoid_they_still_add_up_to_the_answer_s_log_odds(
    name: str, *, turned: bool
) -> None:
    frame, labels = rows(600, gaps=False)
    matrix = frame.to_numpy()
    fitted = FrozenEstimator(clone(ONE_SIGMOID[name]).fit(matrix, labels))
    # A calibrator may say that high scores speak against: it is a straight line all the same.
    model = CalibratedClassifierCV(fitted).fit(matrix, labels != turned)
    found = of_any(model, frame)
    assert found is not None
    assert (found.unit, found.score) == ("log-odds", None)
    answers = model.predict_proba(matrix[:50])[:, 1]
    added = found.expected + found.of(frame[:50]).sum(axis=1)
    assert added == pytest.approx(np.log(answers / (1 - answers)), abs=1e-9)


FOLDS: dict[str, tuple[Any, str, str]] = {
    "one for all, steps": (
        GradientBoostingClassifier(n_estimators=10),
        "isotonic",
        "log-odds before calibration",
    ),
    "sigmoids": (GradientBoostingClassifier(n_estimators=10), "sigmoid", "mean log-odds"),
    "steps": (
        RandomForestClassifier(10, max_depth=5, random_state=0),
        "isotonic",
        "mean answer before calibration",
    ),
    "linear, sigmoids": (LogisticRegression(), "sigmoid", "mean log-odds"),
    "linear, steps": (LogisticRegression(), "isotonic", "mean log-odds before calibration"),
    "sigmoids of probabilities": (
        XGBClassifier(n_estimators=10, n_jobs=1),
        "sigmoid",
        "mean log-odds before calibration",
    ),
}


@pytest.mark.parametrize("name", FOLDS)
def test_behind_other_calibrators_they_add_up_to_the_mean_of_what_is_a_sum(
    name: str, shap: Any
) -> None:
    plain, method, unit = FOLDS[name]
    frame, labels = rows(600, gaps=False)
    matrix = frame.to_numpy()
    model = CalibratedClassifierCV(
        plain, method=method, cv=2, ensemble=name != "one for all, steps"
    )
    model.fit(matrix, labels)
    found = of_any(model, frame)
    assert found is not None
    assert found.unit == unit
    shown, expected, beside = matrix[:50], 0.0, 0.0
    for one in model.calibrated_classifiers_:
        inner = one.estimator
        if isinstance(inner, LogisticRegression):
            explainer = shap.LinearExplainer(inner, shap.maskers.Independent(matrix, 600))
        else:
            explainer = shap.TreeExplainer(inner, feature_perturbation="tree_path_dependent")
        values = explainer.shap_values(shown)
        values = values[..., 1] if values.ndim == 3 else values
        times, plus = 1.0, 0.0
        if unit == "mean log-odds":
            times, plus = -one.calibrators[0].a_, -one.calibrators[0].b_
        expected += values * times / len(model.calibrated_classifiers_)
        middle = np.ravel(explainer.expected_value)[-1] * times + plus
        beside += middle / len(model.calibrated_classifiers_)
    within = 1e-5 if isinstance(plain, XGBClassifier) else 1e-9
    assert found.of(frame[:50])[:, [found.columns.index(one) for one in NAMES]] == pytest.approx(
        expected, abs=within
    )
    assert found.expected == pytest.approx(beside, abs=within)
    # What they add up to is what the engine itself makes of a row on the way to its answer.
    assert found.score is not None
    added = found.expected + found.of(frame[:50]).sum(axis=1)
    assert added == pytest.approx(found.score(frame[:50]), abs=1e-9)


def test_a_calibrator_that_turns_a_score_around_before_it_adds_up_leaves_none() -> None:
    frame, labels = rows(600, gaps=False)
    matrix = frame.to_numpy()
    fitted = FrozenEstimator(XGBClassifier(n_estimators=5, n_jobs=1).fit(matrix, labels))
    model = CalibratedClassifierCV(fitted).fit(matrix, ~labels)
    assert onnx_trees.contributions_of(onnx_trees.compile_estimator(model, NAMES)) is None


def test_a_row_of_a_linear_model_costs_a_fraction_of_that_of_trees() -> None:
    frame, labels = mixed()
    found = of_linear(prepared(LogisticRegression()).fit(frame, labels), frame)
    best = float("inf")
    for at in range(50):
        began = time.perf_counter()
        found.of(frame[at : at + 1])
        best = min(best, time.perf_counter() - began)
    assert best < 0.0003


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
    found = contributions(nodes, np.zeros(0, MEMBER), [0, 1], 2, strict=False)
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
