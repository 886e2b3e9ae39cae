"""Tree ensembles through treelite, with their preprocessing as data.

Treelite keeps scikit-learn's 64-bit thresholds, so that no row falls on another side of a split;
its sum over the trees may differ from scikit-learn's in the last bits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from taxiway.adapters.engines.columns import plan_of, runner
from taxiway.adapters.engines.sklearn_columns import split_pipeline
from taxiway.core.digest import canonical_json
from taxiway.core.ports import NotCompilableError

MODEL, COLUMNS = "trees.treelite", "columns.json"
PROTOCOL = 1
THREADS_FROM = 4_096
"""Rows from which on every core is used."""

TAKEN: Mapping[str, tuple[str, str]] = {
    "sklearn.HistGradientBoostingClassifier": ("sklearn", "float64"),
    "sklearn.GradientBoostingClassifier": ("sklearn", "float32"),
    "sklearn.RandomForestClassifier": ("sklearn", "float32"),
    "sklearn.ExtraTreesClassifier": ("sklearn", "float32"),
    "xgboost.XGBClassifier": ("xgboost", "float32"),
    "lightgbm.LGBMClassifier": ("lightgbm", "float64"),
}
"""Model -> how treelite reads it, and to how many bits the model rounds what it is given."""


def compile_estimator(estimator: Any, names: tuple[str, ...]) -> dict[str, bytes]:
    """Name -> content of the files. Raises `NotCompilableError` for what it can't take."""
    import treelite

    blocks, model = split_pipeline(estimator, names)
    kind = type(model)
    name = f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
    if name not in TAKEN:
        raise NotCompilableError(f"{kind.__name__} is no ensemble of trees that is read here")
    reader, seen_as = TAKEN[name]
    if reader == "sklearn":
        compiled = treelite.sklearn.import_model(model)
    elif reader == "xgboost":
        if not np.isnan(model.missing):
            raise NotCompilableError(f"an {kind.__name__} with another missing value than NaN")
        compiled = treelite.frontend.from_xgboost(model.get_booster())
    else:
        compiled = treelite.frontend.from_lightgbm(model.booster_)
    content: bytes = compiled.serialize_bytes()
    plan = {
        "protocol": PROTOCOL,
        "blocks": blocks,
        "seen_as": seen_as,
        "input": compiled.input_type,
    }
    return {MODEL: content, COLUMNS: canonical_json(plan)}


def load(files: Mapping[str, bytes]) -> Callable[[Any], Any]:
    """The function from a frame of the model's columns to probabilities, float64."""
    import treelite

    plan = plan_of(files[COLUMNS], PROTOCOL)
    model = treelite.Model.deserialize_bytes(files[MODEL])
    matrix_of = runner(plan["blocks"])
    seen_as, given_as = np.dtype(plan["seen_as"]), np.dtype(plan["input"])

    def probability(frame: Any) -> Any:
        if not frame.height:
            return np.empty(0)
        matrix = matrix_of(frame).astype(seen_as, copy=False).astype(given_as, copy=False)
        # One row gains nothing from threads; rows are summed one by one, so the bits are the same.
        threads = 1 if len(matrix) < THREADS_FROM else 0
        answered = treelite.gtil.predict(model, matrix, nthread=threads)
        return answered.reshape(len(matrix), -1)[:, -1].astype(np.float64)

    return probability


def edges(files: Mapping[str, bytes]) -> dict[str, list[float]]:
    """Column -> the values that the trees split it at; of columns that reach them unchanged."""
    import treelite

    plan = plan_of(files[COLUMNS], PROTOCOL)
    text = treelite.Model.deserialize_bytes(files[MODEL]).dump_as_json()
    # A split that only tells missing values apart lies at infinity; treelite then writes nothing.
    model = json.loads(re.sub(r'"threshold": *,', '"threshold": null,', text))
    columns = _unchanged(plan["blocks"])
    found: dict[str, list[float]] = {}
    for tree in model["trees"]:
        for node in tree["nodes"]:
            name = columns.get(node.get("split_feature_id", -1))
            if name is not None and node.get("threshold") is not None:
                found.setdefault(name, []).append(float(node["threshold"]))
    return found


def _unchanged(blocks: list[dict[str, Any]]) -> dict[int, str]:
    """Place in the matrix -> the column that stands there as it is."""
    places: dict[int, str] = {}
    at = 0
    for block in blocks:
        if block["op"] == "number":
            if not block["steps"]:
                places |= {at + place: name for place, name in enumerate(block["columns"])}
            at += len(block["columns"])
        else:
            at += block.get("width", 1)
    return places
