"""Which reasons a release gives: exact ones only where they are proven, and why not elsewhere."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from taxiway.adapters.engines import ENGINES
from taxiway.bootstrap.artefacts import hands
from taxiway.core.artefact import Parts
from taxiway.core.errors import IntegrityError
from taxiway.release.artefact import _named
from taxiway.release.compile import Compiled, compile_release
from taxiway.release.reasoning import by_input, decided
from taxiway.training.estimators import positive_probability

ROWS = pl.DataFrame(np.random.default_rng(0).normal(size=(400, 3)), schema=["a", "b", "c"])
LABELS = (ROWS["a"] + ROWS["b"] * ROWS["c"] > 0).to_numpy()
SOURCES = {"a": ("x",), "b": ("y",), "c": ("x",)}


def compiled(model: Any) -> Compiled:
    model.fit(ROWS, LABELS)
    return compile_release(
        model,
        lambda frame: positive_probability(model, frame),
        ENGINES,
        ROWS,
        training=ROWS,
        threshold=0.5,
        tolerance=1e-6,
    )


def parts(**changes: Any) -> Parts:
    """What is asked of a release's parts here; nothing else of them is looked at."""
    none: dict[str, Any] = dict.fromkeys(field.name for field in dataclasses.fields(Parts))
    asked = {"kind": "classification", "holdout": ROWS, "sources": SOURCES}
    return Parts(**none | asked | {"reasons_by": "contributions", **changes})


TREES = compiled(HistGradientBoostingClassifier(max_iter=10))


def test_they_are_exact_where_they_add_up_to_the_answer() -> None:
    said = decided(parts(), TREES)
    assert (said["method"], said["unit"], said["why"]) == ("contributions", "log-odds", "")
    assert (said["rows"], said["largest_difference"] < 1e-12) == (67, True)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"reasons_by": "replacement"}, "the charter says so"),
        ({"sources": {**SOURCES, "b": ("x", "y")}}, "column b is made from x and y"),
        ({"sources": {**SOURCES, "c": ()}}, "column c is made from no input"),
    ],
)
def test_otherwise_typical_values_are_put_in_and_it_is_said_why(
    changes: dict[str, Any], why: str
) -> None:
    said = decided(parts(**changes), TREES)
    assert (said["method"], said["unit"]) == ("replacement", "probability")
    assert why in said["why"]


def test_an_engine_without_exact_contributions_is_named() -> None:
    said = decided(parts(), dataclasses.replace(TREES, contributions=None))
    assert said["why"] == "the engine onnx has no exact ones for this model"


def test_calibrated_models_say_what_contributions_add_up_to() -> None:
    folds = compiled(CalibratedClassifierCV(LogisticRegression(), cv=2))
    said = decided(parts(), folds)
    assert (said["method"], said["unit"], said["why"]) == ("contributions", "mean log-odds", "")
    assert said["largest_difference"] < 1e-12
    made = folds.contributions
    assert made is not None
    off = dataclasses.replace(made, expected=made.expected + 0.01)
    wrong = decided(parts(), dataclasses.replace(folds, contributions=off))
    assert wrong["why"] == "contributions do not add up to the mean log-odds: 0.01 off"


def test_contributions_that_do_not_add_up_are_not_used() -> None:
    made = TREES.contributions
    assert made is not None
    off = dataclasses.replace(
        TREES, contributions=dataclasses.replace(made, expected=made.expected + 0.01)
    )
    assert "do not add up to the answer: 0.002" in decided(parts(), off)["why"]


def test_columns_that_one_input_became_are_added_up() -> None:
    made = TREES.contributions
    assert made is not None
    of_columns = made.of(ROWS[:5])
    found = by_input(made, SOURCES, ("y", "x"))(ROWS[:5])
    assert found[:, 0].tolist() == of_columns[:, 1].tolist()
    assert found[:, 1].tolist() == (of_columns[:, 0] + of_columns[:, 2]).tolist()


def test_a_release_of_an_engine_that_is_gone_says_so() -> None:
    with pytest.raises(IntegrityError, match=r"'trees', and this taxiway knows onnx, linear and"):
        _named("trees", hands())
