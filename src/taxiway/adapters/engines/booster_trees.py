"""Reads the trees of XGBoost and LightGBM, from the JSON that their libraries write."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from taxiway.adapters.engines.sklearn_columns import Split
from taxiway.adapters.engines.trees import EXPONENTIAL, IDENTITY, LOGISTIC, Tree, Trees
from taxiway.core.engine import NotCompilableError

_XGBOOST: Mapping[str, str] = {
    "binary:logistic": LOGISTIC,
    "reg:squarederror": IDENTITY,
    "reg:absoluteerror": IDENTITY,
    "reg:pseudohubererror": IDENTITY,
    "count:poisson": EXPONENTIAL,
    "reg:gamma": EXPONENTIAL,
    "reg:tweedie": EXPONENTIAL,
}
_LIGHTGBM: Mapping[str, str] = {
    "binary": LOGISTIC,
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape"), IDENTITY),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), EXPONENTIAL),
}
"""Objective -> what makes the answer of the score."""
_SCORE: Mapping[str, Callable[[float], float]] = {
    LOGISTIC: lambda start: math.log(start / (1 - start)),
    EXPONENTIAL: math.log,
    IDENTITY: lambda start: start,
}
"""Link -> the score of the answer that XGBoost starts from."""
_ZERO = float(np.float32(1e-35))
"""LightGBM takes a number that is no larger for zero, unless the matrix is sparse."""


def xgboost(split: Split) -> Trees:
    """XGBoost: 32-bit numbers and sums. A zero that a sparse matrix leaves out is missing to it."""
    model = split.model
    if not np.isnan(model.missing):
        raise NotCompilableError(f"an {_name(model)} with another missing value than NaN")
    booster = model.get_booster()
    if getattr(model, "early_stopping_rounds", None):
        booster = booster[: model.best_iteration + 1]
    learner = json.loads(booster.save_raw("json"))["learner"]
    kind, objective = learner["gradient_booster"]["name"], learner["objective"]["name"]
    if kind != "gbtree" or objective not in _XGBOOST:
        raise NotCompilableError(f"an {_name(model)} of the kind {kind}, {objective}")
    link = _XGBOOST[objective]
    parameters = learner["learner_model_param"]
    start = float(parameters["base_score"].strip("[]"))
    return Trees(
        tuple(_xgboost_tree(tree) for tree in learner["gradient_booster"]["model"]["trees"]),
        int(parameters["num_feature"]),
        "float32",
        zero_is_missing=split.sparse,
        strict=True,
        base=float(np.float32(_SCORE[link](start))),
        link=link,
    )


def _name(model: Any) -> str:
    return type(model).__name__


def _xgboost_tree(tree: Any) -> Tree:
    yes, no = np.array(tree["left_children"]), np.array(tree["right_children"])
    conditions = np.array(tree["split_conditions"], dtype=np.float32).astype(np.float64)
    missing_yes = np.array(tree["default_left"], dtype=bool)
    members = {}
    for node, start, size in zip(
        tree["categories_nodes"],
        tree["categories_segments"],
        tree["categories_sizes"],
        strict=True,
    ):
        # The categories that it names go right; those that it never saw go left with the rest.
        members[node] = [float(c) for c in tree["categories"][start : start + size]]
        yes[node], no[node] = no[node], yes[node]
        missing_yes[node] = not missing_yes[node]
    return Tree(
        feature=np.array(tree["split_indices"]),
        threshold=conditions,
        yes=yes,
        no=no,
        missing_yes=missing_yes,
        value=conditions,
        cover=np.array(tree["sum_hessian"], dtype=np.float32).astype(np.float64),
        members=members,
    )


def lightgbm(split: Split) -> Trees:
    """LightGBM: 64-bit numbers and sums."""
    dumped = split.model.booster_.dump_model()
    objective, _, rest = dumped["objective"].partition(" ")
    if objective not in _LIGHTGBM or "sqrt" in rest.split():
        raise NotCompilableError(f"an {_name(split.model)} of the objective {objective} {rest}")
    by = len(dumped["tree_info"]) if dumped["average_output"] else 1
    said = dict(part.split(":") for part in rest.split() if ":" in part)
    return Trees(
        tuple(
            _lightgbm_tree(tree["tree_structure"], tiny_is_zero=not split.sparse)
            for tree in dumped["tree_info"]
        ),
        dumped["max_feature_idx"] + 1,
        "float64",
        by=float(by),
        link=_LIGHTGBM[objective],
        scale=float(said.get("sigmoid", 1.0)),
    )


def _lightgbm_tree(root: Any, *, tiny_is_zero: bool) -> Tree:
    nodes = list(_preorder(root))
    place = {id(node): at for at, node in enumerate(nodes)}
    size = len(nodes)
    feature, yes, no = np.zeros(size, np.int64), np.full(size, -1), np.full(size, -1)
    threshold, value, cover = np.zeros(size), np.zeros(size), np.zeros(size)
    missing_yes, members = np.zeros(size, dtype=bool), {}
    for at, node in enumerate(nodes):
        if "leaf_value" in node:
            if "leaf_coeff" in node:
                raise NotCompilableError("a model of LightGBM with linear trees")
            value[at], cover[at] = node["leaf_value"], node.get("leaf_count", 0)
            continue
        feature[at], cover[at] = node["split_feature"], node["internal_count"]
        yes[at], no[at] = place[id(node["left_child"])], place[id(node["right_child"])]
        if node["missing_type"] == "Zero":
            raise NotCompilableError("a model of LightGBM to which zero is missing")
        if node["decision_type"] == "==":
            # What is not named goes right: missing, negative, or never seen.
            members[at] = [float(c) for c in str(node["threshold"]).split("||")]
            continue
        threshold[at] = node["threshold"]
        if tiny_is_zero:
            threshold[at] = _around_zero(threshold[at])
        # Where training saw no missing number, one counts as zero.
        known = node["missing_type"] == "NaN"
        missing_yes[at] = node["default_left"] if known else threshold[at] >= 0
    return Tree(feature, threshold, yes, no, missing_yes, value, cover, members)


def _around_zero(threshold: float) -> float:
    """The threshold that has the same effect without LightGBM's rule that tiny numbers are zero."""
    if abs(threshold) > _ZERO:
        return threshold
    return _ZERO if threshold >= 0 else math.nextafter(-_ZERO, -math.inf)


def _preorder(root: Any) -> Iterator[Any]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        if "left_child" in node:
            waiting += [node["right_child"], node["left_child"]]
