"""Reads scikit-learn's ensembles of trees."""

from __future__ import annotations

from typing import Any

import numpy as np

from taxiway.adapters.engines.sklearn_columns import Split
from taxiway.adapters.engines.trees import EXPONENTIAL, IDENTITY, LOGISTIC, Tree, Trees
from taxiway.core.engine import NotCompilableError

_STARTS = ("DummyClassifier", "DummyRegressor")
_LINKS = {
    "log_loss": LOGISTIC,
    "squared_error": IDENTITY,
    "absolute_error": IDENTITY,
    "quantile": IDENTITY,
    "poisson": EXPONENTIAL,
    "gamma": EXPONENTIAL,
}
"""Loss of histogram gradient boosting -> what makes the answer of its score."""


def forest(split: Split) -> Trees:
    """A forest: the mean of its trees' shares of the positive class, or of their numbers."""
    model = _one_answer(split)
    return _mean(model.estimators_, model.n_features_in_)


def single_tree(split: Split) -> Trees:
    """One tree is a forest of one."""
    model = _one_answer(split)
    return _mean([model], model.n_features_in_)


def _mean(estimators: Any, width: int) -> Trees:
    trees = []
    for estimator in estimators:
        values = estimator.tree_.value[:, 0, :]
        # Of two classes their counts; of numbers the one that is answered.
        answers = values[:, 1] / values.sum(axis=1) if values.shape[1] == 2 else values[:, 0]
        trees.append(_tree(estimator.tree_, answers))
    return Trees(tuple(trees), width, "float32", by=float(len(trees)), link=IDENTITY)


def gradient_boosting(split: Split) -> Trees:
    """Plain gradient boosting: the start that it was given, and scaled trees."""
    model = _one_answer(split)
    if model.init_ != "zero" and type(model.init_).__name__ not in _STARTS:
        raise NotCompilableError(f"a {type(model).__name__} with a start of its own")
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_)))  # noqa: SLF001 - its own word
    trees = tuple(
        _tree(estimator.tree_, estimator.tree_.value[:, 0, 0] * model.learning_rate)
        for estimator in model.estimators_[:, 0]
    )
    return Trees(
        trees,
        model.n_features_in_,
        "float32",
        base=float(np.ravel(start)[0]),
        link=LOGISTIC if hasattr(model, "classes_") else IDENTITY,
        scale=2.0 if model.loss == "exponential" else 1.0,
    )


def _tree(tree: Any, value: Any) -> Tree:
    return Tree(
        feature=np.maximum(tree.feature, 0),
        threshold=tree.threshold.astype(np.float64),
        yes=tree.children_left,
        no=tree.children_right,
        missing_yes=np.asarray(tree.missing_go_to_left, dtype=bool),
        value=value.astype(np.float64),
        cover=tree.weighted_n_node_samples,
    )


def hist_gradient_boosting(split: Split) -> Trees:
    """Histogram gradient boosting, which names the categories of each split by codes of its own."""
    model = _one_answer(split)
    if model.loss not in _LINKS:
        raise NotCompilableError(f"a {type(model).__name__} of the loss {model.loss}")
    places, categories = _places(model, encoded=split.encoded)
    known, known_at = model._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001 - no other way
    trees = []
    for (predictor,) in model._predictors:  # noqa: SLF001 - no other way to its trees
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        yes = np.where(leaf, -1, nodes["left"].astype(np.int64))
        no = np.where(leaf, -1, nodes["right"].astype(np.int64))
        missing_yes = nodes["missing_go_to_left"].astype(bool)
        members = {}
        for at in np.flatnonzero(nodes["is_categorical"].astype(bool) & ~leaf):
            feature = int(nodes["feature_idx"][at])
            left = _codes(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][at]])
            right = _codes(known[known_at[feature]]) - left
            values = categories[feature]
            if missing_yes[at]:
                # Missing and unknown categories go left: the others are named, and go right.
                left = right
                yes[at], no[at] = no[at], yes[at]
            missing_yes[at] = False
            members[int(at)] = [values[code] for code in sorted(left)]
        trees.append(
            Tree(
                feature=places[nodes["feature_idx"]],
                threshold=nodes["num_threshold"].astype(np.float64),
                yes=yes,
                no=no,
                missing_yes=missing_yes,
                value=nodes["value"].astype(np.float64),
                cover=nodes["count"].astype(np.float64),
                members=members,
            )
        )
    base = float(np.ravel(model._baseline_prediction)[0])  # noqa: SLF001 - no other way
    return Trees(tuple(trees), len(places), "float64", base=base, link=_LINKS[model.loss])


def _places(model: Any, *, encoded: bool) -> tuple[Any, list[list[float]]]:
    """(the model's own columns -> places in the matrix, their codes -> values in the matrix)."""
    width = model.n_features_in_
    own = [[float(code) for code in range(256)]] * width
    inner = model._preprocessor  # noqa: SLF001 - it reorders and encodes its columns
    if inner is None or encoded:
        return np.arange(width), own
    encoder = inner.named_transformers_["encoder"]
    given = np.concatenate(
        [np.flatnonzero(model.is_categorical_), np.flatnonzero(~model.is_categorical_)]
    )
    for at, values in enumerate(encoder.categories_):
        own[at] = [float(value) for value in values]
    return given, own


def _codes(bitset: Any) -> set[int]:
    """The numbers whose bits are set, of eight 32-bit words."""
    bits = np.unpackbits(np.ascontiguousarray(bitset).view(np.uint8), bitorder="little")
    return set(np.flatnonzero(bits).tolist())


def _one_answer(split: Split) -> Any:
    """The model, if it tells two classes apart or predicts one number."""
    model = split.model
    classes = len(getattr(model, "classes_", (False, True)))
    if classes != 2:
        raise NotCompilableError(f"a {type(model).__name__} of {classes} classes")
    if getattr(model, "n_outputs_", 1) != 1:
        raise NotCompilableError(f"a {type(model).__name__} of {model.n_outputs_} outputs")
    return model
