"""Every engine answers as the estimator, on rows of any kind, or refuses the estimator."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

from taxiway.adapters.engines import ENGINES
from taxiway.core.engine import Engine, NotCompilableError
from taxiway.core.errors import InputError
from taxiway.release.compile import ORIGINAL, Compiled, adversarial, compile_release
from taxiway.training.estimators import positive_probability

TOLERANCE = 1e-6
"""The charter's default; engines of 64 bits stay below 1e-12 (see below)."""


def rows(count: int = 1200, seed: int = 0) -> tuple[pl.DataFrame, Any]:
    """Numbers with gaps, whole numbers, categories with gaps, and labels that follow from them."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=count), rng.normal(10, 5, size=count)
    kind = rng.choice(["x", "y", "z"], count)
    many = rng.choice(list("abcdefghijkl"), count, p=[0.3, 0.2, 0.1, 0.1, 0.1, *[0.2 / 7] * 7])
    n = rng.integers(-3, 4, count)
    labels = a + (kind == "x") + np.isin(many, ["a", "d"]) + rng.normal(0, 0.5, count) > 0.8
    frame = pl.DataFrame({"a": a, "b": b, "n": n, "kind": kind, "many": many})
    gaps = pl.Series(rng.random(count) < 0.05)
    return (
        frame.with_columns(
            a=pl.when(gaps).then(None).otherwise("a"),
            kind=pl.when(gaps.reverse()).then(None).otherwise("kind"),
        ),
        labels,
    )


ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
ordinal_nan = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"))
onehot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
sparse = OneHotEncoder(handle_unknown="ignore")
numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
NUMERIC = ["a", "b", "n"]
KINDS = ["kind", "many"]


def beside(encoder: Any, rest: Any, **more: Any) -> Any:
    return make_column_transformer((encoder, KINDS), (rest, NUMERIC), **more)


def scaled(scaler: Any, **imputing: Any) -> Any:
    return make_pipeline(SimpleImputer(**imputing), scaler)


xgb = XGBClassifier(n_estimators=40, max_depth=4, n_jobs=1, random_state=0)
lgbm = LGBMClassifier(n_estimators=40, n_jobs=1, random_state=0, verbose=-1)
hist = HistGradientBoostingClassifier(max_iter=40, random_state=0)
native = HistGradientBoostingClassifier(max_iter=40, categorical_features=[0, 1], random_state=0)
forest = RandomForestClassifier(20, random_state=0)
linear = LogisticRegression()

ESTIMATORS: dict[str, Any] = {
    "hist gradient boosting, gaps": make_pipeline(beside(ordinal, "passthrough"), hist),
    "hist gradient boosting, native categories": make_pipeline(
        beside(ordinal_nan, "passthrough"), native
    ),
    "hist gradient boosting, categories behind, with gaps in their codes": make_pipeline(
        make_column_transformer(("passthrough", NUMERIC), (ordinal_nan, KINDS)),
        HistGradientBoostingClassifier(max_iter=40, categorical_features=[2, 4], random_state=0),
    ),
    "hist gradient boosting by itself": HistGradientBoostingClassifier(
        max_iter=40, categorical_features=["kind", "many"], random_state=0
    ),
    "gradient boosting": make_pipeline(
        beside(ordinal, SimpleImputer()), GradientBoostingClassifier(n_estimators=40)
    ),
    "gradient boosting, exponential loss, from zero": make_pipeline(
        beside(ordinal, SimpleImputer()),
        GradientBoostingClassifier(n_estimators=40, loss="exponential", init="zero"),
    ),
    "random forest, one-hot": make_pipeline(beside(onehot, SimpleImputer()), forest),
    "random forest, gaps": make_pipeline(beside(ordinal_nan, "passthrough"), forest),
    "extra trees, scaled": make_pipeline(
        beside(onehot, scaled(RobustScaler())), ExtraTreesClassifier(30, random_state=0)
    ),
    "one tree, target encoder": make_pipeline(
        beside(TargetEncoder(), scaled(MaxAbsScaler())),
        DecisionTreeClassifier(max_depth=5, random_state=0),
    ),
    "XGBoost, gaps": make_pipeline(beside(ordinal, "passthrough"), xgb),
    "XGBoost, native categories": make_pipeline(
        beside(ordinal_nan, "passthrough"),
        XGBClassifier(
            n_estimators=40,
            n_jobs=1,
            max_cat_to_onehot=4,
            feature_types=["c", "c", "q", "q", "q"],
            enable_categorical=True,
        ),
    ),
    "XGBoost, sparse matrix: zero is missing": make_pipeline(
        beside(sparse, "passthrough", sparse_threshold=1.0), xgb
    ),
    "LightGBM, gaps": make_pipeline(beside(ordinal, "passthrough"), lgbm),
    "LightGBM, native categories": make_pipeline(beside(ordinal_nan, "passthrough"), lgbm),
    "LightGBM, sparse matrix": make_pipeline(
        beside(sparse, "passthrough", sparse_threshold=1.0), lgbm
    ),
    "logistic regression": make_pipeline(beside(onehot, numbers), linear),
    "logistic regression, sparse matrix": make_pipeline(
        beside(sparse, numbers, sparse_threshold=1.0), linear
    ),
    "logistic regression, infrequent and dropped": make_pipeline(
        beside(
            OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=60, drop="first"),
            scaled(MinMaxScaler(clip=True), add_indicator=True),
        ),
        linear,
    ),
    "logistic regression, a binary category once, a constant for gaps": make_pipeline(
        beside(
            make_pipeline(
                SimpleImputer(missing_values=None, strategy="constant", fill_value="none"),
                OneHotEncoder(handle_unknown="ignore", drop="if_binary"),
            ),
            scaled(MinMaxScaler((-1, 2)), strategy="constant", fill_value=-9),
        ),
        linear,
    ),
    "logistic regression, the most frequent for gaps": make_pipeline(
        beside(
            make_pipeline(SimpleImputer(strategy="most_frequent"), ordinal),
            SimpleImputer(strategy="most_frequent"),
        ),
        LogisticRegression(max_iter=2000),
    ),
    "stochastic gradient descent": make_pipeline(
        beside(onehot, numbers), SGDClassifier(loss="log_loss", random_state=0)
    ),
    "columns by mask, the rest dropped": make_pipeline(
        ColumnTransformer([("few", numbers, [True, True, False, False, False])]), linear
    ),
    "calibrated forest, sigmoid": CalibratedClassifierCV(
        make_pipeline(beside(onehot, SimpleImputer()), forest), cv=3
    ),
    "calibrated hist gradient boosting, isotonic": make_pipeline(
        beside(ordinal_nan, "passthrough"), CalibratedClassifierCV(native, method="isotonic", cv=2)
    ),
    "calibrated LightGBM, isotonic, one for all": make_pipeline(
        beside(ordinal, "passthrough"),
        CalibratedClassifierCV(lgbm, method="isotonic", cv=2, ensemble=False),
    ),
    "calibrated logistic regression": CalibratedClassifierCV(
        make_pipeline(beside(onehot, numbers), linear), cv=2
    ),
}
FIT = {"LightGBM, native categories": {"lgbmclassifier__categorical_feature": [0, 1]}}
"""What is given while fitting, where the estimator has no other place for it."""
REFUSED: dict[str, tuple[Any, str]] = {
    "naive Bayes": (make_pipeline(beside(onehot, numbers), GaussianNB()), "GaussianNB"),
    "polynomials": (
        make_pipeline(
            beside(onehot, make_pipeline(SimpleImputer(), PolynomialFeatures())),
            LogisticRegression(max_iter=5000),
        ),
        "PolynomialFeatures",
    ),
    "infrequent codes": (
        make_pipeline(
            beside(OrdinalEncoder(min_frequency=40), SimpleImputer()), RandomForestClassifier(5)
        ),
        "infrequent categories",
    ),
}


@functools.cache
def fitted(name: str) -> Any:
    frame, labels = rows()
    estimator = ESTIMATORS[name] if name in ESTIMATORS else REFUSED[name][0]
    return clone(estimator).fit(frame, labels, **FIT.get(name, {}))


@functools.cache
def compiled(name: str) -> Compiled:
    estimator = fitted(name)
    return compile_release(
        estimator,
        lambda frame: positive_probability(estimator, frame),
        ENGINES,
        rows(600, seed=1)[0],
        training=rows()[0],
        threshold=0.5,
        tolerance=TOLERANCE,
    )


@pytest.mark.parametrize("name", ESTIMATORS)
def test_what_is_covered_is_compiled_within_the_tolerance(name: str) -> None:
    made = compiled(name)
    kind, examined, found, required = made.observation
    assert made.engine != ORIGINAL, found["tried"]
    assert (kind, examined, found["flips"]) == ("release.parity", 600, 0)
    assert found["largest_difference"] <= required["maximum_difference"] == TOLERANCE
    assert found["largest_difference"] < (1e-6 if "XGBoost" in name else 1e-12)
    assert found["adversarial_rows"] > 500
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_covered_is_served_by_the_original_and_says_why(name: str) -> None:
    made = compiled(name)
    assert (made.engine, made.files) == (ORIGINAL, {})
    assert len(made.observation[2]["tried"]) == len(ENGINES)
    assert any(REFUSED[name][1] in tried["why"] for tried in made.observation[2]["tried"])


RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "a": st.none() | st.floats(-1e30, 1e30),
            "b": st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0, 5e-324]),
            "n": st.integers(-(2**40), 2**40),
            "kind": st.none() | st.sampled_from(["x", "y", "z"]) | st.text(max_size=3),
            "many": st.none() | st.sampled_from(list("abcdefghijkl")) | st.text(max_size=3),
        }
    ),
    min_size=1,
    max_size=20,
)


@pytest.mark.filterwarnings("ignore:Found unknown categories")
@pytest.mark.parametrize("name", ESTIMATORS)
@settings(max_examples=10)
@given(records=RECORDS)
def test_any_row_gets_the_estimator_s_answer_and_the_same_bits_alone(
    name: str, records: list[dict[str, Any]]
) -> None:
    frame = pl.DataFrame(records, schema=rows(1)[0].schema)
    expected, found = positive_probability(fitted(name), frame), compiled(name).score(frame)
    assert found.dtype == np.float64
    assert np.abs(expected - found).max() <= TOLERANCE
    alone = [compiled(name).score(frame[row : row + 1])[0] for row in range(frame.height)]
    assert alone == found.tolist()


@pytest.mark.parametrize("name", ESTIMATORS)
def test_files_are_data_that_load_to_the_same_bits(name: str) -> None:
    made = compiled(name)
    (engine,) = [engine for engine in ENGINES if engine.name == made.engine]
    frame = rows(300, seed=2)[0]
    again = engine.load({file: bytes(content) for file, content in made.files.items()})
    assert again(frame).tolist() == made.score(frame).tolist()
    assert again(frame[:0]).shape == (0,)


LEAN = """
import json, sys
from pathlib import Path
for name in ("onnx", "sklearn", "scipy", "pandas", "skops", "xgboost", "lightgbm", "treelite"):
    sys.modules[name] = None
import polars as pl
from taxiway.adapters.engines import ENGINES
(engine,) = [engine for engine in ENGINES if engine.name == sys.argv[1]]
files = {path.name: path.read_bytes() for path in Path(sys.argv[2]).iterdir()}
frame = pl.read_parquet(sys.argv[3])
made = engine.contributions(files)
print(json.dumps([engine.load(files)(frame).tolist(), made and made.of(frame).tolist()]))
"""


@pytest.mark.parametrize(
    "name", ["XGBoost, native categories", "calibrated logistic regression", "LightGBM, gaps"]
)
def test_nothing_that_trained_a_model_is_needed_where_it_serves(name: str, tmp_path: Path) -> None:
    made = compiled(name)
    folder, rows_file = tmp_path / "files", tmp_path / "rows.parquet"
    folder.mkdir()
    for file, content in made.files.items():
        (folder / file).write_bytes(content)
    frame = rows(50, seed=4)[0]
    frame.write_parquet(rows_file)
    command = [sys.executable, "-c", LEAN, made.engine, str(folder), str(rows_file)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    explained = made.contributions and made.contributions.of(frame).tolist()
    assert json.loads(said) == [made.score(frame).tolist(), explained]


STRICT = {
    "ordinal": beside(OrdinalEncoder(), SimpleImputer()),
    "one-hot": beside(OneHotEncoder(), SimpleImputer()),
    "one-hot, dropped, gaps filled": beside(
        make_pipeline(
            SimpleImputer(missing_values=None, strategy="constant", fill_value="x"),
            OneHotEncoder(drop="first"),
        ),
        SimpleImputer(),
    ),
}
"""Encoders as they are by default: what they have not seen, they refuse."""


@pytest.mark.parametrize("name", STRICT)
def test_an_encoder_that_refuses_unknown_categories_refuses_them_compiled(name: str) -> None:
    frame, labels = rows()
    estimator = make_pipeline(STRICT[name], clone(forest)).fit(frame, labels)
    holdout = rows(600, seed=1)[0]
    made = compile_release(
        estimator,
        lambda asked: positive_probability(estimator, asked),
        ENGINES,
        holdout,
        training=rows()[0],
        threshold=0.5,
        tolerance=TOLERANCE,
    )
    assert made.engine == "onnx", made.observation
    unseen = [holdout.with_columns(many=pl.lit("new"))]
    if name == "ordinal":
        # A gap is a category where training saw one, and only there.
        unseen.append(holdout.with_columns(many=pl.lit(None, pl.String)))
    for asked in unseen:
        with pytest.raises(ValueError, match="unknown categories"):
            positive_probability(estimator, asked)
        for part in (asked[:1], asked, pl.concat([asked] * 10)):
            with pytest.raises(InputError, match=r"never seen .* in its column many"):
                made.score(part)
    many = pl.concat([holdout] * 10)
    assert made.score(many).tolist() == made.score(holdout).tolist() * 10


def test_a_calibrator_of_a_model_that_was_fitted_before_is_taken() -> None:
    frame, labels = rows()
    before = FrozenEstimator(fitted("hist gradient boosting, native categories"))
    estimator = CalibratedClassifierCV(before, method="isotonic").fit(frame, labels)
    made = compile_release(
        estimator,
        lambda asked: positive_probability(estimator, asked),
        ENGINES,
        rows(600, seed=1)[0],
        training=rows()[0],
        threshold=0.5,
        tolerance=TOLERANCE,
    )
    assert made.engine == "onnx", made.observation
    assert made.observation[2]["largest_difference"] < 1e-12


def test_the_values_at_every_split_are_tried() -> None:
    made = compiled("hist gradient boosting, gaps")
    (trees,) = [engine for engine in ENGINES if engine.name == made.engine]
    edges = trees.edges(made.files)
    assert set(edges) >= {"a", "b"}
    tried = pl.concat(adversarial(rows(200)[0], edges))["a"].to_list()
    one = edges["a"][0]
    assert {one, np.nextafter(one, np.inf), np.nextafter(one, -np.inf)} <= set(tried)


def test_the_values_at_every_split_are_tried_behind_scalers_too() -> None:
    made = compiled("extra trees, scaled")
    (trees,) = [engine for engine in ENGINES if engine.name == made.engine]
    edges = trees.edges(made.files)
    assert set(edges) == {"a", "b", "n"}
    # Just beside a split some rows turn: the scaler was undone, to a few parts in a billion.
    middle = sorted(edges["b"])[len(edges["b"]) // 2]
    frame = rows(600)[0]
    below, above = (frame.with_columns(b=pl.lit(middle + by)) for by in (-1e-9, 1e-9))
    assert (made.score(below) != made.score(above)).any()


def test_an_engine_that_is_off_is_refused_with_its_difference() -> None:
    """A difference of one in a thousand, and a flipped decision, are found and said."""
    name = "logistic regression"
    estimator = fitted(name)

    def original(frame: pl.DataFrame) -> Any:
        return positive_probability(estimator, frame)

    off = Engine("off", lambda *_: {}, lambda _: lambda frame: original(frame) * 0.999)
    made = compile_release(
        estimator,
        original,
        [off],
        rows(300)[0],
        training=rows()[0],
        threshold=0.5,
        tolerance=TOLERANCE,
    )
    assert made.engine == ORIGINAL
    assert "it differs by 0.001" in made.observation[2]["tried"][0]["why"]
    further = Engine("off", lambda *_: {}, lambda _: lambda frame: original(frame) * 0.95)
    lenient = compile_release(
        estimator,
        original,
        [further],
        rows(5000)[0],
        training=rows()[0],
        threshold=0.5,
        tolerance=0.1,
    )
    assert "decisions of the holdout would be others" in lenient.observation[2]["tried"][0]["why"]


def test_an_engine_that_breaks_is_refused_and_the_next_one_is_tried() -> None:
    name = "logistic regression"
    estimator = fitted(name)

    def breaks(*_: Any) -> Any:
        raise ValueError("a converter's own mistake")

    made = compile_release(
        estimator,
        lambda frame: positive_probability(estimator, frame),
        [Engine("broken", breaks, breaks), *ENGINES],
        rows(300)[0],
        training=rows()[0],
        threshold=0.5,
        tolerance=TOLERANCE,
    )
    assert made.engine == "linear"
    assert made.observation[2]["tried"][0]["why"] == "ValueError: a converter's own mistake"


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_every_engine_refuses_what_it_can_t_take_by_its_own_error(engine: Engine) -> None:
    with pytest.raises(NotCompilableError, match="GaussianNB"):
        engine.compile(fitted("naive Bayes"), ("a", "b", "n", "kind", "many"))
